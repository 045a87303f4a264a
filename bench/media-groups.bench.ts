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

/** Doubles until packets are lost. @returns the last number of groups without a loss, and the first p99 */
async function most(
  name: string,
  legsFor: (count: number) => Promise<Leg[]>,
): Promise<{ readonly whole: number; readonly p99: number }> {
  let whole = 0;
  let p99 = NaN;
  for (let count = GROUPS; count <= MOST_GROUPS; count *= 2) {
    const result = await talkgroups.talk(await legsFor(count), STEP_SECONDS);
    console.log(lineOf(name, count, result));
    if (count === GROUPS) p99 = result.p99;
    if (result.received < result.sent) break;
    whole = count;
  }
  return { whole, p99 };
}

const ours = await most('gateway', (count) => talkgroups.groups(count));
await talkgroups.closeSessions();
const relay = await Load.start();
const bare = await most('bare relay', (count) =>
  relay.ask<Leg[]>({ type: 'relay', count, address: ADDRESS, ...talkgroups.ports }),
);
console.log(
  `streams without a loss: ${2 * ours.whole} through the gateway, ${2 * bare.whole} through the bare ` +
    `relay, ratio ${bare.whole === 0 ? 'unknown' : (ours.whole / bare.whole).toFixed(2)}`,
);
// The generator shares the cores: what a busy machine adds, it adds to the bare relay too.
const added = first.p99 - bare.p99;
const isGood = lost === 0 && added < P99_GOAL_MS;
console.log(
  `delay that the gateway adds to the bare relay's at ${GROUPS} groups, p99: ${added.toFixed(2)} ms ` +
    `(${first.p99.toFixed(2)} less ${bare.p99.toFixed(2)})`,
);
console.log(
  `goal: no packet lost in ${SECONDS} s and p99 under ${P99_GOAL_MS} ms more than the bare relay's: ` +
    (isGood ? 'met' : 'MISSED'),
);
relay.stop();
await talkgroups.stop();
if (!isGood) process.exitCode = 1;
