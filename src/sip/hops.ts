/** Max-Forwards and loops, for whoever passes requests on. */
import { SegyError } from '../base/errors.js';
import { parseMaxForwards } from './fields.js';
import type { SipHeaders } from './headers.js';

const DEFAULT_HOPS = 70;

/**
 * Takes one from Max-Forwards; puts 70 where there is none (RFC 3261 clause 16.6).
 * @throws SegyError SEGY_E_SIP_TOO_MANY_HOPS (483) when it is zero already, SEGY_E_SIP_SYNTAX
 */
export function decrementMaxForwards(headers: SipHeaders): void {
  const value = headers.get('Max-Forwards');
  const hops = value === undefined ? DEFAULT_HOPS + 1 : parseMaxForwards(value);
  if (hops === 0) throw new SegyError('SEGY_E_SIP_TOO_MANY_HOPS', 'Max-Forwards is zero');
  headers.set('Max-Forwards', String(hops - 1));
}
