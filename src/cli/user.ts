/** `segy user`: represented users, kept in the store beside those of the configuration. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { SegyError } from '../base/errors.js';
import { parseUserCsv } from '../clients/index.js';
import type { RepresentedUser } from '../clients/index.js';
import { print } from './output.js';
import { perform } from './perform.js';
import { addStateOptions } from './state-options.js';
import type { TargetOptions } from './state-options.js';
import { printable } from './printable.js';

interface Output extends TargetOptions {
  readonly json: boolean;
}

interface AddOptions extends Output {
  readonly pbx?: string;
  readonly csv?: string;
}

export function registerUserCommands(program: Command): void {
  const user = program.command('user').description('radio users whom the gateway represents');
  addStateOptions(user.command('add'))
    .description('represent a user, every user of a pattern (one * on each side), or a CSV file')
    .argument('[uri]', 'MC service ID, exactly as it is hashed')
    .option('--pbx <user>', 'user part on the PBX side')
    .option('--csv <file>', 'lines of PBX user part, MC service ID')
    .action(add);
  addStateOptions(user.command('list')).description('who is represented').action(list);
  addStateOptions(user.command('remove'))
    .description('represent a user or a pattern no more')
    .argument('<uri>')
    .action(remove);
}

async function add(uri: string | undefined, options: AddOptions): Promise<void> {
  const users = await usersOf(uri, options);
  const { added, foreign, domains } = await perform('user/add', { users }, options);
  const [first = ''] = foreign;
  print(options.json, { ok: true, added, foreign }, () => [
    `${added} added${added < users.length ? `, ${users.length - added} there before` : ''}`,
    ...(foreign.length === 0
      ? []
      : [
          `${foreign.length} of them, as ${printable(first)}, are in no domain of our KMS certificate (${domains.map(printable).join(' ')}): partners will refuse them`,
        ]),
  ]);
}

async function usersOf(uri: string | undefined, options: AddOptions): Promise<RepresentedUser[]> {
  const { pbx, csv } = options;
  if (csv !== undefined && uri === undefined && pbx === undefined) {
    try {
      return parseUserCsv(await readFile(csv));
    } catch (cause) {
      if (cause instanceof SegyError) throw cause;
      throw new SegyError('SEGY_E_IO', `cannot read ${csv}`, { cause });
    }
  }
  if (uri === undefined || pbx === undefined || csv !== undefined) {
    throw new SegyError('SEGY_E_USAGE', 'name URI and --pbx, or --csv FILE');
  }
  return [{ uri, pbx }];
}

async function list(options: Output): Promise<void> {
  const { users, refused } = await perform('user/list', {}, options);
  print(options.json, { ok: true, users, refused }, () => [
    ...users.map(({ uri, pbx }) => `${pbx}  ${printable(uri)}`),
    ...refused.map((uri) => `${printable(uri)}  DAMAGED in the store: not represented`),
    ...(users.length === 0 ? ['nobody is represented by the store'] : []),
  ]);
}

async function remove(uri: string, options: Output): Promise<void> {
  await perform('user/remove', { uri }, options);
  print(options.json, { ok: true, uri }, () => [`${printable(uri)} removed`]);
}
