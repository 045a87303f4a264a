/** Represented users from a CSV file, as a radio management system or a spreadsheet writes one. */
import { SegyError } from '../base/errors.js';
import type { RepresentedUser } from './directory.js';
import { checkUser } from './user-pattern.js';

const MAX_LINES = 200_000;
const SEPARATORS = [',', ';', '\t'];
const COLUMNS = 'expected two values, PBX user part and MC service ID, with , ; or a tab between';

/**
 * Users of a CSV file: PBX user part (the radio ID) and MC service ID on each line. A heading line that
 * names the columns `pbx` and `uri` may stand first; then they may come in any order and others beside
 * them. Values stand in double quotes or bare; empty lines and `#` are skipped. UTF-8.
 * @throws SegyError SEGY_E_ARGUMENT with the number of the line
 */
export function parseUserCsv(file: Uint8Array | string): RepresentedUser[] {
  const lines = textOf(file).split(/\r\n|\r|\n/);
  if (lines.length > MAX_LINES) {
    throw new SegyError('SEGY_E_ARGUMENT', `more than ${MAX_LINES} lines; make two files of it`);
  }
  const users: RepresentedUser[] = [];
  const lineOf = new Map<string, number>();
  let columns: Columns | undefined;
  for (const [index, line] of lines.entries()) {
    const number = index + 1;
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const values = valuesOf(line);
    if (columns === undefined) {
      columns = headingOf(values);
      if (columns !== undefined) continue;
      columns = { pbx: 0, uri: 1, count: 2 };
    }
    users.push(userOf(values, columns, number, lineOf));
  }
  return users;
}

interface Columns {
  readonly pbx: number;
  readonly uri: number;
  /** values on each line */
  readonly count: number;
}

function headingOf(values: readonly string[] | undefined): Columns | undefined {
  const names = values?.map((value) => value.toLowerCase()) ?? [];
  const [pbx, uri] = [names.indexOf('pbx'), names.indexOf('uri')];
  return pbx < 0 || uri < 0 ? undefined : { pbx, uri, count: names.length };
}

function userOf(
  values: readonly string[] | undefined,
  columns: Columns,
  number: number,
  lineOf: Map<string, number>,
): RepresentedUser {
  const refuse = (why: string, cause?: unknown): never => {
    throw new SegyError('SEGY_E_ARGUMENT', `line ${number}: ${why}`, { cause });
  };
  const pbx = values?.[columns.pbx];
  const uri = values?.[columns.uri];
  if (values?.length !== columns.count || pbx === undefined || uri === undefined) {
    return refuse(
      columns.count === 2 ? COLUMNS : `expected ${columns.count} values, as the heading`,
    );
  }
  const user = { pbx, uri };
  try {
    checkUser(user);
  } catch (cause) {
    refuse(cause instanceof Error ? cause.message : '', cause);
  }
  // The same line again does no harm; one of the two identities with another partner does.
  const whole = lineOf.get(`${pbx} ${uri}`);
  const before = lineOf.get(`pbx ${pbx}`) ?? lineOf.get(`uri ${uri}`);
  if (whole === undefined && before !== undefined) {
    refuse(`${pbx} or ${uri} stands in line ${before} with another one`);
  }
  for (const key of [`${pbx} ${uri}`, `pbx ${pbx}`, `uri ${uri}`]) lineOf.set(key, number);
  return user;
}

/** The values of a line, trimmed; undefined where its quotes do not fit. */
function valuesOf(line: string): string[] | undefined {
  const separator = SEPARATORS.find((each) => line.includes(each)) ?? ',';
  const values: string[] = [];
  const value = new RegExp(
    `[ ]*(?:"((?:[^"]|"")*)"[ ]*|([^"${separator}]*))(?:${separator}|$)`,
    'y',
  );
  for (;;) {
    const match = value.exec(line);
    if (match === null) return undefined;
    values.push((match[1]?.replaceAll('""', '"') ?? match[2] ?? '').trim());
    if (!match[0].endsWith(separator)) return values;
  }
}

function textOf(file: Uint8Array | string): string {
  if (typeof file === 'string') return file.replace(/^\uFEFF/, '');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file);
  } catch (cause) {
    throw new SegyError('SEGY_E_ARGUMENT', 'the file is not UTF-8; save it as "CSV UTF-8"', {
      cause,
    });
  }
}
