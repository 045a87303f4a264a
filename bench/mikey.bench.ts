/**
 * Whole I_MESSAGEs: opening and making one, and a GMK for a thousand members of a partner domain
 * on one worker and on two, while a timer of the calling thread tells what signalling would feel.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock, systemRandom } from '../src/base/environment.js';
import { createCryptoPool, createInlineCrypto, EccsiVerifier } from '../src/crypto/index.js';
import type { SlowCrypto } from '../src/crypto/index.js';
import { periodAt } from '../src/kms/index.js';
import { makeIMessage, newKeyId, openIMessage } from '../src/mikey/index.js';
import type { KeyType } from '../src/mikey/index.js';
import { makeDomain } from './domains.js';
import { Bench } from './harness.js';

const MEMBERS = 1000;
/** messages in the making at one time, as a GMS would have them */
const IN_FLIGHT = 16;
const TIMER_MS = 20;

const inline = createInlineCrypto();
const now = systemClock.now();

const own = makeDomain('kms.segy.example', 'lmr.example', inline);
const partner = makeDomain('kms.mc-a.example', 'mc-a.example', inline);
const GMS = 'sip:gms@lmr.example';
const RADIO = 'sip:radio1@lmr.example';
const ALICE = 'sip:alice@mc-a.example';
const period = periodAt(own.certificate, now);
const gmsKeys = await own.issue(GMS, period);
const radioKeys = await own.issue(RADIO, period);
const aliceKeys = await partner.issue(ALICE, period);

function makeFor(member: string, keyType: KeyType, slow: SlowCrypto): Promise<Uint8Array> {
  return makeIMessage(
    {
      keyType,
      key: systemRandom(16),
      keyId: newKeyId(keyType, systemRandom),
      initiatorUri: GMS,
      initiatorCertificate: own.certificate,
      initiatorKeySet: gmsKeys,
      responderUri: member,
      responderCertificate: partner.certificate,
    },
    { clock: systemClock, slow, random: systemRandom },
  );
}

const toRadio = await makeIMessage(
  {
    keyType: 'PCK',
    key: systemRandom(16),
    keyId: newKeyId('PCK', systemRandom),
    initiatorUri: ALICE,
    initiatorCertificate: partner.certificate,
    initiatorKeySet: aliceKeys,
    responderUri: RADIO,
    responderCertificate: own.certificate,
  },
  { clock: systemClock, slow: inline, random: systemRandom },
);
const verifier = new EccsiVerifier({ cacheSize: 64 });
const certificates = new Map([own, partner].map((d) => [d.certificate.kmsUri, d.certificate]));

function open(): Promise<unknown> {
  return openIMessage(toRadio, {
    clock: systemClock,
    slow: inline,
    verifier,
    window: 'none',
    findCertificate: (kmsUri) => certificates.get(kmsUri),
    findKeySets: () => [radioKeys],
  });
}

const bench = new Bench('I_MESSAGE, tables prepared');
await bench.measure('open a PCK of a known sender', open);
await bench.measure('make a PCK', () => makeFor(ALICE, 'PCK', inline));
await bench.measure('make a GMK message to any member', () => makeFor(ALICE, 'GMK', inline), {
  notes: 'bound 6000 mulmods',
});
bench.print();

interface Roll {
  readonly ms: number;
  /** how late the timer was at the 99th percentile, in milliseconds */
  readonly lateMs: number;
}

/** A GMK message to each of the members, all in flight at once up to the bound. */
async function roll(workers: number): Promise<Roll> {
  const pool = createCryptoPool({ workers, queueLimit: 2 * IN_FLIGHT });
  await pool.prepare({ z: partner.certificate.pubEncKey });
  const members = Array.from({ length: MEMBERS }, (_, index) => `sip:m${index}@mc-a.example`);
  const late: number[] = [];
  const state = { working: true };
  const timer = (async () => {
    while (state.working) {
      const start = performance.now();
      await sleep(TIMER_MS);
      late.push(performance.now() - start - TIMER_MS);
    }
  })();
  const start = performance.now();
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      for (let member = members.pop(); member !== undefined; member = members.pop()) {
        await makeFor(member, 'GMK', pool);
      }
    }),
  );
  const ms = performance.now() - start;
  state.working = false;
  await timer;
  await pool.close();
  late.sort((a, b) => a - b);
  return { ms, lateMs: late[Math.floor(late.length * 0.99)] ?? 0 };
}

const one = await roll(1);
const two = await roll(2);
console.log(
  `\n${MEMBERS} GMK messages: ${one.ms.toFixed(0)} ms on 1 worker, ${two.ms.toFixed(0)} ms on 2, ` +
    `${(one.ms / two.ms).toFixed(2)} times as fast`,
);
console.log(
  `a ${TIMER_MS} ms timer of the calling thread was late by ${one.lateMs.toFixed(1)} ms with 1 worker, ` +
    `${two.lateMs.toFixed(1)} ms with 2 (99th percentile)`,
);
