import assert from 'node:assert/strict';
import { uintToBytes } from '../../src/base/bytes.js';
import { SendingMemory, sendingKeyTag } from '../../src/keys/index.js';
import { MemoryBackend, openStore } from '../../src/store/index.js';
import { storeOptions } from '../store/support.js';

/** A random source that gives these 32-bit numbers in turn. */
function numbers(...values: number[]): (count: number) => Uint8Array {
  return () => uintToBytes(values.shift()!, 4);
}

async function space() {
  const backend = new MemoryBackend();
  return { backend, records: (await openStore(storeOptions(backend))).space('sending') };
}

describe('memory of what was sent', () => {
  const tag = sendingKeyTag(new Uint8Array(16).fill(1), new Uint8Array(12));

  it('draws no SSRC twice with one key, also after a restart', async () => {
    const { records } = await space();
    const memory = await SendingMemory.open(records, numbers(5, 5, 6));
    assert.deepEqual([await memory.draw(tag), await memory.draw(tag)], [5, 6]);
    const again = await SendingMemory.open(records, numbers(6, 5, 0, 7));
    assert.equal(await again.draw(tag), 7);
  });

  it('draws different SSRCs when asked twice at once', async () => {
    const { records } = await space();
    const memory = await SendingMemory.open(records, numbers(5, 5, 6));
    assert.deepEqual(await Promise.all([memory.draw(tag), memory.draw(tag)]), [5, 6]);
    const again = await SendingMemory.open(records, numbers(5, 6, 8));
    assert.equal(await again.draw(tag), 8);
  });

  it('may draw the same SSRC with another key', async () => {
    const { records } = await space();
    const memory = await SendingMemory.open(records, numbers(5, 5));
    const other = sendingKeyTag(new Uint8Array(16).fill(2), new Uint8Array(12));
    assert.deepEqual([await memory.draw(tag), await memory.draw(other)], [5, 5]);
  });

  it('sends no more with a key whose memory is damaged', async () => {
    const { records, backend } = await space();
    await (await SendingMemory.open(records, numbers(5))).draw(tag);
    await backend.write([{ name: `r/sending/${tag}` }]);
    const again = await SendingMemory.open(records, numbers(9));
    await assert.rejects(again.draw(tag), { code: 'SEGY_E_STORE' });
  });

  it('shows neither key nor salt in its tag', () => {
    assert.match(tag, /^[0-9a-f]{40}$/);
    assert.notEqual(tag, sendingKeyTag(new Uint8Array(16).fill(1), new Uint8Array(12).fill(1)));
  });
});
