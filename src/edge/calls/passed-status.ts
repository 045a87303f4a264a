/**
 * What the final response of one side to an INVITE says on the other.
 */
import type { SipResponse } from '../../sip/index.js';
import type { Side } from '../dependencies.js';

/**
 * The status that is passed on:
 *
 * | response       | becomes | reason                                                                  |
 * |----------------|---------|-------------------------------------------------------------------------|
 * | 401, 407       | 403     | a challenge names a realm of the other side and cannot be met across us |
 * | 3xx            | 480     | where it names nobody whom the caller can reach                         |
 * | 503 of the PBX | 500     | one trunk or call has no room, and a partner would take a 503 for the   |
 * |                |         | whole gateway (RFC 3261 clauses 16.7 and 21.5.4)                        |
 *
 * @param from the side that refused
 */
export function passedStatus(status: number, from: Side, canFollow: boolean): number {
  if (status === 401 || status === 407) return 403;
  if (status === 503 && from === 'inner') return 500;
  return status < 400 && !canFollow ? 480 : status;
}

/** A wait that the other side asks for is not ours to promise: no longer than ours, in seconds. */
export function capRetryAfter(response: SipResponse, limitSeconds: number): void {
  const asked = response.headers.get('Retry-After');
  if (asked === undefined) return;
  response.headers.set('Retry-After', String(Math.min(Number(asked), limitSeconds)));
}
