#!/usr/bin/env node
/**
 * `npm run demo`: installs what is missing, builds, and runs the demonstration (test/support/demo.ts).
 * What each side heard is written to artefacts/. Exit status 0 only when all was right.
 */
import { join } from 'node:path';
import { ROOT, setUp } from './lib/setup.mjs';

const artefacts = join(ROOT, 'artefacts');
try {
  await setUp();
  const { runDemo } = await import('../dist/test/support/demo.js');
  const right = await runDemo(artefacts, (line) => console.log(line));
  console.log(`\nWhat each side heard: ${artefacts}/*.wav`);
  console.log(right ? 'All is right.' : 'Not all is right; see above.');
  process.exitCode = right ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
