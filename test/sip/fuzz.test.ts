import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SegyError } from '../../src/base/errors.js';
import {
  checkMessage,
  decodeText,
  DEFAULT_SIP_LIMITS,
  encodeText,
  leafParts,
  parseBody,
  parseNameAddr,
  parseSdp,
  parseSip,
  parseSipUri,
  serialiseSip,
} from '../../src/sip/index.js';
import { salvageRequest } from '../../src/sip/salvage.js';
import { StreamFramer } from '../../src/sip/transport/framer.js';
import { assertCheap } from '../support/effort.js';
import { inviteOctets, lines } from './support/messages.js';
import { mutate, mutations } from './support/mutations.js';

const RUNS = { numRuns: 1_500 };

const BODY = lines(
  '--b1',
  'Content-Type: application/sdp',
  '',
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=key-mgmt:mikey AA\r\n',
  '--b1',
  'Content-Type: multipart/mixed;boundary=in',
  '',
  '--in\r\n\r\nx\r\n--in--\r\n',
  '--b1--',
  '',
);

/** Runs a parser: it may refuse, by a SegyError of SIP and nothing else. */
function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SegyError && /^SEGY_E_SIP_(SYNTAX|TOO_LARGE)$/.test(error.code))
      return undefined;
    throw error;
  }
}

function bounded(run: () => void): void {
  assertCheap('a parser', 50, run);
}

describe('sip: mutated input is refused or read, never worse', () => {
  it('messages; what is read can be written and read again', () => {
    fc.assert(
      fc.property(mutations, (changes) => {
        const octets = mutate(inviteOctets(), changes);
        bounded(() => {
          salvageRequest(octets);
          const message = attempt(() => parseSip(octets));
          if (message === undefined) return;
          attempt(() => checkMessage(message));
          const again = parseSip(serialiseSip(message));
          const entries = (one: typeof message) =>
            one.headers.entries().filter(([name]) => name.toLowerCase() !== 'content-length');
          assert.deepEqual(entries(again), entries(message));
          assert.deepEqual(Buffer.from(again.body), Buffer.from(message.body));
        });
      }),
      RUNS,
    );
  });

  it('multipart bodies; every part is a piece of the body', () => {
    fc.assert(
      fc.property(mutations, (changes) => {
        const octets = mutate(BODY, changes);
        bounded(() => {
          const root = attempt(() => parseBody('multipart/mixed;boundary=b1', octets));
          if (root === undefined) return;
          for (const leaf of leafParts(root)) {
            assert.ok(Buffer.from(octets).includes(Buffer.from(leaf.body)));
          }
        });
      }),
      RUNS,
    );
  });

  it('SDP; the ports that are read are ports', () => {
    const sdp = BODY.subarray(
      Buffer.from(BODY).indexOf('v=0'),
      Buffer.from(BODY).indexOf('\r\n--b1', 10),
    );
    fc.assert(
      fc.property(mutations, (changes) => {
        const octets = mutate(sdp, changes);
        bounded(() => {
          const read = attempt(() => parseSdp(octets));
          for (const media of read?.media ?? []) assert.ok(media.port >= 0 && media.port <= 65_535);
        });
      }),
      RUNS,
    );
  });

  it('URIs and addresses', () => {
    fc.assert(
      fc.property(mutations, (changes) => {
        const text = decodeText(
          mutate(Buffer.from('"A" <sip:a%20b:c@[::1]:5060;lr?x=y>;tag=1'), changes),
        );
        bounded(() => {
          attempt(() => parseNameAddr(text));
          attempt(() => parseSipUri(text.slice(5, -7)));
        });
      }),
      RUNS,
    );
  });

  it('streams; the cut does not depend on how the octets arrive', () => {
    fc.assert(
      fc.property(mutations, fc.array(fc.nat(400), { maxLength: 8 }), (changes, sizes) => {
        const octets = mutate(Buffer.concat([inviteOctets(), inviteOctets()]), changes);
        const whole = new StreamFramer(DEFAULT_SIP_LIMITS).push(octets);
        const framer = new StreamFramer(DEFAULT_SIP_LIMITS);
        const found: Uint8Array[] = [];
        let at = 0;
        for (const size of [...sizes, octets.length]) {
          found.push(...framer.push(octets.subarray(at, at + size)).messages);
          at += size;
        }
        assert.deepEqual(found, whole.messages);
      }),
      RUNS,
    );
  });

  it('any octets survive decodeText and encodeText', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
        assert.deepEqual(Buffer.from(encodeText(decodeText(octets))), Buffer.from(octets));
      }),
      RUNS,
    );
  });
});
