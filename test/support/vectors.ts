/** Reads the known-answer files of test/vectors. */
import { readFileSync } from 'node:fs';

/** The parsed content of `test/vectors/<name>.json`. */
export function readVectors(name: string): unknown {
  const url = new URL(`../../../test/vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as unknown;
}
