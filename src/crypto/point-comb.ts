/**
 * Fixed-base multiples on the SAKKE curve: a signed comb of 9 teeth with four tables of 256 points
 * (about 0.35 MB), made once for P and once for each domain's Z. [a]P + [b]Z then takes 29 doublings;
 * the eight table points of each row are summed affinely, all rows sharing their inversions.
 */
import { SegyError } from '../base/errors.js';
import { type CombShape, combColumns } from './recoding.js';
import {
  type AffinePoint,
  type JacobianPoint,
  type Point,
  addAll,
  double,
  negate,
  normaliseAll,
  sumRows,
} from './sakke-curve.js';
import { q } from './sakke-parameters.js';

const SHAPE: CombShape = { teeth: 9, split: 4, rows: 29 };

export class PointComb {
  /** tables[u][e]: the sum of [±2^(116 i + 29 u)]B over the teeth i, signs by the bits of e, the last one plus */
  readonly #tables: readonly (readonly Point[])[];

  private constructor(tables: readonly (readonly Point[])[]) {
    this.#tables = tables;
  }

  /**
   * Makes the tables (tens of milliseconds).
   * @throws SegyError SEGY_E_ARGUMENT when `point` is not of order q
   */
  static build(point: AffinePoint, name: string): PointComb {
    const { bases, doubles } = spacedDoubles(point, name);
    const allTables = Array.from({ length: SHAPE.split }, (_, u) => u);
    const at = (points: readonly AffinePoint[], tooth: number): Point[] =>
      allTables.map((u) => points[tooth * SHAPE.split + u] ?? null);
    let entries = at(bases, SHAPE.teeth - 1);
    for (let tooth = 0; tooth < SHAPE.teeth - 1; tooth++) {
      entries = addAll(
        entries,
        at(bases, tooth).map((base) => base && negate(base)),
      );
    }
    let tables: Point[][] = entries.map((entry) => [entry]);
    for (let tooth = 0; tooth < SHAPE.teeth - 1; tooth++) {
      const steps = at(doubles, tooth);
      const size = 1 << tooth;
      const sums = addAll(
        tables.flat(),
        tables.flatMap((table, u) => table.map(() => steps[u] ?? null)),
      );
      tables = tables.map((table, u) => [...table, ...sums.slice(size * u, size * (u + 1))]);
    }
    const comb = new PointComb(tables);
    if (sumOfMultiples([{ comb, k: q }]) !== null) throw notOfOrderQ(name);
    return comb;
  }

  /** The table points whose sum, over tables and weighted by 2^row, is [k]B for an odd k in (0, 2^1040). */
  rowsOf(k: bigint, negative: boolean): Point[][] {
    const columns = combColumns(k, SHAPE);
    const rows: Point[][] = Array.from({ length: SHAPE.rows }, () => []);
    for (const [j, column] of columns.entries()) {
      const entry = this.#tables[Math.floor(j / SHAPE.rows)]?.[column.entry] ?? null;
      const flip = column.negative !== negative;
      rows[j % SHAPE.rows]?.push(entry !== null && flip ? negate(entry) : entry);
    }
    return rows;
  }
}

/** [2^(rows i)]point for every tooth and table, and twice that. */
function spacedDoubles(
  point: AffinePoint,
  name: string,
): { bases: AffinePoint[]; doubles: AffinePoint[] } {
  const count = SHAPE.teeth * SHAPE.split;
  const bases: JacobianPoint[] = [];
  const doubles: JacobianPoint[] = [];
  let current: JacobianPoint = { ...point, z: 1n };
  for (let i = 0; i < count; i++) {
    bases.push(current);
    for (let j = 0; j < SHAPE.rows; j++) {
      current = double(current);
      if (j === 0) doubles.push(current);
    }
  }
  const points = normaliseAll([...bases, ...doubles]);
  if (points === null) throw notOfOrderQ(name);
  return { bases: points.slice(0, count), doubles: points.slice(count) };
}

function notOfOrderQ(name: string): SegyError {
  return new SegyError('SEGY_E_ARGUMENT', `${name} is not in the subgroup of order q`);
}

/** The sum of [k]B over all terms, each k in [0, q]. An even k goes through q - k, which is odd. */
export function sumOfMultiples(terms: readonly { comb: PointComb; k: bigint }[]): Point {
  const rows: Point[][] = Array.from({ length: SHAPE.rows }, () => []);
  for (const { comb, k } of terms) {
    const odd = (k & 1n) === 1n;
    const part = comb.rowsOf(odd ? k : q - k, !odd);
    for (const [i, points] of part.entries()) rows[i]?.push(...points);
  }
  let width = SHAPE.split * terms.length;
  let flat = rows.flat();
  while (width > 1) {
    const left: Point[] = [];
    const right: Point[] = [];
    const odd: Point[] = [];
    const half = width >> 1;
    for (let row = 0; row < SHAPE.rows; row++) {
      left.push(...flat.slice(row * width, row * width + half));
      right.push(...flat.slice(row * width + half, row * width + 2 * half));
      if (width % 2 === 1) odd.push(flat[row * width + width - 1] ?? null);
    }
    const sums = addAll(left, right);
    width = half + (width % 2);
    flat = Array.from({ length: SHAPE.rows * width }, (_, i) => {
      const row = Math.floor(i / width);
      return (i % width < half ? sums[row * half + (i % width)] : odd[row]) ?? null;
    });
  }
  return sumRows(flat);
}
