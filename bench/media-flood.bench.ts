/**
 * 20,000 packets a second with invented MKIs against the port of one group, whose members talk in turn
 * meanwhile, 5 s each at 50 packets a second and from the address that the flood comes from: nobody may
 * lose a packet, and memory shows no trend. Once with inventions that come once, and once with such
 * that come three times, as a talker's packets do.
 * BENCH_SECONDS shortens each (default 60).
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
import type { FloodMessage } from './flood-load.js';

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
const own = [gukId(gmk, gmkId, 'sip:radio1@lmr.example')];
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const residentMiB = (): number => process.memoryUsage().rss / 2 ** 20;
const mean = (part: readonly number[]): number => part.reduce((a, b) => a + b, 0) / part.length;

/** @param times how often each invention comes, so as to look like a talker */
async function run(times: number): Promise<boolean> {
  const listener = createSocket('udp4');
  listener.bind(0, ADDRESS);
  const flood = fork(fileURLToPath(new URL('./flood-load.js', import.meta.url)));
  const tell = (message: FloodMessage): boolean => flood.send(message);
  const [[floodPort]] = (await Promise.all([
    once(flood, 'message'),
    once(listener, 'listening'),
  ])) as unknown as [[number], unknown];
  let heard = 0;
  listener.on('message', (packet) => {
    if (packet.length > 0) heard += 1;
  });
  const session = await engine.allocate();
  await session.setRemote('outer', { address: ADDRESS, port: floodPort });
  await session.setRemote('inner', { address: ADDRESS, port: listener.address().port });
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
  const say = (): void => {
    if (said % SPURT_FRAMES === 0) {
      talkers += 1;
      const key = memberKey(`sip:member${talkers}@mc-a.example`);
      sender = new SrtpSender(key, { ssrc: 77 + talkers });
    }
    const clear = buildRtp({
      payloadType: 0,
      marker: said % SPURT_FRAMES === 0,
      sequenceNumber: said & 0xffff,
      timestamp: said * 160,
      ssrc: 77,
      payload: new Uint8Array(160),
    });
    tell({ say: Buffer.from(sender.protect(clear, said)).toString('base64') });
    said += 1;
  };

  tell({
    address: ADDRESS,
    port: session.outer.rtpPort,
    perSecond: PER_SECOND,
    size: 12 + 160 + 16 + 12,
    gmkId: [...gmkId],
    times,
  });
  const begin = performance.now();
  const usage = process.cpuUsage();
  const frames = Math.floor((SECONDS * 1000) / FRAME_MS);
  const samples: number[] = [];
  for (let frame = 1; frame <= frames; frame += 1) {
    await pause(Math.max(0, begin + frame * FRAME_MS - performance.now()));
    say();
    if (frame % 50 === 0) samples.push(residentMiB());
  }
  const took = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(usage);
  tell('count');
  const [flooded] = (await once(flood, 'message')) as [number];
  flood.kill();
  await pause(1_500);
  const { toInner } = await session.stats();
  const dropped = Object.values(toInner.dropped).reduce((sum, count) => sum + count, 0);
  await session.close();
  listener.close();

  const quarter = Math.max(1, Math.floor(samples.length / 4));
  const settled = mean(samples.slice(quarter, 2 * quarter));
  const last = mean(samples.slice(-quarter));
  const unread = Math.max(0, flooded + said - dropped - toInner.packets);
  const isGood = said === heard && last - settled < FLAT_MIB;
  console.log(
    `\nflood of invented MKIs against one group, each ${times} times, one worker, ${SECONDS} s`,
  );
  console.log(
    `flooded ${flooded} packets (${(flooded / took).toFixed(0)}/s), read and dropped ${dropped}: ` +
      JSON.stringify(toInner.dropped),
  );
  console.log(
    `${((toInner.dropped.auth ?? 0) / took).toFixed(0)} derivations a second, ` +
      `${((user + system) / 10_000 / took).toFixed(0)} % of one core for worker and test together`,
  );
  console.log(
    `${talkers} talkers in turn said ${said} packets, ${said - heard} were lost; of all packets ` +
      `${unread} found the socket full and were never read`,
  );
  console.log(
    `memory in the second quarter ${settled.toFixed(1)} MiB, in the last ${last.toFixed(1)} MiB, ` +
      `limit of growth ${FLAT_MIB.toFixed(0)} MiB`,
  );
  console.log(`goal: no packet of a talker lost, memory flat: ${isGood ? 'met' : 'MISSED'}`);
  return isGood;
}

for (const times of [1, 3]) if (!(await run(times))) process.exitCode = 1;
await engine.close();
