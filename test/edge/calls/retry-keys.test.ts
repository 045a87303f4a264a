import assert from 'node:assert/strict';
import { fromHex } from '../../../src/base/bytes.js';
import { CallKey } from '../../../src/edge/calls/call-key.js';
import { RetryKeys } from '../../../src/edge/calls/retry-keys.js';
import { fakeMessage } from '../support/fakes.js';

const MESSAGE = fakeMessage('10000001', 'sip:a@b');

function entry() {
  const key = CallKey.fromOurs({
    message: MESSAGE,
    key: new Uint8Array(16).fill(1),
    keyId: fromHex('10000001'),
    rand: new Uint8Array(16),
    policy: {
      encryption: 'AES-GCM',
      keyLength: 16,
      saltLength: 12,
      tagLength: 16,
      authentication: 'none',
      roc: null,
    },
  });
  return { key, caller: { uri: 'sip:a@b', user: 'a', host: 'b' }, callee: 'sip:c@d' };
}

const isWiped = (key: CallKey): boolean => key.receive.masterKey.every((octet) => octet === 0);

describe('edge/retry-keys', () => {
  let fire: () => void = () => undefined;
  const timers = {
    setTimeout: (callback: () => void) => {
      fire = callback;
      return 1;
    },
    clearTimeout: () => undefined,
  };

  it('gives a key once, and only to the same message, dialog and callee', () => {
    const keys = new RetryKeys(timers, 1000);
    const kept = entry();
    keys.keep('dialog', kept);
    assert.equal(keys.take('other', MESSAGE, 'sip:c@d'), null);
    assert.equal(keys.take('dialog', MESSAGE.slice(1), 'sip:c@d'), null);
    assert.equal(keys.take('dialog', MESSAGE, 'sip:x@d'), null);
    assert.equal(keys.take('dialog', MESSAGE, 'sip:c@d')?.key, kept.key);
    assert.equal(keys.take('dialog', MESSAGE, 'sip:c@d'), null);
    assert.equal(isWiped(kept.key), false);
  });

  it('wipes a key that nobody came for, one that is replaced, and all at the end', () => {
    const keys = new RetryKeys(timers, 1000);
    const [late, replaced, last] = [entry(), entry(), entry()];
    keys.keep('late', late);
    fire();
    keys.keep('dialog', replaced);
    keys.keep('dialog', last);
    assert.deepEqual(
      [late, replaced, last].map(({ key }) => isWiped(key)),
      [true, true, false],
    );
    keys.clear();
    assert.equal(isWiped(last.key), true);
  });

  it('keeps a bounded number', () => {
    const keys = new RetryKeys(timers, 1000);
    const first = entry();
    keys.keep('first', first);
    for (let i = 0; i < 256; i += 1) keys.keep(`dialog-${i}`, entry());
    assert.equal(isWiped(first.key), true);
  });
});
