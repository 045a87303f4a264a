import assert from 'node:assert/strict';
import { adviceOf, readRedirect, REDIRECT_PURPOSES, writeRedirect } from '../../src/kms/index.js';
import type { RedirectNames } from '../../src/kms/index.js';
import { operator } from '../xmldsig/support.js';
import { NOW } from './support.js';

const NAMES: RedirectNames = {
  purpose: 'Purpose',
  time: 'Time',
  userUri: 'User',
  refusedKmsUri: 'WrongKms',
  kmsUri: 'RightKms',
  'purpose.responder-kms-wrong': 'WrongIDRkmsr',
  'purpose.responder-kms-not-allowed': 'NotAllowedIDRkmsr',
  'purpose.initiator-kms-not-allowed': 'NotAllowedIDRkmsi',
};
const { signer, certificate } = operator();
const KEYS = { ecdsa: new Map([['operator', certificate.publicKey]]) };
const REDIRECT = {
  purpose: 'responder-kms-wrong' as const,
  time: new Date(NOW),
  userUri: 'sip:r1@radio.example',
  refusedKmsUri: 'kms.old.example',
  kmsUri: 'kms.segy.example',
};

describe('KMS Redirect Response', () => {
  it('gives back what was written, for each purpose', () => {
    for (const purpose of REDIRECT_PURPOSES) {
      const xml = writeRedirect({ ...REDIRECT, purpose }, NAMES)!;
      const expected = { ...REDIRECT, purpose, nested: null, signedBy: null };
      assert.deepEqual(readRedirect(xml, NAMES), expected);
      assert.match(adviceOf(readRedirect(xml, NAMES)), /kms\./);
    }
  });

  it('is not made where the profile does not name its elements', () => {
    assert.equal(writeRedirect(REDIRECT, {}), null);
    assert.equal(writeRedirect(REDIRECT, { purpose: 'Purpose' }), null);
  });

  it('leaves out what the profile does not name', () => {
    const names = Object.fromEntries(Object.entries(NAMES).filter(([key]) => key !== 'kmsUri'));
    assert.equal(writeRedirect(REDIRECT, names)!.includes('kms.segy.example'), false);
  });

  it('is refused with an element name that is none', () => {
    const names = { ...NAMES, userUri: 'a><b' };
    assert.throws(() => writeRedirect(REDIRECT, names), { code: 'SEGY_E_CONFIG' });
  });

  it('is signed by ECDSA with the X.509 certificate, and refused when changed or not signed', () => {
    const xml = writeRedirect(REDIRECT, NAMES, { signer })!;
    assert.equal(readRedirect(xml, NAMES, KEYS).signedBy, 'operator');
    const refused = { code: 'SEGY_E_XML_SIGNATURE' };
    const changed = xml.replace('kms.segy.example', 'kms.evil.example');
    assert.throws(() => readRedirect(changed, NAMES, KEYS), refused);
    assert.throws(() => readRedirect(writeRedirect(REDIRECT, NAMES)!, NAMES, KEYS), refused);
  });

  describe('nested in another', () => {
    const inner = writeRedirect(REDIRECT, NAMES, { signer })!;
    const outerFields = { ...REDIRECT, purpose: 'responder-kms-not-allowed' as const };
    const outer = writeRedirect({ ...outerFields, time: new Date(NOW + 1000) }, NAMES, {
      nested: inner,
      signer,
    })!;

    it('is read with each signature verified for itself', () => {
      const read = readRedirect(outer, NAMES, KEYS);
      assert.equal(read.purpose, 'responder-kms-not-allowed');
      assert.deepEqual(read.nested, { ...REDIRECT, nested: null, signedBy: 'operator' });
    });

    it('is refused when it was changed inside, or inside is not signed', () => {
      const refused = { code: 'SEGY_E_XML_SIGNATURE' };
      const changed = outer.replace('WrongIDRkmsr', 'NotAllowedIDRkmsi');
      assert.throws(() => readRedirect(changed, NAMES, KEYS), refused);
      const bare = writeRedirect(outerFields, NAMES, {
        nested: writeRedirect({ ...REDIRECT, time: new Date(1) }, NAMES)!,
        signer,
      })!;
      assert.throws(() => readRedirect(bare, NAMES, KEYS), refused);
    });

    it('is refused deeper than four levels', () => {
      let xml = inner;
      for (let i = 1; i < 5; i += 1) {
        xml = writeRedirect({ ...REDIRECT, time: new Date(NOW + i) }, NAMES, { nested: xml })!;
      }
      assert.throws(() => readRedirect(xml, NAMES), { code: 'SEGY_E_KMS_DOCUMENT' });
    });
  });

  it('with another root, another namespace, or a field twice is refused', () => {
    const xml = writeRedirect(REDIRECT, NAMES)!;
    const bad = [
      xml.replaceAll('KmsRedirectResponse', 'KmsResponse'),
      xml.replace('mcsecKMSKRR', 'mcsecKMSInterface'),
      xml.replace(/(<User>.*<\/User>)/, '$1$1'),
    ];
    for (const each of bad) {
      assert.throws(() => readRedirect(each, NAMES), { code: 'SEGY_E_KMS_DOCUMENT' });
    }
  });
});
