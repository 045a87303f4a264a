import assert from 'node:assert/strict';
import { LruMap } from '../../src/crypto/lru.js';

describe('crypto/lru', () => {
  it('forgets the entry used longest ago', () => {
    const map = new LruMap<number>(2, 'capacity');
    map.set('a', 1);
    map.set('b', 2);
    assert.equal(map.get('a'), 1);
    map.set('c', 3);
    assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [1, undefined, 3]);
  });

  it('replaces an entry without forgetting another', () => {
    const map = new LruMap<number>(2, 'capacity');
    map.set('a', 1);
    map.set('b', 2);
    map.set('b', 3);
    assert.deepEqual([map.get('a'), map.get('b')], [1, 3]);
  });

  it('names its bound when that is no positive integer', () => {
    for (const capacity of [0, -1, 1.5, NaN]) {
      assert.throws(() => new LruMap(capacity, 'limits.domains'), {
        code: 'SEGY_E_ARGUMENT',
        message: 'limits.domains is not a positive integer',
      });
    }
  });
});
