/** `segy kms redirect`: what a KMS Redirect Response from a partner says, and what to do about it. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { SegyError } from '../base/errors.js';
import { parseConfig } from '../config/index.js';
import { adviceOf, readRedirect } from '../kms/index.js';
import type { KmsRedirect } from '../kms/index.js';
import { configOption, readConfigText } from './config-file.js';
import { addVerifyingOptions, trustedKeysOf } from './exchange-keys.js';
import type { VerifyingOptions } from './exchange-keys.js';
import { print } from './output.js';
import { printable } from './printable.js';

interface RedirectOptions extends VerifyingOptions {
  readonly partner: string;
  readonly config: string;
  readonly json: boolean;
}

export function registerRedirectCommand(kms: Command): void {
  addVerifyingOptions(kms.command('redirect'))
    .description('read a KMS Redirect Response, the nested ones too')
    .argument('<file>')
    .requiredOption('--partner <name>', 'whose profile names its elements')
    .addOption(configOption())
    .option('--json', 'print one JSON object', false)
    .action(show);
}

async function show(file: string, options: RedirectOptions): Promise<void> {
  const { partners } = parseConfig(readConfigText(options.config), options.config);
  const partner = partners.find(({ name }) => name === options.partner);
  if (partner === undefined) {
    throw new SegyError('SEGY_E_NOT_FOUND', `no partner ${options.partner} is configured`);
  }
  const xml = await readFile(file).catch((cause: unknown) => {
    throw new SegyError('SEGY_E_IO', `cannot read ${file}`, { cause });
  });
  const keys = await trustedKeysOf(options);
  const redirect = readRedirect(xml, partner.redirectResponse.elements, keys);
  print(options.json, { ok: true, redirect, advice: adviceOf(redirect) }, () => linesOf(redirect));
}

function linesOf(redirect: KmsRedirect, depth = 0): string[] {
  const field = (name: string, value: string | null): string =>
    `${'  '.repeat(depth)}${name.padEnd(12)} ${printable(value ?? '-')}`;
  return [
    field('purpose', redirect.purpose),
    field('time', redirect.time?.toISOString() ?? null),
    field('user', redirect.userUri),
    field('refused KMS', redirect.refusedKmsUri),
    field('KMS to use', redirect.kmsUri),
    field('signed by', redirect.signedBy),
    field('advice', adviceOf(redirect)),
    ...(redirect.nested === null ? [] : linesOf(redirect.nested, depth + 1)),
  ];
}
