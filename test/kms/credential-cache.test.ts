import assert from 'node:assert/strict';
import { silentLog } from '../../src/base/environment.js';
import { CredentialCache, periodAt } from '../../src/kms/index.js';
import { MemoryBackend, openStore } from '../../src/store/index.js';
import { storeOptions } from '../store/support.js';
import { makeDomain, NOW } from './support.js';

const USER = 'sip:r1@radio.example';
const PERIOD_MS = 2_592_000_000;

async function cacheOf(domain = makeDomain()) {
  const backend = new MemoryBackend();
  const records = (await openStore(storeOptions(backend))).space('credentials');
  const clock = { time: NOW, now: () => clock.time };
  const make = (of = domain) => new CredentialCache({ domain: of, records, clock, log: silentLog });
  return { backend, records, clock, make, cache: make() };
}

describe('credentials in the sealed store', () => {
  it('are minted once for a user and period, also over a restart', async () => {
    const { cache, make } = await cacheOf();
    const first = await cache.issue(USER, 1544n);
    assert.deepEqual(await cache.issue(USER, 1544n), first);
    assert.deepEqual(await make().issue(USER, 1544n), first);
  });

  it('are minted once when asked for twice at once', async () => {
    const { cache } = await cacheOf();
    const [one, two] = await Promise.all([cache.issue(USER, 1n), cache.issue(USER, 1n)]);
    assert.deepEqual(one, two);
    assert.notEqual(one.ssk, two.ssk);
  });

  it('are there for whoever joined a minting that its beginner gave up', async () => {
    const { cache } = await cacheOf();
    const giveUp = new AbortController();
    const first = cache.issue(USER, 1n, { signal: giveUp.signal });
    const second = cache.issue(USER, 1n);
    giveUp.abort();
    await assert.rejects(first, { code: 'SEGY_E_CANCELLED' });
    assert.equal((await second).userUri, USER);
  });

  it('are minted anew by a domain with other master secrets', async () => {
    const { cache, make } = await cacheOf();
    const first = await cache.issue(USER, 1n);
    assert.notDeepEqual((await make(makeDomain()).issue(USER, 1n)).rsk, first.rsk);
  });

  it('are minted anew when their record is damaged', async () => {
    const { cache, backend, make } = await cacheOf();
    const first = await cache.issue(USER, 1n);
    for await (const { name } of backend.entries('r/credentials/')) {
      await backend.write([{ name, value: new Uint8Array(9) }]);
    }
    assert.notDeepEqual((await make().issue(USER, 1n)).pvt, first.pvt);
  });

  it('of the next period are made ahead, and old ones kept for the grace only', async () => {
    const { cache, clock, records } = await cacheOf();
    const now = periodAt(cache.certificate, NOW);
    const periods = async (): Promise<string[]> =>
      (await records.all()).records.map(({ key }) => key.split('/')[1]!);
    await cache.prepare([USER]);
    assert.deepEqual(await periods(), [String(now), String(now + 1n)]);
    clock.time = NOW + PERIOD_MS;
    await cache.prepare([USER]);
    assert.deepEqual(await periods(), [String(now + 1n), String(now + 2n)]);
  });
});
