/** What somebody has to look at. Parts raise and clear; a board under src/admin tells the operator. */

interface AlarmEntry {
  readonly severity: 'warning' | 'critical';
  /** how long it must hold before it is told, in milliseconds */
  readonly raiseAfterMs: number;
  /** how long it must be over before that is told */
  readonly clearAfterMs: number;
  /** an event and no state: it clears itself so long after the last time; null for a state */
  readonly lastsMs: number | null;
  /** what it means, one line, for docs */
  readonly summary: string;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const state = (
  severity: AlarmEntry['severity'],
  raiseAfterMs: number,
  clearAfterMs: number,
  summary: string,
): AlarmEntry => ({ severity, raiseAfterMs, clearAfterMs, lastsMs: null, summary });
const event = (severity: AlarmEntry['severity'], lastsMs: number, summary: string): AlarmEntry => ({
  severity,
  raiseAfterMs: 0,
  clearAfterMs: 0,
  lastsMs,
  summary,
});

/** Every alarm there is. A name, once released, keeps its meaning. */
export const ALARMS = {
  'audit-failed': state('critical', 0, MINUTE, 'the audit log cannot be written: no key is used'),
  'certificate-expiry': state(
    'warning',
    0,
    MINUTE,
    'a KMS or TLS certificate is near its end, or past it',
  ),
  'clear-call': state('warning', 0, MINUTE, 'a call runs without protection'),
  'clock-off': event('critical', 10 * MINUTE, 'the clock jumped, or messages of partners say so'),
  'group-key-refused': event('critical', HOUR, 'a group key of a partner was refused'),
  'idm-keys': state(
    'critical',
    0,
    0,
    'the key that signs access tokens is due to be replaced, or an old one to end, and cannot be',
  ),
  'inner-media-address': event(
    'critical',
    HOUR,
    'an SDP of the PBX named an address that is not allowed',
  ),
  'key-expiry': state('warning', 0, MINUTE, 'the last key of a group is near its end'),
  'partner-documents': state('warning', 30_000, 0, 'a group document of a partner cannot be read'),
  'partner-down': state('critical', 10_000, 30_000, 'no address of a partner answers'),
  'partner-idm-keys': state(
    'warning',
    30_000,
    0,
    "the keys of a partner's IdM cannot be fetched: no new one of its security tokens is taken",
  ),
  'partner-tokens': state(
    'warning',
    30_000,
    0,
    'a partner issues no access tokens, or its answers cannot be used',
  ),
  'pbx-down': state('critical', 3000, 10_000, 'the control link to the PBX is down'),
  'store-failed': state('critical', 0, MINUTE, 'the sealed store cannot be written'),
  'worker-lost': event('critical', 10 * MINUTE, 'a media worker ended and its calls with it'),
} as const satisfies Record<string, AlarmEntry>;

export type AlarmName = keyof typeof ALARMS;

export interface Alarms {
  /**
   * @param subject what it is about: a partner, a key, a session; empty where there is one only
   * @param text what is wrong; no secret
   */
  raise(name: AlarmName, subject: string, text: string): void;
  clear(name: AlarmName, subject: string): void;
}

export const silentAlarms: Alarms = { raise: () => undefined, clear: () => undefined };
