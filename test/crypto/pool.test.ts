import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../src/base/bytes.js';
import type { Metrics } from '../../src/base/environment.js';
import { type SlowCrypto, type SlowOptions, createCryptoPool } from '../../src/crypto/index.js';
import { readVectors } from '../support/vectors.js';

const rfc = readVectors('rfc6508-sakke') as Record<'Z' | 'ID' | 'RSK' | 'SSV' | 'SED', string>;
const z = fromHex(rfc.Z);
const id = fromHex(rfc.ID);
const ssv = fromHex(rfc.SSV);
const rsk = fromHex(rfc.RSK);
const workerUrl = new URL('../support/scripted-crypto-worker.js', import.meta.url);

/** Runs `test` with a pool of scripted workers. */
async function withPool(
  o: { workers?: number; queueLimit?: number },
  test: (pool: SlowCrypto) => Promise<void>,
): Promise<void> {
  const pool = createCryptoPool({ workers: 1, queueLimit: 16, workerUrl, ...o });
  try {
    await test(pool);
  } finally {
    await pool.close();
  }
}

/** Answered at once, with the identity. */
function quick(pool: SlowCrypto, name: number, options?: SlowOptions): Promise<Uint8Array> {
  return pool.encapsulate({ ssv, id: Uint8Array.of(name), z }, options);
}

/** Keeps a worker for 40 ms. */
function busy(pool: SlowCrypto, options?: SlowOptions): Promise<Uint8Array> {
  return pool.decapsulate({ sed: ssv, id: Uint8Array.of(99), z, rsk }, options);
}

const CANCELLED = { code: 'SEGY_E_CANCELLED' };

describe('crypto/pool with its own workers', () => {
  it('serves every operation as RFC 6508 has it', async () => {
    const pool = createCryptoPool({ workers: 1, queueLimit: 8 });
    try {
      await pool.prepare({ z, id, rsk });
      const sed = await pool.encapsulate({ ssv, id, z });
      assert.equal(toHex(sed), rfc.SED);
      assert.equal(toHex(await pool.decapsulate({ sed, id, z, rsk })), rfc.SSV);
      assert.equal(await pool.validateRsk({ z, id, rsk }), true);
      sed[272] = (sed[272] ?? 0) ^ 1;
      await assert.rejects(pool.decapsulate({ sed, id, z, rsk }), { code: 'SEGY_E_MIKEY_SAKKE' });
      await assert.rejects(pool.encapsulate({ ssv, id, z: new Uint8Array(257) }), {
        code: 'SEGY_E_ARGUMENT',
        message: /^z is not/,
      });
    } finally {
      await pool.close();
    }
  });
});

describe('crypto/pool', () => {
  it('gives callers turns, so that one with much work does not delay another', () =>
    withPool({}, async (pool) => {
      const order: number[] = [];
      const jobs = [
        [1, 'a'],
        [2, 'a'],
        [3, 'a'],
        [4, 'a'],
        [11, 'b'],
        [12, 'b'],
        [21, 'c'],
      ] as const;
      await Promise.all(
        jobs.map(async ([name, caller]) => {
          await quick(pool, name, { caller });
          order.push(name);
        }),
      );
      assert.deepEqual(order, [1, 2, 11, 21, 3, 12, 4]);
    }));

  it('runs as many operations at a time as it has workers', () =>
    withPool({ workers: 2 }, async (pool) => {
      await Promise.all([quick(pool, 1), quick(pool, 2)]);
      const order: string[] = [];
      await Promise.all([
        busy(pool).then(() => order.push('busy')),
        quick(pool, 3).then(() => order.push('quick')),
      ]);
      assert.deepEqual(order, ['quick', 'busy']);
    }));

  it('refuses what exceeds the queue, at once, and serves the rest', () =>
    withPool({ queueLimit: 2 }, async (pool) => {
      const accepted = [busy(pool), quick(pool, 1), quick(pool, 2)];
      await assert.rejects(quick(pool, 3), { code: 'SEGY_E_BUSY' });
      await Promise.all(accepted);
      assert.deepEqual(await quick(pool, 4), Uint8Array.of(4));
    }));

  it('takes a cancelled operation out of the queue, which frees its place', () =>
    withPool({ queueLimit: 1 }, async (pool) => {
      const running = busy(pool);
      const abort = new AbortController();
      const waiting = quick(pool, 1, { signal: abort.signal });
      abort.abort();
      await assert.rejects(waiting, CANCELLED);
      const next = quick(pool, 2);
      assert.deepEqual(await next, Uint8Array.of(2));
      await running;
    }));

  it('drops the result of an operation cancelled while it runs', () =>
    withPool({}, async (pool) => {
      const abort = new AbortController();
      const running = busy(pool, { signal: abort.signal });
      const next = quick(pool, 5);
      abort.abort();
      await assert.rejects(running, CANCELLED);
      assert.deepEqual(await next, Uint8Array.of(5));
    }));

  it('does not start what is aborted already', () =>
    withPool({}, async (pool) => {
      await assert.rejects(quick(pool, 1, { signal: AbortSignal.abort() }), CANCELLED);
    }));

  it('fails only the operation whose worker died, and replaces the worker', () =>
    withPool({}, async (pool) => {
      const dying = pool.extractRsk({ master: ssv, id });
      const waiting = quick(pool, 6);
      await assert.rejects(dying, { code: 'SEGY_E_INTERNAL', message: 'a crypto worker died' });
      assert.deepEqual(await waiting, Uint8Array.of(6));
    }));

  it('fails an operation when the worker cannot be started', async () => {
    const absent = new URL('./absent-worker.js', import.meta.url);
    const pool = createCryptoPool({ workers: 1, queueLimit: 1, workerUrl: absent });
    await assert.rejects(quick(pool, 1), { code: 'SEGY_E_INTERNAL' });
    await pool.close();
  });

  it('hands over the error of the worker by its code', () =>
    withPool({}, async (pool) => {
      await assert.rejects(pool.validateRsk({ z, id, rsk }), {
        code: 'SEGY_E_ARGUMENT',
        message: 'scripted',
      });
    }));

  it('counts operations by their outcome', async () => {
    const counted: string[] = [];
    const metrics: Metrics = {
      count: (name, labels) => counted.push([name, ...Object.values(labels ?? {})].join(' ')),
      gauge: () => undefined,
    };
    const pool = createCryptoPool({ workers: 1, queueLimit: 1, workerUrl, metrics });
    const jobs = [quick(pool, 1), quick(pool, 2), quick(pool, 3)];
    await Promise.allSettled(jobs);
    await pool.close();
    assert.deepEqual(counted, [
      'segy_crypto_operations_total encapsulate SEGY_E_BUSY',
      'segy_crypto_operations_total encapsulate ok',
      'segy_crypto_operations_total encapsulate ok',
    ]);
  });

  it('prepares in every worker, so also in one that is busy until then', () =>
    withPool({ workers: 2 }, async (pool) => {
      const order: string[] = [];
      await Promise.all([
        busy(pool).then(() => order.push('busy')),
        pool.prepare({ z }).then(() => order.push('prepared')),
      ]);
      assert.deepEqual(order, ['busy', 'prepared']);
    }));

  it('cancels what waits and what runs when it is closed, and takes nothing more', () =>
    withPool({}, async (pool) => {
      const running = assert.rejects(busy(pool), CANCELLED);
      const waiting = assert.rejects(quick(pool, 1), CANCELLED);
      await pool.close();
      await Promise.all([running, waiting]);
      await assert.rejects(quick(pool, 2), CANCELLED);
      await pool.close();
    }));

  it('copies the request, so that its owner may wipe it at once', () =>
    withPool({}, async (pool) => {
      const first = busy(pool);
      const own = Uint8Array.of(8);
      const waiting = pool.encapsulate({ ssv, id: own, z });
      own.fill(0);
      assert.deepEqual(await waiting, Uint8Array.of(8));
      await first;
    }));

  it('leaves no listener on a signal that outlives the operation', () =>
    withPool({}, async (pool) => {
      const abort = new AbortController();
      await quick(pool, 1, { signal: abort.signal });
      abort.abort();
      assert.deepEqual(await quick(pool, 2), Uint8Array.of(2));
    }));

  for (const [name, options] of [
    ['workers', { workers: 0, queueLimit: 1 }],
    ['workers', { workers: 1.5, queueLimit: 1 }],
    ['queueLimit', { workers: 1, queueLimit: NaN }],
  ] as const) {
    it(`names ${name} when it is ${options[name as 'workers']}`, () => {
      assert.throws(() => createCryptoPool(options), {
        code: 'SEGY_E_ARGUMENT',
        message: new RegExp(`^${name} is not`),
      });
    });
  }

  it('checks arguments before it queues', () =>
    withPool({}, async (pool) => {
      await assert.rejects(pool.encapsulate({ ssv: new Uint8Array(3), id, z }), {
        code: 'SEGY_E_ARGUMENT',
        message: 'ssv has 3 octets, not 16 or 32',
      });
    }));
});
