import assert from 'node:assert/strict';
import fc from 'fast-check';
import { prepareLines, pair } from '../../src/crypto/pairing.js';
import { GeneratorPowers, representative } from '../../src/crypto/pf.js';
import { BASE_POINT, multiply } from '../../src/crypto/sakke-curve.js';
import { g, q } from '../../src/crypto/sakke-parameters.js';
import { textbookMultiply, textbookPair, textbookPower } from '../support/textbook-sakke.js';

const scalar = fc.bigInt({ min: 1n, max: q - 1n });
const pointOf = (k: bigint) => multiply(BASE_POINT, k)!;

describe('crypto/pairing', () => {
  it('gives the value of the textbook loop for any two points', () => {
    fc.assert(
      fc.property(scalar, scalar, (a, b) => {
        const R = textbookMultiply(BASE_POINT, a)!;
        const Q = textbookMultiply(BASE_POINT, b)!;
        assert.equal(pair(prepareLines(R, 'R'), Q), textbookPair(R, Q));
      }),
      { numRuns: 2 },
    );
  });

  it('is bilinear: <[a]P, [b]P> = g^(ab)', () => {
    const powers = new GeneratorPowers();
    fc.assert(
      fc.property(scalar, scalar, (a, b) => {
        const value = pair(prepareLines(pointOf(a), 'R'), pointOf(b));
        assert.equal(value, powers.power((a * b) % q));
      }),
      { numRuns: 8 },
    );
  });

  it('has no value at a point of order 2', () => {
    assert.equal(pair(prepareLines(BASE_POINT, 'P'), { x: 0n, y: 0n }), null);
  });

  it('refuses lines of a point of order 2', () => {
    assert.throws(() => prepareLines({ x: 0n, y: 0n }, 'rsk'), {
      code: 'SEGY_E_ARGUMENT',
      message: /^rsk is not in the subgroup/,
    });
  });
});

describe('crypto/pf', () => {
  const powers = new GeneratorPowers();

  it('raises g to any power as square-and-multiply does', () => {
    fc.assert(
      fc.property(scalar, (k) => assert.equal(powers.power(k), textbookPower(g, k))),
      { numRuns: 10 },
    );
  });

  it('gives 0, the representative of one, for the exponent 0', () => {
    assert.equal(powers.power(0n), 0n);
  });

  it('gives the inverse, which is the negative, for q - 1', () => {
    assert.equal(powers.power(1n), g);
    assert.equal(powers.power(q - 1n), representative(1n, -g));
  });

  it('has no representative where a0 = 0', () => {
    assert.equal(representative(0n, 5n), null);
  });
});
