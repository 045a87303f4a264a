/** Payloads that mean nothing to the gateway: frames that a radio has encrypted end to end (K.2). */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concatBytes, fromHex } from '../../src/base/bytes.js';
import { systemRandom } from '../../src/base/environment.js';
import { CS_ID, gukId } from '../../src/mikey/index.js';
import { parseRtp, SrtpReceiver, SrtpSender } from '../../src/srtp/index.js';
import { memberKey, type TestGmk } from '../support/group-side.js';
import { PBX, PEER, Rig } from './path-rig.js';
import { voice } from './support.js';

const GMK: TestGmk = { id: fromHex('0a000001'), octets: systemRandom(16), rand: systemRandom(16) };
const ME = 'sip:radio1@lmr.example';
const ANNA = 'sip:anna@mc-a.example';

describe('opaque payloads in a group call', () => {
  it('pass both ways octet for octet, whatever their type, length and content', () => {
    const rig = new Rig();
    const own = gukId(GMK.octets, GMK.id, ME);
    rig.path.command({
      type: 'arm',
      receive: {
        group: [
          {
            ...{ gmkId: GMK.id, gmk: GMK.octets, rands: [GMK.rand], own: [own], rocRate: 1 },
            ...{ state: 'usable', suite: 'AEAD_AES_128_GCM', csId: CS_ID.mcpttGroup },
          },
        ],
      },
      send: { key: memberKey(GMK, ME), ssrc: 9 },
      clockRates: { 113: 8000 },
    });
    const talker = new SrtpSender(memberKey(GMK, ANNA), { ssrc: 7 });
    const member = new SrtpReceiver({ keys: [memberKey(GMK, ME)] });
    let sequence = 0;
    const frame = fc.record({
      payloadType: fc.integer({ min: 0, max: 127 }),
      payload: fc.uint8Array({ minLength: 1, maxLength: 1_400 }),
    });
    fc.assert(
      fc.property(frame, (more) => {
        sequence += 1;
        rig.now += 20;
        rig.sent.length = 0;
        const packet = voice(sequence, more);
        rig.path.onOuterRtp(talker.protect(packet, sequence), PEER, 5_000);
        rig.path.onInnerRtp(concatBytes(packet), PBX, 4_000);
        const [inner] = rig.rtp('inner');
        const [outer] = rig.rtp('outer');
        const opened = member.unprotect(outer!.packet);
        assert.ok(opened.ok);
        for (const passed of [inner!.packet, opened.packet]) {
          const { payloadType, payload } = parseRtp(passed)!;
          assert.equal(payloadType, more.payloadType);
          assert.deepEqual(Buffer.from(payload), Buffer.from(more.payload));
        }
      }),
      { numRuns: 300 },
    );
  });
});
