import assert from 'node:assert/strict';
import { isBearerToken } from '../../src/base/bearer-token.js';

describe('base/bearer-token', () => {
  it('takes what RFC 6750 clause 2.1 allows, up to 8192 octets', () => {
    for (const token of ['a', 'mF_9.B5f-4.1JqM', 'a+/~==', 'x'.repeat(8192)]) {
      assert.equal(isBearerToken(token), true, token.slice(0, 20));
    }
  });

  it('takes nothing that could end a header or an element, or is too long', () => {
    const bad = ['', '=', 'a=b', 'a b', 'a\r\nb', 'a\n', '<', 'ä', '\0', '"', 'x'.repeat(8193)];
    for (const token of bad) assert.equal(isBearerToken(token), false, JSON.stringify(token));
  });
});
