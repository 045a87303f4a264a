/**
 * `segy status` and `segy calls`, as an operator's shell runs them, while a hundred groups talk both ways
 * through the media engine of the process that answers. BENCH_SECONDS is how long (default 10). On a machine
 * that others use, look at what the start of a bare Node takes in the same run.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { adminCall, AdminServer, viewCommands } from '../src/admin/index.js';
import type { GatewayViews } from '../src/admin/index.js';
import { silentLog, systemClock, systemTimers } from '../src/base/environment.js';
import type { CallView } from '../src/edge/index.js';
import { MetricRegistry } from '../src/metrics/index.js';
import { Talkgroups } from './talkgroups.js';

const GROUPS = 100;
const SECONDS = Number(process.env.BENCH_SECONDS ?? 10);
const GOAL_MS = 300;
const MAIN = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const run = promisify(execFile);

const metrics = new MetricRegistry();
const talkgroups = await Talkgroups.start(GROUPS, metrics);
const legs = await talkgroups.groups(GROUPS);
const calls = talkgroups.sessions.map(({ id }): CallView => ({
  session: id,
  partner: 'mc-a',
  type: 'group',
  group: `sip:group-${id}@mc-a.example`,
  direction: 'mc-to-lmr',
  state: 'confirmed',
  caller: 'sip:anna@mc-a.example',
  called: `sip:group-${id}@mc-a.example`,
  startedAt: Date.now(),
  connectedAt: Date.now(),
  ...{ armed: true, clear: false, keyId: '0a000001', floor: null, talker: 'sip:anna@mc-a.example' },
  channel: `PJSIP/segy-${id}`,
  dialog: '',
  legs: [],
}));
const views: GatewayViews = {
  version: 'bench',
  startedAt: Date.now(),
  state: () => 'running',
  now: () => Date.now(),
  edge: { calls: () => calls },
  media: talkgroups.engine,
  partners: () => [],
  pbx: () => ({ type: 'asterisk', linked: true }),
  expiries: () => [],
  health: () => ({ audit: null, store: null }),
  alarms: () => [],
  lags: () => [],
  metric: (name, labels) => metrics.value(name, labels),
};
const folder = mkdtempSync(join(tmpdir(), 'segy-bench-'));
const socketPath = join(folder, 's');
const server = await AdminServer.open({
  socketPath,
  commands: viewCommands(views, {
    lines: () => [],
    audit: () => Promise.resolve([]),
    config: () => ({}),
  }),
  env: { clock: systemClock, timers: systemTimers, log: silentLog },
});

const talking = talkgroups.talk(legs, SECONDS);
const times = new Map<string, number[]>();
const time = async (name: string, work: () => Promise<unknown>): Promise<void> => {
  const begin = performance.now();
  await work();
  times.set(name, [...(times.get(name) ?? []), performance.now() - begin]);
};
const end = performance.now() + (SECONDS - 1) * 1000;
while (performance.now() < end) {
  for (const command of ['status', 'calls']) {
    const args = [MAIN, command, '--socket', socketPath, '--json'];
    await time(`segy ${command}`, () => run(process.execPath, args));
    await time(`answer to ${command}`, () => adminCall(socketPath, command, {}));
  }
  await time('bare node', () => run(process.execPath, ['-e', '0']));
}
const { sent, received } = await talking;
const at = (name: string, part: number): number => {
  const sorted = (times.get(name) ?? []).sort((a, b) => a - b);
  return sorted[Math.floor(part * (sorted.length - 1))] ?? NaN;
};
for (const [name, taken] of times) {
  const [median, most] = [at(name, 0.5).toFixed(1), at(name, 1).toFixed(1)];
  console.log(`${name}: ${taken.length} runs, median ${median} ms, most ${most} ms`);
}
const isMet = at('segy status', 0.5) < GOAL_MS;
console.log(`packets meanwhile: ${sent} sent, ${sent - received} lost`);
console.log(`goal: segy status in ${GOAL_MS} ms at the median: ${isMet ? 'met' : 'MISSED'}`);
await server.close();
await talkgroups.stop();
rmSync(folder, { recursive: true, force: true });
if (!isMet) process.exitCode = 1;
