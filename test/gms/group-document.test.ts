import assert from 'node:assert/strict';
import { DEFAULT_GROUP_DOCUMENT_NAMES } from '../../src/config/index.js';
import {
  checkGroup,
  groupDocument,
  groupOfDocument,
  readGroupDocument,
} from '../../src/gms/index.js';
import type { Group, NewGroup } from '../../src/gms/index.js';
import { needTool, runTool } from '../xmldsig/support.js';
import { ALICE, BOB, homeOf, member, newGroup, RADIO, schemaFile } from './support.js';

const NAMES = DEFAULT_GROUP_DOCUMENT_NAMES;

const FULL: NewGroup = newGroup({
  services: ['MCData', 'MCPTT', 'MCVideo'],
  protectFloorControl: false,
  multicastFloorControl: true,
  inviteMembers: false,
  codecs: ['AMR-WB', 'EVS'],
  priority: 200,
  maxParticipants: 40,
  members: [
    member(RADIO),
    member(ALICE, { displayName: 'Alice <A&B>', priority: 7, mcvideoId: 'sip:a.v@mc-a.example' }),
    member(BOB, { mcdataId: 'sip:b.d@mc-b.example' }),
  ],
});

function documentOf(group: NewGroup): string {
  return Buffer.from(groupDocument(checkGroup(group), NAMES).octets).toString('utf8');
}

function again(xml: string, before: Group | null): Group {
  return checkGroup(groupOfDocument(readGroupDocument(xml, NAMES), before, homeOf));
}

describe('the group document of TS 24.481', () => {
  for (const [name, group] of Object.entries({ small: newGroup(), full: FULL })) {
    it(`says everything of a ${name} group that a document can say`, () => {
      const kept = checkGroup(group);
      assert.deepEqual(again(documentOf(group), kept), kept);
    });

    it(`of a ${name} group is valid by the schema, in libxml2`, function () {
      needTool(this, 'xmllint');
      const schema = ['--noout', '--nonet', '--schema', schemaFile('group.xsd'), '-'];
      runTool('xmllint', schema, documentOf(group));
    });
  }

  it('has an entity tag that changes with its content and with nothing else', () => {
    const tag = (group: NewGroup): string => groupDocument(checkGroup(group), NAMES).etag;
    assert.equal(tag(FULL), tag({ ...FULL, version: 9, speaker: RADIO, pbx: 'other' }));
    assert.notEqual(tag(FULL), tag({ ...FULL, priority: 201 }));
    assert.match(tag(FULL), /^"[\w-]{22}"$/);
  });

  it('makes a new group with the user part of its ID as name on the PBX', () => {
    const made = again(documentOf(FULL), null);
    assert.deepEqual([made.pbx, made.speaker, made.origin], ['tg1', null, 'document']);
  });

  it('protects what it does not speak of', () => {
    const xml = documentOf(FULL).replace(/<mcpttgi:[\w-]*protect-[\w-]*>.*?<\/[^>]*>/g, '');
    const { protectMedia, protectFloorControl } = readGroupDocument(xml, NAMES);
    assert.deepEqual([protectMedia, protectFloorControl], [true, true]);
  });

  it('takes a flag without a value for true', () => {
    const xml = documentOf(newGroup()).replace(/(<mcpttgi:protect-floor[^>]*>)true/, '$1');
    assert.match(xml, /<mcpttgi:protect-floor[^>]*><\//);
    assert.equal(readGroupDocument(xml, NAMES).protectFloorControl, true);
  });

  it('uses the names that the configuration gives', () => {
    const names = { ...NAMES, mcpttMedia: 'speech', encodingElement: 'codec' };
    const xml = Buffer.from(groupDocument(checkGroup(FULL), names).octets).toString('utf8');
    assert.match(xml, /<mcpttgi:speech\/>.*<mcpttgi:codec name="EVS"\/>/s);
    assert.deepEqual(readGroupDocument(xml, names).codecs, ['AMR-WB', 'EVS']);
  });

  it('of a member of nobody makes no group', () => {
    const xml = documentOf(FULL).replace('bob@mc-b.example', 'bob@elsewhere.example');
    assert.throws(() => again(xml, null), { code: 'SEGY_E_GROUP' });
  });

  const edits: Record<string, (xml: string) => string> = {
    'an element that is not kept': (xml) =>
      xml.replace('<list>', '<mcpttgi:owner>x</mcpttgi:owner><list>'),
    'an element that is not kept within a member': (xml) =>
      xml.replace(/(<entry [^>]*>)/, '$1<mcpttgi:participant-type>x</mcpttgi:participant-type>'),
    'an attribute that is not kept': (xml) => xml.replace('<list>', '<list name="x">'),
    'a foreign namespace': (xml) => xml.replace(/urn:3gpp:ns:mcpttGroupInfo:1.0/, 'urn:x'),
    'text between elements': (xml) => xml.replace('<list>', 'x<list>'),
    'two lists': (xml) => xml.replace('<list>', '<list/><list>'),
    'no list': (xml) => xml.replace(/<list>.*<\/list>/s, ''),
    'no display name': (xml) => xml.replace(/<display-name>Fire.*?<\/display-name>/, ''),
    'no group ID': (xml) => xml.replace(/ uri="sip:tg1[^"]*"/, ''),
    'an unknown service': (xml) => xml.replace('icsi.mcvideo', 'icsi.other'),
    'a flag that is neither true nor false': (xml) =>
      xml.replace('>true</mcpttgi:', '>yes</mcpttgi:'),
    'a negative number': (xml) => xml.replace('>200<', '>-1<'),
    'other protection for MCVideo than for MCPTT': (xml) =>
      xml.replace(/(mcvideo-protect-media>)true/, '$1false'),
    'a rule by which members may not join': (xml) =>
      xml.replace('>true</join-handling>', '>false</join-handling>'),
    'a rule for others than members': (xml) => xml.replace('<is-list-member/>', '<is-anyone/>'),
    'another root element': (xml) => xml.replace(/<(\/?)group\b/g, '<$1groups'),
  };
  for (const [name, edit] of Object.entries(edits)) {
    it(`is refused with ${name}`, () => {
      const xml = edit(documentOf(FULL));
      assert.notEqual(xml, documentOf(FULL));
      assert.throws(() => readGroupDocument(xml, NAMES), { code: 'SEGY_E_GROUP_DOCUMENT' });
    });
  }

  it('is refused where it is no XML', () => {
    assert.throws(() => readGroupDocument('<group', NAMES), { code: 'SEGY_E_XML' });
  });
});
