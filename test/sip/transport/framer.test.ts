import assert from 'node:assert/strict';
import { DEFAULT_SIP_LIMITS } from '../../../src/sip/index.js';
import { StreamFramer } from '../../../src/sip/transport/framer.js';
import { inviteOctets, lines } from '../support/messages.js';
import { assertCheap } from '../../support/effort.js';

const FIRST = inviteOctets();
const SECOND = lines('OPTIONS sip:b SIP/2.0', 'l : \r\n\t3', '', 'x\ny');

function text(octets: Uint8Array): string {
  return Buffer.from(octets).toString('latin1');
}

describe('sip/transport/framer', () => {
  it('cuts the same messages wherever the stream is split', () => {
    const stream = Buffer.concat([FIRST, Buffer.from('\r\n\r\n'), SECOND, FIRST]);
    const expected = [FIRST, SECOND, FIRST].map(text);
    for (let at = 0; at <= stream.length; at += 1) {
      const framer = new StreamFramer(DEFAULT_SIP_LIMITS);
      const parts = [framer.push(stream.subarray(0, at)), framer.push(stream.subarray(at))];
      assert.deepEqual(
        parts.flatMap((part) => part.messages).map(text),
        expected,
        `split at ${at}`,
      );
      assert.equal(parts.filter((part) => part.ping).length, 1, `ping, split at ${at}`);
      assert.ok(!framer.partial);
    }
  });

  it('cuts a stream that comes octet by octet', () => {
    const framer = new StreamFramer(DEFAULT_SIP_LIMITS);
    const found: string[] = [];
    for (const octet of Buffer.concat([FIRST, SECOND])) {
      found.push(...framer.push(Uint8Array.of(octet)).messages.map(text));
    }
    assert.deepEqual(found, [FIRST, SECOND].map(text));
  });

  it('a message handed out is not changed by what comes later', () => {
    const framer = new StreamFramer(DEFAULT_SIP_LIMITS);
    const [message] = framer.push(FIRST).messages;
    framer.push(Buffer.alloc(5_000, 'z'));
    assert.equal(text(message!), text(FIRST));
  });

  it('a single line end between messages is no ping', () => {
    const framer = new StreamFramer(DEFAULT_SIP_LIMITS);
    assert.ok(!framer.push(Buffer.from('\r\n')).ping);
    assert.equal(framer.push(FIRST).messages.length, 1);
    assert.ok(!framer.push(Buffer.from('\r\n')).ping);
  });

  it('a message that has begun is partial until it is complete', () => {
    const framer = new StreamFramer(DEFAULT_SIP_LIMITS);
    framer.push(FIRST.subarray(0, 10));
    assert.ok(framer.partial);
    framer.push(FIRST.subarray(10));
    assert.ok(!framer.partial);
  });

  const broken: Record<string, [Uint8Array, string]> = {
    'no Content-Length': [lines('OPTIONS sip:b SIP/2.0', 'To: a', '', ''), 'SYNTAX'],
    'two Content-Lengths': [
      lines('OPTIONS sip:b SIP/2.0', 'l: 1', 'Content-Length: 1', '', ''),
      'SYNTAX',
    ],
    'a Content-Length of words': [lines('OPTIONS sip:b SIP/2.0', 'l: one', '', ''), 'SYNTAX'],
    'a Content-Length behind a fold with rubbish': [
      lines('OPTIONS sip:b SIP/2.0', 'l: 1', ' 2', '', ''),
      'SYNTAX',
    ],
    'a body beyond the limit': [lines('OPTIONS sip:b SIP/2.0', 'l: 99999999', '', ''), 'TOO_LARGE'],
    'a head beyond the limit': [Buffer.alloc(DEFAULT_SIP_LIMITS.headOctets + 1, 'a'), 'TOO_LARGE'],
  };
  for (const [name, [octets, code]] of Object.entries(broken)) {
    it(`${name} breaks the stream, behind the messages before`, () => {
      const framer = new StreamFramer(DEFAULT_SIP_LIMITS);
      const framed = framer.push(Buffer.concat([FIRST, octets]));
      assert.equal(framed.messages.length, 1);
      assert.equal(framed.broken?.error.code, `SEGY_E_SIP_${code}`);
      assert.equal(text(framed.broken.rest), text(octets));
      assert.equal(framer.push(FIRST).messages.length, 0);
    });
  }

  it('stays linear for a message of many small chunks', () => {
    const body = Buffer.alloc(200_000, 'x');
    const head = lines('OPTIONS sip:b SIP/2.0', `Content-Length: ${body.length}`, '', '');
    const stream = Buffer.concat([head, body]);
    assertCheap('its framing', 200, () => {
      const framer = new StreamFramer(DEFAULT_SIP_LIMITS);
      let found = 0;
      for (let at = 0; at < stream.length; at += 7) {
        found += framer.push(stream.subarray(at, at + 7)).messages.length;
      }
      assert.equal(found, 1);
    });
  });
});
