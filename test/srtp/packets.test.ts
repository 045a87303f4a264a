import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  buildApp,
  buildBye,
  buildCompound,
  buildRr,
  buildRtp,
  buildSdes,
  buildSr,
  parseRtcp,
  parseRtp,
  rtpHeaderLength,
  rtpPayloadEnd,
  SrtpReceiver,
} from '../../src/srtp/index.js';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

describe('RTP packets', () => {
  it('read back as they were written', () => {
    const packet = fc.record({
      payloadType: fc.integer({ min: 0, max: 127 }),
      marker: fc.boolean(),
      sequenceNumber: fc.integer({ min: 0, max: 0xffff }),
      timestamp: u32,
      ssrc: u32,
      payload: fc.uint8Array({ maxLength: 40 }),
    });
    const extras = fc.record(
      {
        csrcs: fc.array(u32, { minLength: 1, maxLength: 15 }),
        extension: fc.record(
          {
            profile: fc.integer({ min: 0, max: 0xffff }),
            data: fc.constantFrom(0, 4, 8).map((length) => new Uint8Array(length).fill(7)),
          },
          { noNullPrototype: true },
        ),
      },
      { requiredKeys: [], noNullPrototype: true },
    );
    fc.assert(
      fc.property(packet, extras, (fields, more) => {
        const rtp = { ...fields, ...more };
        assert.deepEqual(parseRtp(buildRtp(rtp)), rtp);
      }),
      { numRuns: 200 },
    );
  });

  it('loses its padding, and is refused when the padding is longer than the payload', () => {
    const padded = Uint8Array.from([0xa0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9, 0, 0, 3]);
    assert.deepEqual(parseRtp(padded)?.payload, Uint8Array.from([9]));
    padded[15] = 5;
    assert.equal(parseRtp(padded), null);
    padded[15] = 0;
    assert.equal(parseRtp(padded), null);
  });

  it('is refused when it ends inside its CSRCs or its extension', () => {
    const fixed = [0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1];
    assert.equal(rtpHeaderLength(Uint8Array.from([0x81, ...fixed])), -1);
    assert.equal(rtpHeaderLength(Uint8Array.from([0x90, ...fixed, 0, 0, 0, 1])), -1);
    assert.equal(rtpHeaderLength(Uint8Array.from([0x40, ...fixed])), -1);
  });
});

describe('RTCP packets', () => {
  const block = {
    ssrc: 9,
    fractionLost: 3,
    cumulativeLost: -5,
    highestSequence: 0x1_0001,
    jitter: 12,
    lastSr: 0xaabbccdd,
    delaySinceLastSr: 77,
  };
  const sender = {
    ntpSeconds: 0xe0000000,
    ntpFraction: 1,
    rtpTimestamp: 2,
    packetCount: 3,
    octetCount: 4,
  };

  it('read back as they were written, as a compound', () => {
    const data = new Uint8Array(8).fill(5);
    const compound = buildCompound(
      buildSr(1, sender, [block]),
      buildRr(1, [block]),
      buildSdes(1, 'random'),
      buildApp(1, 4, 'MCPT', data),
      buildBye([1, 2]),
    );
    assert.deepEqual(parseRtcp(compound), [
      { type: 'sr', ssrc: 1, sender, blocks: [block] },
      { type: 'rr', ssrc: 1, blocks: [block] },
      { type: 'sdes', chunks: [{ ssrc: 1, cname: 'random' }] },
      { type: 'app', subtype: 4, ssrc: 1, name: 'MCPT', data },
      { type: 'bye', ssrcs: [1, 2] },
    ]);
  });

  it('are refused when a length runs over the end', () => {
    const compound = buildRr(1, [block]);
    for (let length = 1; length < compound.length; length++) {
      assert.equal(parseRtcp(compound.subarray(0, length)), null);
    }
  });
});

describe('whatever comes from the network', () => {
  it('never throws in a parser or a receiver', () => {
    const key = {
      suite: 'AEAD_AES_128_GCM',
      masterKey: new Uint8Array(16),
      masterSalt: new Uint8Array(12),
      mki: new Uint8Array([1, 2, 3, 4]),
      rocRate: 1,
    } as const;
    const cm = { ...key, suite: 'AES_CM_128_HMAC_SHA1_80', rocRate: 0 } as const;
    const receiver = new SrtpReceiver({ keys: [key, cm] });
    const mki = fc.constantFrom([], [1, 2, 3, 4], [1, 2, 3, 4, 0, 0, 0, 0]);
    const octets = fc
      .tuple(fc.constantFrom(0x80, 0x90, 0xaf, 0x81, 0), fc.uint8Array({ maxLength: 90 }), mki)
      .map(([first, rest, last]) => Uint8Array.from([first, ...rest, ...last]));
    fc.assert(
      fc.property(octets, (packet) => {
        parseRtp(packet);
        parseRtcp(packet);
        rtpPayloadEnd(packet, 12);
        assert.equal(receiver.unprotect(packet).ok, false);
        assert.equal(receiver.unprotectRtcp(packet).ok, false);
      }),
      { numRuns: 2_000 },
    );
    assert.equal(receiver.streamCount, 0);
  });
});
