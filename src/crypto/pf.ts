/**
 * PF_p: the multiplicative group of F_p^2 = F_p[i]/(i^2 + 1) modulo F_p (RFC 6508 section 2.1).
 * An element a0 + i a1 is represented by a1 / a0; x y is (x + y) / (1 - x y), and -x is the inverse of x.
 */
import { SegyError } from '../base/errors.js';
import { type CombShape, combColumns } from './recoding.js';
import { g, invert, invertAll, mod, p, q } from './sakke-parameters.js';

const SHAPE: CombShape = { teeth: 8, split: 8, rows: 16 };

/** a1 / a0 in [0, p); null where a0 = 0, which no element of odd order has. */
export function representative(a0: bigint, a1: bigint): bigint | null {
  if (a0 % p === 0n) return null;
  return mod(a1 * invert(a0));
}

function productAll(left: readonly bigint[], right: readonly bigint[]): bigint[] {
  const inverses = invertAll(left.map((x, i) => (1n - x * (right[i] ?? 0n)) % p));
  if (inverses === null)
    throw new SegyError('SEGY_E_INTERNAL', 'a power of g has no representative');
  return left.map((x, i) => ((x + (right[i] ?? 0n)) * (inverses[i] ?? 0n)) % p);
}

/** Powers of g from eight tables of 128 representatives (about 150 KB). */
export class GeneratorPowers {
  readonly #tables: readonly (readonly bigint[])[];

  constructor() {
    const bases = spacedSquares();
    const base = (tooth: number, table: number): bigint => bases[tooth * SHAPE.split + table] ?? 0n;
    let tables: bigint[][] = [];
    for (let u = 0; u < SHAPE.split; u++) tables.push([base(SHAPE.teeth - 1, u)]);
    for (let tooth = 0; tooth < SHAPE.teeth - 1; tooth++) {
      tables = tables.map((table, u) => {
        const step = base(tooth, u);
        return productAll(
          [...table, ...table],
          [...table.map(() => -step), ...table.map(() => step)],
        );
      });
    }
    this.#tables = tables;
  }

  /** The representative of g^k in [0, p), for k in [0, q). */
  power(k: bigint): bigint {
    const odd = (k & 1n) === 1n;
    const columns = combColumns(odd ? k : q - k, SHAPE);
    let a0 = 1n;
    let a1 = 0n;
    for (let row = SHAPE.rows - 1; row >= 0; row--) {
      const square = ((a0 + a1) * (a0 - a1)) % p;
      a1 = ((a0 * a1) << 1n) % p;
      a0 = square;
      for (let u = 0; u < SHAPE.split; u++) {
        const column = columns[u * SHAPE.rows + row];
        const entry = this.#tables[u]?.[column?.entry ?? 0] ?? 0n;
        const t = column?.negative === true ? -entry : entry;
        const next = (a0 - a1 * t) % p;
        a1 = (a1 + a0 * t) % p;
        a0 = next;
      }
    }
    const power = representative(a0, odd ? a1 : -a1);
    if (power === null)
      throw new SegyError('SEGY_E_INTERNAL', 'a power of g has no representative');
    return power;
  }
}

/** Representatives of g^(2^(16 i)) for i = 0 … 63. */
function spacedSquares(): bigint[] {
  const reals: bigint[] = [];
  const imaginaries: bigint[] = [];
  let a0 = 1n;
  let a1 = g;
  for (let i = 0; i < SHAPE.teeth * SHAPE.split; i++) {
    reals.push(a0);
    imaginaries.push(a1);
    for (let j = 0; j < SHAPE.rows; j++) {
      const square = ((a0 + a1) * (a0 - a1)) % p;
      a1 = ((a0 * a1) << 1n) % p;
      a0 = square;
    }
  }
  const inverses = invertAll(reals);
  if (inverses === null)
    throw new SegyError('SEGY_E_INTERNAL', 'a power of g has no representative');
  return imaginaries.map((a, i) => (a * (inverses[i] ?? 0n)) % p);
}
