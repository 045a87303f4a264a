#!/usr/bin/env node
/**
 * `npm run fuzz -- [MINUTES] [PART...]`: the random tests again and again, each round with a new seed,
 * for that many minutes (10 if not given). A failure names its seed: `SEGY_TEST_SEED=N npm test -- PART`
 * repeats it. Exit status 0 only when every round passed. With parts of test file paths, only those.
 */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, setUp } from './lib/setup.mjs';
import { runTests, testFiles } from './lib/test-process.mjs';

const args = process.argv.slice(2);
const minutes = /^\d+$/.test(args[0] ?? '') ? Number(args.shift()) : 10;

/** Random are those that draw from fast-check or from the seed themselves; those of the PBX take too long. */
function isRandom(path) {
  return /from 'fast-check'|support\/seed\.js'/.test(readFileSync(path, 'utf8'));
}

await setUp();
const system = join(ROOT, 'dist/test/system');
const files = testFiles(join(ROOT, 'dist/test'), args).filter(
  (path) => !path.startsWith(system) && isRandom(path),
);
const end = Date.now() + minutes * 60_000;
const failures = [];
let rounds = 0;
while (Date.now() < end) {
  const seed = randomInt(1, 0x7fffffff);
  rounds += 1;
  console.log(`Round ${rounds}, seed ${seed}`);
  const { failed } = await runTests(files, { env: { SEGY_TEST_SEED: String(seed) } });
  for (const { title } of failed) failures.push(`seed ${seed}: ${title}`);
}
for (const failure of failures) console.log(`FAILED: ${failure}`);
console.log(`${rounds} rounds of ${files.length} files, ${failures.length} failures`);
process.exitCode = failures.length === 0 && rounds > 0 ? 0 : 1;
