/** `segy audit`: reading the audit log. Works beside a running gateway. */
import { access } from 'node:fs/promises';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { AUDIT_ACTIONS, showAudit, verifyAudit } from '../audit/index.js';
import type { AuditFilter, AuditLine, ChainMark } from '../audit/index.js';
import { SegyError, toSegyError } from '../base/errors.js';
import { parseTime } from './arguments.js';
import { print } from './output.js';
import { perform } from './perform.js';
import { addStateOptions, stateOption } from './state-options.js';
import type { TargetOptions } from './state-options.js';
import { auditFolder } from './state.js';
import { printable } from './printable.js';

interface Output {
  readonly state: string;
  readonly json: boolean;
}

export function registerAuditCommands(program: Command): void {
  const audit = program.command('audit').description('the audit log of key use');
  addStateOptions(audit.command('verify'))
    .description('walk the whole chain, and compare its end with what the store remembers')
    .action(verify);
  audit
    .command('show')
    .addOption(stateOption())
    .option('--json', 'print JSON', false)
    .description('print records that match')
    .addOption(timeOption('--since <time>', 'not before this RFC 3339 time'))
    .addOption(timeOption('--until <time>', 'not after this RFC 3339 time'))
    .addOption(
      new Option('--key-id <hex>', 'of this key identifier, 8 hex digits').argParser(parseKeyId),
    )
    .addOption(new Option('--action <name>', 'of this action').choices([...AUDIT_ACTIONS]))
    .option('--user <uri>', 'for or by this user')
    .action(show);
  addStateOptions(audit.command('rotate'))
    .description('begin a new file that goes on with the chain')
    .action(rotate);
}

function parseKeyId(text: string): string {
  const digits = text.replace(/^0x/i, '').replace(/[\s:-]/g, '');
  if (!/^[0-9a-f]{8}$/i.test(digits)) {
    throw new InvalidArgumentError('A key identifier has 8 hex digits.');
  }
  return digits;
}

function timeOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(parseTime(flags.split(' ')[0] ?? flags));
}

async function verify(options: TargetOptions & { readonly json: boolean }): Promise<void> {
  const { known, uncompared } = await knownEnd(options);
  const result = await verifyAudit(await existingFolder(options.state), known);
  print(options.json, { ...result, endCompared: uncompared === null }, () => [
    ...result.faults,
    result.ok
      ? `whole: ${result.lines} records, ${result.firstSeq ?? 0} to ${result.lastSeq ?? 0}, last ${result.lastHash ?? '-'}`
      : 'the chain is broken',
    ...(result.fromStart
      ? []
      : [`older files are gone: it begins at record ${result.firstSeq ?? 0}`]),
    ...(uncompared === null
      ? []
      : [`records cut off at its end would not be noticed: ${uncompared}`]),
  ]);
  if (!result.ok) process.exitCode = 1;
}

/** The last record of the log, from the gateway that writes it, or from the store where none runs. */
async function knownEnd(
  options: TargetOptions,
): Promise<{ readonly known?: ChainMark; readonly uncompared: string | null }> {
  try {
    const { end } = await perform('audit/end', {}, options);
    return { ...(end && { known: end }), uncompared: null };
  } catch (error) {
    const { code, message } = toSegyError(error);
    return { uncompared: `${code}: ${message}` };
  }
}

async function existingFolder(state: string): Promise<string> {
  const folder = auditFolder(state);
  try {
    await access(folder);
  } catch (cause) {
    throw new SegyError('SEGY_E_NOT_FOUND', `there is no audit log in ${state}`, { cause });
  }
  return folder;
}

async function show(options: Output & AuditFilter): Promise<void> {
  for await (const line of showAudit(await existingFolder(options.state), options)) {
    console.log(options.json ? JSON.stringify(line) : textOf(line));
  }
}

async function rotate(options: TargetOptions & { readonly json: boolean }): Promise<void> {
  await perform('audit/rotate', {}, options);
  print(options.json, { ok: true }, () => ['a new audit file is begun']);
}

function textOf(line: AuditLine): string {
  const { seq, at, action, prev, ...rest } = line;
  const fields = Object.entries(rest).map(([name, value]) => `${name}=${printable(value)}`);
  return `${at} #${seq} ${action} ${fields.join(' ')} (${prev.slice(0, 8)})`;
}
