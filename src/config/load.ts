/**
 * Reads a configuration file (YAML, of which JSON is a subset) and reports every finding with
 * its path and line. Nothing is returned unless the whole file is right.
 */
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';
import { SegyError } from '../base/errors.js';
import { adviceFor } from './cures.js';
import { configSchema } from './schema.js';
import type { SegyConfig } from './schema.js';

/** Largest configuration file read, in octets. */
export const MAX_CONFIG_OCTETS = 4 * 1024 * 1024;

export interface ConfigFinding {
  /** dotted path of the setting, such as `partners[0].sip.requestUri`; empty for the file as a whole */
  readonly path: string;
  /** line in the file, counted from 1 */
  readonly line: number;
  readonly message: string;
  /** what to do about it */
  readonly cure: string;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: SegyConfig }
  | { readonly ok: false; readonly findings: readonly ConfigFinding[] };

/** Checks the text of a configuration file; never throws on its content. */
export function checkConfigText(text: string): ConfigResult {
  if (Buffer.byteLength(text) > MAX_CONFIG_OCTETS) {
    return {
      ok: false,
      findings: [
        {
          ...{ path: '', line: 1, message: 'the file is too large' },
          cure: `at most ${MAX_CONFIG_OCTETS} octets are read`,
        },
      ],
    };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    return {
      ok: false,
      findings: document.errors.map((error) => ({
        path: '',
        line: lines.linePos(error.pos[0]).line,
        message: error.message.split('\n')[0] ?? error.code,
        cure: 'correct the YAML there; it is indented by blanks, and text with : or # in it is quoted',
      })),
    };
  }
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: 0 });
  } catch {
    return {
      ok: false,
      findings: [
        {
          ...{ path: '', line: 1, message: 'aliases are not allowed' },
          cure: 'write what the alias stands for',
        },
      ],
    };
  }
  const parsed = configSchema.safeParse(plain ?? {});
  if (parsed.success) return { ok: true, config: parsed.data };
  return {
    ok: false,
    findings: parsed.error.issues.map((issue) => {
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
      const path = [...issue.path, ...unknown];
      return {
        path: formatPath(path),
        line: lineOf(document, path, lines),
        ...adviceFor(issue),
      };
    }),
  };
}

/** @throws SegyError SEGY_E_CONFIG that names every finding with its line */
export function parseConfig(text: string, fileName: string): SegyConfig {
  const result = checkConfigText(text);
  if (result.ok) return result.config;
  throw findingsError(result.findings, fileName);
}

/** One finding on one line: where it is, what is wrong, what to do. */
export function findingText(finding: ConfigFinding, fileName: string, kind = ''): string {
  const { path, line, message, cure } = finding;
  const what = path === '' ? message : `${path}: ${message}`;
  return `${fileName}:${line}: ${kind}${what}; ${cure}`;
}

/** SEGY_E_CONFIG with every finding on a line of its own. */
export function findingsError(findings: readonly ConfigFinding[], fileName: string): SegyError {
  const list = findings.map((finding) => findingText(finding, fileName));
  return new SegyError('SEGY_E_CONFIG', list.join('\n'));
}

/** Path and line of a setting in the text of a configuration file that parses. */
export function locate(
  text: string,
  path: readonly PropertyKey[],
): { readonly path: string; readonly line: number } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  return { path: formatPath(path), line: lineOf(document, path, lines) };
}

function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
}

/** Line of the deepest node that exists along `path`. */
function lineOf(document: Document, path: readonly PropertyKey[], lines: LineCounter): number {
  let node: unknown = document.contents;
  let line = 1;
  for (const step of path) {
    const next = childOf(node, step);
    if (next === undefined) break;
    line = lines.linePos(next.start).line;
    node = next.value;
  }
  return line;
}

function childOf(node: unknown, step: PropertyKey): { value: unknown; start: number } | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && item.key.value === step);
    if (!pair) return undefined;
    return { value: pair.value, start: (pair.key as Node).range?.[0] ?? 0 };
  }
  if (isSeq(node) && typeof step === 'number') {
    const item = node.items[step] as Node | undefined;
    return item && { value: item, start: item.range?.[0] ?? 0 };
  }
  return undefined;
}
