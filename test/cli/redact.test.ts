import assert from 'node:assert/strict';
import { redact } from '../../src/cli/redact.js';

const ALL = { addresses: true, identities: true };

describe('redact', () => {
  it('gives an address the same other name wherever it stands, and leaves loopback', () => {
    const given = {
      a: 'udp 192.0.2.1:5060 and 198.51.100.7',
      b: ['2001:db8::1', '[2001:db8::1]:5061', '127.0.0.2', '::1', '192.0.2.1'],
      '192.0.2.1': 1,
    };
    assert.deepEqual(redact(given, { addresses: true, identities: false }), {
      a: 'udp address-1:5060 and address-2',
      b: ['address-3', '[address-3]:5061', '127.0.0.2', '::1', 'address-1'],
      'address-1': 1,
    });
  });

  it('takes no time or version for an address', () => {
    const text = '2026-01-02T03:04:05.678Z v20.19.0 1.2.3 03:04:05 0a:1b';
    assert.equal(redact(text, ALL), text);
  });

  it('takes out who calls when told, and keeps the domain', () => {
    const given = 'sip:alice@mc-a.example sips:bob;x=1@b.example tel:+4912345';
    assert.equal(redact(given, ALL), 'sip:user-1@mc-a.example sips:bob;x=1@b.example tel:user-2');
    assert.equal(redact(given, { addresses: true, identities: false }), given);
  });

  it('leaves no secret in, whatever else is told to stay', () => {
    const given = {
      password: 'x1',
      passwordFile: '/etc/segy/ari.secret',
      nested: { bearerToken: 'x2', url: 'https://u:x3@h.example/p?key=x4', list: ['x5 stays'] },
    };
    const told = JSON.stringify(redact(given, { addresses: false, identities: false }));
    assert.doesNotMatch(told, /x1|x2|x3|x4/);
    assert.match(told, /ari\.secret.*https:\/\/h\.example\/p.*x5 stays/);
  });
});
