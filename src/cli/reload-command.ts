/** `segy reload`: tells the running gateway to read its configuration again. */
import type { Command } from 'commander';
import { adminCall } from '../admin/index.js';
import { print } from './output.js';
import type { ReloadResult } from './reload.js';
import { socketOf, socketOption, stateOption } from './state-options.js';

interface ReloadOptions {
  readonly state: string;
  readonly socket?: string;
  readonly json: boolean;
}

export function registerReloadCommand(program: Command): void {
  program
    .command('reload')
    .description(
      'have the running gateway read its configuration again: users, partners, certificates',
    )
    .addOption(stateOption())
    .addOption(socketOption())
    .option('--json', 'print one JSON object', false)
    .action(async (options: ReloadOptions) => {
      // what the gateway sends is what its reload returns
      const result = (await adminCall(socketOf(options), 'reload', {})) as ReloadResult;
      print(options.json, { ok: true, ...result }, () => linesOf(result));
    });
}

function linesOf({ partners, users }: ReloadResult): string[] {
  const names = (what: string, list: readonly string[]): string[] =>
    list.length === 0 ? [] : [`${what}: ${list.join(', ')}`];
  return [
    'reloaded',
    ...names('partners added', partners.added),
    ...names('partners changed', partners.changed),
    ...names('partners removed', partners.removed),
    `users of the configuration: ${users}`,
  ];
}
