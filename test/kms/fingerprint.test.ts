import assert from 'node:assert/strict';
import { FINGERPRINT_WORDS } from '../../src/kms/fingerprint-words.js';
import { fingerprintMatches, fingerprintOf } from '../../src/kms/index.js';
import type { KmsCertificate } from '../../src/kms/index.js';
import { partnerCertificate } from './support.js';

describe('fingerprint words', () => {
  it('are 256 different words of three to eight letters in alphabetical order', () => {
    assert.equal(new Set(FINGERPRINT_WORDS).size, 256);
    assert.deepEqual([...FINGERPRINT_WORDS].sort(), FINGERPRINT_WORDS);
    for (const word of FINGERPRINT_WORDS) assert.match(word, /^[a-z]{3,8}$/);
  });

  it('differ from each other by more than one exchanged letter', () => {
    const blanked = new Map<string, string>();
    for (const word of FINGERPRINT_WORDS) {
      for (let i = 0; i < word.length; i += 1) {
        const pattern = `${word.slice(0, i)}_${word.slice(i + 1)}`;
        assert.equal(blanked.get(pattern), undefined, `${word} and ${blanked.get(pattern) ?? ''}`);
        blanked.set(pattern, word);
      }
    }
  });
});

describe('fingerprint', () => {
  const certificate = partnerCertificate();
  const fingerprint = fingerprintOf(certificate);

  it('has 64 hex digits, and a word for each of its first 16 octets', () => {
    assert.match(fingerprint.hex, /^[0-9a-f]{64}$/);
    const octets = fingerprint.words.split(' ').map((word) => FINGERPRINT_WORDS.indexOf(word));
    assert.equal(Buffer.from(octets).toString('hex'), fingerprint.hex.slice(0, 32));
  });

  const changes: Record<string, Partial<KmsCertificate>> = {
    'the KMS URI': { kmsUri: 'kms.mc-b.example' },
    'the key period': { userKeyPeriod: 1n },
    'the key offset': { userKeyOffset: 1n },
    Z: { pubEncKey: Uint8Array.from(certificate.pubEncKey, (o, i) => (i === 200 ? o ^ 1 : o)) },
    KPAK: { pubAuthKey: Uint8Array.from(certificate.pubAuthKey, (o, i) => (i === 60 ? o ^ 1 : o)) },
    'being a gateway': { isSecurityGateway: true },
    'its begin': { validFrom: new Date(0) },
    'its end': { validTo: new Date(1e12) },
    'its domains': { domains: ['mc-a.example', 'mc-b.example'] },
    'the split of its domains': { domains: ['mc-a', '.example'] },
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`changes with ${what}`, () => {
      assert.notEqual(fingerprintOf({ ...certificate, ...change }).hex, fingerprint.hex);
    });
  }

  it('is the same whichever KMS delivered the certificate', () => {
    const delivered = { ...certificate, role: 'Root' as const, id: 'x', version: '9', issuer: 'y' };
    assert.equal(fingerprintOf({ ...delivered, certUri: 'z' }).hex, fingerprint.hex);
  });

  it('is recognised as people type it', () => {
    const spaced = fingerprint.hex.toUpperCase().replace(/(..)(?=.)/g, '$1:');
    assert.equal(fingerprintMatches(fingerprint, spaced), true);
    assert.equal(fingerprintMatches(fingerprint, ` ${fingerprint.words.toUpperCase()}\n`), true);
    assert.equal(fingerprintMatches(fingerprint, fingerprint.words.replaceAll(' ', '-')), true);
  });

  it('is not recognised with one digit or one word changed', () => {
    const digit = fingerprint.hex.startsWith('0') ? '1' : '0';
    assert.equal(fingerprintMatches(fingerprint, digit + fingerprint.hex.slice(1)), false);
    const words = fingerprint.words.split(' ');
    words[5] = words[5] === 'zinc' ? 'zebra' : 'zinc';
    assert.equal(fingerprintMatches(fingerprint, words.join(' ')), false);
  });

  it('is refused in part, or with a word that is not on the list', () => {
    for (const text of ['', fingerprint.hex.slice(0, 16), fingerprint.words.slice(0, -8), 'a b']) {
      assert.throws(() => fingerprintMatches(fingerprint, text), {
        code: 'SEGY_E_KMS_FINGERPRINT',
      });
    }
  });
});
