/**
 * What one client that asks 10,000 times a minute costs the thread that sets up calls: processor time a
 * request, and how late timers come, beside the same thread at rest. The client is another process and
 * brings a token that verifies, so that each request that is let in costs a signature check. BENCH_SECONDS is how
 * long each part takes (default 10).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { silentLog, silentMetrics, systemClock } from '../src/base/environment.js';
import { systemRandom, systemTimers } from '../src/base/environment.js';
import { httpsSchema } from '../src/config/https-schema.js';
import { gmsSchema } from '../src/config/gms-schema.js';
import { DocumentGuard } from '../src/gms/index.js';
import { ClientLimits, HttpsListener } from '../src/https/index.js';
import { TreeNodes, XcapServer } from '../src/xcap/index.js';
import {
  accessTokens,
  ALICE,
  directoryOf,
  keyRoom,
  openKeys,
  partner,
} from '../test/idm/idm-scene.js';
import { TestAuthority } from '../test/sip/support/certificates.js';
import { startFlood } from '../test/support/https-flood.js';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 10);
const PER_SECOND = 10_000 / 60;

const folder = mkdtempSync(join(tmpdir(), 'segy-bench-'));
const authority = new TestAuthority();
const caFile = join(folder, 'ca.pem');
writeFileSync(caFile, authority.cert);
const made = authority.issue('bench', 'IP:127.0.0.1');
authority.remove();

const { rate, limits } = httpsSchema.parse({
  address: '127.0.0.1',
  tls: { certFile: caFile, keyFile: caFile },
});
const env = {
  ...{ clock: systemClock, timers: systemTimers, random: systemRandom },
  ...{ log: silentLog, metrics: silentMetrics },
};
const room = await keyRoom();
const keys = await openKeys(room);
const ours = partner('a');
const tokens = accessTokens(room, keys, directoryOf([ours]));
const { token } = await tokens.issue({
  ...{ partner: ours, clientId: 'client-a', subject: 'alice', serviceIds: { MCPTT: ALICE } },
  scopes: [ours.codePoints.scopeMcptt],
});
const guard = new DocumentGuard({
  tokens,
  access: gmsSchema.parse({ uri: 'sip:gms@lmr.example' }).documents,
});

async function listen(anyone: typeof rate): Promise<HttpsListener> {
  return HttpsListener.open({
    ...{ address: '127.0.0.1', port: 0, env },
    tls: {
      cert: Buffer.from(made.cert),
      key: Buffer.from(made.key),
      clientCertificates: 'optional',
      least: '1.2',
    },
    limits: {
      ...{ headerOctets: limits.headerOctets, handshakeMs: 5000, headerMs: 5000 },
      ...{ requestMs: 20_000, idleMs: 30_000, requestsPerConnection: 1000, parallel: 64 },
    },
    clients: new ClientLimits({ ...limits, anyone, known: new Map() }, systemClock),
    routes: [
      new XcapServer({
        ...{ root: 'https://127.0.0.1/xcap/', usages: [], guard },
        ...{ maxDocumentOctets: 1_048_576, large: new TreeNodes(), clock: systemClock },
      }),
    ],
  });
}

interface Cost {
  readonly cpuMs: number;
  readonly p50: number;
  readonly p99: number;
}

async function costOf(ms: number): Promise<Cost> {
  const delay = monitorEventLoopDelay({ resolution: 2 });
  const before = process.cpuUsage();
  delay.enable();
  await new Promise((resolve) => setTimeout(resolve, ms));
  delay.disable();
  const { user, system } = process.cpuUsage(before);
  const late = (percent: number): number => delay.percentile(percent) / 1e6;
  return { cpuMs: (user + system) / 1000, p50: late(50), p99: late(99) };
}

function show(name: string, { cpuMs, p50, p99 }: Cost, requests: number | null): void {
  const share = `${((cpuMs / (SECONDS * 1000)) * 100).toFixed(1)} % of a core`;
  const each = requests === null ? '' : `, ${(cpuMs / requests).toFixed(3)} ms a request`;
  const timers = `a 2 ms timer comes after ${p50.toFixed(1)} ms (p50), ${p99.toFixed(1)} ms (p99)`;
  console.log(`${name.padEnd(34)} ${share}${each}; ${timers}`);
}

async function flooded(name: string, anyone: typeof rate): Promise<void> {
  const listener = await listen(anyone);
  const url = `https://127.0.0.1:${listener.port}/xcap/x`;
  const stop = startFlood({ url, caFile, from: '127.0.0.1', perSecond: PER_SECOND, token });
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const cost = await costOf(SECONDS * 1000);
  const counts = await stop();
  await listener.close();
  show(name, cost, PER_SECOND * SECONDS);
  console.log(`${''.padEnd(34)} answers: ${JSON.stringify(counts)}`);
}

console.log(`\n${PER_SECOND.toFixed(0)} requests a second from one client, ${SECONDS} s each`);
show('at rest', await costOf(SECONDS * 1000), null);
await flooded('under the rate of one client', rate);
const generous = {
  requestsPerSecond: 1e5,
  burst: 1e5,
  handshakesPerSecond: 1e4,
  connections: 1000,
};
await flooded('let in, each token looked at', generous);
keys.close();
rmSync(folder, { recursive: true });
