#!/usr/bin/env node
/**
 * Finds or makes an Asterisk to test with and prints how to start it, as one line of JSON (see
 * AsteriskProgram in lib/asterisk.mjs). What it did is told on standard error. Exit status 1, with the
 * reason and the command to run, when there is none to be had.
 */
import { findOrMakeAsterisk, suiteOf } from './lib/asterisk.mjs';

try {
  const program = await findOrMakeAsterisk();
  const suite = suiteOf(program);
  console.error(`${program.version} (${suite === null ? program.command : `Debian ${suite}`})`);
  console.log(JSON.stringify(program));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
