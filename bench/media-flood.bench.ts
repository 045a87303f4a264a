/**
 * 20,000 packets a second with invented MKIs against the port of one group, whose members talk in turn
 * meanwhile, 5 s each at 50 packets a second: nobody may lose more than the first packet, and memory
 * shows no trend.
 * BENCH_SECONDS shortens it (default 60).
 */
import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { concatBytes, fromHex } from '../src/base/bytes.js';
import {
  silentLog,
  silentMetrics,
  systemClock,
  systemRandom,
  systemTimers,
} from '../src/base/environment.js';
import { createMediaEngine } from '../src/media/index.js';
import { CS_ID, gukId, srtpKeys } from '../src/mikey/index.js';
import { buildRtp, SrtpSender } from '../src/srtp/index.js';
import type { FloodOrder } from './flood-load.js';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 60);
const PER_SECOND = 20_000;
const FRAME_MS = 20;
const ADDRESS = '127.0.0.1';
const SPURT_FRAMES = 250;
/**
 * Growth of the resident set from the second quarter of the run to the last one that counts as flat:
 * the least that a leak of one 32-octet record a packet would leave in half a minute of this flood.
 */
const FLAT_MIB = (32 * PER_SECOND * 30) / 2 ** 20;

const gmkId = fromHex('0a000001');
const gmk = systemRandom(16);
const rand = systemRandom(16);
const csId = CS_ID.mcpttGroup;
const memberKey = (user: string) => {
  const csbId = gukId(gmk, gmkId, user);
  const mki = concatBytes(gmkId, csbId);
  const suite = 'AEAD_AES_128_GCM' as const;
  return { suite, rocRate: 1, mki, ...srtpKeys({ key: gmk, csbId, rand, csId }) };
};

const engine = await createMediaEngine(
  {
    workers: 1,
    outer: { address: ADDRESS, portMin: 15_000, portMax: 15_099 },
    inner: { address: ADDRESS, portMin: 15_100, portMax: 15_199 },
  },
  {
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    log: silentLog,
    metrics: silentMetrics,
  },
);
const talker = createSocket('udp4');
const listener = createSocket('udp4');
talker.bind(0, ADDRESS);
listener.bind(0, ADDRESS);
await Promise.all([once(talker, 'listening'), once(listener, 'listening')]);
let heard = 0;
listener.on('message', (packet) => {
  if (packet.length > 0) heard += 1;
});

const session = await engine.allocate();
await session.setRemote('outer', { address: ADDRESS, port: talker.address().port });
await session.setRemote('inner', { address: ADDRESS, port: listener.address().port });
const own = [gukId(gmk, gmkId, 'sip:radio1@lmr.example')];
await session.arm({
  receive: {
    group: [
      {
        ...{ gmkId, gmk, own, csId, state: 'usable', rands: [rand] },
        ...{ suite: 'AEAD_AES_128_GCM', rocRate: 1 },
      },
    ],
  },
  send: { key: memberKey('sip:radio1@lmr.example') },
});

let sender = new SrtpSender(memberKey('sip:member0@mc-a.example'), { ssrc: 77 });
let said = 0;
let talkers = 0;
function say(): void {
  if (said % SPURT_FRAMES === 0) {
    talkers += 1;
    sender = new SrtpSender(memberKey(`sip:member${talkers}@mc-a.example`), { ssrc: 77 + talkers });
  }
  const clear = buildRtp({
    payloadType: 0,
    marker: said % SPURT_FRAMES === 0,
    sequenceNumber: said & 0xffff,
    timestamp: said * 160,
    ssrc: 77,
    payload: new Uint8Array(160),
  });
  talker.send(sender.protect(clear, said), session.outer.rtpPort, ADDRESS);
  said += 1;
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const residentMiB = (): number => process.memoryUsage().rss / 2 ** 20;

const flood = fork(fileURLToPath(new URL('./flood-load.js', import.meta.url)));
await once(flood, 'message');
const order: FloodOrder = {
  address: ADDRESS,
  port: session.outer.rtpPort,
  perSecond: PER_SECOND,
  size: 12 + 160 + 16 + 12,
  gmkId: [...gmkId],
};
flood.send(order);
const begin = performance.now();
const frames = Math.floor((SECONDS * 1000) / FRAME_MS);
const samples: number[] = [];
for (let frame = 1; frame <= frames; frame += 1) {
  await pause(Math.max(0, begin + frame * FRAME_MS - performance.now()));
  say();
  if (frame % 50 === 0) samples.push(residentMiB());
}
flood.send('count');
const [flooded] = (await once(flood, 'message')) as [number];
const took = (performance.now() - begin) / 1000;
flood.kill();
await pause(500);
const { toInner } = await session.stats();
const read = Object.values(toInner.dropped).reduce((sum, count) => sum + count, 0);
await session.close();
await engine.close();
talker.close();
listener.close();

const quarter = Math.max(1, Math.floor(samples.length / 4));
const mean = (part: readonly number[]): number => part.reduce((a, b) => a + b, 0) / part.length;
const settled = mean(samples.slice(quarter, 2 * quarter));
const last = mean(samples.slice(-quarter));
const grown = last - settled;
const unread = Math.max(0, flooded + said - read - toInner.packets);
const refused = said - heard - Math.ceil((unread * said) / (flooded + said));
const isGood = refused <= talkers && grown < FLAT_MIB;
console.log(`\nflood of invented MKIs against one group, one worker, ${SECONDS} s`);
console.log(
  `flooded ${flooded} packets (${(flooded / took).toFixed(0)}/s), read and dropped ${read}: ` +
    JSON.stringify(toInner.dropped),
);
console.log(
  `${talkers} talkers in turn said ${said} packets, ${said - heard} were lost; of all packets ` +
    `${((100 * unread) / (flooded + said)).toFixed(1)} % found the socket full and were never read`,
);
console.log(
  `memory in the second quarter ${settled.toFixed(1)} MiB, in the last ${last.toFixed(1)} MiB, ` +
    `limit of growth ${FLAT_MIB.toFixed(0)} MiB`,
);
console.log(
  `goal: of what was read no more than the first packet of a talker lost, memory flat: ${isGood ? 'met' : 'MISSED'}`,
);
if (!isGood) process.exitCode = 1;
