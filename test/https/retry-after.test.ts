import assert from 'node:assert/strict';
import { retryAfter } from '../../src/https/index.js';

describe('how long a server asks to be left alone', () => {
  const of = (value: string | undefined) =>
    retryAfter({ status: 503, body: new Uint8Array(), header: () => value });

  it('is its seconds, an hour at most', () => {
    assert.deepEqual(of('7'), { retryAfterSeconds: '7' });
    assert.deepEqual(of('999999'), { retryAfterSeconds: '3600' });
  });

  it('is nothing where it says nothing, a date, or what is no number of seconds', () => {
    for (const value of [undefined, '', '-1', '1e9', '99999999', 'Wed, 21 Oct 2026 07:28:00 GMT']) {
      assert.deepEqual(of(value), {});
    }
  });
});
