/**
 * Security events in one grammar that never changes, for fail2ban and its like:
 *
 *   line   = time SP "segy-security:" SP "event=" event SP "code=" code SP "side=" word SP
 *            "source=" address SP "partner=" word SP "session=" word SP "repeated=" number LF
 *   time   = RFC 3339 in UTC with milliseconds
 *   event  = one of SECURITY_EVENTS
 *   code   = an error code of docs/errors.md
 *   address= an IP address, or "-"
 *   word   = 1*64 of A-Z a-z 0-9 . _ : -, or "-"
 *
 * No field holds text that a sender chose, so no sender can write a line, or another's address into one.
 */
import { isIP } from 'node:net';
import { appendFile } from 'node:fs/promises';
import type { Clock, Metrics } from '../base/environment.js';
import type { SegyErrorCode } from '../base/errors.js';
import type { LogLine } from './tap.js';

/** What a line may be about. A name, once released, keeps its meaning. */
const SECURITY_EVENTS = [
  'unknown-source',
  'bad-signature',
  'auth-failed',
  'tls-failed',
  'token-failed',
  'malformed',
  'rate-exceeded',
  'refused',
] as const;
export type SecurityEvent = (typeof SECURITY_EVENTS)[number];

/** Events of the log that are security events: the first of its kind, and those that follow soon. */
const REFUSED_EVENT = 'security.refused';
const REPEATED_EVENT = 'security.repeated';

const EVENT_OF: Partial<Record<SegyErrorCode, SecurityEvent>> = {
  SEGY_E_UNKNOWN_SOURCE: 'unknown-source',
  SEGY_E_MIKEY_SIGNATURE: 'bad-signature',
  SEGY_E_XML_SIGNATURE: 'bad-signature',
  SEGY_E_EAR_SIGNATURE: 'bad-signature',
  SEGY_E_MIKEY_INITIATOR: 'auth-failed',
  SEGY_E_MIKEY_KMS_UNKNOWN: 'auth-failed',
  SEGY_E_MIKEY_KMS_NOT_ALLOWED: 'auth-failed',
  SEGY_E_MIKEY_REPLAYED: 'auth-failed',
  SEGY_E_MIKEY_SAKKE: 'auth-failed',
  SEGY_E_IDENTITY_MISMATCH: 'auth-failed',
  SEGY_E_KEY_REQUIRED: 'auth-failed',
  SEGY_E_NOT_GROUP_GMS: 'auth-failed',
  SEGY_E_NOT_EXTERNAL: 'auth-failed',
  SEGY_E_XML_UNSIGNED: 'auth-failed',
  SEGY_E_XML_CLEAR: 'auth-failed',
  SEGY_E_XML_DECRYPT: 'auth-failed',
  SEGY_E_EAR_REQUIRED: 'auth-failed',
  SEGY_E_EAR_TARGET: 'auth-failed',
  SEGY_E_EAR_REPLAYED: 'auth-failed',
  SEGY_E_EAR_ROLE: 'auth-failed',
  SEGY_E_EAR_SOURCE: 'auth-failed',
  SEGY_E_SIP_TRANSPORT: 'tls-failed',
  SEGY_E_TLS_PEER: 'tls-failed',
  SEGY_E_TOKEN: 'token-failed',
  SEGY_E_TOKEN_SIGNATURE: 'token-failed',
  SEGY_E_TOKEN_EXPIRED: 'token-failed',
  SEGY_E_TOKEN_REPLAYED: 'token-failed',
  SEGY_E_TOKEN_CLIENT: 'token-failed',
  SEGY_E_TOKEN_REQUEST: 'token-failed',
  SEGY_E_SIP_SYNTAX: 'malformed',
  SEGY_E_SIP_TOO_LARGE: 'malformed',
  SEGY_E_XML: 'malformed',
  SEGY_E_HTTP: 'malformed',
  SEGY_E_MIKEY_SYNTAX: 'malformed',
  SEGY_E_MIKEY_TRUNCATED: 'malformed',
  SEGY_E_MIKEY_VERSION: 'malformed',
  SEGY_E_MIKEY_MISSING_PAYLOAD: 'malformed',
  SEGY_E_RATE: 'rate-exceeded',
};

/** Lines that may wait for the disk; of more only the number is kept. */
const MAX_WAITING = 1000;

export interface SecurityLogOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** gets each line with its line feed; resolves when it is written */
  readonly write: (line: string) => Promise<void>;
}

/** A listener for `tapLog`. */
export function securityLog({
  clock,
  metrics,
  write,
}: SecurityLogOptions): (line: LogLine) => void {
  let waiting = 0;
  let tail = Promise.resolve();
  return (line) => {
    const text = securityLine(line, new Date(clock.now()));
    if (text === null) return;
    if (waiting >= MAX_WAITING) {
      metrics.count('segy_security_suppressed_total');
      return;
    }
    waiting += 1;
    tail = tail
      .then(() => write(`${text}\n`))
      .catch(() => metrics.count('segy_security_suppressed_total'))
      .finally(() => (waiting -= 1));
  };
}

/** The line of a security event; null for every other line of the log. */
export function securityLine({ event, fields }: LogLine, at: Date): string | null {
  if (event !== REFUSED_EVENT && event !== REPEATED_EVENT) return null;
  const { code, side, source, partner, session, repeated } = fields;
  const given = typeof fields.kind === 'string' ? fields.kind : undefined;
  const kind =
    SECURITY_EVENTS.find((name) => name === given) ??
    EVENT_OF[word(code) as SegyErrorCode] ??
    'refused';
  return [
    at.toISOString(),
    'segy-security:',
    `event=${kind}`,
    `code=${word(code)}`,
    `side=${word(side)}`,
    `source=${addressOf(source)}`,
    `partner=${word(partner)}`,
    `session=${word(session)}`,
    `repeated=${typeof repeated === 'number' ? repeated : 0}`,
  ].join(' ');
}

/** Appends to a file that is opened anew for each line, so that it may be rotated at any time. */
export function appendTo(file: string): (line: string) => Promise<void> {
  return (line) => appendFile(file, line, { mode: 0o640 });
}

function word(value: unknown): string {
  return typeof value === 'string' && /^[A-Za-z0-9._:-]{1,64}$/.test(value) ? value : '-';
}

function addressOf(value: unknown): string {
  if (typeof value !== 'string') return '-';
  // A scope says which interface of ours it came in by; whoever bans needs the address alone.
  const bare = value.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  return isIP(bare) > 0 ? bare : '-';
}
