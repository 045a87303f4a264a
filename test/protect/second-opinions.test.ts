/** Other XML libraries read what is made here, and what they make is read here. */
import assert from 'node:assert/strict';
import crypto, { createHmac, generateKeyPairSync, publicEncrypt, constants } from 'node:crypto';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { C14nCanonicalization } from 'xml-crypto';
import { signallingKey } from '../../src/crypto/index.js';
import { utf8 } from '../../src/base/bytes.js';
import {
  decryptDocument,
  encryptDocument,
  signBodies,
  verifyBodies,
} from '../../src/protect/index.js';
import {
  canonicalise,
  elementsOf,
  INCLUSIVE_C14N,
  parseSignedTree,
} from '../../src/xmldsig/index.js';
import { fixture, needTool, runTool } from '../xmldsig/support.js';
import { INFO_XML, opening, P0, SEALING, SPK, textOf, withFiles } from './support.js';
import { SEED } from '../support/seed.js';

/** What the tests use of xml-encryption and its parser, which bring no types. */
interface XmlEncryption {
  encrypt(content: string, options: object, done: (error: unknown, made: string) => void): void;
  decrypt(xml: string, options: object, done: (error: unknown, clear: string) => void): void;
}
interface Parser {
  DOMParser: new () => {
    parseFromString(
      xml: string,
      type: string,
    ): { getElementsByTagName(name: string): ArrayLike<Node> };
  };
}
type Node = Parameters<C14nCanonicalization['process']>[0];

const require = createRequire(import.meta.url);
const xmlenc = require('xml-encryption') as XmlEncryption;
const { DOMParser } = require('@xmldom/xmldom') as Parser;

const GCM = 'http://www.w3.org/2009/xmlenc11#aes128-gcm';
const OAEP = 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p';
const DSIG = 'http://www.w3.org/2000/09/xmldsig#';
const LAYOUTS = 1000;
/** documents that one process of xmlsec1 verifies */
const BATCH = 100;

const BODIES = [
  { contentId: 'info@mc-a.example', octets: utf8('<a>1</a>\r\n') },
  { contentId: 'list@mc-a.example', octets: utf8('<b>\n</b>') },
];
const INTEGRITY_KEY = signallingKey('integrity', SPK.key, P0, SPK.id);
const CONTENT_KEY = signallingKey('confidentiality', SPK.key, P0, SPK.id);
const RSA = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

const hmac = (text: string): string =>
  createHmac('sha256', INTEGRITY_KEY).update(text).digest('base64');
const verified = (document: string): number =>
  verifyBodies(utf8(document), 'mcptt', BODIES, opening()).size;

/** SignedInfo of each Signature in the canonical form of xml-crypto, and the value beside it. */
function asXmlCryptoSees(document: string): { canonical: string; value: string }[] {
  const parsed = new DOMParser().parseFromString(document, 'text/xml');
  const infos = Array.from(parsed.getElementsByTagName('SignedInfo'));
  const values = [...document.matchAll(/<SignatureValue>([^<]*)/g)].map(([, value]) => value ?? '');
  return infos.map((info, index) => ({
    canonical: new C14nCanonicalization().process(info, {}),
    value: values[index] ?? '',
  }));
}

/** Namespace declarations of three prefixes at random, white space and xml attributes. */
function layouts(): string[] {
  const declared = fc
    .uniqueArray(
      fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('urn:1', 'urn:2', 'urn:3')),
      { selector: ([prefix]) => prefix, maxLength: 3 },
    )
    .map((pairs) => pairs.map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`).join(''));
  const language = fc.constantFrom('', ' xml:lang="en"', " xml:space='preserve'");
  const space = fc.constantFrom('', ' \n ', '\t');
  const made = fc.tuple(
    fc.array(declared, { minLength: 7, maxLength: 7 }),
    fc.array(language, { minLength: 3, maxLength: 3 }),
    fc.array(space, { minLength: 4, maxLength: 4 }),
  );
  const template = textOf(signBodies(BODIES, 'mcptt', SPK, P0));
  return fc.sample(made, LAYOUTS).map(([names, languages, spaces]) => {
    let signature = 1;
    let info = 3;
    let reference = 5;
    const laidOut = template
      .replace('<signatures', `<signatures${names[0]}${languages[0]}`)
      .replace(/<Signature /g, () => {
        const index = signature++;
        return `${spaces[index]}<Signature${names[index]}${languages[index]} `;
      })
      .replace(/<SignedInfo>/g, () => `<SignedInfo${names[info++]}>${spaces[0]}`)
      .replace(/<Reference /g, () => `<Reference${names[reference++]}${spaces[3]} `);
    return signedAnew(laidOut);
  });
}

/** The document with signatures over it as it is laid out. */
function signedAnew(document: string): string {
  const infos = elementsOf(parseSignedTree(document)).map((signature) => {
    const [info] = elementsOf(signature);
    return info!;
  });
  let index = 0;
  return document.replace(/<SignatureValue>[^<]*/g, () => {
    const info = infos[index++];
    assert.ok(info);
    return `<SignatureValue>${hmac(canonicalise(info, INCLUSIVE_C14N))}`;
  });
}

describe('protect: as other libraries see it', () => {
  it('has signatures whose SignedInfo xml-crypto canonicalises to what was signed', () => {
    const seen = asXmlCryptoSees(textOf(signBodies(BODIES, 'mcptt', SPK, P0)));
    assert.equal(seen.length, BODIES.length);
    for (const { canonical, value } of seen) assert.equal(hmac(canonical), value);
  });

  it('verifies signatures over what xml-crypto canonicalised', () => {
    const laidOut = textOf(signBodies(BODIES, 'mcptt', SPK, P0))
      .replace(/(Algorithm|URI)="([^"]*)"/g, "\n  $1 = '$2' ")
      .replace(/<SignedInfo>/g, '<SignedInfo>\n ')
      .replace(/<DigestMethod([^<>]*)\/>/g, '<DigestMethod$1></DigestMethod >');
    const values = asXmlCryptoSees(laidOut).map(({ canonical }) => hmac(canonical));
    let index = 0;
    const made = laidOut.replace(
      /<SignatureValue>[^<]*/g,
      () => `<SignatureValue>${values[index++]}`,
    );
    assert.equal(verified(made), BODIES.length);
  });

  it('has EncryptedData that xml-encryption decrypts', async () => {
    const sealed = textOf(encryptDocument(utf8(INFO_XML), SEALING));
    const data = [...sealed.matchAll(/<EncryptedData[\s\S]*?<\/EncryptedData>/g)].map(
      ([text]) => text,
    );
    assert.equal(data.length, 4);
    const wrapped = publicEncrypt(
      { key: RSA.publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
      CONTENT_KEY,
    ).toString('base64');
    const keyInfo =
      `<KeyInfo xmlns="${DSIG}"><e:EncryptedKey xmlns:e="http://www.w3.org/2001/04/xmlenc#">` +
      `<e:EncryptionMethod Algorithm="${OAEP}"/>` +
      `<e:CipherData><e:CipherValue>${wrapped}</e:CipherValue></e:CipherData></e:EncryptedKey></KeyInfo>`;
    const clear = await Promise.all(
      data.map(
        (text) =>
          new Promise<string>((resolve, reject) => {
            const xml = text.replace(/<(\w+:)?KeyInfo[\s\S]*?<\/(\w+:)?KeyInfo>/, keyInfo);
            xmlenc.decrypt(xml, { key: RSA.privateKey }, (error, plain) =>
              error
                ? reject(new Error('xml-encryption refused', { cause: error }))
                : resolve(plain),
            );
          }),
      ),
    );
    assert.equal(clear[0], '<mcpttURI>sip:radio1@lmr.example</mcpttURI>');
    assert.equal(clear[1], '<mcpttURI>sip:alice@mc-a.example</mcpttURI>');
  });

  it('decrypts EncryptedData that xml-encryption makes', async () => {
    const options = {
      rsa_pub: RSA.publicKey,
      pem: fixture('operator-cert.pem'),
      encryptionAlgorithm: GCM,
      keyEncryptionAlgorithm: OAEP,
    };
    const content = '<mcpttURI>sip:carl@mc-a.example</mcpttURI>';
    // the library draws the key of the content: it draws ours
    const draw = crypto.randomBytes;
    const drawn = ((size: number, done: (error: Error | null, octets: Buffer) => void) =>
      size === CONTENT_KEY.length
        ? done(null, Buffer.from(CONTENT_KEY))
        : draw(size, done)) as unknown as typeof crypto.randomBytes;
    crypto.randomBytes = drawn;
    const made = await new Promise<string>((resolve, reject) =>
      xmlenc.encrypt(content, options, (error, xml) =>
        error ? reject(new Error('xml-encryption refused', { cause: error })) : resolve(xml),
      ),
    ).finally(() => {
      crypto.randomBytes = draw;
    });
    const data = made
      .replace(/<(\w+:)?KeyInfo[\s\S]*<\/(\w+:)?KeyInfo>/, '')
      .replace(/Type="[^"]*"/, 'Type="http://www.w3.org/2001/04/xmlenc#Content"');
    const document = INFO_XML.replace(
      /<mcptt-request-uri[\s\S]*<\/mcptt-request-uri>/,
      `<mcptt-request-uri type="Encrypted">${data}</mcptt-request-uri>`,
    );
    const clear = textOf(decryptDocument(utf8(document), opening(), false));
    assert.ok(clear.includes(`<mcptt-request-uri type="Normal">${content}</mcptt-request-uri>`));
  });

  it(`is verified by xmlsec1 over ${LAYOUTS} random namespace layouts, and by us`, function () {
    needTool(this, 'xmlsec1');
    this.timeout(120_000);
    const documents = layouts();
    for (let first = 0; first < documents.length; first += BATCH) {
      const some = documents.slice(first, first + BATCH);
      for (const document of some) assert.equal(verified(document), 2, `seed ${SEED}\n${document}`);
      const files = Object.fromEntries(some.map((document, index) => [`d${index}`, document]));
      const [a, b] = BODIES.map(({ octets }) => octets);
      const wrong = some[0]!.replace(/<SignatureValue>[^<]/g, '<SignatureValue>=');
      withFiles({ ...files, wrong, key: INTEGRITY_KEY, a: a!, b: b! }, (path) => {
        const maps = ['a', 'b'].flatMap((name, index) => [
          `--url-map:cid:${BODIES[index]!.contentId}`,
          path(name),
        ]);
        for (const signature of [1, 2]) {
          const which = ['--node-xpath', `(//*[local-name()='Signature'])[${signature}]`];
          const key = [`--hmackey:${SPK.keyName}`, path('key')];
          const paths = Object.keys(files).map(path);
          const verify = ['--verify', ...key, ...maps, ...which];
          assert.throws(() => runTool('xmlsec1', [...verify, path('d0'), path('wrong')]));
          try {
            runTool('xmlsec1', [...verify, ...paths]);
          } catch (error) {
            assert.fail(`seed ${SEED}: ${String(error)}`);
          }
        }
      });
    }
  });
});
