/** What the key ring goes by when it names keys, joins what messages say of one, and chooses between several. */
import { equalBytes, toHex } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import type { KeyType } from '../mikey/index.js';
import { isRevoked } from './held-key.js';
import type { HeldKey } from './held-key.js';

/** RANDs of one key: each is one more try for the first packets of every talker. */
const MAX_RANDS = 4;
/** Keys of many members, whose distributor may send one with a RAND for each. */
export const SHARED_KEYS: ReadonlySet<KeyType> = new Set<KeyType>([
  'GMK',
  'MKFC',
  'MSCCK',
  'MuSiK',
]);

/** Names one key: PCKs of different calls may share an identifier, so the dialog counts too. */
export interface KeyName {
  readonly partner: string;
  readonly keyId: Uint8Array;
  readonly dialog?: string;
}

export function nameOf({ partner, keyId, dialog = '' }: KeyName): string {
  return dialog === '' ? `${partner}/${toHex(keyId)}` : `${partner}/${toHex(keyId)}/${dialog}`;
}

/**
 * The RANDs of a key and one more, unless the key ends anyway.
 * @throws SegyError SEGY_E_KEY_CONFLICT when it may not have it
 */
export function randsWith(
  held: HeldKey,
  { rand, ...offered }: Pick<HeldKey, 'rand' | 'status'>,
): readonly Uint8Array[] {
  const rands = [held.rand, ...held.otherRands];
  if (rands.some((known) => equalBytes(known, rand))) return rands;
  if (isRevoked(offered)) return rands;
  if (!SHARED_KEYS.has(held.keyType) || rands.length >= MAX_RANDS) {
    throw new SegyError('SEGY_E_KEY_CONFLICT', 'the key is held with another RAND');
  }
  return [...rands, rand];
}

/** The groups that any of these messages calls regrouped. */
export function regroupedOf(...keys: readonly HeldKey[]): Pick<HeldKey, 'constituents'> {
  const constituents = [...new Set(keys.flatMap((key) => key.constituents ?? []))];
  return constituents.length === 0 ? {} : { constituents };
}

export function without(rands: readonly Uint8Array[], rand: Uint8Array): readonly Uint8Array[] {
  return rands.filter((known) => !equalBytes(known, rand));
}

export function bySendingOrder(a: HeldKey, b: HeldKey): number {
  return (
    b.activation.getTime() - a.activation.getTime() ||
    b.stamp.getTime() - a.stamp.getTime() ||
    toHex(b.keyId).localeCompare(toHex(a.keyId))
  );
}
