/** `segy token-key`: the keys under which the gateway speaks for its users to partners' IdM servers. */
import type { Command } from 'commander';
import { print } from './output.js';
import { perform } from './perform.js';
import { addStateOptions } from './state-options.js';
import type { TargetOptions } from './state-options.js';

interface Output extends TargetOptions {
  readonly json: boolean;
}

export function registerTokenKeyCommands(program: Command): void {
  const keys = program
    .command('token-key')
    .description('keys that sign for our users towards partners, never their private part');
  addStateOptions(keys.command('list')).description('which there are').action(list);
  addStateOptions(keys.command('jwks'))
    .description('the public keys as a JSON Web Key Set, for partners to pin')
    .action(jwks);
  addStateOptions(keys.command('add'))
    .description('make a key that is published and not yet used')
    .action(async (options: Output) => {
      const { kid } = await perform('token-key/add', {}, options);
      print(options.json, { ok: true, kid }, () => [`${kid} made: give partners the new jwks`]);
    });
  for (const [verb, what, done] of [
    ['use', 'sign under this key from now on', 'in use'],
    ['remove', 'forget a key that is in use no more', 'removed'],
  ] as const) {
    addStateOptions(keys.command(verb))
      .description(what)
      .argument('<kid>')
      .action(async (kid: string, options: Output) => {
        await perform(`token-key/${verb}`, { kid }, options);
        print(options.json, { ok: true, kid }, () => [`${kid} ${done}`]);
      });
  }
}

async function list(options: Output): Promise<void> {
  const { keys } = await perform('token-key/list', {}, options);
  print(options.json, { ok: true, keys }, () =>
    keys.length === 0
      ? ['there is none yet: segy token-key jwks makes the first']
      : keys.map(
          ({ kid, madeAt, inUse }) =>
            `${kid}  made ${new Date(madeAt).toISOString()}${inUse ? '  in use' : ''}`,
        ),
  );
}

async function jwks(options: Output): Promise<void> {
  const { keys } = await perform('token-key/jwks', {}, options);
  print(options.json, { keys }, () => JSON.stringify({ keys }, null, 2).split('\n'));
}
