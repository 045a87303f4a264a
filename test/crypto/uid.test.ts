import assert from 'node:assert/strict';
import { toHex } from '../../src/base/bytes.js';
import { keyPeriodNumber, mcxUid } from '../../src/crypto/index.js';
import { readVectors } from '../support/vectors.js';

interface UidVector {
  readonly uri: string;
  readonly kmsUri: string;
  readonly period: number;
  readonly offset: number;
  readonly periodNo: number;
  readonly uid: string;
}

const { vectors } = readVectors('uid-f21') as { vectors: readonly UidVector[] };
const good = {
  uri: 'sip:user@example.org',
  kmsUri: 'kms.example.org',
  period: 2592000n,
  offset: 0n,
  periodNo: 1388n,
};
const NTP_OFFSET_MS = 2208988800000;

describe('crypto/uid (TS 33.180 F.2.1)', () => {
  for (const v of vectors) {
    it(`gives the UID of ${v.uri} in period ${v.periodNo} of ${v.period} s`, () => {
      const uid = mcxUid({
        uri: v.uri,
        kmsUri: v.kmsUri,
        period: BigInt(v.period),
        offset: BigInt(v.offset),
        periodNo: BigInt(v.periodNo),
      });
      assert.equal(toHex(uid), v.uid);
    });
  }

  const refused: readonly (readonly [string, Partial<typeof good>])[] = [
    ['uri', { uri: '' }],
    ['kmsUri', { kmsUri: 'k'.repeat(65536) }],
    ['period', { period: 0n }],
    ['period', { period: -1n }],
    ['offset', { offset: 1n << 64n }],
    ['periodNo', { periodNo: -1n }],
  ];
  for (const [name, change] of refused) {
    it(`refuses a bad ${name} by its name (${Object.values(change).join('').slice(0, 8)})`, () => {
      assert.throws(() => mcxUid({ ...good, ...change }), {
        code: 'SEGY_E_ARGUMENT',
        message: new RegExp(`^${name} `),
      });
    });
  }
});

describe('crypto/uid: key period number', () => {
  it('is 1388 at the time of the example of F.2.1.2', () => {
    assert.equal(keyPeriodNumber(3599719634_000 - NTP_OFFSET_MS, 2592000n, 0n), 1388n);
  });

  it('changes with the first second of a period, offset included', () => {
    const start = (10 * 1000 + 7) * 1000 - NTP_OFFSET_MS;
    assert.equal(keyPeriodNumber(start - 1, 1000n, 7n), 9n);
    assert.equal(keyPeriodNumber(start, 1000n, 7n), 10n);
  });

  it('goes on past the rollover of 32-bit NTP seconds', () => {
    const unixMs = Date.parse('2040-01-01T00:00:00Z');
    assert.equal(keyPeriodNumber(unixMs, 1n, 0n), BigInt(unixMs / 1000) + 2208988800n);
  });

  it('refuses a time that is none, or before the first period', () => {
    assert.throws(() => keyPeriodNumber(NaN, 1n, 0n), { message: /^unixMs is not a time/ });
    assert.throws(() => keyPeriodNumber(-NTP_OFFSET_MS, 10n, 5n), { message: /^unixMs is before/ });
    assert.throws(() => keyPeriodNumber(0, 0n, 0n), { message: /^period is zero/ });
  });
});
