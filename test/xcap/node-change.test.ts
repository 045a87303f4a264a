import assert from 'node:assert/strict';
import type { XcapServer } from '../../src/xcap/index.js';
import { needTool, runTool } from '../xmldsig/support.js';
import { ask, AUID, MemoryUsage, NAMESPACE, serverOver, tagOf, textOf } from './support.js';
import { xcapSchema, type Asked, type Caller } from './support.js';

const PATH = `${AUID}/global/byGroupID/sip:tg1@lmr.example`;
const EL = 'application/xcap-el+xml';
const ATT = 'application/xcap-att+xml';
const LIST = `<g xmlns="${NAMESPACE}" xmlns:p="urn:p"><n>name</n><e uri="a"/><e uri="b"/><p:z/></g>`;
/** What stands within the root of the document. */
const within = (text: string): string => /^<g [^>]*>(.*)<\/g>$/s.exec(text)?.[1] ?? text;

describe('single nodes of an XCAP document (RFC 4825 clauses 8.2, 8.4)', () => {
  let usage: MemoryUsage;
  let server: XcapServer<Caller>;
  beforeEach(() => {
    usage = new MemoryUsage();
    usage.documents.set(PATH, LIST);
    server = serverOver(usage);
  });
  const kept = (): string => within(usage.documents.get(PATH) ?? '');
  const at = (selector: string): string => `${PATH}/~~/${encodeURIComponent(selector)}`;
  const put = (selector: string, body: string | Uint8Array, type = EL, more: Partial<Asked> = {}) =>
    ask(server, {
      ...{ method: 'PUT', path: at(selector), body },
      headers: { 'Content-Type': type },
      ...more,
    });
  const remove = (selector: string, more: Partial<Asked> = {}) =>
    ask(server, { method: 'DELETE', path: at(selector), ...more });
  const empty = (name: string, rest = ''): string => `<${name}${rest}></${name}>`;
  const A = empty('e', ' uri="a"');
  const B = empty('e', ' uri="b"');
  const C = empty('e', ' uri="c"');
  const N = '<n>name</n>';
  const Z = empty('p:z', ' xmlns:p="urn:p"');

  const puts: readonly [string, string, string, string, number, string][] = [
    [
      'an element that is there',
      'g/e[@uri="a"]',
      '<e uri="a">x</e>',
      EL,
      200,
      `${N}<e uri="a">x</e>${B}${Z}`,
    ],
    ['a new one behind its like', 'g/e[@uri="c"]', '<e uri="c"/>', EL, 201, `${N}${A}${B}${C}${Z}`],
    ['a new one by its position', 'g/e[3]', '<e uri="c"/>', EL, 201, `${N}${A}${B}${C}${Z}`],
    ['the first of its name', 'g/m', '<m/>', EL, 201, `${N}${A}${B}${Z}${empty('m')}`],
    [
      'one with a prefix of the document',
      'g/e[1]',
      '<e uri="a" p:x="1"/>',
      EL,
      200,
      `${N}${empty('e', ' xmlns:p="urn:p" uri="a" p:x="1"')}${B}${Z}`,
    ],
    [
      'an attribute that is there',
      'g/e[1]/@uri',
      'c &amp; d',
      ATT,
      200,
      `${N}${empty('e', ' uri="c &amp; d"')}${B}${Z}`,
    ],
    ['a new attribute', 'g/n/@x', '1', ATT, 201, `<n x="1">name</n>${A}${B}${Z}`],
  ];
  for (const [what, selector, body, type, status, expected] of puts) {
    it(`put ${what}: ${status}`, async () => {
      const answer = await put(selector, body, type);
      assert.equal(answer.status, status, textOf(answer));
      assert.equal(kept(), expected);
      assert.equal(answer.headers?.ETag, tagOf(usage.documents.get(PATH) ?? ''));
    });
  }

  it('put once more are the same once more', async () => {
    await put('g/e[@uri="c"]', '<e uri="c"/>');
    const after = kept();
    assert.equal((await put('g/e[@uri="c"]', '<e uri="c"/>')).status, 200);
    assert.equal(kept(), after);
  });

  it('deleted are gone, and then 404', async () => {
    assert.equal((await remove('g/e[@uri="a"]')).status, 200);
    assert.equal(kept(), `${N}${B}${Z}`);
    assert.equal((await remove('g/e[@uri="a"]')).status, 404);
    assert.equal((await remove('g/n/@none')).status, 404);
    assert.equal((await remove('g/e[1]/@uri')).status, 200);
    assert.equal(kept(), `${N}${empty('e')}${Z}`);
  });

  const refused: readonly [string, () => ReturnType<typeof put>, string][] = [
    ['put without a parent', () => put('g/x/y', '<y/>'), 'no-parent'],
    [
      'put into a document that is not there',
      () => put('g/e[1]', '<e/>', EL, { path: at('g').replace('tg1', 'tg9') }),
      'no-parent',
    ],
    ['put where several are', () => put('g/e', '<e/>'), 'cannot-insert'],
    ['put beyond the next position', () => put('g/e[9]', '<e/>'), 'cannot-insert'],
    [
      'put that the selector does not select',
      () => put('g/e[@uri="c"]', '<e uri="d"/>'),
      'cannot-insert',
    ],
    ['put of another name', () => put('g/e[1]', '<f uri="a"/>'), 'cannot-insert'],
    ['put of two elements', () => put('g/e[1]', '<e/><e/>'), 'not-xml-frag'],
    ['put of no element', () => put('g/e[1]', 'text'), 'not-xml-frag'],
    [
      'put of an element that closes what is around it',
      () => put('g/e[1]', '</x><x>'),
      'not-xml-frag',
    ],
    ['put with an entity', () => put('g/e[1]', '<e>&x;</e>'), 'not-xml-frag'],
    ['put that is not UTF-8', () => put('g/e[1]', new Uint8Array([0x3c, 0xff])), 'not-utf-8'],
    ['put of an attribute with markup', () => put('g/e[1]/@uri', 'a"<', ATT), 'not-xml-att-value'],
    [
      'put of an attribute by which it is selected',
      () => put('g/e[@uri="a"]/@uri', 'c', ATT),
      'cannot-insert',
    ],
    ['deleted so that the next takes its place', () => remove('g/e[1]'), 'cannot-delete'],
    ['deleted with the whole document', () => remove('g'), 'cannot-delete'],
    [
      'put that breaks a rule of the usage',
      () => put('g/e[1]', '<e>bad</e>'),
      'constraint-failure',
    ],
  ];
  for (const [what, send, element] of refused) {
    it(`${what} are refused as ${element}`, async function () {
      const answer = await send();
      assert.equal(answer.status, 409, textOf(answer));
      assert.ok(textOf(answer).includes(`<${element} `), textOf(answer));
      assert.equal(usage.documents.get(PATH), LIST);
      needTool(this, 'xmllint');
      const schema = ['--noout', '--nonet', '--schema', xcapSchema('xcap-error.xsd'), '-'];
      runTool('xmllint', schema, textOf(answer));
    });
  }

  it('want the type of the node, hold to the conditions of the document, and are for writers', async () => {
    assert.equal((await put('g/e[1]', '<e/>', ATT)).status, 415);
    assert.equal((await put('g/e[1]/@uri', 'x', EL)).status, 415);
    assert.equal((await remove('g/n', { headers: { 'If-Match': '"other"' } })).status, 412);
    assert.equal((await remove('g/n', { caller: 'reader' })).status, 403);
    assert.equal((await remove('g/[')).status, 400);
    assert.equal((await remove('g/n', { headers: { 'If-Match': tagOf(LIST) } })).status, 200);
  });
});
