/** `segy idm`: the keys that sign the access tokens of our IdM. */
import type { Command } from 'commander';
import { print } from './output.js';
import { perform } from './perform.js';
import { addStateOptions } from './state-options.js';
import type { TargetOptions } from './state-options.js';

interface Output extends TargetOptions {
  readonly json: boolean;
}

export function registerIdmCommands(program: Command): void {
  const key = program
    .command('idm')
    .description('the identity management that issues access tokens for group documents')
    .command('key')
    .description('the keys that sign its tokens, never their private part');
  addStateOptions(key.command('list')).description('which there are').action(list);
  addStateOptions(key.command('rotate'))
    .description('sign with a new key; tokens under the old one stay good until their end')
    .option('--end-old', 'end every token under the old ones at once, as after a leak', false)
    .action(rotate);
}

async function list(options: Output): Promise<void> {
  const { keys } = await perform('idm-key/list', {}, options);
  print(options.json, { ok: true, keys }, () =>
    keys.length === 0
      ? ['there is none yet: the first start of the gateway with an idm makes it']
      : keys.map(({ kid, state, madeAt, until }) => {
          const end = until === null ? '' : `  published until ${time(until)}`;
          return `${kid}  ${state}  made ${time(madeAt)}${end}`;
        }),
  );
}

async function rotate({ endOld, ...options }: Output & { endOld: boolean }): Promise<void> {
  const { kid } = await perform('idm-key/rotate', { endOld }, options);
  print(options.json, { ok: true, kid }, () => [
    `${kid} signs from now on`,
    endOld
      ? 'no token under another key opens anything'
      : 'tokens under the key before open until their end',
  ]);
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
