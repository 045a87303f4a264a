import assert from 'node:assert/strict';
import { SendingMemory, sendingKeyTag } from '../../src/keys/index.js';
import { MemoryBackend, openStore } from '../../src/store/index.js';
import { storeOptions } from '../store/support.js';

async function space() {
  const backend = new MemoryBackend();
  return { backend, records: (await openStore(storeOptions(backend))).space('sending') };
}

describe('memory of what was sent', () => {
  const tag = sendingKeyTag(new Uint8Array(16).fill(1), new Uint8Array(12));

  it('gives an SSRC once with one key, also after a restart', async () => {
    const { records } = await space();
    const memory = await SendingMemory.open(records);
    assert.deepEqual([await memory.claim(tag, 5), await memory.claim(tag, 5)], [true, false]);
    const again = await SendingMemory.open(records);
    assert.deepEqual([await again.claim(tag, 5), await again.claim(tag, 6)], [false, true]);
  });

  it('gives it to one of two who ask at once', async () => {
    const { records } = await space();
    const memory = await SendingMemory.open(records);
    const asked = [memory.claim(tag, 5), memory.claim(tag, 5), memory.claim(tag, 6)];
    assert.deepEqual(await Promise.all(asked), [true, false, true]);
    const again = await SendingMemory.open(records);
    assert.deepEqual([await again.claim(tag, 5), await again.claim(tag, 6)], [false, false]);
  });

  it('gives the same SSRC with another key', async () => {
    const { records } = await space();
    const memory = await SendingMemory.open(records);
    const other = sendingKeyTag(new Uint8Array(16).fill(2), new Uint8Array(12));
    assert.deepEqual([await memory.claim(tag, 5), await memory.claim(other, 5)], [true, true]);
  });

  it('sends no more with a key whose memory is damaged', async () => {
    const { records, backend } = await space();
    await (await SendingMemory.open(records)).claim(tag, 5);
    await backend.write([{ name: `r/sending/${tag}` }]);
    const again = await SendingMemory.open(records);
    await assert.rejects(again.claim(tag, 9), { code: 'SEGY_E_STORE' });
  });

  it('shows neither key nor salt in its tag', () => {
    assert.match(tag, /^[0-9a-f]{40}$/);
    assert.notEqual(tag, sendingKeyTag(new Uint8Array(16).fill(1), new Uint8Array(12).fill(1)));
  });
});
