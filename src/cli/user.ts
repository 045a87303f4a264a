/** `segy user`: represented users, kept in the store beside those of the configuration. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { SegyError } from '../base/errors.js';
import { parseUserCsv, UserRecords } from '../clients/index.js';
import type { RepresentedUser } from '../clients/index.js';
import { printable } from './kms-text.js';
import { print } from './output.js';
import { addStateOptions, withState } from './state.js';
import type { StateOptions } from './state.js';

interface Output extends StateOptions {
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
  await withState(options, async ({ store, audit }) => {
    const records = await UserRecords.open(store.space('users'));
    await records.add(users);
    const [first] = users;
    const who = users.length === 1 && first ? { user: first.uri } : {};
    await audit.record({ action: 'user-added', ...who, detail: `${users.length} entries` });
    print(options.json, { ok: true, added: users.length }, () => [`${users.length} added`]);
  });
}

async function usersOf(uri: string | undefined, options: AddOptions): Promise<RepresentedUser[]> {
  const { pbx, csv } = options;
  if (csv !== undefined && uri === undefined && pbx === undefined) {
    try {
      return parseUserCsv(await readFile(csv, 'utf8'));
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
  await withState(options, async ({ store }) => {
    const records = await UserRecords.open(store.space('users'));
    const users = records.list();
    print(options.json, { ok: true, users, refused: records.refused }, () => [
      ...users.map(({ uri, pbx }) => `${pbx}  ${printable(uri)}`),
      ...records.refused.map((uri) => `${printable(uri)}  DAMAGED in the store: not represented`),
      ...(users.length === 0 ? ['nobody is represented by the store'] : []),
    ]);
  });
}

async function remove(uri: string, options: Output): Promise<void> {
  await withState(options, async ({ store, audit }) => {
    await (await UserRecords.open(store.space('users'))).remove(uri);
    await audit.record({ action: 'user-removed', user: uri });
    print(options.json, { ok: true, uri }, () => [`${printable(uri)} removed`]);
  });
}
