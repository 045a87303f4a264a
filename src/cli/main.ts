#!/usr/bin/env node
/** `segy`. Exit status 0 done, 1 refused (a SegyError), 2 wrong usage. */
import { CommanderError } from 'commander';
import { toSegyError } from '../base/errors.js';
import { printRefusal } from './output.js';
import { makeProgram } from './program.js';

try {
  const program = await makeProgram(process.argv[2]);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    const refusal = toSegyError(error);
    if (process.argv.includes('--json')) printRefusal(refusal);
    else console.error(`${refusal.code}: ${refusal.message}`);
    process.exitCode = refusal.code === 'SEGY_E_USAGE' ? 2 : 1;
  }
}
