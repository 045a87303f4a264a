import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concatBytes, uintToBytes } from '../../src/base/bytes.js';
import { PointComb, sumOfMultiples } from '../../src/crypto/point-comb.js';
import { nonAdjacentForm } from '../../src/crypto/recoding.js';
import {
  BASE_POINT,
  type Point,
  addAll,
  addMixed,
  decodePoint,
  encodePoint,
  isInSubgroup,
  multiply,
  negate,
  normalise,
} from '../../src/crypto/sakke-curve.js';
import { invert, invertAll, mod, p, q } from '../../src/crypto/sakke-parameters.js';
import { textbookAdd, textbookMultiply } from '../support/textbook-sakke.js';

const scalar = fc.bigInt({ min: 1n, max: q - 1n });
const canonical = (point: Point): Point => point && { x: mod(point.x), y: mod(point.y) };
const P2 = textbookMultiply(BASE_POINT, 2n)!;
const P3 = textbookMultiply(BASE_POINT, 3n)!;
const encoded = (x: bigint, y: bigint) =>
  concatBytes(Uint8Array.of(4), uintToBytes(x, 128), uintToBytes(y, 128));

describe('crypto/sakke-curve', () => {
  it('multiplies as double-and-add does', () => {
    fc.assert(
      fc.property(scalar, (k) => {
        assert.deepEqual(canonical(multiply(BASE_POINT, k)), textbookMultiply(BASE_POINT, k));
      }),
      { numRuns: 3 },
    );
  });

  it('adds many points at once, special cases among them', () => {
    const left: Point[] = [BASE_POINT, BASE_POINT, BASE_POINT, null, P3, null];
    const right: Point[] = [P2, BASE_POINT, negate(BASE_POINT), P2, null, null];
    assert.deepEqual(
      addAll(left, right).map(canonical),
      left.map((point, i) => canonical(textbookAdd(point, right[i]!))),
    );
  });

  it('adds in Jacobian coordinates, special cases among them', () => {
    const P = { ...BASE_POINT, z: 1n };
    assert.deepEqual(canonical(normalise(addMixed(P, BASE_POINT))), P2);
    assert.deepEqual(canonical(normalise(addMixed(P, P2))), P3);
    assert.equal(normalise(addMixed(P, negate(BASE_POINT))), null);
    assert.deepEqual(canonical(normalise(addMixed(P, null))), canonical(BASE_POINT));
  });

  it('encodes each coordinate at full length and reads it back', () => {
    const bytes = encodePoint(negate(BASE_POINT));
    assert.equal(bytes.length, 257);
    assert.deepEqual(decodePoint(bytes, 'point'), canonical(negate(BASE_POINT)));
  });

  const malformed: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['infinity as one zero octet', Uint8Array.of(0), /not an uncompressed point/],
    ['infinity as all zero octets', new Uint8Array(257), /not an uncompressed point/],
    ['a compressed point', encodePoint(BASE_POINT).slice(0, 129), /not an uncompressed point/],
    ['one octet too many', concatBytes(encodePoint(BASE_POINT), Uint8Array.of(0)), /not an unc/],
    ['a coordinate not below p', encoded(BASE_POINT.x + p, BASE_POINT.y), /not below p/],
    ['a point off the curve', encoded(BASE_POINT.x, BASE_POINT.y + 1n), /not on the curve/],
  ];
  for (const [name, bytes, message] of malformed) {
    it(`refuses ${name}`, () => {
      assert.throws(() => decodePoint(bytes, 'Z'), { code: 'SEGY_E_ARGUMENT', message });
    });
  }

  it('tells the subgroup of order q from the rest of the curve', () => {
    assert.ok(isInSubgroup(P3));
    assert.ok(!isInSubgroup({ x: 0n, y: 0n }));
    const outside = textbookAdd(BASE_POINT, { x: 0n, y: 0n })!;
    assert.ok(!isInSubgroup(outside));
  });
});

describe('crypto/point-comb', () => {
  const comb = PointComb.build(BASE_POINT, 'P');
  const other = PointComb.build(P3, 'Z');

  it('gives [a]P + [b]Z as double-and-add does', () => {
    fc.assert(
      fc.property(scalar, scalar, (a, b) => {
        const sum = textbookMultiply(BASE_POINT, (a + 3n * b) % q);
        const fast = sumOfMultiples([
          { comb, k: a },
          { comb: other, k: b },
        ]);
        assert.deepEqual(canonical(fast), sum);
      }),
      { numRuns: 3 },
    );
  });

  for (const [k, expected] of [
    [0n, null],
    [1n, BASE_POINT],
    [2n, P2],
    [q - 1n, negate(BASE_POINT)],
    [q, null],
  ] as const) {
    it(`gives [k]P at the edge k = ${k < 9n ? k.toString() : `q - ${(q - k).toString()}`}`, () => {
      assert.deepEqual(canonical(sumOfMultiples([{ comb, k }])), canonical(expected));
    });
  }

  it('gives infinity where the terms cancel', () => {
    const terms = [
      { comb, k: 3n },
      { comb: other, k: q - 1n },
    ];
    assert.equal(sumOfMultiples(terms), null);
  });

  it('refuses a table of a point outside the subgroup', () => {
    const outside = textbookAdd(BASE_POINT, { x: 0n, y: 0n })!;
    for (const point of [outside, { x: 0n, y: 0n }]) {
      assert.throws(() => PointComb.build(point, 'Z'), { message: /^Z is not in the subgroup/ });
    }
  });
});

describe('crypto/sakke-parameters', () => {
  it('inverts every nonzero residue, one by one and all at once', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 1n, max: p - 1n }), { minLength: 1 }), (values) => {
        const all = invertAll(values)!;
        for (const [i, value] of values.entries()) {
          assert.equal(mod(value * invert(value)), 1n);
          assert.equal(mod(value * all[i]!), 1n);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('has no inverse of zero', () => {
    assert.throws(() => invert(p), { code: 'SEGY_E_INTERNAL' });
    assert.equal(invertAll([1n, p, 2n]), null);
  });
});

describe('crypto/recoding', () => {
  it('keeps the value and never has two nonzero digits side by side', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: q }), (k) => {
        const digits = nonAdjacentForm(k);
        assert.equal(
          digits.reduce((sum, digit) => 2n * sum + BigInt(digit), 0n),
          k,
        );
        assert.ok(digits.every((digit, i) => digit === 0 || (digits[i + 1] ?? 0) === 0));
      }),
      { numRuns: 50 },
    );
  });
});
