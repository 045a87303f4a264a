/** The methods that the edge takes, and where: what Allow says (RFC 3261 clauses 11.2 and 21.4.6). */
import type { PartnerConfig } from '../../config/index.js';

/** Methods the edge passes within a dialog, and ACK and CANCEL, which end at it. */
const CALL_METHODS: readonly string[] = [
  'INVITE',
  'ACK',
  'CANCEL',
  'BYE',
  'PRACK',
  'UPDATE',
  'INFO',
  'OPTIONS',
];

/** What a transfer is made of; passed where the partner's profile lets calls be transferred. */
export const TRANSFER_METHODS: readonly string[] = ['REFER', 'NOTIFY', 'SUBSCRIBE'];

/** Methods that may bring group keys, outside a dialog or within a subscription. */
export const KEY_METHODS: readonly string[] = ['MESSAGE', 'NOTIFY'];

/** What of a call says whether it may be transferred. */
export interface Transferable {
  readonly partner: Pick<PartnerConfig, 'refer'>;
  /** MC group ID; null for a private call */
  readonly group: string | null;
}

/** Whether a call may be transferred: a private one, of a partner whose profile lets it. */
export function takesTransfers({ partner, group }: Transferable): boolean {
  return partner.refer === 'pass' && group === null;
}

/** Methods passed within a dialog of a call. */
export function methodsWith(transfers: boolean): readonly string[] {
  return transfers ? [...CALL_METHODS, ...TRANSFER_METHODS] : CALL_METHODS;
}
