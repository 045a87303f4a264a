import assert from 'node:assert/strict';
import { Credentials } from '../../src/clients/index.js';
import type { OwnDomain } from '../../src/clients/index.js';
import type { KmsCertificate, KmsKeySet } from '../../src/kms/index.js';

const PERIOD_SECONDS = 100n;
const NTP_OFFSET_SECONDS = 2_208_988_800;

/** Milliseconds since 1970 at `seconds` into key period `periodNo`. */
function inPeriod(periodNo: number, seconds: number): number {
  return (periodNo * Number(PERIOD_SECONDS) + seconds - NTP_OFFSET_SECONDS) * 1000;
}

const NOW = inPeriod(30_000_000, 50);
const clock = { now: () => NOW };

describe('clients/credentials', () => {
  let issued: string[];
  let fail: boolean;
  const domain: OwnDomain = {
    certificate: {
      kmsUri: 'kms.segy.example',
      userKeyPeriod: PERIOD_SECONDS,
      userKeyOffset: 0n,
    } as KmsCertificate,
    issue: (userUri, keyPeriodNo) => {
      if (fail) return Promise.reject(new Error('busy'));
      issued.push(`${userUri} ${keyPeriodNo}`);
      const secrets = { rsk: new Uint8Array([1]), ssk: new Uint8Array([2]) };
      return Promise.resolve({ keyPeriodNo, ...secrets } as KmsKeySet);
    },
  };

  beforeEach(() => {
    issued = [];
    fail = false;
  });

  it('mints each key set once', async () => {
    const credentials = new Credentials(domain, clock);
    await Promise.all([credentials.at('a', NOW), credentials.at('a', NOW)]);
    assert.deepEqual(issued, ['a 30000000']);
  });

  it('offers the period of the stamp first, then its neighbours', async () => {
    const sets = await new Credentials(domain, clock).around('a', NOW);
    const periods = sets.map((set) => set.keyPeriodNo);
    assert.deepEqual(periods, [30_000_000n, 29_999_999n, 30_000_001n]);
  });

  it('mints nothing for a stamp far from today', async () => {
    const sets = await new Credentials(domain, clock).around('a', inPeriod(29_000_000, 0));
    assert.deepEqual([sets, issued], [[], []]);
  });

  it('makes this period, the next and their neighbours ahead of their use', async () => {
    await new Credentials(domain, clock).prepare(['a', 'b']);
    const made = (user: string) => [0, 1, -1, 2].map((step) => `${user} ${30_000_000 + step}`);
    assert.deepEqual(issued, [...made('a'), ...made('b')]);
  });

  it('tries again after a failed minting', async () => {
    const credentials = new Credentials(domain, clock);
    fail = true;
    await assert.rejects(credentials.at('a', NOW), /busy/);
    fail = false;
    assert.equal((await credentials.at('a', NOW)).keyPeriodNo, 30_000_000n);
  });

  it('keeps no more key sets than its bound, the latest used', async () => {
    const credentials = new Credentials(domain, clock, { maxKeySets: 2 });
    for (const user of ['a', 'b', 'a', 'c', 'a', 'b']) await credentials.at(user, NOW);
    assert.deepEqual(
      issued.map((line) => line[0]),
      ['a', 'b', 'c', 'b'],
    );
  });

  it('wipes the secrets it minted', async () => {
    const credentials = new Credentials(domain, clock);
    const set = await credentials.at('a', NOW);
    await credentials.wipe();
    assert.deepEqual([...set.rsk, ...set.ssk], [0, 0]);
  });

  it('wipes what it dropped once nobody can be at work with it', async () => {
    let now = NOW;
    const credentials = new Credentials(domain, { now: () => now }, { maxKeySets: 1 });
    const first = await credentials.at('a', NOW);
    const second = await credentials.at('b', NOW);
    assert.deepEqual([...first.rsk, ...first.ssk], [1, 2]);
    now += 61_000;
    await credentials.at('c', NOW);
    await Promise.resolve();
    assert.deepEqual([...first.rsk, ...first.ssk], [0, 0]);
    assert.deepEqual([...second.rsk, ...second.ssk], [1, 2]);
    await credentials.wipe();
    assert.deepEqual([...second.rsk, ...second.ssk], [0, 0]);
  });
});
