/**
 * The clock window of T: how far a message's time may be from ours. Group keys live long and are sent
 * again, so for them T may lie anywhere in the current or the previous key period.
 */
import { SegyError } from '../base/errors.js';
import type { KmsCertificate } from '../kms/index.js';
import { periodsAround } from './addressee.js';
import type { KeyType } from './key-types.js';

export interface WindowRules {
  /** PCK, CSK and other keys of a call or session: T at most this much ahead of our clock, ms */
  readonly aheadMs: number;
  /** and at most this much behind it, ms */
  readonly behindMs: number;
  /** group keys: T at most this much ahead, ms */
  readonly groupAheadMs: number;
}

export const DEFAULT_WINDOW: WindowRules = {
  aheadMs: 300_000,
  behindMs: 300_000,
  groupAheadMs: 300_000,
};

/** Keys that a group's members share. */
const GROUP_KEYS: readonly KeyType[] = ['GMK', 'MKFC', 'MSCCK'];

function refuse(what: string): never {
  throw new SegyError('SEGY_E_MIKEY_WINDOW', what);
}

/**
 * @param certificate of the responder's KMS, whose key periods hold for group keys
 * @throws SegyError SEGY_E_MIKEY_WINDOW; PERIOD for a time before the KMS's first period
 */
export function checkWindow(
  keyType: KeyType,
  timestampMs: number,
  nowMs: number,
  certificate: KmsCertificate,
  rules: WindowRules = DEFAULT_WINDOW,
): void {
  const aheadMs = timestampMs - nowMs;
  if (GROUP_KEYS.includes(keyType)) {
    if (aheadMs > rules.groupAheadMs) refuse('T is ahead of the clock');
    const [period = 0n] = periodsAround(certificate, timestampMs);
    const [current = 0n] = periodsAround(certificate, nowMs);
    if (period < current - 1n) {
      refuse('T lies before the previous key period');
    }
    return;
  }
  if (aheadMs > rules.aheadMs) refuse('T is ahead of the clock');
  if (-aheadMs > rules.behindMs) refuse('T is behind the clock');
}
