import assert from 'node:assert/strict';
import { SegyError } from '../../src/base/errors.js';
import {
  buildRr,
  buildRtp,
  parseRtp,
  SrtpSender,
  type SrtpKeyMaterial,
} from '../../src/srtp/index.js';

const key: SrtpKeyMaterial = {
  suite: 'AEAD_AES_128_GCM',
  masterKey: new Uint8Array(16).fill(1),
  masterSalt: new Uint8Array(12).fill(2),
  mki: new Uint8Array([1, 2, 3, 4]),
  rocRate: 3,
};
const rtp = buildRtp({
  payloadType: 8,
  marker: true,
  sequenceNumber: 999,
  timestamp: 5,
  ssrc: 77,
  payload: new Uint8Array(10),
});
const refused = (error: unknown): boolean =>
  error instanceof SegyError && error.code === 'SEGY_E_SRTP_INDEX';

describe('SRTP sender', () => {
  it('refuses an index equal to the last one, or below it', () => {
    const sender = new SrtpSender(key, { ssrc: 1 });
    sender.protect(rtp, 10);
    assert.throws(() => sender.protect(rtp, 10), refused);
    assert.throws(() => sender.protect(rtp, 9), refused);
    assert.equal(sender.lastIndex, 10);
  });

  it('refuses an index below the first one allowed, and one of 49 bits', () => {
    const sender = new SrtpSender(key, { ssrc: 1, firstIndex: 5 });
    assert.throws(() => sender.protect(rtp, 4), refused);
    assert.throws(() => sender.protect(rtp, 2 ** 48), refused);
    sender.protect(rtp, 2 ** 48 - 1);
  });

  it('writes its own SSRC and the sequence number of the index', () => {
    const sender = new SrtpSender(key, { ssrc: 0xdeadbeef });
    const header = parseRtp(sender.protect(rtp, 0x5_1234));
    assert.equal(header?.ssrc, 0xdeadbeef);
    assert.equal(header.sequenceNumber, 0x1234);
    assert.equal(header.payloadType, 8);
  });

  it('appends the ROC to the packets whose sequence number R divides, and to no other', () => {
    const sender = new SrtpSender(key, { ssrc: 1 });
    const lengths = [1, 2, 3, 4].map((index) => sender.protect(rtp, index).length - rtp.length);
    assert.deepEqual(lengths, [20, 20, 24, 20]);
  });

  it('seals no RTCP packet of another SSRC', () => {
    const sender = new SrtpSender(key, { ssrc: 1 });
    assert.throws(() => sender.protectRtcp(buildRr(2)), SegyError);
  });

  it('refuses every packet once wiped', () => {
    const sender = new SrtpSender(key, { ssrc: 1 });
    sender.wipe();
    assert.throws(() => sender.protect(rtp, 1), refused);
    assert.throws(() => sender.protectRtcp(buildRr(1)), refused);
  });

  for (const [what, broken] of Object.entries({
    'a master key of 15 octets': { masterKey: new Uint8Array(15) },
    'a salt of 14 octets for GCM': { masterSalt: new Uint8Array(14) },
    'an MKI of 5 octets': { mki: new Uint8Array(5) },
    'a negative ROC rate': { rocRate: -1 },
    'a ROC with AES_CM': { suite: 'AES_CM_128_HMAC_SHA1_80' as const, rocRate: 1 },
  })) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => new SrtpSender({ ...key, ...broken }, { ssrc: 1 }),
        (error) => error instanceof SegyError && error.code === 'SEGY_E_ARGUMENT',
      );
    });
  }
});
