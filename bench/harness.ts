/**
 * Timing for the benches: medians over rounds, and their ratio to what the same machine does in the same run,
 * since absolute times differ from machine to machine and from minute to minute.
 *
 * A bench is a file `bench/<name>.bench.ts` that makes a `Bench`, measures and prints.
 * `npm run bench -- <part of a name>` builds and runs those that match.
 */
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { p } from '../src/crypto/sakke-parameters.js';

export interface MeasureOptions {
  /** operations timed together (default 1): raise it for what takes microseconds */
  readonly batch?: number;
  /** rounds, the median of which counts (default 15) */
  readonly rounds?: number;
  /** extra columns of the row, such as a bound the operation should keep */
  readonly notes?: string;
}

interface Row {
  readonly name: string;
  readonly ms: number;
  readonly minimumMs: number;
  readonly notes: string;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** Milliseconds of one `a * b % p` on 1024-bit BigInts: the unit of SAKKE. */
export function mulmodMs(): number {
  let x = p - 12345678901234567890n;
  const y = p / 3n;
  const times: number[] = [];
  for (let round = 0; round < 25; round++) {
    const start = performance.now();
    for (let i = 0; i < 1000; i++) x = (x * y) % p;
    times.push((performance.now() - start) / 1000);
  }
  return median(times);
}

/** Milliseconds of one ECDSA P-256/SHA-256 verification by node:crypto: the unit of ECCSI. */
export function p256VerifyMs(): number {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const message = new Uint8Array(300);
  const signature = sign('sha256', message, privateKey);
  const times: number[] = [];
  for (let round = 0; round < 25; round++) {
    const start = performance.now();
    for (let i = 0; i < 20; i++) verify('sha256', message, publicKey, signature);
    times.push((performance.now() - start) / 20);
  }
  return median(times);
}

export class Bench {
  readonly #title: string;
  readonly #rows: Row[] = [];
  readonly #mulmods: number[] = [];
  readonly #verifies: number[] = [];

  constructor(title: string) {
    this.#title = title;
  }

  /** Times `operation` and keeps a row. The units are measured again before each row. */
  async measure(
    name: string,
    operation: () => unknown,
    options: MeasureOptions = {},
  ): Promise<number> {
    this.#mulmods.push(mulmodMs());
    this.#verifies.push(p256VerifyMs());
    const batch = options.batch ?? 1;
    for (let i = 0; i < Math.min(3 * batch, 100); i++) await operation();
    const times: number[] = [];
    for (let round = 0; round < (options.rounds ?? 15); round++) {
      const start = performance.now();
      for (let i = 0; i < batch; i++) {
        const result = operation();
        if (result instanceof Promise) await result;
      }
      times.push((performance.now() - start) / batch);
    }
    const ms = median(times);
    this.#rows.push({ name, ms, minimumMs: Math.min(...times), notes: options.notes ?? '' });
    return ms;
  }

  /** Prints all rows, in milliseconds and in both units of this run. */
  print(): void {
    const mulmod = median(this.#mulmods);
    const verification = median(this.#verifies);
    console.log(`\n${this.#title}`);
    console.log(
      `units of this run: BigInt 1024-bit a*b%p ${(mulmod * 1e6).toFixed(0)} ns, ` +
        `P-256 verification ${(verification * 1e3).toFixed(0)} us\n`,
    );
    const table = [
      ['operation', 'median ms', 'min ms', 'mulmods', 'P-256 verifies', ''],
      ...this.#rows.map((row) => [
        row.name,
        row.ms.toFixed(3),
        row.minimumMs.toFixed(3),
        (row.ms / mulmod).toFixed(0),
        (row.ms / verification).toFixed(2),
        row.notes,
      ]),
    ];
    const widths = (table[0] ?? []).map((_, column) =>
      Math.max(...table.map((cells) => cells[column]?.length ?? 0)),
    );
    for (const cells of table) {
      const line = cells.map((cell, column) =>
        column === 0 || column === cells.length - 1
          ? cell.padEnd(widths[column] ?? 0)
          : cell.padStart(widths[column] ?? 0),
      );
      console.log(line.join('  ').trimEnd());
    }
  }
}
