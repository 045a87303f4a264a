import assert from 'node:assert/strict';
import { hostOf, lieInKmsDomains } from '../../src/mikey/index.js';
import { domainA } from '../support/mikey-scene.js';

describe('the domain of an initiator', () => {
  const hosts: readonly (readonly [string, string | undefined])[] = [
    ['sip:alice@mc-a.example', 'mc-a.example'],
    ['SIPS:alice@MC-A.Example:5061;user=phone?x=y', 'mc-a.example'],
    ['sip:+1;phone-context=evil.example@mc-a.example', 'mc-a.example'],
    ['gms@mc-a.example', 'mc-a.example'],
    ['sip:gms.mc-a.example', 'gms.mc-a.example'],
    ['gms.mc-a.example', 'gms.mc-a.example'],
    ['https://mc-a.example/gms', 'mc-a.example'],
    ['sip:alice@[2001:db8::1]:5060', '[2001:db8::1]'],
    ['tel:+441234567', undefined],
    ['sip:alice@mc-a.example@evil.example', undefined],
    ['sip:alice@mc-a.example:x', undefined],
    ['sip:', undefined],
  ];
  for (const [uri, host] of hosts) {
    it(`of ${uri} is ${host ?? 'none'}`, () => assert.equal(hostOf(uri), host));
  }

  const { certificate } = domainA;
  const within = (uri: string): boolean => lieInKmsDomains(uri, certificate);

  it('lies in the list only where it equals a domain of it', () => {
    assert.ok(within('sip:alice@mc-a.example') && within('sip:alice@MC-A.EXAMPLE'));
    for (const attack of [
      'sip:alice@mc-b.example',
      'sip:alice@evil-mc-a.example',
      'sip:alice@mc-a.example.evil.example',
      'sip:mc-a.example@evil.example',
      'sip:mc-a.example;x@evil.example',
      'sip:mc-a.example/@evil.example',
      'sip:mc-a.example?x@evil.example',
      'sip:alice@mc-a.example@evil.example',
      'tel:+441234567',
    ]) {
      assert.ok(!within(attack), attack);
    }
  });

  it('is not asked for where the certificate has no list', () => {
    assert.ok(lieInKmsDomains('tel:+441234567', { ...certificate, domains: [] }));
  });

  it('may be listed as a URI', () => {
    const listed = { ...certificate, domains: ['sip:mc-a.example'] };
    assert.ok(lieInKmsDomains('sip:alice@mc-a.example', listed));
  });
});
