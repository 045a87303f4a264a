/** A gateway's domain, two partner domains with their GMSs, and group keys made by them. */
import { fromHex } from '../../src/base/bytes.js';
import { silentLog, systemRandom, systemTimers } from '../../src/base/environment.js';
import { Credentials, Directory, GroupKeys } from '../../src/clients/index.js';
import type { GroupKeysOptions, GroupPartner, KeyUse } from '../../src/clients/index.js';
import { createInlineCrypto, EccsiVerifier } from '../../src/crypto/index.js';
import { KeyRing, ReplayRecord, SendingMemory } from '../../src/keys/index.js';
import { periodAt, SecurityDomain } from '../../src/kms/index.js';
import type { KmsCertificate } from '../../src/kms/index.js';
import { DEFAULT_TOLERANCES, makeIMessage } from '../../src/mikey/index.js';
import type { NewIMessage } from '../../src/mikey/index.js';
import { MemoryBackend, openStore } from '../../src/store/index.js';

export const NOW = Date.UTC(2026, 5, 1);
export const MINUTE = 60_000;
export const RADIO = 'sip:radio1@lmr.example';
export const RADIO2 = 'sip:radio2@lmr.example';
export const GMS = 'sip:gms@mc-a.example';
export const GROUP = 'sip:police@mc-a.example';
export const GMK = new Uint8Array(16).fill(0x41);
export const GMK_ID = fromHex('0a000001');
export const RAND = new Uint8Array(16).fill(0x52);

export const slow = createInlineCrypto();

export function makeDomain(kmsUri: string, domain: string): SecurityDomain {
  return SecurityDomain.create(
    {
      kmsUri,
      domains: [domain],
      userKeyPeriod: 2_592_000n,
      userKeyOffset: 0n,
      validFrom: new Date(NOW - 1e10),
      validTo: new Date(NOW + 1e11),
    },
    { random: systemRandom, slow },
  );
}

export const own = makeDomain('kms.segy.example', 'lmr.example');
export const theirs = makeDomain('kms.mc-a.example', 'mc-a.example');
export const other = makeDomain('kms.mc-b.example', 'mc-b.example');

export const PARTNER: GroupPartner = {
  name: 'mc-a',
  domains: ['mc-a.example'],
  kmsUris: ['kms.mc-a.example'],
  tolerances: DEFAULT_TOLERANCES,
  windows: { gmkAheadSeconds: 300 },
  gms: [GMS],
  groups: [{ id: GROUP }, { id: 'sip:fire@mc-a.example' }],
};

export type GroupMessage = Partial<NewIMessage> & { from?: SecurityDomain; at?: number };

/** A GMK of the partner's GMS for radio1, changed by `change`. */
export async function gmkMessage({
  from = theirs,
  at = NOW,
  ...change
}: GroupMessage = {}): Promise<Uint8Array> {
  const { certificate } = from;
  const initiatorUri = change.initiatorUri ?? GMS;
  return makeIMessage(
    {
      keyType: 'GMK',
      key: GMK,
      keyId: GMK_ID,
      rand: RAND,
      initiatorUri,
      initiatorCertificate: certificate,
      initiatorKeySet: await from.issue(initiatorUri, periodAt(certificate, at)),
      responderUri: RADIO,
      responderCertificate: own.certificate,
      keyParameters: { groups: [GROUP] },
      timestamp: new Date(at),
      ...change,
    },
    { clock: { now: () => NOW }, slow, random: systemRandom },
  );
}

export interface GroupScene {
  readonly keys: GroupKeys;
  readonly ring: KeyRing;
  readonly uses: KeyUse[];
  audit: 'works' | 'fails';
  readonly time: { now: number };
}

export async function groupScene(more: Partial<GroupKeysOptions> = {}): Promise<GroupScene> {
  const store = await openStore({
    backend: new MemoryBackend(),
    master: { kind: 'key', key: systemRandom(32) },
    random: systemRandom,
    log: silentLog,
    create: true,
  });
  const time = { now: NOW };
  const clock = { now: () => time.now };
  const records = (name: string) => store.space(name);
  const ring = await KeyRing.open({
    records: records('keys'),
    clock: { now: () => NOW + MINUTE },
    timers: { ...systemTimers, setTimeout: () => 0 },
    log: silentLog,
  });
  const certificates = new Map<string, { certificate: KmsCertificate; partner: string }>([
    ['kms.mc-a.example', { certificate: theirs.certificate, partner: 'mc-a' }],
    ['kms.mc-b.example', { certificate: other.certificate, partner: 'mc-b' }],
  ]);
  const uses: KeyUse[] = [];
  const keys = new GroupKeys({
    directory: new Directory([
      { uri: RADIO, pbx: '1001' },
      { uri: RADIO2, pbx: '1002' },
    ]),
    keySets: new Credentials(own, { now: () => NOW }),
    domain: own,
    certificates: { find: (kmsUri) => certificates.get(kmsUri) },
    replay: await ReplayRecord.open({
      records: records('replay'),
      clock: { now: () => NOW },
      log: silentLog,
    }),
    audit: {
      record: (use) => {
        uses.push(use);
        if (scene.audit === 'works') return Promise.resolve();
        return Promise.reject(new Error('disk full'));
      },
    },
    ring,
    slow,
    verifier: new EccsiVerifier({ cacheSize: 16 }),
    clock,
    timers: { ...systemTimers, setTimeout: () => 0 },
    log: silentLog,
    sending: await SendingMemory.open(records('sending')),
    ...more,
  });
  const scene: GroupScene = { keys, ring, uses, audit: 'works', time };
  return scene;
}
