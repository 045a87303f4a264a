import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signXml, verifySignedXml } from '../../src/xmldsig/index.js';
import type { TrustedKeys } from '../../src/xmldsig/index.js';
import { withFolder } from '../store/support.js';
import { assertCheap } from '../support/effort.js';
import { fixture, HMAC_KEY, HMAC_SIGNER, needTool, operator, runTool } from './support.js';

const DOCUMENT = '<S xmlns="urn:k" xmlns:u="urn:u" Id="s1"><C Id="c1"><V>1</V></C></S>';
const HMAC: TrustedKeys = { hmac: new Map([['ink.1', HMAC_KEY]]) };
const ECDSA: TrustedKeys = { ecdsa: new Map([['operator', operator().certificate.publicKey]]) };
const SIGNED = signXml(DOCUMENT, HMAC_SIGNER);
const SIGNATURE = /<ds:Signature [\s\S]*<\/ds:Signature>/.exec(SIGNED)![0];
const REFUSED = { code: 'SEGY_E_XML_SIGNATURE' };

describe('XML signature', () => {
  it('by HMAC-SHA256 verifies under the shared key of its name', () => {
    const { xml, signedBy } = verifySignedXml(SIGNED, HMAC);
    assert.equal(signedBy, 'ink.1');
    assert.equal(xml, DOCUMENT);
  });

  it('by ECDSA P-256 verifies under the certificate that the operator named', () => {
    const signed = signXml(DOCUMENT, operator().signer);
    assert.equal(verifySignedXml(signed, ECDSA).signedBy, 'operator');
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
    const trusted = { ecdsa: new Map([['other', other]]) };
    assert.throws(() => verifySignedXml(signed, trusted), REFUSED);
  });

  it('does not verify under another key, another key name, or none', () => {
    const other = HMAC_KEY.map((octet) => octet ^ 1);
    for (const hmac of [new Map([['ink.1', other]]), new Map([['ink.2', HMAC_KEY]]), new Map()]) {
      assert.throws(() => verifySignedXml(SIGNED, { hmac }), REFUSED);
    }
  });

  it('is not made with a short key, a foreign certificate, or without an Id', () => {
    const argument = { code: 'SEGY_E_ARGUMENT' };
    const short = { ...HMAC_SIGNER, key: new Uint8Array(16) } as typeof HMAC_SIGNER;
    assert.throws(() => signXml(DOCUMENT, short), argument);
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    assert.throws(() => signXml(DOCUMENT, { ...operator().signer, key }), argument);
    assert.throws(() => signXml('<S><C/></S>', HMAC_SIGNER), argument);
  });

  it('takes a reference to a child, and the exclusive form, as other products write them', () => {
    const child = signXml('<C xmlns="urn:k" Id="c1"><V>1</V></C>', HMAC_SIGNER);
    assert.equal(verifySignedXml(child, HMAC).xml, '<C xmlns="urn:k" Id="c1"><V>1</V></C>');
  });

  describe('attack', () => {
    const evil = '<C Id="c1"><V>2</V></C>';
    const attacks: Record<string, string> = {
      'a changed value': SIGNED.replace('<V>1</V>', '<V>2</V>'),
      'an attribute added': SIGNED.replace('<V>', '<V x="1">'),
      'XSW1: a copy around the original that holds the signature': `<S xmlns="urn:k" Id="evil">${evil}${SIGNATURE}${DOCUMENT}</S>`,
      'XSW2: the original beside the signature': `<S xmlns="urn:k" Id="evil">${evil}${DOCUMENT}${SIGNATURE}</S>`,
      'XSW3: an evil sibling before the signed element': `<R xmlns="urn:k">${evil}${SIGNED}</R>`,
      'XSW4: the signed element inside an evil one': `<R xmlns="urn:k"><S Id="evil">${evil}${SIGNED}</S></R>`,
      'XSW5: the original after the signature, the evil one in its place': SIGNED.replace(
        '<V>1</V>',
        '<V>2</V>',
      ).replace('</S>', '<S Id="s1"><C Id="c1"><V>1</V></C></S></S>'),
      'XSW6: the original inside the signature': `<S xmlns="urn:k" Id="evil">${evil}${SIGNATURE.replace('</ds:Signature>', `${DOCUMENT}</ds:Signature>`)}</S>`,
      'XSW7: the original inside an extension element': `<S xmlns="urn:k" Id="evil"><X xmlns="urn:x">${DOCUMENT}</X>${evil}${SIGNATURE}</S>`,
      'XSW8: the original inside an Object of the signature': `<S xmlns="urn:k" Id="evil">${evil}${SIGNATURE.replace('</ds:Signature>', `<ds:Object>${DOCUMENT}</ds:Object></ds:Signature>`)}</S>`,
      'two elements of one Id': SIGNED.replace('Id="c1"', 'Id="s1"'),
      'one Id in two spellings': SIGNED.replace('Id="c1"', 'ID="s1"'),
      'HMAC truncation': SIGNED.replace(
        /(hmac-sha256")\/>/,
        '$1><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>',
      ),
      'algorithm swapped for SHA-1': SIGNED.replace(
        /http:[^"]*#hmac-sha256/,
        'http://www.w3.org/2000/09/xmldsig#hmac-sha1',
      ),
      'HMAC swapped for ECDSA': SIGNED.replace('#hmac-sha256', '#ecdsa-sha256'),
      'a digest swapped for SHA-1': SIGNED.replace(
        'http://www.w3.org/2001/04/xmlenc#sha256',
        'http://www.w3.org/2000/09/xmldsig#sha1',
      ),
      'an XPath transform': SIGNED.replace(
        '<ds:Transform Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>',
        '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"/>',
      ),
      'a second reference': SIGNED.replace(/(<ds:Reference[\s\S]*<\/ds:Reference>)/, '$1$1'),
      'no reference': SIGNED.replace(/<ds:Reference[\s\S]*<\/ds:Reference>/, ''),
      'an external reference': SIGNED.replace('URI="#s1"', 'URI="http://evil/x"'),
      'a reference without URI': SIGNED.replace(' URI="#s1"', ''),
      'two signatures': SIGNED.replace('</S>', `${SIGNATURE}</S>`),
      'no signature': DOCUMENT,
      'a signature of another namespace': SIGNED.replace('xmlns:ds="http:', 'xmlns:ds="https:'),
      'an empty signature value': SIGNED.replace(/(<ds:SignatureValue>)[^<]*/, '$1'),
      'a truncated signature value': SIGNED.replace(/(<ds:SignatureValue>.{20})[^<]*/, '$1'),
    };
    for (const [name, xml] of Object.entries(attacks)) {
      it(`${name} is refused`, () => {
        assert.notEqual(xml, SIGNED);
        assert.throws(() => verifySignedXml(xml, { ...HMAC, ...ECDSA }), REFUSED);
      });
    }

    it('a comment inside a value is refused as XML', () => {
      const xml = SIGNED.replace('<V>1</V>', '<V>1<!-- -->2</V>');
      assert.throws(() => verifySignedXml(xml, HMAC), { code: 'SEGY_E_XML' });
    });

    it('ten thousand references are refused at little cost', () => {
      const xml = SIGNED.replace(/(<ds:Reference[\s\S]*<\/ds:Reference>)/, (all) =>
        all.repeat(10_000),
      );
      assertCheap('their refusal', 5, () =>
        assert.throws(() => verifySignedXml(xml, HMAC), { code: 'SEGY_E_XML' }),
      );
    });
  });

  describe('and xmlsec1', () => {
    const names = ['--id-attr:Id', 'urn:k:S'];

    it('takes our HMAC and our ECDSA signature', function () {
      needTool(this, 'xmlsec1');
      return withFolder((folder) => {
        const [key, cert, file] = ['key', 'cert.pem', 'signed.xml'].map((n) => join(folder, n));
        writeFileSync(key!, HMAC_KEY);
        writeFileSync(cert!, fixture('operator-cert.pem'));
        writeFileSync(file!, SIGNED);
        runTool('xmlsec1', ['--verify', `--hmackey:ink.1`, key!, ...names, file!]);
        writeFileSync(file!, signXml(DOCUMENT, operator().signer));
        runTool('xmlsec1', ['--verify', '--trusted-pem', cert!, ...names, file!]);
        return Promise.resolve();
      });
    });

    it('makes HMAC and ECDSA signatures that we take, in both canonical forms', function () {
      needTool(this, 'xmlsec1');
      return withFolder((folder) => {
        const [hmacKey, key, file] = ['key', 'key.pem', 'template.xml'].map((n) => join(folder, n));
        writeFileSync(hmacKey!, HMAC_KEY);
        writeFileSync(key!, fixture('operator-key.pem'));
        const blank = SIGNED.replace(/(<ds:(DigestValue|SignatureValue)>)[^<]*/g, '$1');
        const forms = [
          blank,
          blank.replaceAll(
            'http://www.w3.org/TR/2001/REC-xml-c14n-20010315',
            'http://www.w3.org/2001/10/xml-exc-c14n#',
          ),
        ];
        for (const template of forms) {
          writeFileSync(file!, template);
          const hmac = runTool('xmlsec1', ['--sign', '--hmackey:ink.1', hmacKey!, ...names, file!]);
          assert.equal(verifySignedXml(hmac, HMAC).signedBy, 'ink.1');
          writeFileSync(
            file!,
            template
              .replace('#hmac-sha256', '#ecdsa-sha256')
              .replace(/<ds:KeyInfo>.*<\/ds:KeyInfo>/, ''),
          );
          const ecdsa = runTool('xmlsec1', ['--sign', '--privkey-pem', key!, ...names, file!]);
          assert.equal(verifySignedXml(ecdsa, ECDSA).signedBy, 'operator');
        }
        return Promise.resolve();
      });
    });
  });
});
