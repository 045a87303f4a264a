/** Signed-digit forms of scalars. None runs in constant time: BigInt does not either. */

/** Digits -1, 0, 1 of the non-adjacent form of `k` >= 0, most significant first. */
export function nonAdjacentForm(k: bigint): number[] {
  const digits: number[] = [];
  for (let rest = k; rest > 0n; rest >>= 1n) {
    let digit = 0;
    if (BigInt.asUintN(1, rest) === 1n) {
      digit = 2 - Number(BigInt.asUintN(2, rest));
      rest -= BigInt(digit);
    }
    digits.push(digit);
  }
  return digits.reverse();
}

/** Shape of a fixed-base comb: `teeth` bits a column, `split` tables, `rows` columns for each table. */
export interface CombShape {
  readonly teeth: number;
  readonly split: number;
  readonly rows: number;
}

/** One column: which table entry, and whether its inverse is meant. */
export interface CombColumn {
  readonly entry: number;
  readonly negative: boolean;
}

/**
 * Columns of an odd `k` written with digits -1 and 1 only, so that no column is empty and half a table
 * serves: column j holds the digits of weight 2^(i * rows * split + j), i < teeth; entry bit i tells whether
 * tooth i has the sign of the last tooth.
 */
export function combColumns(k: bigint, shape: CombShape): CombColumn[] {
  const width = shape.rows * shape.split;
  const length = width * shape.teeth;
  const bits = ((k + (1n << BigInt(length)) - 1n) >> 1n).toString(2).padStart(length, '0');
  const bit = (index: number): number => bits.charCodeAt(length - 1 - index) & 1;
  const columns: CombColumn[] = [];
  for (let j = 0; j < width; j++) {
    const last = bit((shape.teeth - 1) * width + j);
    let entry = 0;
    for (let i = 0; i < shape.teeth - 1; i++) {
      if (bit(i * width + j) === last) entry |= 1 << i;
    }
    columns.push({ entry, negative: last === 0 });
  }
  return columns;
}
