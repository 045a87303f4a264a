import assert from 'node:assert/strict';
import { sendingMemoryOver } from '../../src/cli/sending-memory.js';
import { SendingMemory } from '../../src/keys/index.js';
import type { SrtpKeyMaterial } from '../../src/srtp/index.js';
import { MemoryBackend, openStore } from '../../src/store/index.js';
import { storeOptions } from '../store/support.js';

function keyWith(mkiOctets: number): SrtpKeyMaterial {
  return {
    suite: 'AEAD_AES_128_GCM',
    masterKey: new Uint8Array(16).fill(1),
    masterSalt: new Uint8Array(12).fill(2),
    mki: new Uint8Array(mkiOctets),
    rocRate: 0,
  };
}

describe('what the media engine sent', () => {
  it('is remembered after a restart for keys of groups, and only for those', async () => {
    const records = (await openStore(storeOptions(new MemoryBackend()))).space('sending');
    const [group, pck] = [keyWith(8), keyWith(4)];
    const memory = sendingMemoryOver(await SendingMemory.open(records));
    const first = [await memory.claim(group, 1), await memory.claim(pck, 1)];
    const repeated = [await memory.claim(group, 1), await memory.claim(pck, 1)];
    const again = sendingMemoryOver(await SendingMemory.open(records));
    const restarted = [await again.claim(group, 1), await again.claim(pck, 1)];
    assert.deepEqual(
      [first, repeated, restarted],
      [
        [true, true],
        [false, false],
        [false, true],
      ],
    );
    assert.equal(await again.claim(group, 2), true);
    assert.equal((await records.all()).records.length, 1);
  });
});
