/**
 * Remembers every (master key, SSRC) pair that was used for sending, so that none is drawn twice and
 * no nonce repeats when one master key serves several sessions, or this program starts again.
 */
import { createHash } from 'node:crypto';
import type { RandomBytes } from '../base/environment.js';
import { toHex } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import type { SrtpKeyMaterial } from '../srtp/index.js';

/** Implemented over a store for keys that outlive the program (GMK), in memory for the others. */
export interface SendingMemory {
  /**
   * True when the pair was unused and is now recorded, durably where the key is durable.
   * @param key not to be kept
   */
  claim(key: SrtpKeyMaterial, ssrc: number): boolean | Promise<boolean>;
  /**
   * An SSRC that was unused under the key and is now recorded, where the memory itself deals them
   * out; null where any may be claimed.
   */
  deal?(key: SrtpKeyMaterial, random: RandomBytes): Promise<number | null>;
}

/** Names a master key without being usable as one. */
function sendingKeyName(masterKey: Uint8Array): string {
  const digest = createHash('sha256').update('segy sending memory').update(masterKey).digest();
  return toHex(digest.subarray(0, 16));
}

/**
 * For keys that live no longer than the program.
 * @param keys master keys remembered; the one unused longest is forgotten first
 */
export function createSendingMemory(keys = 65_536): SendingMemory {
  const used = new Map<string, Set<number>>();
  return {
    claim({ masterKey }, ssrc) {
      const name = sendingKeyName(masterKey);
      const ssrcs = used.get(name) ?? new Set<number>();
      if (ssrcs.has(ssrc)) return false;
      ssrcs.add(ssrc);
      used.delete(name);
      used.set(name, ssrcs);
      if (used.size > keys) {
        const oldest = used.keys().next();
        if (oldest.done !== true) used.delete(oldest.value);
      }
      return true;
    },
  };
}

const DRAWS = 64;

/** A random SSRC never used under the key before. @throws SegyError SEGY_E_MEDIA when none is found */
export async function drawSsrc(
  memory: SendingMemory,
  key: SrtpKeyMaterial,
  random: RandomBytes,
): Promise<number> {
  const dealt = await memory.deal?.(key, random);
  if (typeof dealt === 'number') return dealt;
  for (let i = 0; i < DRAWS; i++) {
    const ssrc = Buffer.from(random(4)).readUInt32BE();
    if (ssrc !== 0 && (await memory.claim(key, ssrc))) return ssrc;
  }
  throw new SegyError('SEGY_E_MEDIA', 'no unused SSRC was found for the sending key');
}
