import assert from 'node:assert/strict';
import { silentLog } from '../../src/base/environment.js';
import { utf8 } from '../../src/base/bytes.js';
import { DEFAULT_GROUP_DOCUMENT_NAMES } from '../../src/config/index.js';
import {
  checkGroup,
  DocumentThread,
  groupDocument,
  readGroupDocument,
} from '../../src/gms/index.js';
import type { NodeSelector } from '../../src/xcap/index.js';
import { TreeNodes, XcapConflict } from '../../src/xcap/index.js';
import { member, newGroup } from './support.js';

const NAMES = DEFAULT_GROUP_DOCUMENT_NAMES;
const COUNT = 10_000;
const uriOf = (at: number): string => `sip:user${at}@mc-a.example`;

describe('the thread of the large documents', function () {
  this.timeout(30_000);
  const members = Array.from({ length: COUNT }, (_, at) => member(uriOf(at)));
  const document = groupDocument(checkGroup(newGroup({ members })), NAMES);
  let thread: DocumentThread;
  beforeEach(() => (thread = new DocumentThread(silentLog)));
  afterEach(() => thread.close());

  const step = (localName: string, uri?: string): NodeSelector['steps'][number] => ({
    name: { namespace: NAMES.listNamespace, localName },
    position: null,
    attribute: uri === undefined ? null : { name: { namespace: '', localName: 'uri' }, value: uri },
  });
  const entry = (uri: string): NodeSelector => ({
    steps: [step('group'), step('list-service'), step('list'), step('entry', uri)],
    terminal: null,
  });

  it('reads a group of ten thousand members as it is read here', async () => {
    assert.ok(document.octets.length > 262_144);
    assert.deepEqual(
      await thread.read(document.octets, NAMES),
      readGroupDocument(document.octets, NAMES),
    );
  });

  it('selects, puts and deletes one of ten thousand as it is done here', async () => {
    const here = new TreeNodes();
    const known = entry(uriOf(7000));
    assert.deepEqual(await thread.select(document, known), await here.select(document, known));
    assert.equal(await thread.select(document, entry('sip:nobody@mc-a.example')), undefined);
    const added = entry('sip:new@mc-a.example');
    const body = '<entry uri="sip:new@mc-a.example"/>';
    assert.deepEqual(
      await thread.put(document, added, body),
      await here.put(document, added, body),
    );
    assert.equal(await thread.delete(document, known), await here.delete(document, known));
  });

  it('says what is wrong as it is said here', async () => {
    await assert.rejects(thread.read(utf8('<group'), NAMES), { code: 'SEGY_E_XML' });
    await assert.rejects(thread.read(utf8('<group/>'), NAMES), { code: 'SEGY_E_GROUP_DOCUMENT' });
    await assert.rejects(thread.put(document, entry('sip:x@mc-a.example'), 'text'), (error) => {
      assert.ok(error instanceof XcapConflict);
      return error.element === 'not-xml-frag';
    });
  });

  it('takes no more tasks than a few at a time', async () => {
    const tasks = Array.from({ length: 20 }, () => thread.read(utf8('<group/>'), NAMES));
    const outcomes = await Promise.allSettled(tasks);
    const codes = outcomes.map((each) =>
      each.status === 'rejected' ? (each.reason as { code: string }).code : '',
    );
    assert.equal(codes.filter((code) => code === 'SEGY_E_BUSY').length, 4);
  });

  it('fails what it was at when it dies, and is there again', async () => {
    const dies = new URL('data:text/javascript,process.exit(1)');
    const mortal = new DocumentThread(silentLog, dies);
    await assert.rejects(mortal.read(document.octets, NAMES), { code: 'SEGY_E_INTERNAL' });
    await assert.rejects(mortal.read(document.octets, NAMES), { code: 'SEGY_E_INTERNAL' });
    await mortal.close();
  });

  it('does nothing more when it is closed', async () => {
    const running = thread.read(document.octets, NAMES);
    const cancelled = assert.rejects(running, { code: 'SEGY_E_CANCELLED' });
    await thread.close();
    await cancelled;
    await assert.rejects(thread.read(document.octets, NAMES), { code: 'SEGY_E_CANCELLED' });
  });
});
