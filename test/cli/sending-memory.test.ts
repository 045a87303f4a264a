import assert from 'node:assert/strict';
import { sendingMemoryOver } from '../../src/cli/sending-memory.js';
import { systemRandom } from '../../src/base/environment.js';
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

  it('is dealt out for a signalling key, from one block a run, and never twice over a restart', async () => {
    const records = (await openStore(storeOptions(new MemoryBackend()))).space('sending');
    const spk = { ...keyWith(4), mki: new Uint8Array([0x30, 0, 0, 1]) };
    const random = (count: number): Uint8Array => new Uint8Array(systemRandom(count));
    const seen = new Set<number>();
    for (let run = 0; run < 3; run++) {
      const memory = sendingMemoryOver(await SendingMemory.open(records));
      const dealt: (number | null)[] = [];
      for (let i = 0; i < 50; i++) dealt.push((await memory.deal?.(spk, random)) ?? null);
      for (const ssrc of dealt) seen.add(ssrc ?? -1);
      assert.equal(new Set(dealt.map((ssrc) => (ssrc ?? 0) >>> 16)).size, 1);
    }
    assert.equal(seen.size, 150);
    const memory = sendingMemoryOver(await SendingMemory.open(records));
    assert.equal(await memory.deal?.(keyWith(8), random), null);
    assert.equal(
      await memory.deal?.({ ...keyWith(4), mki: new Uint8Array([0x10, 0, 0, 1]) }, random),
      null,
    );
  });
});
