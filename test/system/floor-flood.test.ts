/** A flood of floor messages against one call's floor port, while somebody talks. */
import assert from 'node:assert/strict';
import { DEFAULT_FLOOR_CODEC, DEFAULT_PARTICIPANT } from '../../src/floor/index.js';
import { systemRandom } from '../../src/base/environment.js';
import { SrtpSender } from '../../src/srtp/index.js';
import { floorMessage, KEYING, SERVER_SSRC, SPK } from '../media/floor-rig.js';
import { OUTER, Party, startEngine, testKey, until, voice } from '../media/support.js';
import { sleep, until as untilAsync } from '../support/waiting.js';

const PER_SECOND = 5_000;
const SECONDS = 3;
const CHUNK = 50;
const FRAME_MS = 20;
/** Half of the packets are through in this time, and so many times that before the flood, on a busy machine. */
const HALF_WITHIN_MS = 20;
const TIMES_AS_BEFORE = 5;
/** packets of speech before the flood */
const BEFORE = 50;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Right in every part but the key: address, sender, form and key identifier. */
function invented(count: number): Uint8Array[] {
  return Array.from({ length: count }, () => {
    const key = { ...SPK, masterKey: new Uint8Array(systemRandom(16)) };
    return new SrtpSender(key, { ssrc: SERVER_SSRC }).protectRtcp(floorMessage('revoke'));
  });
}

describe('a flood of floor messages on the port of one call', function () {
  this.timeout(30_000);

  it('delays no speech and takes the floor from nobody', async () => {
    const engine = await startEngine();
    const session = await engine.allocate();
    const [media, floor] = [await Party.open('127.0.2.1'), await Party.open('127.0.2.1')];
    const pbx = await Party.open('127.0.0.1');
    try {
      await session.setRemote('outer', media.address);
      await session.setRemote('inner', pbx.address);
      const [theirs, ours] = [testKey(1), testKey(2)];
      await session.arm({ receive: { keys: [theirs] }, send: { key: ours } });
      const { port } = await session.openFloor();
      await session.setFloor({
        keys: { send: SPK, receive: [SPK] },
        remote: floor.address,
        participant: DEFAULT_PARTICIPANT,
        codec: DEFAULT_FLOOR_CODEC,
        keying: KEYING,
        holdBackMs: 500,
        listenBackMs: 0,
        messagesPerSecond: 200,
        forwardTo: null,
      });
      await session.commandFloor({ type: 'set-up', implicitRequest: false, granted: false });
      const server = new SrtpSender(SPK, { ssrc: SERVER_SSRC });
      const say = (clear: Uint8Array): void => floor.send(server.protectRtcp(clear), port, OUTER);
      say(floorMessage('taken', { grantedParty: 'sip:alice@mc-a.example' }));
      const talker = new SrtpSender(theirs, { ssrc: 7 });
      const sentAt: number[] = [];
      const arrivedAt: number[] = [];
      pbx.onPacket = () => arrivedAt.push(performance.now());
      const speak = (): void => {
        const index = sentAt.length + 1;
        sentAt.push(performance.now());
        media.send(talker.protect(voice(index), index), session.outer.rtpPort, OUTER);
      };
      const flood = invented(1024);
      for (let i = 0; i < BEFORE; i += 1) {
        speak();
        await sleep(FRAME_MS);
      }
      await until(() => arrivedAt.length === sentAt.length);
      const delay = (i: number): number => arrivedAt[i]! - sentAt[i]!;
      const before = median(sentAt.map((_, i) => delay(i)));
      let sent = 0;
      const begin = performance.now();
      while (sent < PER_SECOND * SECONDS) {
        for (let i = 0; i < CHUNK; i += 1) {
          floor.send(flood[(sent + i) % flood.length]!, port, OUTER);
        }
        sent += CHUNK;
        if (performance.now() - begin >= FRAME_MS * (sentAt.length - BEFORE)) speak();
        await sleep(Math.max(0, begin + (sent / PER_SECOND) * 1000 - performance.now()));
      }
      await until(() => arrivedAt.length === sentAt.length);
      const half = median(sentAt.slice(BEFORE).map((_, i) => delay(BEFORE + i)));
      assert.ok(
        half < HALF_WITHIN_MS + TIMES_AS_BEFORE * before,
        `half of the packets took ${half.toFixed(1)} ms, before the flood ${before.toFixed(1)} ms`,
      );
      const { dropped } = (await session.stats()).floor!;
      const { rate = 0, auth = 0 } = dropped;
      assert.ok(auth <= 200 * (SECONDS + 2), `${auth} messages were opened`);
      assert.ok(rate > sent / 5, `only ${rate} of the flood came in`);
      await sleep(1000);
      say(floorMessage('idle'));
      await untilAsync('the floor is idle after it', async () => {
        const heard = arrivedAt.length;
        speak();
        await sleep(100);
        return arrivedAt.length === heard;
      });
    } finally {
      await session.close();
      await engine.close();
      Party.closeAll();
    }
  });
});
