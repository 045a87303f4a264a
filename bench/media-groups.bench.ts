/**
 * A hundred groups that talk at once, both ways, 50 packets a second each, under GMKs with the ROC in
 * every packet; then twice as many, until packets are lost, beside a bare dgram relay of the same run.
 * BENCH_SECONDS shortens the first part (default 60).
 */
import { fork, type ChildProcess } from 'node:child_process';
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
import { createMediaEngine, type GroupKey, type MediaSession } from '../src/media/index.js';
import { CS_ID, gukId, srtpKeys } from '../src/mikey/index.js';
import { buildRtp, SrtpSender, type SrtpKeyMaterial } from '../src/srtp/index.js';
import type { Leg, LoadOrder, LoadResult } from './group-load.js';

const GROUPS = 100;
const SECONDS = Number(process.env.BENCH_SECONDS ?? 60);
const STEP_SECONDS = Math.min(5, SECONDS);
const MOST_GROUPS = 3_200;
const P99_GOAL_MS = 5;
const ADDRESS = '127.0.0.1';

const gmkId = fromHex('0a000001');
const gmk = new Uint8Array(16).fill(7);
const rand = new Uint8Array(16).fill(9);
const ME = 'sip:radio1@lmr.example';

function memberKey(user: string): SrtpKeyMaterial {
  const csbId = gukId(gmk, gmkId, user);
  return {
    suite: 'AEAD_AES_128_GCM',
    ...srtpKeys({ key: gmk, csbId, rand, csId: CS_ID.mcpttGroup }),
    mki: concatBytes(gmkId, csbId),
    rocRate: 1,
  };
}

const GROUP_KEY: GroupKey = {
  gmkId,
  state: 'usable',
  gmk,
  rands: [rand],
  own: [gukId(gmk, gmkId, ME)],
  suite: 'AEAD_AES_128_GCM',
  rocRate: 1,
  csId: CS_ID.mcpttGroup,
};

const voice = (index: number): Uint8Array =>
  buildRtp({
    payloadType: 0,
    marker: false,
    sequenceNumber: index & 0xffff,
    timestamp: (index * 160) >>> 0,
    ssrc: 0x01020304,
    payload: new Uint8Array(160),
  });

class Load {
  readonly #child: ChildProcess;
  private constructor(child: ChildProcess) {
    this.#child = child;
  }
  static async start(): Promise<Load> {
    const child = fork(fileURLToPath(new URL('./group-load.js', import.meta.url)));
    await once(child, 'message');
    return new Load(child);
  }
  async ask<T>(order: LoadOrder): Promise<T> {
    this.#child.send(order);
    const [answer] = (await once(this.#child, 'message')) as [T];
    return answer;
  }
  stop(): void {
    this.#child.kill();
  }
}

const load = await Load.start();
const ports = await load.ask<{ outerPort: number; innerPort: number }>({ type: 'open' });
const engine = await createMediaEngine(
  {
    workers: 1,
    outer: { address: ADDRESS, portMin: 10_000, portMax: 19_999 },
    inner: { address: ADDRESS, portMin: 20_000, portMax: 29_999 },
    limits: { sessionsPerWorker: MOST_GROUPS },
  },
  {
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    log: silentLog,
    metrics: silentMetrics,
  },
);
const sessions: MediaSession[] = [];

/** As many groups as `count`, armed. Their talkers speak with fresh indexes in each run. */
async function groups(count: number): Promise<Leg[]> {
  while (sessions.length < count) {
    const session = await engine.allocate();
    await session.setRemote('outer', { address: ADDRESS, port: ports.outerPort });
    await session.setRemote('inner', { address: ADDRESS, port: ports.innerPort });
    await session.arm({ receive: { group: [GROUP_KEY] }, send: { key: memberKey(ME) } });
    sessions.push(session);
  }
  return sessions.map(({ outer, inner }) => ({
    outerPort: outer.rtpPort,
    innerPort: inner.rtpPort,
  }));
}

const talker = new SrtpSender(memberKey('sip:anna@mc-a.example'), { ssrc: 77 });
let spoken = 0;

async function talk(
  legs: readonly Leg[],
  seconds: number,
): Promise<LoadResult & { cpuPerStream: number }> {
  const frames = seconds * 50;
  const indexes = Array.from({ length: frames }, (_, i) => spoken + i);
  spoken += frames + 50;
  const base64 = (octets: Uint8Array): string => Buffer.from(octets).toString('base64');
  const sealed = indexes.map((index) => base64(talker.protect(voice(index), index)));
  const clear = indexes.map((index) => base64(voice(index)));
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const result = await load.ask<LoadResult>({
    ...{ type: 'run', outerAddress: ADDRESS, innerAddress: ADDRESS },
    ...{ legs, sealed, clear, seconds },
  });
  const used = process.cpuUsage(cpu);
  const share = (used.user + used.system) / 1000 / (performance.now() - begin);
  return { ...result, cpuPerStream: share / (2 * legs.length) };
}

function lineOf(name: string, count: number, r: LoadResult): string {
  const lost = r.sent - r.received;
  return (
    `${name} ${count} groups: ${r.sent} packets, ${lost} lost, delay p50 ${r.p50.toFixed(2)} ms, ` +
    `p99 ${r.p99.toFixed(2)} ms, most ${r.max.toFixed(1)} ms; generator up to ${r.behind.toFixed(1)} ms late`
  );
}

const first = await talk(await groups(GROUPS), SECONDS);
console.log(lineOf('gateway', GROUPS, first));
console.log(`CPU of one core for each stream: ${(100 * first.cpuPerStream).toFixed(3)} %`);
const lost = first.sent - first.received;
const isGood = lost === 0 && first.p99 < P99_GOAL_MS;
console.log(
  `goal: no packet lost in ${SECONDS} s and p99 under ${P99_GOAL_MS} ms: ${isGood ? 'met' : 'MISSED'}`,
);

/** Doubles until packets are lost. @returns the last number of groups without a loss */
async function most(name: string, legsFor: (count: number) => Promise<Leg[]>): Promise<number> {
  let whole = 0;
  for (let count = GROUPS; count <= MOST_GROUPS; count *= 2) {
    const result = await talk(await legsFor(count), STEP_SECONDS);
    console.log(lineOf(name, count, result));
    if (result.received < result.sent) break;
    whole = count;
  }
  return whole;
}

const ours = await most('gateway', groups);
for (const session of sessions) await session.close();
const relay = await Load.start();
const bare = await most('bare relay', (count) =>
  relay.ask<Leg[]>({ type: 'relay', count, address: ADDRESS, ...ports }),
);
console.log(
  `streams without a loss: ${2 * ours} through the gateway, ${2 * bare} through the bare relay, ` +
    `ratio ${bare === 0 ? 'unknown' : (ours / bare).toFixed(2)}`,
);
relay.stop();
load.stop();
await engine.close();
if (!isGood) process.exitCode = 1;
