/**
 * The `Log` of base/environment on winston: one line an event, to standard output or a stream.
 * Values are quoted so that text from the network can neither start a new line nor forge a field.
 */
import type { Writable } from 'node:stream';
import winston from 'winston';
import type { Log, LogFields } from '../base/environment.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'text' | 'json';

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** where lines go; standard output when absent */
  readonly stream?: Writable;
  /** longest value in a line, in characters; the rest is cut. Default 512 */
  readonly maxValueLength?: number;
}

const DEFAULT_MAX_VALUE = 512;

/** A log whose lines read `time LEVEL event key=value …` or are one JSON object each. */
export function createLog(options: LogOptions): Log {
  const limit = options.maxValueLength ?? DEFAULT_MAX_VALUE;
  const logger = winston.createLogger({
    level: options.level,
    format: winston.format.combine(
      winston.format.timestamp(),
      options.format === 'json' ? winston.format.json() : winston.format.printf(formatLine),
    ),
    transports: [new winston.transports.Stream({ stream: options.stream ?? process.stdout })],
  });
  const write = (level: LogLevel) => (event: string, fields?: LogFields) => {
    logger.log(level, event, { fields: printableFields(fields ?? {}, limit) });
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

function formatLine(entry: winston.Logform.TransformableInfo): string {
  const fields = entry.fields as Record<string, string | number | boolean>;
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${quote(value)}`);
  const time = String(entry.timestamp);
  return [time, entry.level.toUpperCase(), String(entry.message), ...pairs].join(' ');
}

function quote(value: string | number | boolean): string {
  const text = String(value);
  return /^[A-Za-z0-9._:@/+-]+$/.test(text) ? text : JSON.stringify(text);
}

/** The fields as they are written: no octets, nothing that a terminal obeys, nothing too long. */
export function printableFields(
  fields: LogFields,
  limit = DEFAULT_MAX_VALUE,
): Record<string, string | number | boolean> {
  const out: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === null) continue;
    out[name] =
      typeof value === 'number' || typeof value === 'boolean'
        ? value
        : cut(tame(textOf(value)), limit);
  }
  return out;
}

/** Octet strings never print: what one holds is not known here, so it may be a key. */
function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return `(${value.length} octets)`;
  if (value instanceof Error) return value.message;
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return value.toString();
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner instanceof Uint8Array ? `(${inner.length} octets)` : inner,
  );
}

/**
 * JSON escapes what ends a line for most readers; this does what it leaves: C1 controls that terminals
 * obey, separators at which some split lines, and characters that turn or hide text.
 */
function tame(text: string): string {
  return text.replace(
    /[\u007f-\u009f\u2028\u2029\p{Cf}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}…`;
}
