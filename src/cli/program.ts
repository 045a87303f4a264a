/**
 * All commands of `segy`, one file each. Only the files asked for are loaded, because loading all of them
 * takes longer than most of them run.
 */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';

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

/** The program with the commands that begin with `word`, or with all of them where none does. */
export async function makeProgram(word = ''): Promise<Command> {
  const program = new Command('segy')
    .description('MC Security Gateway')
    .version(version)
    .exitOverride()
    .showHelpAfterError();
  const wanted = Object.hasOwn(COMMANDS, word) ? [word] : Object.keys(COMMANDS);
  for (const name of wanted) (await COMMANDS[name]?.())?.(program);
  return program;
}
