#!/usr/bin/env node
/**
 * `segy`: one command, its subcommands one file each. Only the file of the command that was given is
 * loaded, because loading all of them takes longer than most of them run.
 * Exit status 0 done, 1 refused (a SegyError), 2 wrong usage.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { toSegyError } from '../base/errors.js';
import { printRefusal } from './output.js';

type Register = (program: Command) => void;

/** What each first word loads. */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  audit: async () => (await import('./audit.js')).registerAuditCommands,
  config: async () => (await import('./config.js')).registerConfigCommands,
  group: async () => (await import('./group.js')).registerGroupCommands,
  keys: async () => (await import('./keys.js')).registerKeysCommands,
  kms: async () => (await import('./kms.js')).registerKmsCommands,
  mikey: async () => (await import('./mikey.js')).registerMikeyCommands,
  partner: async () => (await import('./partner.js')).registerPartnerCommands,
  run: async () => (await import('./run.js')).registerRunCommand,
  sim: async () => (await import('./sim.js')).registerSimCommands,
  store: async () => (await import('./store.js')).registerStoreCommands,
  user: async () => (await import('./user.js')).registerUserCommands,
};

const { version } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as { version: string };

const program = new Command('segy')
  .description('MC Security Gateway')
  .version(version)
  .exitOverride()
  .showHelpAfterError();

try {
  const [, , word = ''] = process.argv;
  const wanted = Object.hasOwn(COMMANDS, word) ? [word] : Object.keys(COMMANDS);
  for (const name of wanted) (await COMMANDS[name]?.())?.(program);
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
