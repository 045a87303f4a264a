/** Values on the command line, and files that commands write. */
import { open } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import { SegyError } from '../base/errors.js';

const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** A reader of non-negative integers for the option `name`. */
export function parseInteger(name: string): (text: string) => bigint {
  return (text) => {
    if (!/^\d{1,19}$/.test(text)) {
      throw new InvalidArgumentError(`${name.split(' ')[0] ?? ''} takes a non-negative integer.`);
    }
    return BigInt(text);
  };
}

/** A reader of RFC 3339 times for the option `name`. */
export function parseTime(name: string): (text: string) => Date {
  return (text) => {
    const date = new Date(text);
    if (!RFC3339.test(text) || Number.isNaN(date.getTime())) {
      throw new InvalidArgumentError(`${name} takes an RFC 3339 time, as 2026-01-31T12:00:00Z.`);
    }
    return date;
  };
}

/** Writes a file that must not be there yet. @throws SegyError SEGY_E_IO */
export async function writeNewFile(path: string, text: string, mode: number): Promise<void> {
  try {
    const file = await open(path, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    throw new SegyError('SEGY_E_IO', exists ? `${path} is there already` : `cannot write ${path}`, {
      cause,
    });
  }
}
