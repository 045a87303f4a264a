/** What the Subscription-State of a NOTIFY says to the subscriber (RFC 6665 clause 4.1.3). */

export type SubscriptionState =
  /** it goes on; `expires` is what is left of its time in seconds, null where that is not said */
  | { readonly expires: number | null }
  /** it is over; `waitMs` before it is asked for anew */
  | { readonly reason: string; readonly waitMs: number };

/** Seconds before a new subscription where the notifier names none. */
const WAITS = new Map([
  ['deactivated', 0],
  ['timeout', 0],
  ['probation', 60],
  ['giveup', 60],
]);
/** Reasons after which another attempt would meet the same answer, until an operator steps in. */
const FINAL: readonly string[] = ['rejected', 'noresource', 'invariant'];
const FINAL_SECONDS = 3_600;
const DEFAULT_SECONDS = 2;
/** Even `deactivated` over and over makes no loop. */
const LEAST_MS = 500;

export function readSubscriptionState(text: string): SubscriptionState {
  const [state = '', ...params] = text.toLowerCase().replace(/\s/g, '').split(';');
  const value = (name: string): string | undefined =>
    params.find((param) => param.startsWith(`${name}=`))?.slice(name.length + 1);
  const seconds = (name: string): number | null => {
    const digits = value(name) ?? '';
    return /^[0-9]{1,6}$/.test(digits) ? Number(digits) : null;
  };
  if (state !== 'terminated') return { expires: seconds('expires') };
  const reason = value('reason') ?? '';
  const named = seconds('retry-after');
  const wait = FINAL.includes(reason)
    ? Math.max(named ?? 0, FINAL_SECONDS)
    : (named ?? WAITS.get(reason) ?? DEFAULT_SECONDS);
  return { reason, waitMs: Math.max(1000 * wait, LEAST_MS) };
}
