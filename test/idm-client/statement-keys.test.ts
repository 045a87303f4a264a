import assert from 'node:assert/strict';
import type { RecordSpace } from '../../src/base/records.js';
import { systemClock } from '../../src/base/environment.js';
import { StatementKeys } from '../../src/idm-client/index.js';
import { memorySpace } from '../gms/support.js';

describe('the keys under which the gateway speaks for its users', () => {
  let records: RecordSpace;
  let keys: StatementKeys;
  beforeEach(async () => {
    records = (await memorySpace())('signing');
    keys = await StatementKeys.open(records, systemClock);
  });

  it('are made at the first use, once, and are the same after a restart', async () => {
    const made = await Promise.all([keys.signer(), keys.signer()]);
    assert.equal(made[0].kid, made[1].kid);
    const again = await StatementKeys.open(records, systemClock);
    assert.equal((await again.signer()).kid, made[0].kid);
    assert.deepEqual(again.jwks(), keys.jwks());
  });

  it('are published without their private part', async () => {
    const { kid } = await keys.signer();
    const [jwk, ...more] = keys.jwks().keys;
    assert.deepEqual(more, []);
    assert.deepEqual(Object.keys(jwk!).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    assert.deepEqual([jwk!.kid, jwk!.alg, jwk!.crv], [kid, 'ES256', 'P-256']);
  });

  it('are published before they are used, and are removed after', async () => {
    const { kid: first } = await keys.signer();
    const { kid: second } = await keys.add();
    assert.equal((await keys.signer()).kid, first);
    assert.deepEqual(
      keys
        .jwks()
        .keys.map(({ kid }) => kid)
        .sort(),
      [first, second].sort(),
    );
    await assert.rejects(keys.remove(first), { code: 'SEGY_E_ARGUMENT' });
    await keys.use(second);
    await keys.remove(first);
    const again = await StatementKeys.open(records, systemClock);
    assert.equal((await again.signer()).kid, second);
    assert.deepEqual(
      again.list().map(({ kid, inUse }) => [kid, inUse]),
      [[second, true]],
    );
  });

  it('are eight at most', async () => {
    for (let n = 0; n < 8; n += 1) await keys.add();
    await assert.rejects(keys.add(), { code: 'SEGY_E_ARGUMENT' });
  });

  it('are not used under a name that is not theirs', async () => {
    await keys.signer();
    await assert.rejects(keys.use('other'), { code: 'SEGY_E_NOT_FOUND' });
  });
});
