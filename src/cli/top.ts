/** `segy top`: the running gateway, drawn again every second until it is left. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { CallReport, StatusReport } from '../admin/index.js';
import { parseInteger } from './arguments.js';
import { callTable } from './calls.js';
import { addLookOptions, look } from './look.js';
import type { LookOptions } from './look.js';
import { statusLines } from './watch.js';

/** Home, clear to the end: what every terminal of the last forty years knows. */
const REDRAW = '\u001b[H\u001b[J';
const DEFAULT_ROWS = 40;

interface TopOptions extends LookOptions {
  readonly every: bigint;
  readonly count?: bigint;
}

export function registerTopCommand(program: Command): void {
  const seconds = parseInteger('--every');
  addLookOptions(program.command('top'))
    .description('calls and load, drawn again and again; with --json one object a line')
    .addOption(
      new Option('--every <seconds>', 'between two looks').argParser(seconds).default(1n, '1'),
    )
    .addOption(
      new Option('--count <number>', 'looks, then the end').argParser(parseInteger('--count')),
    )
    .action(top);
}

async function top(options: TopOptions): Promise<void> {
  let before: StatusReport | undefined;
  for (let round = 1n; options.count === undefined || round <= options.count; round += 1n) {
    if (round > 1n) await sleep(Math.max(1, Number(options.every)) * 1000);
    const status = await look<StatusReport>('status', options);
    const { calls } = await look<{ calls: CallReport[] }>('calls', options);
    if (options.json) console.log(JSON.stringify({ ...status, calls }));
    else draw(status, calls, before);
    before = status;
  }
}

function draw(
  status: StatusReport,
  calls: readonly CallReport[],
  before: StatusReport | undefined,
): void {
  const rows = process.stdout.isTTY ? process.stdout.rows - 1 : DEFAULT_ROWS;
  const lines = [...statusLines(status), rateLine(status, before), '', ...callTable(calls)];
  const shown = lines.length > rows ? [...lines.slice(0, rows - 1), '…'] : lines;
  process.stdout.write(`${process.stdout.isTTY ? REDRAW : ''}${shown.join('\n')}\n`);
}

function rateLine(status: StatusReport, before: StatusReport | undefined): string {
  const seconds = status.uptimeSeconds - (before?.uptimeSeconds ?? status.uptimeSeconds);
  if (before === undefined || seconds <= 0) return 'rate       -';
  const rate = (direction: 'toInner' | 'toOuter'): string =>
    ((status.media.packets[direction] - before.media.packets[direction]) / seconds).toFixed(0);
  return `rate       ${rate('toInner')} packets/s to the PBX, ${rate('toOuter')} to MC`;
}
