import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DEFAULT_GROUP_DOCUMENT_NAMES } from '../../src/config/index.js';
import { groupDocument } from '../../src/gms/index.js';
import type { HttpResponse } from '../../src/https/index.js';
import { xcapSchema } from '../xcap/support.js';
import { needTool, runTool } from '../xmldsig/support.js';
import { documentScene, pathOf, textOf, type DocumentScene } from './document-support.js';
import { ADMIN, AUID, PATH, TYPE } from './document-support.js';
import { ALICE, BOB, newGroup, RADIO, schemaFile, TALKGROUP } from './support.js';

const OTHER = 'sip:tg2@lmr.example';
const CAROL = 'sip:carol@mc-b.example';

function valid(schema: string, text: string): void {
  runTool('xmllint', ['--noout', '--nonet', '--schema', schema, '-'], text);
}

describe('the group documents over XCAP (TS 24.481)', () => {
  let scene: DocumentScene;
  beforeEach(async () => {
    scene = await documentScene();
  });
  afterEach(() => scene.gms.stop());
  const kept = (id = TALKGROUP) => scene.gms.groups.get(id);
  const read = async (id = TALKGROUP): Promise<string> =>
    textOf(await scene.ask({ path: pathOf(id) }));
  const put = (body: string | Uint8Array, more: object = {}): Promise<HttpResponse> =>
    scene.ask({ method: 'PUT', body, ...more });
  /** the name of the error and what it says */
  const errorOf = (answer: HttpResponse): readonly [number, string, string] => {
    const [, element = '', phrase = ''] =
      /<xcap-error[^>]*><([\w-]+) phrase="([^"]*)"/.exec(textOf(answer)) ?? [];
    return [answer.status, element, phrase];
  };

  it('are what the GMS writes, with the entity tag that the notifier tells', async () => {
    const answer = await scene.ask({});
    const document = groupDocument(kept()!, DEFAULT_GROUP_DOCUMENT_NAMES);
    assert.equal(answer.headers?.['Content-Type'], TYPE);
    assert.equal(answer.headers.ETag, document.etag);
    assert.deepEqual(answer.body, document.octets);
  });

  it('are valid by the schema as they are served, in libxml2', async function () {
    needTool(this, 'xmllint');
    valid(schemaFile('group.xsd'), await read());
    valid(xcapSchema('xcap-caps.xsd'), textOf(await scene.ask({ path: 'xcap-caps/global/index' })));
  });

  it('are in the tree of the user that asks, under the group ID, and in no other’s', async () => {
    const inTreeOf = (xui: string) =>
      `${AUID}/users/${encodeURIComponent(xui)}/${encodeURIComponent(TALKGROUP)}`;
    const own = await scene.ask({ token: 'alice', path: inTreeOf(ALICE) });
    assert.deepEqual([own.status, textOf(own)], [200, await read()]);
    assert.equal((await scene.ask({ token: 'alice', path: inTreeOf(BOB) })).status, 403);
    assert.equal((await scene.ask({ token: 'bob', path: inTreeOf(ALICE) })).status, 403);
  });

  it('are in every folder by which a partner knows them, and in no other', async () => {
    await scene.gms.stop();
    const folders = [`${AUID}/global/byGroupID/`, `${AUID}/global/a%20b/c/`, 'other/global/x/'];
    scene = await documentScene({ folders });
    const status = async (folder: string): Promise<number> =>
      (await scene.ask({ path: `${folder}${encodeURIComponent(TALKGROUP)}` })).status;
    assert.deepEqual(
      [await status(folders[0]!), await status(folders[1]!), await status(`${AUID}/global/x/`)],
      [200, 200, 404],
    );
  });

  it('have nodes that a member selects', async () => {
    const path = `${PATH}/~~/group/list-service/list/entry%5b@uri=%22${encodeURIComponent(BOB)}%22%5d/@uri`;
    const answer = await scene.ask({ token: 'alice', path });
    assert.deepEqual([answer.status, textOf(answer)], [200, BOB]);
  });

  describe('put', () => {
    it('make a group: it is keyed, and named on the PBX by the user part of its ID', async () => {
      const body = (await read()).replaceAll(TALKGROUP, OTHER);
      const answer = await put(body, { path: pathOf(OTHER) });
      assert.equal(answer.status, 201);
      const { pbx, origin, members } = kept(OTHER)!;
      assert.deepEqual([pbx, origin, members.length], ['tg2', 'document', 3]);
      assert.equal(answer.headers?.ETag, (await scene.ask({ path: pathOf(OTHER) })).headers?.ETag);
      const { keys } = scene.gms.status(OTHER);
      assert.deepEqual(
        keys.map(({ keyType, deliveries }) => [keyType, deliveries.members]),
        [['GMK', 2]],
      );
      assert.deepEqual(scene.changes, [
        `group-created ${OTHER} document, by ${ADMIN} with client client`,
      ]);
    });

    it('change a group: who comes in gets the key, and whoever is left out sets off a new one', async () => {
      const before = scene.gms.status(TALKGROUP).keys.length;
      const body = (await read()).replace(BOB, CAROL);
      assert.equal((await put(body)).status, 200);
      assert.deepEqual(
        kept()!.members.map(({ uri, partner }) => `${uri} ${partner}`),
        [`${RADIO} `, `${ALICE} a`, `${CAROL} b`],
      );
      const { keys } = scene.gms.status(TALKGROUP);
      assert.equal(keys.length, before + 1, 'the key is rolled');
      await scene.rest();
      const successor = keys.at(-1)!.keyId;
      const told = scene.sent.filter(({ keyId }) => keyId === successor).map((each) => each.member);
      assert.deepEqual(told.sort(), [ALICE, CAROL]);
    });

    it('keep what no document says: the name on the PBX, the speaker, the home of each member', async () => {
      await scene.gms.groups.change(TALKGROUP, (group) => ({
        ...group,
        pbx: 'fire',
        speaker: RADIO,
        members: group.members.map((each) =>
          each.uri === BOB ? { ...each, kmsUri: 'kms2.mc-b.example' } : each,
        ),
      }));
      const body = (await read()).replace('Fire &amp; rescue', 'Rescue');
      assert.equal((await put(body)).status, 200);
      const { pbx, speaker, displayName, members } = kept()!;
      assert.deepEqual([pbx, speaker, displayName], ['fire', RADIO, 'Rescue']);
      assert.equal(members.find(({ uri }) => uri === BOB)?.kmsUri, 'kms2.mc-b.example');
    });

    it('unchanged change nothing: no version, no key, no record', async () => {
      const { version } = kept()!;
      const before = scene.gms.status(TALKGROUP);
      assert.equal((await put(await read())).status, 200);
      assert.equal(kept()!.version, version);
      assert.deepEqual(scene.gms.status(TALKGROUP), before);
      assert.deepEqual(scene.changes, []);
    });

    it('lose nothing to a change that came between: If-Match is held to at the change', async () => {
      const { headers } = await scene.ask({});
      const body = (await read()).replace('Fire &amp; rescue', 'Rescue');
      const putting = put(body, { headers: { 'If-Match': headers?.ETag ?? '' } });
      await scene.gms.groups.change(TALKGROUP, (group) => ({ ...group, priority: 9 }));
      assert.equal((await putting).status, 412);
      assert.deepEqual([kept()!.priority, kept()!.displayName], [9, 'Fire & rescue']);
    });

    const broken: readonly [string, (xml: string) => string | Uint8Array, string][] = [
      ['not XML', () => 'x', 'not-well-formed'],
      ['empty', () => '', 'not-well-formed'],
      ['with an entity', (xml) => xml.replace('Fire', '&e;'), 'not-well-formed'],
      [
        'with a DOCTYPE',
        (xml) => xml.replace('<group', '<!DOCTYPE group [<!ENTITY e "x">]><group'),
        'not-well-formed',
      ],
      ['deeper than any', () => '<group>'.repeat(5000), 'not-well-formed'],
      ['not UTF-8', () => new Uint8Array([0x3c, 0xff, 0x3e]), 'not-utf-8'],
      ['of another root', () => '<x/>', 'schema-validation-error'],
      [
        'with an element that is not kept',
        (xml) => xml.replace('<list>', '<more/><list>'),
        'schema-validation-error',
      ],
      ['without a list', (xml) => xml.replace(/<list>.*<\/list>/s, ''), 'schema-validation-error'],
      ['of another group', (xml) => xml.replaceAll(TALKGROUP, OTHER), 'constraint-failure'],
      ['with a member of nobody', (xml) => xml.replace(BOB, 'sip:x@y.z'), 'constraint-failure'],
      ['with a member twice', (xml) => xml.replace(BOB, ALICE), 'uniqueness-failure'],
      [
        'with a priority beyond 255',
        (xml) => xml.replace(/(group-priority>)\d+/, '$1256'),
        'constraint-failure',
      ],
    ];
    for (const [what, make, element] of broken) {
      it(`${what} are refused as ${element}, and nothing changes`, async function () {
        const before = kept();
        const answer = await put(make(await read()));
        assert.deepEqual(errorOf(answer).slice(0, 2), [409, element]);
        assert.equal(kept(), before);
        needTool(this, 'xmllint');
        valid(xcapSchema('xcap-error.xsd'), textOf(answer));
      });
    }

    it('in a folder that is not there are refused as no-parent, with the ancestor that is', async function () {
      const body = await read();
      const answer = await put(body, { path: `${AUID}/global/elsewhere/x` });
      assert.deepEqual(errorOf(answer).slice(0, 2), [409, 'no-parent']);
      const ancestor = `<ancestor>https://gms.lmr.example/xcap-root/${AUID}/global</ancestor>`;
      assert.ok(textOf(answer).includes(ancestor), textOf(answer));
      needTool(this, 'xmllint');
      valid(xcapSchema('xcap-error.xsd'), textOf(answer));
    });

    it('of a group in a partner’s domain are refused: its calls would come here', async () => {
      const id = 'sip:police@mc-b.example';
      const body = (await read()).replaceAll(TALKGROUP, id);
      const answer = await put(body, { path: pathOf(id) });
      assert.deepEqual(errorOf(answer).slice(0, 2), [409, 'constraint-failure']);
      assert.equal(kept(id), undefined);
    });

    it('damaged in any way change the group as they say, or are refused and change nothing', async () => {
      const xml = await read();
      const outcomes = new Set<number>();
      await fc.assert(
        fc.asyncProperty(
          fc.nat(xml.length - 1),
          fc.nat(12),
          fc.string({ maxLength: 8, unit: 'grapheme' }),
          async (from, cut, put_) => {
            const before = kept();
            const { status, headers } = await put(
              xml.slice(0, from) + put_ + xml.slice(from + cut),
            );
            outcomes.add(status);
            if (status === 409) assert.equal(kept(), before);
            else {
              assert.equal(status, 200);
              const { etag } = groupDocument(kept()!, DEFAULT_GROUP_DOCUMENT_NAMES);
              assert.equal(headers?.ETag, etag);
            }
          },
        ),
        { numRuns: 400 },
      );
      assert.deepEqual([...outcomes].sort(), [200, 409]);
    });

    it('say no more than a line of what was sent', async () => {
      const long = 'x'.repeat(5000);
      const [, , phrase] = errorOf(await put((await read()).replace('<list>', `<${long}/><list>`)));
      assert.ok(phrase.length <= 200, `${phrase.length}`);
    });
  });

  describe('put and deleted in part', () => {
    const entry = (uri: string): string =>
      `${PATH}/~~/group/list-service/list/entry%5b@uri=%22${encodeURIComponent(uri)}%22%5d`;
    const putEntry = (uri: string, body: string) =>
      scene.ask({
        ...{ method: 'PUT', path: entry(uri), body },
        headers: { 'Content-Type': 'application/xcap-el+xml' },
      });
    const uris = () => kept()!.members.map(({ uri }) => uri);

    it('add one member, who gets the key that there is', async () => {
      const { keys } = scene.gms.status(TALKGROUP);
      assert.equal((await putEntry(CAROL, `<entry uri="${CAROL}"/>`)).status, 201);
      assert.deepEqual(uris(), [RADIO, ALICE, BOB, CAROL]);
      await scene.rest();
      assert.equal(scene.gms.status(TALKGROUP).keys.length, keys.length);
      assert.ok(scene.sent.some(({ member }) => member === CAROL));
      const answer = await scene.ask({ path: entry(CAROL) });
      assert.match(textOf(answer), new RegExp(`uri="${CAROL}"`));
    });

    it('remove one member, and the others get a new key', async () => {
      const { keys } = scene.gms.status(TALKGROUP);
      assert.equal((await scene.ask({ method: 'DELETE', path: entry(BOB) })).status, 200);
      assert.deepEqual(uris(), [RADIO, ALICE]);
      assert.equal(scene.gms.status(TALKGROUP).keys.length, keys.length + 1);
      assert.equal((await scene.ask({ method: 'DELETE', path: entry(BOB) })).status, 404);
    });

    it('are for administrators, and keep to the rules of the whole', async () => {
      const asked = { method: 'DELETE', path: entry(BOB), token: 'alice' };
      assert.equal((await scene.ask(asked)).status, 403);
      const nobody = await putEntry('sip:x@y.z', '<entry uri="sip:x@y.z"/>');
      assert.deepEqual(errorOf(nobody).slice(0, 2), [409, 'constraint-failure']);
      const list = await scene.ask({
        ...{ method: 'DELETE', path: `${PATH}/~~/group/list-service/list` },
      });
      assert.deepEqual(errorOf(list).slice(0, 2), [409, 'schema-validation-error']);
      assert.deepEqual(uris(), [RADIO, ALICE, BOB]);
    });
  });

  describe('deleted', () => {
    it('end the group and revoke its keys', async () => {
      assert.equal((await scene.ask({ method: 'DELETE' })).status, 200);
      assert.equal(kept(), undefined);
      assert.equal((await scene.ask({})).status, 404);
      assert.match(scene.changes.join(), /^group-deleted/);
      assert.ok(scene.gms.status(TALKGROUP).keys.every(({ state }) => state === 'revoked'));
    });

    it('of the configuration file stay: it decides on them', async () => {
      await scene.gms.groups.put(newGroup({ origin: 'config' }), { by: 'config' });
      const deleted = await scene.ask({ method: 'DELETE' });
      assert.deepEqual(errorOf(deleted).slice(0, 2), [409, 'constraint-failure']);
      const changed = await put((await read()).replace('Fire', 'Water'));
      assert.deepEqual(errorOf(changed).slice(0, 2), [409, 'constraint-failure']);
      assert.ok(kept());
    });
  });
});
