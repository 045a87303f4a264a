/** A flood of packets with invented MKIs against one group's port. */
import assert from 'node:assert/strict';
import { concatBytes, fromHex } from '../../src/base/bytes.js';
import { systemRandom } from '../../src/base/environment.js';
import { CS_ID, gukId } from '../../src/mikey/index.js';
import { SrtpSender } from '../../src/srtp/index.js';
import { OUTER, Party, socketOf, startEngine, voice } from '../media/support.js';
import { memberKey, type TestGmk } from '../support/group-side.js';
import { sleep, until } from '../support/waiting.js';

const GMK: TestGmk = {
  id: fromHex('0a000001'),
  octets: systemRandom(16),
  rand: systemRandom(16),
};
const ANNA = 'sip:anna@mc-a.example';
const BEN = 'sip:ben@mc-a.example';
const ME = 'sip:radio1@lmr.example';
const PACKETS_PER_SECOND = 20_000;
const SECONDS = 3;
const CHUNK = 50;
/** octets that may wait in the port's socket, so that the kernel drops nothing on a busy machine */
const QUEUE = 65_536;
const MEGABYTE = 1 << 20;

/** Packets as an attacker makes them: right in every part but the key, half under the group's GMK-ID. */
function invented(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const guk = systemRandom(4);
    guk[0] = guk[0]! & 0x0f;
    const mki = concatBytes(i % 2 === 0 ? GMK.id : systemRandom(4), guk);
    const key = { ...memberKey(GMK, ANNA), masterKey: systemRandom(16), mki };
    return new SrtpSender(key, { ssrc: i + 1 }).protect(voice(i), i);
  });
}

describe('a flood of invented MKIs on a group’s port', function () {
  this.timeout(30_000);

  it('costs neither the talker nor one who begins meanwhile a packet, and leaves no memory behind', async () => {
    const engine = await startEngine();
    const session = await engine.allocate();
    const [peer, attacker] = [await Party.open('127.0.2.1'), await Party.open('127.0.2.9')];
    const pbx = await Party.open('127.0.0.1');
    try {
      await session.setRemote('outer', peer.address);
      await session.setRemote('inner', pbx.address);
      const own = [gukId(GMK.octets, GMK.id, ME)];
      await session.arm({
        receive: {
          group: [
            {
              ...{ gmkId: GMK.id, gmk: GMK.octets, rands: [GMK.rand], state: 'usable', own },
              ...{ suite: 'AEAD_AES_128_GCM', rocRate: 1, csId: CS_ID.mcpttGroup },
            },
          ],
        },
        send: { none: true },
      });
      const talkers = [ANNA, BEN].map(
        (user, i) => new SrtpSender(memberKey(GMK, user), { ssrc: 7 + i }),
      );
      // the second one begins in the middle of the flood
      const say = (index: number): void => {
        const talker = talkers[index * 20 < SECONDS * 500 ? 0 : 1]!;
        peer.send(talker.protect(voice(index), index), session.outer.rtpPort, OUTER);
      };
      const flood = invented(4096);
      let [sent, said] = [0, 0];
      const total = PACKETS_PER_SECOND * SECONDS;
      let memory = 0;
      const port = session.outer.rtpPort;
      const begin = performance.now();
      while (sent < total) {
        for (let i = 0; i < CHUNK; i += 1) {
          attacker.send(flood[(sent + i) % flood.length]!, port, OUTER);
        }
        sent += CHUNK;
        if (performance.now() - begin >= 20 * said) {
          said += 1;
          say(said);
        }
        if (memory === 0 && sent > total / 2) memory = process.memoryUsage().rss;
        const wait = begin + (sent / PACKETS_PER_SECOND) * 1000 - performance.now();
        await sleep(Math.max(0, wait));
        await until('the worker has read on', () => socketOf(OUTER, port).queued < QUEUE);
      }
      const took = (performance.now() - begin) / 1000;
      // what waits for keys in vain is counted after a while
      await sleep(1_000);
      const { toInner, streams } = await session.stats();
      const grown = (process.memoryUsage().rss - memory) / MEGABYTE;
      const dropped = Object.values(toInner.dropped).reduce((sum, count) => sum + count, 0);
      assert.equal(socketOf(OUTER, port).drops, 0, 'the kernel dropped nothing');
      assert.equal(toInner.packets, said, 'no packet of the talkers is lost');
      assert.equal(dropped, sent, 'every packet of the flood is counted');
      assert.equal(streams, 2);
      await until('the PBX has all', () => pbx.received.length === said);
      const { auth = 0 } = toInner.dropped;
      assert.ok(auth <= 4_500 * (took + 1), `${auth} talkers were derived in ${took.toFixed(1)} s`);
      assert.ok(grown < 16, `${grown.toFixed(1)} MB more than in the first half of the flood`);
    } finally {
      await session.close();
      await engine.close();
      Party.closeAll();
    }
  });
});
