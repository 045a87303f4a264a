import assert from 'node:assert/strict';
import { toHex } from '../../src/base/bytes.js';
import {
  buildCompound,
  buildRr,
  buildRtp,
  buildSdes,
  SrtpReceiver,
  SrtpSender,
  type SrtpKeyMaterial,
} from '../../src/srtp/index.js';
import { Libsrtp2, type ToolPacket } from '../support/libsrtp2.js';
import { skipBecause } from '../support/skip.js';

const SSRC = 0x5e660001;
const MKIS: Record<string, Uint8Array> = {
  'no MKI': new Uint8Array(0),
  'an MKI of 4 octets': new Uint8Array([0x16, 0x99, 0x26, 0x38]),
  'an MKI of 8 octets': new Uint8Array([0x0d, 0xf9, 0xbc, 0x39, 6, 0xa1, 0x2a, 0xea]),
};
const SUITES = [
  ['AEAD_AES_128_GCM', 12],
  ['AES_CM_128_HMAC_SHA1_80', 14],
] as const;

function rtpAt(index: number): Uint8Array {
  return buildRtp({
    payloadType: 96,
    marker: index % 7 === 0,
    sequenceNumber: index & 0xffff,
    timestamp: index * 160,
    ssrc: SSRC,
    ...(index % 3 === 0 ? { csrcs: [1, 2] } : {}),
    ...(index % 5 === 0 ? { extension: { profile: 0xbede, data: new Uint8Array(8).fill(9) } } : {}),
    payload: new Uint8Array(index % 200).fill(index),
  });
}
const compound = buildCompound(buildRr(SSRC), buildSdes(SSRC, 'x@y'));

describe('libsrtp2 and this SRTP', () => {
  let tool: Libsrtp2;
  before(function () {
    const built = Libsrtp2.build();
    if ('missing' in built) skipBecause(this, built.missing);
    tool = built;
  });
  after(() => {
    (tool as Libsrtp2 | undefined)?.remove();
  });

  for (const [suite, saltLength] of SUITES) {
    for (const [name, mki] of Object.entries(MKIS)) {
      const key: SrtpKeyMaterial = {
        suite,
        masterKey: new Uint8Array(16).map((_, i) => 0x31 * (i + 1)),
        masterSalt: new Uint8Array(saltLength).map((_, i) => 0x17 * (i + 3)),
        mki,
        rocRate: 0,
      };

      // For AES_CM libsrtp2 refuses an E flag that is not its policy's; for GCM it reads the flag.
      const encryptions = suite === 'AEAD_AES_128_GCM' ? [true, false] : [true];

      it(`libsrtp2 opens our ${suite} packets with ${name}, over a roll-over`, () => {
        const sender = new SrtpSender(key, { ssrc: SSRC });
        const indexes = [...Array(60).keys()].map((i) => 65_500 + i + Math.floor(i / 10));
        const sealed = indexes.map((i): ToolPacket => ({
          kind: 'rtp',
          packet: sender.protect(rtpAt(i), i),
        }));
        const sealedRtcp = encryptions.map((encrypt): ToolPacket => ({
          kind: 'rtcp',
          packet: sender.protectRtcp(compound, encrypt),
        }));
        const opened = tool.run('unprotect', key, [...sealed, ...sealedRtcp]);
        assert.deepEqual(
          opened.map((packet) => packet && toHex(packet)),
          [...indexes.map(rtpAt), ...encryptions.map(() => compound)].map(toHex),
        );
      });

      it(`opens the ${suite} packets of libsrtp2 with ${name}, over a roll-over`, () => {
        const indexes = [...Array(60).keys()].map((i) => 65_500 + i);
        const clear = indexes.map((i): ToolPacket => ({ kind: 'rtp', packet: rtpAt(i) }));
        const sealed = tool.run('protect', key, [...clear, { kind: 'rtcp', packet: compound }]);
        const receiver = new SrtpReceiver({ keys: [key] });
        const opened = sealed.map((packet, i) => {
          assert.ok(packet);
          const result =
            i < indexes.length ? receiver.unprotect(packet) : receiver.unprotectRtcp(packet);
          return result.ok ? toHex(result.packet) : result.reason;
        });
        assert.deepEqual(opened, [...indexes.map(rtpAt), compound].map(toHex));
      });
    }
  }
});
