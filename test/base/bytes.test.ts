import assert from 'node:assert/strict';
import {
  bytesToUint,
  concatBytes,
  equalBytes,
  expectLength,
  fromHex,
  toHex,
  uintToBytes,
  wipe,
} from '../../src/base/bytes.js';

describe('base/bytes', () => {
  it('turns hex into octets and back, in lower case', () => {
    assert.equal(toHex(fromHex('00FFa1')), '00ffa1');
  });

  for (const text of ['0', 'zz', '0x', ' 00', '00\n']) {
    it(`refuses ${JSON.stringify(text)} as hex without quoting it`, () => {
      assert.throws(() => fromHex(text, 'the key'), {
        code: 'SEGY_E_ARGUMENT',
        message: /^the key is/,
      });
    });
  }

  it('refuses a wrong length by name', () => {
    assert.throws(() => expectLength(new Uint8Array(3), 4, 'PCK-ID'), /PCK-ID has 3 octets, not 4/);
  });

  it('keeps leading zeros of an integer', () => {
    assert.equal(toHex(uintToBytes(0x1234n, 4)), '00001234');
    assert.equal(bytesToUint(fromHex('00001234')), 0x1234n);
    assert.equal(bytesToUint(new Uint8Array()), 0n);
    assert.throws(() => uintToBytes(256, 1), { code: 'SEGY_E_ARGUMENT' });
    assert.throws(() => uintToBytes(-1, 1), { code: 'SEGY_E_ARGUMENT' });
  });

  it('compares by content and length', () => {
    assert.ok(equalBytes(fromHex('0102'), concatBytes(fromHex('01'), fromHex('02'))));
    assert.ok(!equalBytes(fromHex('0102'), fromHex('0103')));
    assert.ok(!equalBytes(fromHex('0102'), fromHex('010200')));
  });

  it('wipes in place', () => {
    const secret = fromHex('a1b2c3');
    wipe(secret, undefined);
    assert.equal(toHex(secret), '000000');
  });
});
