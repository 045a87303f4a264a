/**
 * A hundred groups that talk at once, both ways, 50 packets a second each, under GMKs with the ROC in
 * every packet; then twice as many, until packets are lost, beside a bare dgram relay of the same run.
 * BENCH_SECONDS shortens the first part (default 60).
 */
import { silentMetrics } from '../src/base/environment.js';
import type { Leg, LoadResult } from './group-load.js';
import { Load, Talkgroups } from './talkgroups.js';

const GROUPS = 100;
const SECONDS = Number(process.env.BENCH_SECONDS ?? 60);
const STEP_SECONDS = Math.min(5, SECONDS);
const MOST_GROUPS = 3_200;
const P99_GOAL_MS = 5;
const ADDRESS = '127.0.0.1';

const talkgroups = await Talkgroups.start(MOST_GROUPS, silentMetrics);

function lineOf(name: string, count: number, r: LoadResult): string {
  const lost = r.sent - r.received;
  return (
    `${name} ${count} groups: ${r.sent} packets, ${lost} lost, delay p50 ${r.p50.toFixed(2)} ms, ` +
    `p99 ${r.p99.toFixed(2)} ms, most ${r.max.toFixed(1)} ms; generator up to ${r.behind.toFixed(1)} ms late`
  );
}

const first = await talkgroups.talk(await talkgroups.groups(GROUPS), SECONDS);
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
    const result = await talkgroups.talk(await legsFor(count), STEP_SECONDS);
    console.log(lineOf(name, count, result));
    if (result.received < result.sent) break;
    whole = count;
  }
  return whole;
}

const ours = await most('gateway', (count) => talkgroups.groups(count));
await talkgroups.closeSessions();
const relay = await Load.start();
const bare = await most('bare relay', (count) =>
  relay.ask<Leg[]>({ type: 'relay', count, address: ADDRESS, ...talkgroups.ports }),
);
console.log(
  `streams without a loss: ${2 * ours} through the gateway, ${2 * bare} through the bare relay, ` +
    `ratio ${bare === 0 ? 'unknown' : (ours / bare).toFixed(2)}`,
);
relay.stop();
await talkgroups.stop();
if (!isGood) process.exitCode = 1;
