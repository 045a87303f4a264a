/**
 * All commands of `segy`, one file each. Only the files asked for are loaded, because loading all of them
 * takes longer than most of them run.
 */
import { Command } from 'commander';
import { VERSION } from './version.js';

type Register = (program: Command) => void;

/** What each first word loads. */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  audit: async () => (await import('./audit.js')).registerAuditCommands,
  calls: async () => (await import('./calls.js')).registerCallsCommands,
  config: async () => (await import('./config.js')).registerConfigCommands,
  console: async () => (await import('./console.js')).registerConsoleCommands,
  dscp: async () => (await import('./dscp-command.js')).registerDscpCommand,
  group: async () => (await import('./group.js')).registerGroupCommands,
  idm: async () => (await import('./idm.js')).registerIdmCommands,
  keys: async () => (await import('./keys.js')).registerKeysCommands,
  kms: async () => (await import('./kms.js')).registerKmsCommands,
  mikey: async () => (await import('./mikey.js')).registerMikeyCommands,
  partner: async () => (await import('./partner.js')).registerPartnerCommands,
  partners: async () => (await import('./watch.js')).registerPartnersCommand,
  reload: async () => (await import('./reload-command.js')).registerReloadCommand,
  run: async () => (await import('./run.js')).registerRunCommand,
  sim: async () => (await import('./sim.js')).registerSimCommands,
  status: async () => (await import('./watch.js')).registerStatusCommand,
  store: async () => (await import('./store.js')).registerStoreCommands,
  'token-key': async () => (await import('./token-key.js')).registerTokenKeyCommands,
  top: async () => (await import('./top.js')).registerTopCommand,
  trace: async () => (await import('./trace.js')).registerTraceCommand,
  user: async () => (await import('./user.js')).registerUserCommands,
};

/** The program with the commands that begin with `word`, or with all of them where none does. */
export async function makeProgram(word = ''): Promise<Command> {
  const program = new Command('segy')
    .description('MC Security Gateway')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError();
  const wanted = Object.hasOwn(COMMANDS, word) ? [word] : Object.keys(COMMANDS);
  for (const name of wanted) (await COMMANDS[name]?.())?.(program);
  return program;
}
