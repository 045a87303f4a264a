/**
 * A new key for a talkgroup of a thousand members in two partner domains, from the command to the last
 * member's answer: through the life of the key, the sealed store and the delivery queue, with SAKKE on
 * this very thread, so that its processor time is all the work there is for a member.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import {
  silentLog,
  silentMetrics,
  systemClock,
  systemRandom,
  systemTimers,
} from '../src/base/environment.js';
import { createInlineCrypto } from '../src/crypto/index.js';
import { PseudoGms } from '../src/gms/index.js';
import type { GroupMember } from '../src/gms/index.js';
import { periodAt } from '../src/kms/index.js';
import { MemoryBackend, openLevelBackend, openStore } from '../src/store/index.js';
import type { StoreBackend } from '../src/store/index.js';
import { makeDomain } from './domains.js';
import { mulmodMs } from './harness.js';

const MEMBERS = 1000;
const ROLLS = 3;
const BOUND_MULMODS = 6000;
const GMS = 'sip:gms@lmr.example';
const GROUP = 'sip:tg1@lmr.example';

const slow = createInlineCrypto();
const now = systemClock.now();

const own = makeDomain('kms.segy.example', 'lmr.example', slow);
const partners = ['a', 'b'].map((name) =>
  makeDomain(`kms.mc-${name}.example`, `mc-${name}.example`, slow),
);
const gmsKeys = await own.issue(GMS, periodAt(own.certificate, now));
const certificates = new Map(
  partners.map(({ certificate }, at) => [
    certificate.kmsUri,
    { certificate, partner: 'ab'[at] ?? '' },
  ]),
);
const members = Array.from({ length: MEMBERS }, (_, index): GroupMember => {
  const partner = 'ab'[index % 2] ?? '';
  const none = { displayName: null, priority: null, mcvideoId: null, mcdataId: null };
  return {
    uri: `sip:u${index}@mc-${partner}.example`,
    partner,
    kmsUri: `kms.mc-${partner}.example`,
    ...none,
  };
});

/** messages of the roll that is under way */
let sent = 0;

async function openGms(backend: StoreBackend): Promise<PseudoGms> {
  const store = await openStore({
    backend,
    master: { kind: 'key', key: systemRandom(32) },
    random: systemRandom,
    log: silentLog,
    create: true,
  });
  return PseudoGms.open({
    spaces: { groups: store.space('groups'), keys: store.space('group-keys') },
    identity: {
      uri: GMS,
      certificate: own.certificate,
      keySetAt: () => Promise.resolve(gmsKeys),
    },
    certificates: { find: (kmsUri) => certificates.get(kmsUri) },
    ring: {
      adopt: () => Promise.resolve(),
      partnersOf: () => [],
      drop: () => Promise.resolve(),
      isTaken: () => false,
    },
    sender: {
      routeOf: ({ member }) => ({ route: member, most: 8 }),
      send: (keys) => {
        sent += keys.length;
        return Promise.resolve({ kind: 'delivered' });
      },
    },
    audit: { record: () => Promise.resolve() },
    slow,
    settings: {
      activationSeconds: 3600,
      removalActivationSeconds: 3600,
      overlapSeconds: 60,
      rollSeconds: null,
      lifetimeSeconds: null,
      tellRevoked: true,
      parallel: 4,
    },
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    log: silentLog,
    metrics: silentMetrics,
  });
}

/** Rolls and waits for the last member. @returns milliseconds of a member, by the clock and of the processor */
async function roll(
  gms: PseudoGms,
  start: () => Promise<unknown>,
): Promise<{ wallMs: number; workMs: number }> {
  sent = 0;
  const begun = performance.now();
  const before = process.cpuUsage();
  const done = new Promise<void>((resolve) => {
    const unwatch = gms.watch(GROUP, () => {
      if (sent < MEMBERS) return;
      const last = gms.status(GROUP).keys.at(-1)?.deliveries;
      if (last === undefined || last.members < MEMBERS || last.delivered < last.members) return;
      unwatch();
      resolve();
    });
  });
  await start();
  await done;
  const { user, system } = process.cpuUsage(before);
  return {
    wallMs: (performance.now() - begun) / MEMBERS,
    workMs: (user + system) / 1000 / MEMBERS,
  };
}

for (const { certificate } of partners) await slow.prepare({ z: certificate.pubEncKey });

console.log(`\nA roll for ${MEMBERS} members of two prepared domains, through the delivery queue`);
const folder = mkdtempSync(join(tmpdir(), 'segy-bench-'));
for (const [name, backend] of [
  ['store in memory', new MemoryBackend()],
  ['store on disk', await openLevelBackend(join(folder, 'store'), { create: true })],
] as const) {
  const gms = await openGms(backend);
  await gms.start();
  await roll(gms, () => gms.groups.put({ id: GROUP, displayName: 'Fire', pbx: 'tg1', members }));
  for (let round = 0; round < ROLLS; round += 1) {
    const before = mulmodMs();
    const { wallMs, workMs } = await roll(gms, () => gms.rekey(GROUP));
    const unit = (before + mulmodMs()) / 2;
    console.log(
      `${name}: ${wallMs.toFixed(2)} ms a member by the clock; work ${workMs.toFixed(2)} ms, ` +
        `${(workMs / unit).toFixed(0)} mulmods of ${(unit * 1e6).toFixed(0)} ns (bound ${BOUND_MULMODS})`,
    );
  }
  await gms.stop();
}
rmSync(folder, { recursive: true, force: true });
