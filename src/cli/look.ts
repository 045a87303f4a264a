/** What all commands share that only look at the running gateway. */
import type { Command } from 'commander';
import { adminCall } from '../admin/client.js';
import { socketOf, socketOption, stateOption } from './state-options.js';

export interface LookOptions {
  readonly state: string;
  readonly socket?: string;
  readonly json: boolean;
}

export function addLookOptions(command: Command): Command {
  return command
    .addOption(stateOption())
    .addOption(socketOption())
    .option('--json', 'print one JSON object', false);
}

/** @throws SegyError SEGY_E_NOT_RUNNING, and what the gateway refuses with */
export async function look<R>(name: string, options: LookOptions, body: unknown = {}): Promise<R> {
  // The gateway and this command are of one program, so their types are the same.
  return (await adminCall(socketOf(options), name, body)) as R;
}

/** `3 d 4 h`, `5 min`, `12 s`. */
export function spanText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** Columns of equal width, two spaces apart. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, i) => Math.max(widest[i] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
