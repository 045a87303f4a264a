/** The options that name the state of a gateway, and where a running one is reached. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { defaultSocketPath } from '../admin/socket-path.js';

const DEFAULT_STATE_DIR = '/var/lib/segy';
const DEFAULT_MASTER_KEY_FILE = '/etc/segy/master.key';

/** Where the sealed state is and what opens it. */
export interface StateOptions {
  readonly state: string;
  readonly masterKey: string;
  readonly passphraseFile?: string;
}

/** Where a command is carried out: by the gateway that listens at the socket, or on the state. */
export interface TargetOptions extends StateOptions {
  readonly socket?: string;
}

export function addStateOptions(command: Command): Command {
  return command
    .addOption(stateOption())
    .addOption(
      new Option('--master-key <file>', 'master key file, mode 0600')
        .default(DEFAULT_MASTER_KEY_FILE)
        .env('SEGY_MASTER_KEY'),
    )
    .option('--passphrase-file <file>', 'file with the passphrase, where there is no key file')
    .addOption(socketOption())
    .option('--json', 'print one JSON object', false);
}

export function stateOption(): Option {
  return new Option('--state <dir>', 'state folder').default(DEFAULT_STATE_DIR).env('SEGY_STATE');
}

export function socketOption(): Option {
  return new Option(
    '--socket <path>',
    'where the running gateway takes commands (default: segy.sock in the state folder)',
  ).env('SEGY_SOCKET');
}

export function socketOf(options: Pick<TargetOptions, 'state' | 'socket'>): string {
  return options.socket ?? defaultSocketPath(options.state);
}
