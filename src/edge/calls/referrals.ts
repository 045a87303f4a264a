/**
 * The subscriptions that transfers leave behind (RFC 3515): each REFER that is passed lets the other
 * side report on it by NOTIFY in the same dialog. Here is who may report on what, and what of a
 * report passes: its event, its state, and of the sipfrag (RFC 3420) the status alone.
 */
import type { Clock } from '../../base/environment.js';
import { SegyError } from '../../base/errors.js';
import { parseValueWithParams, reasonPhrase } from '../../sip/index.js';
import type { Side } from '../dependencies.js';

export const SIPFRAG_TYPE = 'message/sipfrag';

/** A subscription lives this long unless a report names another time, in milliseconds. */
const LIFETIME_MS = 180_000;
/** The longest time that a report may name, in seconds. */
const MAX_SECONDS = 3600;
/** Reports on one transfer. */
const MAX_REPORTS = 64;

const STATUS_LINE = /^SIP\/2\.0 ([1-6][0-9]{2})(?:[ \r\n]|$)/;
const STATES = new Set(['active', 'pending', 'terminated']);
/** Reasons of RFC 6665 clause 4.1.3. */
const REASONS = new Set([
  'deactivated',
  'probation',
  'rejected',
  'timeout',
  'giveup',
  'noresource',
  'invariant',
]);

/** One transfer under way. */
export interface Referral {
  /** side whose REFER it was, which is told of it */
  readonly from: Side;
  /** CSeq of the REFER, the `id` of its events */
  readonly cseq: number;
  /** milliseconds since 1970 */
  endsAt: number;
  reports: number;
}

/** What the Subscription-State of a report says. */
export interface ReportState {
  /** the header, in our words */
  readonly text: string;
  readonly isLast: boolean;
  /** in seconds; null where none is named */
  readonly expires: number | null;
}

/** The transfers of one dialog; they end with it. */
export class Referrals {
  readonly #clock: Clock;
  readonly #open = new Set<Referral>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws SegyError SEGY_E_BUSY when `limit` transfers are under way */
  open(from: Side, cseq: number, limit: number): Referral {
    this.#expire();
    if (this.#open.size >= limit) {
      throw new SegyError('SEGY_E_BUSY', 'the call has too many transfers under way');
    }
    const referral = { from, cseq, endsAt: this.#clock.now() + LIFETIME_MS, reports: 0 };
    this.#open.add(referral);
    return referral;
  }

  /**
   * The transfer of `from` that an Event header means; without an id the oldest one.
   * @throws SegyError SEGY_E_SIP_NO_DIALOG where there is none, SEGY_E_SIP_SYNTAX
   */
  find(from: Side, event: string): Referral {
    this.#expire();
    const id = eventId(event);
    for (const referral of this.#open) {
      if (referral.from === from && (id === null || referral.cseq === id)) return referral;
    }
    throw new SegyError('SEGY_E_SIP_NO_DIALOG', 'the event belongs to no transfer of this call');
  }

  /**
   * Counts one report and takes its new expiry.
   * @throws SegyError SEGY_E_BUSY when there were too many; the subscription has ended then
   */
  reported(referral: Referral, { isLast, expires }: ReportState): void {
    referral.reports += 1;
    if (expires !== null) referral.endsAt = this.#clock.now() + expires * 1000;
    if (isLast || referral.reports > MAX_REPORTS) this.close(referral);
    if (referral.reports > MAX_REPORTS) {
      throw new SegyError('SEGY_E_BUSY', 'there were too many reports on one transfer');
    }
  }

  close(referral: Referral): void {
    this.#open.delete(referral);
  }

  #expire(): void {
    const now = this.#clock.now();
    for (const referral of this.#open) if (referral.endsAt <= now) this.#open.delete(referral);
  }
}

/** The `id` of an event `refer`; null without one. */
function eventId(event: string): number | null {
  const { value, params } = parseValueWithParams(event);
  const id = params.get('id');
  if (value.toLowerCase() !== 'refer' || (typeof id === 'string' && !/^[0-9]{1,10}$/.test(id))) {
    throw new SegyError('SEGY_E_SIP_NO_DIALOG', 'the event is no transfer of this call');
  }
  return typeof id === 'string' ? Number(id) : null;
}

/** The Event header of a transfer; `like` is the other side's, which named an id or did not. */
export function writeEvent({ cseq }: Referral, like: string): string {
  return eventId(like) === null ? 'refer' : `refer;id=${cseq}`;
}

/** @throws SegyError SEGY_E_SIP_SYNTAX */
export function readReportState(header: string): ReportState {
  const { value, params } = parseValueWithParams(header);
  const state = value.toLowerCase();
  if (!STATES.has(state)) throw new SegyError('SEGY_E_SIP_SYNTAX', 'no known Subscription-State');
  const isLast = state === 'terminated';
  const seconds = /^[0-9]{1,10}$/.exec(params.get('expires') ?? '')?.[0];
  const expires = seconds === undefined ? null : Math.min(Number(seconds), MAX_SECONDS);
  const reason = (params.get('reason') ?? '').toLowerCase();
  const text =
    state +
    (expires === null || isLast ? '' : `;expires=${expires}`) +
    (REASONS.has(reason) ? `;reason=${reason}` : '');
  return { text, isLast, expires };
}

/**
 * A sipfrag as the other side may see it: its status line, with the registered reason.
 * @throws SegyError SEGY_E_SIP_BODY when it does not begin with one
 */
export function reduceSipfrag(body: Uint8Array): string {
  const status = STATUS_LINE.exec(Buffer.from(body.subarray(0, 16)).toString('latin1'))?.[1];
  if (status === undefined) {
    throw new SegyError('SEGY_E_SIP_BODY', 'a sipfrag begins with no status line');
  }
  return `SIP/2.0 ${status} ${reasonPhrase(Number(status))}\r\n`;
}
