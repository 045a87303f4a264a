/** `segy audit`: reading the audit log. Works beside a running gateway. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { showAudit, verifyAudit } from '../audit/index.js';
import type { AuditFilter, AuditLine } from '../audit/index.js';
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
  addFolderOption(audit.command('verify')).description('walk the whole chain').action(verify);
  addFolderOption(audit.command('show'))
    .description('print records that match')
    .addOption(timeOption('--since <time>', 'not before this RFC 3339 time'))
    .addOption(timeOption('--until <time>', 'not after this RFC 3339 time'))
    .option('--key-id <hex>', 'of this key identifier')
    .option('--action <name>', 'of this action')
    .option('--user <uri>', 'for or by this user')
    .action(show);
  addStateOptions(audit.command('rotate'))
    .description('begin a new file that goes on with the chain')
    .action(rotate);
}

function addFolderOption(command: Command): Command {
  return command.addOption(stateOption()).option('--json', 'print JSON', false);
}

function timeOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(parseTime(flags.split(' ')[0] ?? flags));
}

async function verify(options: Output): Promise<void> {
  const result = await verifyAudit(auditFolder(options.state));
  print(options.json, result, () => [
    ...result.faults,
    result.ok
      ? `whole: ${result.lines} records, ${result.firstSeq ?? 0} to ${result.lastSeq ?? 0}, last ${result.lastHash ?? '-'}`
      : 'the chain is broken',
    ...(result.fromStart
      ? []
      : [`older files are gone: it begins at record ${result.firstSeq ?? 0}`]),
  ]);
  if (!result.ok) process.exitCode = 1;
}

async function show(options: Output & AuditFilter): Promise<void> {
  for await (const line of showAudit(auditFolder(options.state), options)) {
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
