/** The media engine's memory of what was sent: on disk for keys that outlive the program. */
import { sendingKeyTag } from '../keys/index.js';
import type { SendingMemory as StoredMemory } from '../keys/index.js';
import { createSendingMemory } from '../media/index.js';
import type { SendingMemory } from '../media/index.js';

/** GMK-ID and GUK-ID (TS 33.180 clause 7.4): only a key of a group, which is kept, has such an MKI. */
const GROUP_MKI_OCTETS = 8;

/** Claims under keys of groups go to `stored`; PCKs end with their call, and no restart meets them again. */
export function sendingMemoryOver(stored: Pick<StoredMemory, 'claim'>): SendingMemory {
  const passing = createSendingMemory();
  return {
    claim: (key, ssrc) =>
      key.mki.length === GROUP_MKI_OCTETS
        ? stored.claim(sendingKeyTag(key.masterKey, key.masterSalt), ssrc)
        : passing.claim(key, ssrc),
  };
}
