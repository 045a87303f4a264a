/** Header fields of a message, in order, found by name in any case and in the compact form. */
import { SegyError } from '../base/errors.js';
import { isToken, splitOutside } from './text.js';

/** Compact forms of RFC 3261 clause 7.3.3 and later RFCs. */
const COMPACT: Readonly<Record<string, string>> = {
  a: 'Accept-Contact',
  b: 'Referred-By',
  c: 'Content-Type',
  d: 'Request-Disposition',
  e: 'Content-Encoding',
  f: 'From',
  i: 'Call-ID',
  j: 'Reject-Contact',
  k: 'Supported',
  l: 'Content-Length',
  m: 'Contact',
  n: 'Identity-Info',
  o: 'Event',
  r: 'Refer-To',
  s: 'Subject',
  t: 'To',
  u: 'Allow-Events',
  v: 'Via',
  x: 'Session-Expires',
  y: 'Identity',
};

interface Field {
  /** as spelled, compact forms written out */
  readonly name: string;
  /** lower case, compact forms written out */
  readonly key: string;
  value: string;
}

/** The long name of a header, in the spelling given or, for a compact form, the registered one. */
function longName(name: string): string {
  return name.length === 1 ? (COMPACT[name.toLowerCase()] ?? name) : name;
}

export class SipHeaders {
  #fields: Field[] = [];

  /** @param entries name and value of each field, in order */
  constructor(entries: Iterable<readonly [string, string]> = []) {
    for (const [name, value] of entries) this.add(name, value);
  }

  /** Number of fields. */
  get size(): number {
    return this.#fields.length;
  }

  has(name: string): boolean {
    return this.#index(name) >= 0;
  }

  /** Value of the first field of this name, a comma list unsplit. */
  get(name: string): string | undefined {
    return this.#fields[this.#index(name)]?.value;
  }

  /** Value of every field of this name, comma lists unsplit. */
  getAll(name: string): string[] {
    const key = keyOf(name);
    return this.#fields.filter((field) => field.key === key).map((field) => field.value);
  }

  /**
   * The items of a comma-separated header, over all its fields. Only for headers that are lists
   * by their grammar: a Subject or an Authorization must not be asked for so.
   * @throws SegyError SEGY_E_SIP_SYNTAX on an open quote or bracket
   */
  list(name: string): string[] {
    return this.getAll(name).flatMap((value) => splitOutside(value, ','));
  }

  /** Replaces all fields of this name, at the place of the first one, else at the end. */
  set(name: string, values: string | readonly string[]): void {
    const fields = (typeof values === 'string' ? [values] : values).map((value) =>
      field(name, value),
    );
    const index = this.#index(name);
    const kept = this.#fields.filter((old) => old.key !== keyOf(name));
    kept.splice(index < 0 ? kept.length : index, 0, ...fields);
    this.#fields = kept;
  }

  /** Adds a field behind all others. */
  add(name: string, value: string): void {
    this.#fields.push(field(name, value));
  }

  /** Puts a field before all others. */
  prepend(name: string, value: string): void {
    this.#fields.unshift(field(name, value));
  }

  /** Removes every field of this name; tells whether there was one. */
  remove(name: string): boolean {
    const before = this.#fields.length;
    const key = keyOf(name);
    this.#fields = this.#fields.filter((old) => old.key !== key);
    return this.#fields.length < before;
  }

  /** Replaces the first item of a comma-separated header and leaves the others. */
  replaceFirst(name: string, value: string): void {
    const items = this.list(name);
    items[0] = value;
    this.set(name, items);
  }

  /** Name and value of each field in order; a copy. */
  entries(): [string, string][] {
    return this.#fields.map((one) => [one.name, one.value]);
  }

  clone(): SipHeaders {
    return new SipHeaders(this.entries());
  }

  #index(name: string): number {
    const key = keyOf(name);
    return this.#fields.findIndex((one) => one.key === key);
  }
}

function keyOf(name: string): string {
  return longName(name).toLowerCase();
}

/** A value with a line end or NUL would let its author write header fields of his own. */
function field(name: string, value: string): Field {
  const long = longName(name);
  if (!isToken(long)) throw new SegyError('SEGY_E_ARGUMENT', 'a header name is not a token');
  if (/[\r\n\0]/.test(value)) {
    throw new SegyError('SEGY_E_ARGUMENT', `a value of ${long} holds a line end or NUL`);
  }
  return { name: long, key: long.toLowerCase(), value };
}
