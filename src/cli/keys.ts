/** `segy keys`: the key ring. No command shows a key octet. */
import type { Command } from 'commander';
import { keyLine, keyLines } from './key-view.js';
import { print } from './output.js';
import { perform } from './perform.js';
import { addStateOptions } from './state-options.js';
import type { TargetOptions } from './state-options.js';

interface Output extends TargetOptions {
  readonly json: boolean;
}

interface KeyOptions extends Output {
  readonly partner?: string;
}

interface ListOptions extends KeyOptions {
  readonly group?: string;
}

export function registerKeysCommands(program: Command): void {
  const keys = program.command('keys').description('the keys that are held');
  addStateOptions(keys.command('list'))
    .description('every key, without its octets')
    .option('--partner <name>', 'only of this partner')
    .option('--group <id>', 'only for this MC group')
    .action(list);
  const one = (name: string, description: string): Command =>
    addStateOptions(keys.command(name))
      .description(description)
      .argument('<key-id>', 'key identifier, 8 hexadecimal digits')
      .option('--partner <name>', 'where several partners have that identifier');
  one('show', 'one key in full, without its octets').action(show);
  one('revoke', 'end a key for good: no message brings it back').action(revoke);
  one('forget', 'let a key go as if it had never come').action(forget);
}

async function list({ partner, group, ...options }: ListOptions): Promise<void> {
  const { keys, damaged } = await perform('keys/list', { partner, group }, options);
  print(options.json, { ok: damaged.length === 0, keys, damaged }, () => [
    ...(keys.length === 0 ? ['no key is held'] : keys.map(keyLine)),
    ...damaged.map((name) => `${name}: the record is damaged; segy keys forget lets it go`),
  ]);
  if (damaged.length > 0) process.exitCode = 1;
}

async function show(keyId: string, options: KeyOptions): Promise<void> {
  const { partner } = options;
  const { key } = await perform('keys/show', { keyId, partner }, options);
  print(options.json, { ok: true, key }, () => keyLines(key));
}

async function revoke(keyId: string, options: KeyOptions): Promise<void> {
  const { partner } = options;
  const key = await perform('keys/revoke', { keyId, partner }, options);
  print(options.json, { ok: true, ...key }, () => [
    `${key.keyType} ${key.keyId} of ${key.partner} is revoked for good`,
  ]);
}

async function forget(keyId: string, options: KeyOptions): Promise<void> {
  const { partner } = options;
  const key = await perform('keys/forget', { keyId, partner }, options);
  print(options.json, { ok: true, ...key }, () => [`${key.keyId} of ${key.partner} is forgotten`]);
}
