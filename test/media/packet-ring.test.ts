import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PacketRing } from '../../src/media/packet-ring.js';

const SIGN = { gukId: 1, ssrc: 2, port: 3, address: '192.0.2.1' };

type Step =
  | { readonly push: number; readonly ssrc: number }
  | { readonly take: number }
  | { readonly letGo: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 40 }), ssrc: fc.nat(2) }) },
  fc.record({ take: fc.nat(2) }),
  fc.record({ letGo: fc.nat(12) }),
);

describe('ring of packets', () => {
  it('gives back what was put in, in order and unharmed, the oldest making room', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const ring = new PacketRing({ octets: 100, packets: 8 });
        let held: { ssrc: number; packet: Uint8Array; time: number }[] = [];
        for (const [time, each] of steps.entries()) {
          if ('push' in each) {
            const packet = new Uint8Array(each.push).fill(time & 0xff);
            const madeRoom = ring.push({ ...SIGN, ssrc: each.ssrc, time }, packet) ?? -1;
            assert.ok(madeRoom >= 0 && madeRoom <= held.length);
            held = [...held.slice(madeRoom), { ssrc: each.ssrc, packet, time }];
            const octets = held.reduce((sum, { packet: { length } }) => sum + length, 0);
            assert.ok(octets <= 100 && held.length <= 8);
          } else if ('take' in each) {
            const mine = held.filter(({ ssrc }) => ssrc === each.take);
            const taken = ring.take(SIGN.gukId, each.take, SIGN.port);
            assert.deepEqual(
              taken.map(({ packet, time: at }) => ({ packet, time: at })),
              mine.map(({ packet, time: at }) => ({ packet, time: at })),
            );
            held = held.filter(({ ssrc }) => ssrc !== each.take);
          } else {
            const before = time - each.letGo;
            const gone = ring.letGo(before);
            assert.equal(gone, held.filter((other) => other.time < before).length);
            held = held.slice(gone);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('holds as much as it has memory for', () => {
    const ring = new PacketRing({ octets: 100, packets: 8 });
    for (let i = 0; i < 5; i += 1) {
      assert.equal(ring.push({ ...SIGN, time: i }, new Uint8Array(20)), 0);
    }
    assert.equal(ring.push({ ...SIGN, time: 5 }, new Uint8Array(20)), 1);
    assert.equal(ring.push({ ...SIGN, time: 6 }, new Uint8Array(100)), 5);
    assert.equal(ring.push({ ...SIGN, time: 7 }, new Uint8Array(101)), null);
  });
});
