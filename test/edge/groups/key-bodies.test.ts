import assert from 'node:assert/strict';
import fc from 'fast-check';
import { utf8 } from '../../../src/base/bytes.js';
import { SegyError } from '../../../src/base/errors.js';
import { DEFAULT_CODE_POINTS } from '../../../src/config/index.js';
import { carriedKeys } from '../../../src/edge/groups/key-bodies.js';
import { parseBody } from '../../../src/sip/index.js';

const MESSAGE = new Uint8Array([1, 26, 5, 1, 200, 255, 0, 13, 10]);
const BASE64 = Buffer.from(MESSAGE).toString('base64');
const NS = 'urn:3gpp:ns:mcpttGKTP:1.0';
const G1 = 'sip:g1@mc-a.example';

const read = (type: string, body: string | Uint8Array, names = DEFAULT_CODE_POINTS) =>
  carriedKeys(parseBody(type, typeof body === 'string' ? utf8(body) : body), names);
const readKeys = (...args: Parameters<typeof read>) =>
  read(...args).map((carried) => {
    if (carried instanceof SegyError) throw carried;
    return carried;
  });
const xmlKeys = (body: string) => readKeys('application/vnd.3gpp.mcptt-gktp+xml', body);
const xml = (body: string) => read('application/vnd.3gpp.mcptt-gktp+xml', body);
const list = (text: string): string => `<GMK-GKTPs xmlns="${NS}">${text}</GMK-GKTPs>`;
const entry = (group: string, text = BASE64): string => `<GKTP id="${group}">${text}</GKTP>`;
const code = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error instanceof SegyError ? error.code : error;
  }
};

describe('edge: keys in a body', () => {
  it('are the octets of application/mikey, raw, in base64, and with the protocol’s name', () => {
    for (const body of [MESSAGE, BASE64, `mikey ${BASE64}\r\n`]) {
      assert.deepEqual(read('application/mikey', body), [
        { message: MESSAGE, group: null, constituent: null },
      ]);
    }
  });

  it('are the entries of GMK-GKTPs, each for its group, alone or with MKFC-GKTPs', () => {
    const gmks = `<GMK-GKTPs xmlns="${NS}">${entry(G1)}${entry('sip:g2@mc-a.example')}</GMK-GKTPs>`;
    assert.deepEqual(
      xmlKeys(gmks).map(({ group }) => group),
      [G1, 'sip:g2@mc-a.example'],
    );
    const both = `<all xmlns="${NS}"><GMK-GKTPs>${entry(G1)}</GMK-GKTPs><MKFC-GKTPs>${entry(G1)}</MKFC-GKTPs></all>`;
    assert.deepEqual(xml(both), [
      { message: MESSAGE, group: G1, constituent: null },
      { message: MESSAGE, group: G1, constituent: null },
    ]);
  });

  it('of a regrouping are for the temporary group, and name the one that was regrouped', () => {
    const regrouped = `<GMK-GKTPs xmlns="${NS}"><on-network-regrouped-GKTPs temporary-MCPTT-group-ID="sip:tmp@mc-a.example">${entry(G1)}</on-network-regrouped-GKTPs></GMK-GKTPs>`;
    assert.deepEqual(
      xmlKeys(regrouped).map(({ group, constituent }) => [group, constituent]),
      [['sip:tmp@mc-a.example', G1]],
    );
  });

  it('may stand inside mcptt-info', () => {
    const info = `<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params><MKFC-GKTPs><k:GKTP xmlns:k="${NS}" id="${G1}">${BASE64}</k:GKTP></MKFC-GKTPs></mcptt-Params></mcpttinfo>`;
    assert.equal(read('application/vnd.3gpp.mcptt-info+xml', info).length, 1);
  });

  it('are found beside other parts of a multipart body', () => {
    const body = [
      '--b',
      'Content-Type: application/xcap-diff+xml',
      '',
      '<xcap-diff xmlns="urn:ietf:params:xml:ns:xcap-diff" xcap-root="https://x/"/>',
      '--b',
      'Content-Type: application/mikey',
      'Content-Transfer-Encoding: base64',
      '',
      BASE64,
      '--b--',
      '',
    ].join('\r\n');
    assert.deepEqual(read('multipart/mixed;boundary=b', body), [
      { message: MESSAGE, group: null, constituent: null },
    ]);
  });

  it('go by the names that a partner’s code points give', () => {
    const body = `<Keys xmlns="urn:x"><Key for="${G1}">${BASE64}</Key></Keys>`;
    const names = {
      ...DEFAULT_CODE_POINTS,
      gktpNamespace: 'urn:x',
      gktpGmkList: 'Keys',
      gktpEntry: 'Key',
      gktpGroupAttribute: 'for',
    };
    assert.equal(readKeys('application/xml', body, names)[0]?.group, G1);
    assert.deepEqual(read('application/xml', body), []);
  });

  it('in the names of another namespace are none', () => {
    assert.deepEqual(xml(`<GMK-GKTPs xmlns="urn:other">${entry(G1)}</GMK-GKTPs>`), []);
  });

  it('without a group, of broken base64, or too many are refused', () => {
    assert.equal(
      code(() => xmlKeys(list(`<GKTP>${BASE64}</GKTP>`))),
      'SEGY_E_XML',
    );
    assert.equal(
      code(() => xmlKeys(list(entry(G1, '*')))),
      'SEGY_E_MIKEY_SYNTAX',
    );
    assert.equal(
      code(() => xml(list(entry(G1).repeat(65)))),
      'SEGY_E_SIP_TOO_LARGE',
    );
    assert.equal(
      code(() => xmlKeys(`<!DOCTYPE x><GMK-GKTPs xmlns="${NS}"/>`)),
      'SEGY_E_XML',
    );
  });

  it('count each alone: what cannot be read beside them takes none away', () => {
    const codes = (carried: ReturnType<typeof read>) =>
      carried.map((each) => (each instanceof SegyError ? each.code : each.group));
    const broken = `<GKTP>${BASE64}</GKTP>${entry(G1, '*')}<GKTP id="">${BASE64}</GKTP>`;
    assert.deepEqual(codes(xml(list(`${entry(G1)}${broken}${entry('sip:g2@mc-a.example')}`))), [
      ...[G1, 'SEGY_E_XML', 'SEGY_E_MIKEY_SYNTAX', 'SEGY_E_XML'],
      'sip:g2@mc-a.example',
    ]);
    const nameless = '<on-network-regrouped-GKTPs><GKTP/></on-network-regrouped-GKTPs>';
    assert.deepEqual(codes(xml(list(nameless + entry(G1)))), ['SEGY_E_XML', G1]);
    const part = (type: string, body: string): string =>
      `--b\r\nContent-Type: ${type}\r\n\r\n${body}\r\n`;
    const body = [
      part('application/mikey', '*'),
      part('application/xml', '<a>'),
      part('application/xml', list(entry(G1))),
    ];
    assert.deepEqual(codes(read('multipart/mixed;boundary=b', `${body.join('')}--b--`)), [
      ...['SEGY_E_MIKEY_SYNTAX', 'SEGY_E_XML'],
      G1,
    ]);
  });

  it('of mutated XML are read or refused with a code, never anything else', () => {
    const source = `<GMK-GKTPs xmlns="${NS}">${entry(G1)}</GMK-GKTPs>`;
    fc.assert(
      fc.property(
        fc.nat(source.length),
        fc.nat(8),
        fc.string({ maxLength: 8 }),
        (at, count, text) => {
          const result = code(() => xml(source.slice(0, at) + text + source.slice(at + count)));
          assert.ok(Array.isArray(result) || typeof result === 'string', String(result));
        },
      ),
      { numRuns: 300 },
    );
  });
});
