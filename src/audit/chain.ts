/**
 * One line of the audit log and its place in the chain.
 *
 *   {"seq":7,"at":"2026-01-02T03:04:05.678Z","prev":"<64 hex>","action":"opened","keyId":…}\n
 *
 * `prev` is SHA-256 of the line before, without its line feed; of the label below for the first.
 * So a line that is changed, removed, added or moved breaks the chain at the line after it.
 */
import { createHash } from 'node:crypto';

export const FIRST_PREV = createHash('sha256').update('segy audit log 1').digest('hex');
/** Longest line read or written, in octets. */
export const MAX_LINE = 65_536;
/** Every field at its longest, each character escaped, is still a line that can be read back. */
const MAX_VALUE = 512;

/** What can happen to a key, a certificate or the store. */
export const AUDIT_ACTIONS = [
  'opened',
  'made',
  'sent',
  'received',
  'activated',
  'expired',
  'revoked',
  'forgotten',
  'issued',
  'domain-created',
  'domain-renewed',
  'trust-added',
  'trust-replaced',
  'trust-revoked',
  'trust-removed',
  'token-key-added',
  'token-key-used',
  'token-key-removed',
  'user-added',
  'user-removed',
  'group-created',
  'group-changed',
  'group-deleted',
  'group-rekeyed',
  'signing-key-made',
  'signing-key-retired',
  'token-issued',
  'store-rekeyed',
  'store-backed-up',
  'store-restored',
  'store-repaired',
  'log-recovered',
  'log-rotated',
  'log-truncated',
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Identifiers only: there is no field that holds a key. Absent fields are left out of the line. */
export interface AuditEvent {
  readonly action: AuditAction;
  /** GMK, PCK, CSK, … */
  readonly keyType?: string;
  /** hex of the 4-octet key identifier */
  readonly keyId?: string;
  readonly initiator?: string;
  readonly responder?: string;
  readonly partner?: string;
  /** the call or dialog */
  readonly dialog?: string;
  /** replay identifier or Call-ID of the message */
  readonly message?: string;
  readonly group?: string;
  readonly kmsUri?: string;
  readonly user?: string;
  readonly keyPeriodNo?: string;
  readonly fingerprint?: string;
  readonly detail?: string;
}

const FIELDS = [
  'action',
  'keyType',
  'keyId',
  'initiator',
  'responder',
  'partner',
  'dialog',
  'message',
  'group',
  'kmsUri',
  'user',
  'keyPeriodNo',
  'fingerprint',
  'detail',
] as const satisfies readonly (keyof AuditEvent)[];

export interface ChainPosition {
  /** number of the line to come, from 1 */
  readonly seq: number;
  /** `prev` of the line to come */
  readonly prev: string;
}

export const CHAIN_START: ChainPosition = { seq: 1, prev: FIRST_PREV };

/** The line of `event` without its line feed. Other fields of the object are not taken over. */
export function writeLine(event: AuditEvent, at: Date, position: ChainPosition): string {
  const fields: Record<string, unknown> = {
    seq: position.seq,
    at: at.toISOString(),
    prev: position.prev,
  };
  for (const name of FIELDS) {
    const value = event[name];
    if (value !== undefined) fields[name] = value.slice(0, MAX_VALUE);
  }
  return JSON.stringify(fields);
}

export function positionAfter(line: string, position: ChainPosition): ChainPosition {
  return { seq: position.seq + 1, prev: createHash('sha256').update(line, 'utf8').digest('hex') };
}

export interface AuditLine extends AuditEvent {
  readonly seq: number;
  readonly at: string;
  readonly prev: string;
}

/** The line as data; undefined when it is none. */
export function readLine(line: string): AuditLine | undefined {
  if (line.length > MAX_LINE) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isAuditLine(parsed) ? parsed : undefined;
}

function isAuditLine(value: unknown): value is AuditLine {
  if (typeof value !== 'object' || value === null) return false;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  return (
    Number.isSafeInteger(fields.seq) &&
    typeof fields.at === 'string' &&
    typeof fields.prev === 'string' &&
    /^[0-9a-f]{64}$/.test(fields.prev) &&
    AUDIT_ACTIONS.some((action) => action === fields.action)
  );
}
