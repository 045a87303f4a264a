import assert from 'node:assert/strict';
import { silentLog } from '../../src/base/environment.js';
import { utf8 } from '../../src/base/bytes.js';
import { SegyError } from '../../src/base/errors.js';
import type { RecordSpace } from '../../src/base/records.js';
import { memoryKey, TokenMemory } from '../../src/idm/token-memory.js';
import { memorySpace } from '../gms/support.js';
import { until } from '../support/waiting.js';

const HOUR = 3_600_000;

describe('the memory of presented tokens', () => {
  const at = { ms: 0 };
  let records: RecordSpace;
  let memory: TokenMemory;
  const open = (limit = 100, space = records): Promise<TokenMemory> =>
    TokenMemory.open({ records: space, clock: { now: () => at.ms }, log: silentLog, limit });

  beforeEach(async () => {
    at.ms = 1_000_000;
    records = (await memorySpace())('idm-presented');
    memory = await open();
  });

  const stored = async (): Promise<number> => (await records.all()).records.length;

  it('knows whose something is until its end, also after a restart', async () => {
    const until = at.ms + HOUR;
    assert.deepEqual(await memory.remember('a', 'one', until), { owner: 'one', isNew: true });
    assert.deepEqual(await memory.remember('a', 'two', until), { owner: 'one', isNew: false });
    memory = await open();
    assert.deepEqual(await memory.remember('a', 'two', until), { owner: 'one', isNew: false });
    at.ms = until;
    assert.deepEqual(await memory.remember('a', 'two', until + 1), { owner: 'two', isNew: true });
  });

  it('gives it to one of those who ask at the same time', async () => {
    const owners = Array.from({ length: 20 }, (_, n) => `client-${n}`);
    const got = await Promise.all(owners.map((name) => memory.remember('a', name, at.ms + HOUR)));
    assert.equal(got.filter(({ isNew }) => isNew).length, 1);
    assert.equal(new Set(got.map(({ owner }) => owner)).size, 1);
  });

  it('lets go of what has ended, in memory and on disk', async () => {
    for (let n = 0; n < 20; n += 1) await memory.remember(`k${n}`, 'one', at.ms + HOUR);
    at.ms += HOUR;
    await memory.remember('new', 'one', at.ms + HOUR);
    await until(
      'only the new one is left',
      async () => memory.size === 1 && (await stored()) === 1,
    );
  });

  it('takes nothing beyond its limit, and from one owner no more than a quarter', async () => {
    for (let n = 0; n < 25; n += 1) await memory.remember(`a${n}`, 'one', at.ms + HOUR);
    await assert.rejects(memory.remember('more', 'one', at.ms + HOUR), { code: 'SEGY_E_BUSY' });
    for (const name of ['two', 'three', 'four']) {
      for (let n = 0; n < 25; n += 1) await memory.remember(`${name}${n}`, name, at.ms + HOUR);
    }
    await assert.rejects(memory.remember('b', 'five', at.ms + HOUR), { code: 'SEGY_E_BUSY' });
    assert.equal((await memory.remember('a0', 'one', at.ms + HOUR)).isNew, false);
  });

  it('does not say that it knows what it could not write', async () => {
    let fails = true;
    const space: RecordSpace = {
      ...records,
      put: (key, value) =>
        fails ? Promise.reject(new SegyError('SEGY_E_STORE', 'full')) : records.put(key, value),
    };
    memory = await open(100, space);
    const asked = ['one', 'two'].map((name) => memory.remember('a', name, at.ms + HOUR));
    for (const each of asked) await assert.rejects(each, { code: 'SEGY_E_STORE' });
    assert.equal(memory.size, 0);
    fails = false;
    assert.equal((await memory.remember('a', 'two', at.ms + HOUR)).isNew, true);
  });

  it('gives to nobody what a damaged record was about, and serves the rest', async () => {
    await memory.remember('b', 'one', at.ms + HOUR);
    await records.put('c', utf8('[1,2]'));
    const space: RecordSpace = {
      ...records,
      all: async () => ({ ...(await records.all()), refused: ['a'] }),
    };
    memory = await open(100, space);
    for (const key of ['a', 'c']) {
      const { owner, isNew } = await memory.remember(key, 'one', at.ms + HOUR);
      assert.deepEqual([owner, isNew], ['', false]);
    }
    assert.equal((await memory.remember('b', 'one', at.ms + HOUR)).owner, 'one');
  });

  it('has names of which no part can stand for another', () => {
    assert.notEqual(memoryKey('jti', 'a', 'b'), memoryKey('jti', 'a b', ''));
    assert.notEqual(memoryKey('jti', 'a', 'b'), memoryKey('assertion', 'a', 'b'));
  });
});
