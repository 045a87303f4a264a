import assert from 'node:assert/strict';
import { jwtVerify } from 'jose';
import { utf8 } from '../../src/base/bytes.js';
import { SegyError } from '../../src/base/errors.js';
import { PublishedKeys } from '../../src/idm/published-keys.js';
import { MAX_KEY_SET, readKeySet } from '../../src/idm/public-keys.js';
import { makePartnerKey, signJwt, type PartnerKey } from './idm-scene.js';

const HOUR = 3_600_000;

describe('the published keys of a partner', () => {
  const at = { ms: 0 };
  let published: PartnerKey[];
  let fetches: number;
  let outcomes: (string | null)[];
  let fails: boolean;
  let keys: PublishedKeys;

  beforeEach(async () => {
    at.ms = 1_000_000;
    published = [await makePartnerKey('one')];
    [fetches, outcomes, fails] = [0, [], false];
    keys = new PublishedKeys({
      refreshMs: HOUR,
      clock: { now: () => at.ms },
      fetch: () => {
        fetches += 1;
        if (fails) return Promise.reject(new SegyError('SEGY_E_TIMEOUT', 'no answer in time'));
        return Promise.resolve(utf8(JSON.stringify({ keys: published.map(({ jwk }) => jwk) })));
      },
      onFetch: (error) => outcomes.push(error?.code ?? null),
    });
  });

  const verify = async ({ privateKey, jwk }: PartnerKey): Promise<unknown> =>
    jwtVerify(await signJwt({ sub: 'a' }, privateKey, { kid: jwk.kid }), keys.find);

  it('are fetched once for all who need them at the same time, and kept', async () => {
    const [key] = published;
    await Promise.all([verify(key!), verify(key!), verify(key!)]);
    await verify(key!);
    assert.equal(fetches, 1);
    at.ms += HOUR;
    await verify(key!);
    assert.deepEqual([fetches, outcomes], [2, [null, null]]);
  });

  it('are fetched again for a kid that is not among them', async () => {
    await verify(published[0]!);
    at.ms += 30_000;
    const two = await makePartnerKey('two');
    published = [two];
    await verify(two);
    assert.equal(fetches, 2);
  });

  it('are not fetched more often than every half minute, whatever kids come', async () => {
    const stranger = await makePartnerKey('evil');
    await verify(published[0]!);
    for (let n = 0; n < 60; n += 1) {
      at.ms += 1000;
      await assert.rejects(verify(stranger), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
    }
    assert.equal(fetches, 3);
  });

  it('serve for a day when they cannot be fetched again, and then no more', async () => {
    const [key] = published;
    await verify(key!);
    fails = true;
    at.ms += 24 * HOUR;
    await verify(key!);
    at.ms += HOUR;
    await assert.rejects(verify(key!), { code: 'SEGY_E_PARTNER_IDM' });
    fails = false;
    at.ms += 30_000;
    await verify(key!);
    assert.deepEqual(outcomes, [null, 'SEGY_E_TIMEOUT', 'SEGY_E_TIMEOUT', null]);
  });

  it('that were withdrawn verify nothing after the next fetch', async () => {
    const [key] = published;
    await verify(key!);
    published = [await makePartnerKey('two')];
    at.ms += HOUR;
    await assert.rejects(verify(key!), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });

  it('are kept as they were when what is published now is no key set', async () => {
    const [key] = published;
    await verify(key!);
    published = [];
    at.ms += HOUR;
    await verify(key!);
    assert.deepEqual(outcomes, [null, 'SEGY_E_TOKEN']);
  });
});

describe('a JSON Web Key Set', () => {
  const EC = { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' };
  const bad: readonly [string, string][] = [
    ['no JSON', '{'],
    ['no object', '[]'],
    ['without a list of keys', '{"keys":{}}'],
    ['with a key that is none', '{"keys":[null]}'],
    ['without a key', '{"keys":[]}'],
    ['with a symmetric key', '{"keys":[{"kty":"oct","k":"AAAA"}]}'],
    ['with a private key', JSON.stringify({ keys: [{ ...EC, d: 'AA' }] })],
    ['with keys for encryption alone', JSON.stringify({ keys: [{ ...EC, use: 'enc' }] })],
    ['with 65 keys', JSON.stringify({ keys: Array.from({ length: 65 }, () => EC) })],
    ['that is too large', `{"keys":[],"x":"${'x'.repeat(MAX_KEY_SET)}"}`],
  ];
  for (const [what, text] of bad) {
    it(`is refused ${what}`, () => {
      assert.throws(() => readKeySet(utf8(text)), { code: 'SEGY_E_TOKEN' });
    });
  }

  it('is refused where it is no UTF-8', () => {
    assert.throws(() => readKeySet(Uint8Array.of(0xff)), { code: 'SEGY_E_TOKEN' });
  });
});
