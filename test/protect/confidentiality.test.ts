import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { concatBytes, utf8 } from '../../src/base/bytes.js';
import { signallingKey } from '../../src/crypto/index.js';
import { encrypt } from '../../src/protect/cipher.js';
import {
  decryptDocument,
  decryptUri,
  encryptDocument,
  encryptUri,
  isEncryptedUri,
} from '../../src/protect/index.js';
import { needTool, runTool } from '../xmldsig/support.js';
import {
  codeOf,
  INFO_XML,
  LIST_XML,
  NOW,
  opening,
  P0,
  RANDOM,
  SEALING,
  SPK,
  spk,
  textOf,
  withFiles,
} from './support.js';

const seal = (xml: string): string => textOf(encryptDocument(utf8(xml), SEALING));
const open = (xml: string, required = true): string =>
  textOf(decryptDocument(utf8(xml), opening(), required));
const refusal = (xml: string, keys = opening(), required = false): string =>
  codeOf(() => decryptDocument(utf8(xml), keys, required));

describe('protect: XML confidentiality', () => {
  it('gives back every octet of what was encrypted, unknown elements and white space too', () => {
    assert.equal(open(seal(INFO_XML)), INFO_XML);
    assert.equal(open(seal(LIST_XML)), LIST_XML);
  });

  it('encrypts each element of TS 24.379 clause 4.8 and leaves session-type clear', () => {
    const sealed = seal(INFO_XML);
    assert.equal(sealed.match(/type=["']Encrypted["']/g)?.length, 4);
    assert.doesNotMatch(sealed, /radio1|alice|>true<|>c1</);
    assert.match(sealed, /<session-type >private<\/session-type>/);
    assert.match(sealed, /<!\[CDATA\[ <raw> \]\]> \u00e9<\/x:own>/);
  });

  it('writes the type attribute where the sender left it out', () => {
    const bare = INFO_XML.replace('<mcptt-request-uri type="Normal">', '<mcptt-request-uri>');
    assert.match(seal(bare), /<mcptt-request-uri type="Encrypted"><EncryptedData/);
  });

  it('puts encrypted identities of mc1-encrypted.3gppnetwork.org into URI attributes', () => {
    assert.match(
      seal(LIST_XML),
      /<entry uri="sip:[A-Za-z0-9+/=]+;iv=[A-Za-z0-9+/]{16};key-id=MAECAw==;alg=128-aes-gcm@mc1-encrypted\.3gppnetwork\.org" x="y"\/>/,
    );
  });

  it('takes no two IVs alike', () => {
    assert.notEqual(seal(INFO_XML), seal(INFO_XML));
  });

  it('opens EncryptedData without KeyInfo and EncryptionMethod under the one SPK held', () => {
    const bare = seal(INFO_XML)
      .replace(/<ds:KeyInfo.*?<\/ds:KeyInfo>/g, '')
      .replace(/<EncryptionMethod[^>]*>/g, '');
    assert.equal(open(bare), INFO_XML);
  });

  for (const [name, wrap] of [
    [
      'line ends as references',
      (text: string) => `&#13;\n${text.slice(0, 8)}&#xD;\n${text.slice(8)}`,
    ],
    ['CDATA', (text: string) => `\n<![CDATA[${text.slice(0, 8)}\r\n]]>${text.slice(8)}`],
  ] as const) {
    it(`opens EncryptedData whose base64 has ${name}`, () => {
      const wrapped = seal(INFO_XML).replace(
        /(<CipherValue>|<ds:KeyName>)([^<]*)/g,
        (_, tag: string, text: string) =>
          tag + (tag === '<CipherValue>' ? wrap(text) : `&#32;${text}&#10;`),
      );
      assert.equal(open(wrapped), INFO_XML);
    });
  }

  it('opens an identity with its parameters in another order and letters of another case', () => {
    const changed = seal(LIST_XML)
      .replace(/(;iv=[^;]*)(;key-id=[^;]*)(;alg=[^@]*)/, '$3$1$2')
      .replace('uri="sip:', 'uri="SIP:')
      .replace('mc1-encrypted', 'MC1-Encrypted');
    assert.equal(open(changed), LIST_XML);
    const twice = seal(LIST_XML).replace(/(;iv=[^;]*)(;key-id=[^;]*)(;alg=[^@]*)/, '$1$1$3');
    assert.equal(refusal(twice), 'SEGY_E_XML_DECRYPT');
  });

  it('opens bare text as it opens an element of the schema', () => {
    const xml = INFO_XML.replace('<mcpttURI>sip:radio1@lmr.example</mcpttURI>', 'sip:r@x.example');
    assert.equal(open(seal(xml)), xml);
  });

  it('opens under either SPK while two overlap', () => {
    const next = spk({ hex: '30010204', key: new Uint8Array(16).fill(9) });
    const sealed = textOf(encryptDocument(utf8(INFO_XML), { ...SEALING, spk: next }));
    assert.equal(textOf(decryptDocument(utf8(sealed), opening(SPK, next), true)), INFO_XML);
    const unnamed = sealed.replace(/<ds:KeyInfo.*?<\/ds:KeyInfo>/g, '');
    assert.equal(textOf(decryptDocument(utf8(unnamed), opening(SPK, next), true)), INFO_XML);
  });

  it('uses AES-256-GCM and the whole derived key under an SPK of 32 octets', () => {
    const long = spk({ key: new Uint8Array(32).fill(3) });
    const sealed = textOf(encryptDocument(utf8(INFO_XML), { ...SEALING, spk: long }));
    assert.match(sealed, /aes256-gcm/);
    assert.equal(textOf(decryptDocument(utf8(sealed), opening(long), true)), INFO_XML);
  });

  it('refuses an element that came clear where policy demands encryption', () => {
    assert.equal(refusal(INFO_XML, opening(), true), 'SEGY_E_XML_CLEAR');
    assert.equal(refusal(LIST_XML, opening(), true), 'SEGY_E_XML_CLEAR');
    assert.equal(open(INFO_XML, false), INFO_XML);
  });

  const sealed = seal(INFO_XML);
  const data = /<EncryptedData.*?<\/EncryptedData>/.exec(sealed)?.[0] ?? '';
  const uri = encryptUri('sip:radio1@lmr.example', SEALING);

  const misplaced: [string, string][] = [
    ['in session-type', INFO_XML.replace('>private<', `>${data}<`)],
    ['beside the elements', INFO_XML.replace('<anyExt>', `${data}<anyExt>`)],
    ['in an unknown element', INFO_XML.replace('<![CDATA[ <raw> ]]>', data)],
    ['in a resource list', LIST_XML.replace('<list>', `<list>${data}`)],
    ['beside clear content', sealed.replace(data, `${data}<mcpttURI>sip:m@x.example</mcpttURI>`)],
    ['beside clear text', sealed.replace(data, `sip:m@x.example${data}`)],
    ['twice in one element', sealed.replace(data, data + data)],
    ['inside EncryptedData', sealed.replace('<CipherData>', `${data}<CipherData>`)],
    ['under type Normal', sealed.replace('type="Encrypted"', 'type="Normal"')],
    ['missing under type Encrypted', INFO_XML.replace('type="Normal"', 'type="Encrypted"')],
    ['as an identity in element text', INFO_XML.replace('sip:radio1@lmr.example', uri)],
    ['as an identity in another attribute', LIST_XML.replace('x="y"', `x="${uri}"`)],
    [
      'as an EncryptedKey',
      INFO_XML.replace(
        '<anyExt>',
        '<EncryptedKey xmlns="http://www.w3.org/2001/04/xmlenc#"/><anyExt>',
      ),
    ],
  ];
  for (const [name, xml] of misplaced) {
    it(`refuses an encrypted element ${name}`, () => {
      assert.equal(refusal(xml), 'SEGY_E_XML_PLACE');
    });
  }

  const value = /<CipherValue>([^<]*)</.exec(data)?.[1] ?? '';
  const flipped = Buffer.from(value, 'base64');
  flipped[flipped.length - 1] = flipped.at(-1)! ^ 1;
  const withValue = (text: string): string => sealed.replace(value, text);
  const another = textOf(encryptDocument(utf8(INFO_XML), { ...SEALING, p0: 'sip:m@x.example' }));
  const escaping = seal(
    INFO_XML.replace(
      '<mcpttURI>sip:radio1@lmr.example</mcpttURI>',
      '<mcpttURI>a</mcpttURI><mcpttURI>b</mcpttURI>',
    ),
  );
  const broken: [string, string][] = [
    ['a broken tag', withValue(flipped.toString('base64'))],
    [
      'a ciphertext cut short',
      withValue(Buffer.from(value, 'base64').subarray(0, 28).toString('base64')),
    ],
    ['an empty CipherValue', withValue('')],
    ['base64 that is none', withValue('%%%%')],
    ['base64 with bits to spare', withValue(`${value.replace(/=*$/, '')}A===`)],
    ['a key derived for another identity', another],
    ['another algorithm', sealed.replace('xmlenc11#aes128-gcm', 'xmlenc11#aes256-gcm')],
    [
      'CBC',
      sealed.replace(
        'http://www.w3.org/2009/xmlenc11#aes128-gcm',
        'http://www.w3.org/2001/04/xmlenc#aes128-cbc',
      ),
    ],
    [
      'a CipherReference',
      sealed.replace(/<CipherValue>[^<]*<\/CipherValue>/, '<CipherReference URI="http://x/"/>'),
    ],
    ['an EncryptedKey in KeyInfo', sealed.replace('<ds:KeyName>', '<ds:X/><ds:KeyName>')],
    ['Type Element', sealed.replace('xmlenc#Content', 'xmlenc#Element')],
    ['two elements inside', escaping],
    ['an encrypted URI with a broken tag', seal(LIST_XML).replace(/sip:..../, 'sip:AAAA')],
    [
      'an encrypted URI without parameters',
      LIST_XML.replace('sip:radio1@lmr.example', 'sip:AAAA@mc1-encrypted.3gppnetwork.org'),
    ],
  ];
  for (const [name, xml] of broken) {
    it(`answers ${name} with the one error of decryption`, () => {
      assert.notEqual(xml, sealed);
      let message = '';
      assert.throws(
        () => decryptDocument(utf8(xml), opening(), false),
        (error: Error & { code?: string }) => {
          message = error.message;
          return error.code === 'SEGY_E_XML_DECRYPT';
        },
      );
      assert.equal(message, 'an encrypted element or identity does not decrypt');
    });
  }

  it('refuses plaintext that would close the element it stands in', () => {
    const text = '</mcptt-request-uri><mcptt-request-uri><mcpttURI>sip:m@x.example</mcpttURI>';
    const key = signallingKey('confidentiality', SPK.key, P0, SPK.id);
    const made = encrypt(key, utf8(text), RANDOM);
    const cipher = Buffer.from(concatBytes(made.iv, made.sealed)).toString('base64');
    assert.equal(refusal(withValue(cipher)), 'SEGY_E_XML_DECRYPT');
  });

  it('tells an SPK it does not hold, and one outside its validity, by codes of their own', () => {
    assert.equal(refusal(sealed, opening(spk({ hex: '30999999' }))), 'SEGY_E_SPK_UNKNOWN');
    assert.equal(refusal(sealed, opening(spk({ validTo: NOW }))), 'SEGY_E_SPK_VALIDITY');
    assert.equal(refusal(sealed, opening(spk({ validFrom: NOW + 1 }))), 'SEGY_E_SPK_VALIDITY');
    assert.equal(
      codeOf(() => decryptDocument(utf8(sealed), null, false)),
      'SEGY_E_XML_PROTECTED',
    );
  });

  it('reads and writes an encrypted identity by its exact host', () => {
    assert.equal(decryptUri(uri, opening()), 'sip:radio1@lmr.example');
    assert.equal(isEncryptedUri('sip:a@mc1-encrypted.3gppnetwork.org.evil.example'), false);
    assert.equal(isEncryptedUri('sip:a@MC1-encrypted.3gppnetwork.org'), true);
    assert.equal(
      codeOf(() => decryptUri(`${uri};x=y`, opening())),
      'SEGY_E_XML_DECRYPT',
    );
    const bare = encryptUri('somebody@mcptt.org', SEALING);
    assert.equal(decryptUri(bare, opening()), 'sip:somebody@mcptt.org');
  });

  it('is decrypted by xmlsec1 with the derived key', function () {
    needTool(this, 'xmlsec1');
    const key = signallingKey('confidentiality', SPK.key, P0, SPK.id);
    withFiles(
      { 'in.xml': seal(INFO_XML).replace('<?xml version="1.0" encoding="UTF-8"?>\r\n', ''), key },
      (path) => {
        // it decrypts one EncryptedData a run
        let text = runTool('xmlsec1', [
          '--decrypt',
          `--aeskey:${SPK.keyName}`,
          path('key'),
          path('in.xml'),
        ]);
        assert.match(
          text,
          /<mcptt-request-uri type="Encrypted"><mcpttURI>sip:radio1@lmr.example<\/mcpttURI>/,
        );
        text = runTool('xmlsec1', [
          '--decrypt',
          '--node-xpath',
          "(//*[local-name()='EncryptedData'])[2]",
          `--aeskey:${SPK.keyName}`,
          path('key'),
          path('in.xml'),
        ]);
        assert.match(text, /<mcpttURI>sip:alice@mc-a.example<\/mcpttURI>/);
      },
    );
  });

  it('decrypts what xmlsec1 encrypts', function () {
    needTool(this, 'xmlsec1');
    const key = signallingKey('confidentiality', SPK.key, P0, SPK.id);
    const template = data.replace(
      /<CipherValue>[^<]*<\/CipherValue>/,
      '<CipherValue></CipherValue>',
    );
    withFiles({ 'template.xml': template, 'data.xml': INFO_XML, key }, (path) => {
      const made = runTool('xmlsec1', [
        '--encrypt',
        `--aeskey:${SPK.keyName}`,
        path('key'),
        '--node-name',
        'urn:3gpp:ns:mcpttInfo:1.0:mcptt-calling-user-id',
        '--xml-data',
        path('data.xml'),
        path('template.xml'),
      ]);
      assert.match(made, /<EncryptedData/);
      const typed = made.replace(
        /<mcptt-calling-user-id +type=["']Normal["']/,
        '<mcptt-calling-user-id type="Encrypted"',
      );
      const clear = open(typed, false);
      assert.match(
        clear,
        /<mcptt-calling-user-id type="Normal"><mcpttURI>sip:alice@mc-a.example<\/mcpttURI>/,
      );
    });
  });

  it('derives the keys of F.1.4 as the low half of HMAC-SHA-256 with true lengths', () => {
    for (const [use, fc] of [
      ['confidentiality', 0x51],
      ['integrity', 0x52],
    ] as const) {
      const input = Buffer.concat([
        Buffer.from([fc]),
        Buffer.from(P0),
        Buffer.from([0, P0.length]),
        SPK.id,
        Buffer.from([0, 4]),
      ]);
      const expected = createHmac('sha256', SPK.key).update(input).digest().subarray(16);
      assert.deepEqual(signallingKey(use, SPK.key, P0, SPK.id), new Uint8Array(expected));
    }
  });
});
