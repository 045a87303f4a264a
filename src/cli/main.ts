#!/usr/bin/env node
/**
 * `segy`: one command, its subcommands one file each.
 * Exit status 0 done, 1 refused (a SegyError), 2 wrong usage.
 */
import { Command, CommanderError } from 'commander';
import { toSegyError } from '../base/errors.js';
import { registerAuditCommands } from './audit.js';
import { registerConfigCommands } from './config.js';
import { registerKmsCommands } from './kms.js';
import { registerMikeyCommands } from './mikey.js';
import { printRefusal } from './output.js';
import { registerSimCommands } from './sim.js';
import { registerRunCommand } from './run.js';
import { registerStoreCommands } from './store.js';
import { registerUserCommands } from './user.js';

const program = new Command('segy')
  .description('MC Security Gateway')
  .exitOverride()
  .showHelpAfterError();

const REGISTRATIONS = [
  registerAuditCommands,
  registerConfigCommands,
  registerKmsCommands,
  registerMikeyCommands,
  registerRunCommand,
  registerSimCommands,
  registerStoreCommands,
  registerUserCommands,
];
for (const register of REGISTRATIONS) register(program);

try {
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
