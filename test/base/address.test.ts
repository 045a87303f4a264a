import assert from 'node:assert/strict';
import { isLoopback } from '../../src/base/address.js';

describe('an address of this host', () => {
  for (const address of [
    '127.0.0.1',
    '127.9.8.7',
    '::1',
    '0:0:0:0:0:0:0:1',
    '0000::0001',
    '::ffff:127.0.0.1',
  ]) {
    it(`${address} is loopback`, () => assert.equal(isLoopback(address), true));
  }
  for (const address of [
    '10.0.0.1',
    '128.0.0.1',
    '::',
    '::2',
    '1::1',
    'fe80::1',
    '::ffff:10.0.0.1',
    '127.0.0.1.example',
    'localhost',
    '',
  ]) {
    it(`"${address}" is not`, () => assert.equal(isLoopback(address), false));
  }
});
