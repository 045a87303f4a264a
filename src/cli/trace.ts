/** `segy trace`: what is known of one call, in one file to send to support. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import type { TraceReport } from '../admin/index.js';
import { SegyError } from '../base/errors.js';
import { writeNewFile } from './arguments.js';
import { addLookOptions, look } from './look.js';
import type { LookOptions } from './look.js';
import { print } from './output.js';
import { redact } from './redact.js';

/** Lines of a log file that are taken at most. */
const MAX_FILE_LINES = 50_000;

interface TraceOptions extends LookOptions {
  readonly out?: string;
  readonly log?: readonly string[];
  readonly keepAddresses: boolean;
  readonly redactIdentities: boolean;
}

export function registerTraceCommand(program: Command): void {
  addLookOptions(program.command('trace'))
    .description('collect what is known of one call in one file, without secrets')
    .argument('<id>', 'its session, or a Call-ID of either side')
    .option('--out <file>', 'new file for it, mode 0600 (default: segy-trace-<id>.json)')
    .option('--log <file...>', 'log files to look in as well, for what is older than the start')
    .option('--keep-addresses', 'leave IP addresses as they are', false)
    .option('--redact-identities', 'take out user names and telephone numbers too', false)
    .action(trace);
}

async function trace(id: string, options: TraceOptions): Promise<void> {
  const report = await look<TraceReport>('trace', options, { id });
  const names = new Set(report.names);
  const fileLines: string[] = [];
  for (const file of options.log ?? []) fileLines.push(...(await linesAbout(names, file)));
  const redaction = { addresses: !options.keepAddresses, identities: options.redactIdentities };
  const told = redact({ ...report, fileLines, redaction }, redaction);
  const file = options.out ?? `segy-trace-${id.replace(/[^A-Za-z0-9.-]/g, '_').slice(0, 64)}.json`;
  await writeNewFile(file, `${JSON.stringify(told, null, 2)}\n`, 0o600);
  const { lines, audit } = report;
  const counts = { lines: lines.length, fileLines: fileLines.length, audit: audit.length };
  print(options.json, { ok: true, file, ...counts, live: report.call !== null }, () => [
    `${file}: ${counts.lines + counts.fileLines} lines of the log, ${counts.audit} audit records${report.call === null ? '' : ', and the call as it is now'}`,
    redaction.addresses ? 'addresses are taken out' : 'addresses are IN it',
    redaction.identities ? 'identities are taken out' : 'identities are IN it',
  ]);
}

async function linesAbout(names: ReadonlySet<string>, file: string): Promise<string[]> {
  const found: string[] = [];
  try {
    const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
    for await (const line of lines) {
      if (found.length >= MAX_FILE_LINES) break;
      if ([...names].some((name) => line.includes(name))) found.push(line);
    }
  } catch (cause) {
    throw new SegyError('SEGY_E_IO', `cannot read ${file}`, { cause });
  }
  return found;
}
