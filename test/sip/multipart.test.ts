import assert from 'node:assert/strict';
import {
  contentId,
  decodedContent,
  DEFAULT_BODY_LIMITS,
  findPart,
  leafParts,
  makeMultipart,
  parseBody,
  serialiseMultipart,
  SipHeaders,
} from '../../src/sip/index.js';
import { lines } from './support/messages.js';

const SYNTAX = { code: 'SEGY_E_SIP_SYNTAX' };
const LARGE = { code: 'SEGY_E_SIP_TOO_LARGE' };
const MIXED = 'multipart/mixed;boundary=b1';

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

describe('sip/multipart', () => {
  it('a body of another type is one leaf', () => {
    const root = parseBody('application/sdp', lines('v=0', ''));
    assert.deepEqual(leafParts(root), [root]);
    assert.equal(text(findPart(root, 'application/sdp')?.body ?? new Uint8Array()), 'v=0\r\n');
  });

  it('keeps the octets of each part, line ends and NUL included', () => {
    const root = parseBody(
      MIXED,
      lines(
        'preamble',
        '--b1',
        'Content-Type: application/sdp',
        '',
        'v=0',
        '',
        '--b1 \t',
        'content-type: application/vnd.3gpp.mcptt-info+xml; charset="utf-8"',
        'Content-ID: <info1@a.example>',
        '',
        '\r\n<a/>\n\0\r\r\n',
        '--b1--',
        'epilogue',
      ),
    );
    assert.deepEqual(
      root.parts.map((part) => text(part.body)),
      ['v=0\r\n', '\r\n<a/>\n\0\r\r\n'],
    );
    assert.equal(contentId(root.parts[1]!), 'info1@a.example');
    assert.equal(root.parts[1]?.contentType.params.get('charset'), '"utf-8"');
  });

  it('a part may have no headers, no octets, or neither end with a line', () => {
    const root = parseBody(MIXED, lines('--b1', '', 'plain', '--b1', 'X: y', '', '', '--b1--'));
    assert.deepEqual(
      root.parts.map((part) => [part.contentType.type, text(part.body)]),
      [
        ['text/plain', 'plain'],
        ['text/plain', ''],
      ],
    );
  });

  it('a line that only begins like the delimiter belongs to the part', () => {
    const root = parseBody(MIXED, lines('--b1', '', '--b10', ' --b1', '--b1x--', '--b1--', ''));
    assert.equal(text(root.parts[0]!.body), '--b10\r\n --b1\r\n--b1x--');
  });

  it('parts may be nested', () => {
    const inner = lines('--in', 'Content-Type: a/b', '', 'x', '--in--', '');
    const root = parseBody(
      MIXED,
      Buffer.concat([
        lines('--b1', 'Content-Type: multipart/alternative; boundary="in"', '', ''),
        inner,
        lines('', '--b1', 'Content-Type: c/d', '', 'y', '--b1--'),
      ]),
    );
    assert.deepEqual(
      leafParts(root).map((leaf) => leaf.contentType.type),
      ['a/b', 'c/d'],
    );
    assert.deepEqual(Buffer.from(root.parts[0]!.body), Buffer.from(inner));
  });

  const broken: Record<string, [string, Uint8Array]> = {
    'no boundary': ['multipart/mixed', lines('--b1', '', 'x', '--b1--')],
    'an empty boundary': ['multipart/mixed;boundary=""', lines('--', '', 'x', '----')],
    'a boundary of 71 characters': [
      `multipart/mixed;boundary=${'a'.repeat(71)}`,
      lines(`--${'a'.repeat(71)}`, '', 'x', `--${'a'.repeat(71)}--`),
    ],
    'no delimiter': [MIXED, lines('hello')],
    'no closing delimiter': [MIXED, lines('--b1', '', 'x', '')],
    'no part': [MIXED, lines('--b1--')],
    'headers without end': [MIXED, lines('--b1', 'Content-Type: a/b', '--b1--')],
    'a broken header': [MIXED, lines('--b1', 'Content Type: a/b', '', 'x', '--b1--')],
    'a NUL in a header': [MIXED, lines('--b1', 'A: \0', '', 'x', '--b1--')],
    'two Content-IDs in a part': [
      MIXED,
      lines('--b1', 'Content-ID: <a>', 'Content-ID: <b>', '', 'x', '--b1--'),
    ],
    'delimiters that end with LF only': [MIXED, Buffer.from('--b1\n\nx\n--b1--\n')],
  };
  for (const [name, [type, body]] of Object.entries(broken)) {
    it(`refuses ${name}`, () => assert.throws(() => parseBody(type, body), SYNTAX));
  }

  it('bounds size, depth, parts, and headers of a part', () => {
    const nest = (depth: number): Uint8Array =>
      depth === 0
        ? lines('x')
        : Buffer.concat([
            lines(`--n${depth}`, `Content-Type: multipart/mixed;boundary=n${depth - 1}`, '', ''),
            nest(depth - 1),
            lines('', `--n${depth}--`),
          ]);
    assert.throws(() => parseBody('multipart/mixed;boundary=n9', nest(9)), LARGE);
    const many = lines(...Array.from({ length: 80 }, () => '--b1\r\n\r\nx'), '--b1--');
    assert.throws(() => parseBody(MIXED, many), LARGE);
    assert.throws(
      () =>
        parseBody(MIXED, lines('--b1', 'A: b', '', '--b1--'), {
          ...DEFAULT_BODY_LIMITS,
          octets: 9,
        }),
      LARGE,
    );
    const headers = Array.from({ length: 33 }, (_unused, index) => `X-${index}: y`);
    assert.throws(() => parseBody(MIXED, lines('--b1', ...headers, '', 'x', '--b1--')), LARGE);
  });

  it('what is made parses back to the same octets', () => {
    const parts = [
      { headers: new SipHeaders([['Content-Type', 'application/sdp']]), body: lines('v=0', '') },
      {
        headers: new SipHeaders([
          ['Content-Type', 'application/mikey'],
          ['Content-ID', '<m@h>'],
        ]),
        body: Uint8Array.from({ length: 256 }, (_unused, index) => index),
      },
    ];
    const { contentType, body } = makeMultipart(parts, (count) => new Uint8Array(count).fill(7));
    const root = parseBody(contentType, body);
    assert.deepEqual(
      root.parts.map((part) => Buffer.from(part.body)),
      parts.map((part) => Buffer.from(part.body)),
    );
    assert.equal(contentId(root.parts[1]!), 'm@h');
  });

  it('a boundary that occurs in a part is drawn again, and refused when forced', () => {
    const body = Buffer.from('00'.repeat(12));
    const parts = [{ headers: new SipHeaders([['Content-Type', 'a/b']]), body }];
    let draws = 0;
    const made = makeMultipart(parts, (count) => new Uint8Array(count).fill(draws++));
    assert.match(made.contentType, /boundary=(?:01){12}$/);
    assert.throws(() => serialiseMultipart(parts, '0000'), { code: 'SEGY_E_ARGUMENT' });
  });

  it('undoes base64, and refuses encodings it does not know', () => {
    const part = (encoding: string, body: string) =>
      parseBody(MIXED, lines('--b1', `Content-Transfer-Encoding: ${encoding}`, '', body, '--b1--'))
        .parts[0]!;
    assert.equal(text(decodedContent(part('BASE64', 'aGVs\r\nbG8='))), 'hello');
    assert.equal(text(decodedContent(part('binary', 'hello'))), 'hello');
    assert.throws(() => decodedContent(part('base64', 'a*b=')), SYNTAX);
    assert.throws(() => decodedContent(part('quoted-printable', 'a')), SYNTAX);
  });
});
