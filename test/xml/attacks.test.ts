import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { signXml } from '../../src/xmldsig/index.js';
import { HMAC_SIGNER } from '../xmldsig/support.js';

const CHILD = fileURLToPath(new URL('./attack-child.js', import.meta.url));
/** Units of work as of test/support/effort.ts: 50 ms on a quiet server. */
const LIMIT_UNITS = 5;
/** Measurements at most, of which the best counts: other processes slow this one down. */
const TRIES = 10;
const LIMIT_OCTETS = 20 * 1024 * 1024;
const MILLION = 1_000_000;
/** Just below the octets and elements that the readers take at all. */
const BELOW_CAP = 260_000;
const ELEMENTS = 1_950;
/** The same of signed documents. */
const SIGNED_ELEMENTS = 950;

const KMS = 'urn:3gpp:ns:mcsecKMSInterface:1.0';
const SIGNED = signXml('<S xmlns="urn:k" Id="s1"><C Id="c1"><V>1</V></C></S>', HMAC_SIGNER);
const SIGNATURE = /<ds:Signature [\s\S]*<\/ds:Signature>/.exec(SIGNED)![0];
const ORIGINAL = SIGNED.replace(SIGNATURE, '');
const EVIL = '<C Id="c1"><V>2</V></C>';

const times = (count: number, piece: string | ((n: number) => string)): string =>
  Array.from({ length: count }, (_, n) => (typeof piece === 'string' ? piece : piece(n))).join('');
const upTo = (octets: number, piece: string): string =>
  piece.repeat(Math.floor(octets / piece.length));
const within = (content: string): string => `<a>${content}</a>`;

/** Elements inside each other that declare prefixes, and inside them as many small ones as are read. */
const scopes = (perElement: number, elements = ELEMENTS): string =>
  times(20, (d) => `<a${times(perElement, (n) => ` xmlns:p${d}_${n}="u${n}"`)}>`) +
  '<b xmlns:x="y"/>'.repeat(elements) +
  '</a>'.repeat(20);

const DOCUMENTS: Readonly<Record<string, string>> = {
  'a DOCTYPE': '<!DOCTYPE a><a/>',
  'an external entity': '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
  'a billion laughs': `<!DOCTYPE a [<!ENTITY l0 "ll">${times(30, (n) => `<!ENTITY l${n + 1} "&l${n};&l${n};">`)}]><a>&l30;</a>`,
  'a million entities of the document': within('&lol;'.repeat(MILLION)),
  'a million character references': within('&#65;'.repeat(MILLION)),
  'character references up to the size limit': within(upTo(BELOW_CAP, '&#65;')) + '<b/>',
  'a million elements': within('<b/>'.repeat(MILLION)),
  'elements up to the size limit': within(upTo(BELOW_CAP, '<b/>')),
  'a million open elements': '<a>'.repeat(MILLION),
  'open elements up to the size limit': upTo(BELOW_CAP, '<a>'),
  'a million attributes': `<a${times(MILLION, (n) => ` a${n}=""`)}/>`,
  'attributes up to the size limit': `<a${upTo(BELOW_CAP, ' b=""')}/>`,
  'a million characters of a name': `<${'a'.repeat(MILLION)}`,
  'a million characters of an attribute': `<a b="${'x'.repeat(MILLION)}"`,
  'a million characters of text': within('x'.repeat(MILLION)) + '<b/>',
  'a million open CDATA sections': within('<![CDATA['.repeat(MILLION)),
  'CDATA sections up to the size limit': within(upTo(BELOW_CAP, '<![CDATA[x]]>')) + '<b/>',
  'a million comments': within('<!---->'.repeat(MILLION)),
  'a million processing instructions': '<?a?>'.repeat(MILLION),
  'a million declarations': '<?xml version="1.0"?>'.repeat(MILLION),
  'a million roots': '<a/>'.repeat(MILLION),
  'roots up to the size limit': upTo(BELOW_CAP, '<a/>'),
  'two roots': '<a/><b/>',
  'line feeds up to the size limit': `${'\r'.repeat(BELOW_CAP)}x`,
  'spaces in a tag up to the size limit': `<a${' '.repeat(BELOW_CAP)}<`,
  'a duplicate attribute': '<a b="1" b="2"/>',
  'a duplicate attribute by namespace': '<a xmlns:p="u" xmlns:q="u" p:x="1" q:x="2"/>',
  'a comment in a value': '<a>admin<!-- -->.example</a>',
  'a comment in a value that has no end': `<a>admin<!--${'-'.repeat(BELOW_CAP)}`,
  'more namespaces than are read': scopes(16),
};

const KMS_DOCUMENTS: Readonly<Record<string, string>> = {
  'namespaces in scope of many elements': scopes(1),
  'as many empty elements as are read': within('<b/>'.repeat(ELEMENTS)),
  'as many roots as are read': '<a/>'.repeat(ELEMENTS),
  'as much text as is read': within('x'.repeat(BELOW_CAP)),
  'containers inside each other, as many as are read': within(
    times(90, `<KmsMessage>${'<KmsInit/>'.repeat(20)}</KmsMessage>`),
  ),
  'a million certificates': `<KmsResponse xmlns="${KMS}">${'<KmsCertificate/>'.repeat(MILLION)}</KmsResponse>`,
};

const SIGNED_DOCUMENTS: Readonly<Record<string, string>> = {
  XSW1: `<S xmlns="urn:k" Id="evil">${EVIL}${SIGNATURE}${ORIGINAL}</S>`,
  XSW2: `<S xmlns="urn:k" Id="evil">${EVIL}${ORIGINAL}${SIGNATURE}</S>`,
  XSW3: `<R xmlns="urn:k">${EVIL}${SIGNED}</R>`,
  XSW4: `<R xmlns="urn:k"><S Id="evil">${EVIL}${SIGNED}</S></R>`,
  XSW5: SIGNED.replace('<V>1</V>', '<V>2</V>').replace('</S>', `${ORIGINAL}</S>`),
  XSW6: `<S xmlns="urn:k" Id="evil">${EVIL}${SIGNATURE.replace('</ds:Signature>', `${ORIGINAL}</ds:Signature>`)}</S>`,
  XSW7: `<S xmlns="urn:k" Id="evil"><X xmlns="urn:x">${ORIGINAL}</X>${EVIL}${SIGNATURE}</S>`,
  XSW8: `<S xmlns="urn:k" Id="evil">${EVIL}${SIGNATURE.replace('</ds:Signature>', `<ds:Object>${ORIGINAL}</ds:Object></ds:Signature>`)}</S>`,
  'HMAC truncation': SIGNED.replace(
    /(hmac-sha256")\/>/,
    '$1><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>',
  ),
  'an algorithm swapped for SHA-1': SIGNED.replace(
    /http:[^"]*#hmac-sha256/,
    'http://www.w3.org/2000/09/xmldsig#hmac-sha1',
  ),
  'an algorithm swapped for ECDSA': SIGNED.replace('#hmac-sha256', '#ecdsa-sha256'),
  'a comment in a signed value': SIGNED.replace('<V>1</V>', '<V>1<!-- -->2</V>'),
  'as many references as are read': SIGNED.replace(/<ds:Reference[\s\S]*<\/ds:Reference>/, (all) =>
    all.repeat(180),
  ),
  'as many signatures as are read': SIGNED.replace('</S>', `${SIGNATURE.repeat(70)}</S>`),
  'as many signed elements as are read': SIGNED.replace('<V>1</V>', '<V/>'.repeat(SIGNED_ELEMENTS)),
  'namespaces in scope of many signed elements': SIGNED.replace(
    '<V>1</V>',
    scopes(1, SIGNED_ELEMENTS),
  ),
  'inclusive prefixes without end': SIGNED.replace(
    '<ds:Transform Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>',
    `<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"><InclusiveNamespaces xmlns="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="${upTo(100_000, 'xml ')}"/></ds:Transform>`,
  ).replace('<V>1</V>', '<V/>'.repeat(SIGNED_ELEMENTS)),
};

const ATTACKS = [
  ...Object.entries(DOCUMENTS).map(([name, xml]) => ({ reader: 'xml', name, xml })),
  ...Object.entries(KMS_DOCUMENTS).map(([name, xml]) => ({ reader: 'kms', name, xml })),
  ...Object.entries(SIGNED_DOCUMENTS).map(([name, xml]) => ({ reader: 'signature', name, xml })),
  { reader: 'signedKms', name: 'a million elements', xml: within('<b/>'.repeat(MILLION)) },
  { reader: 'redirect', name: 'a million elements', xml: within('<b/>'.repeat(MILLION)) },
  { reader: 'mcpttInfo', name: 'a million elements', xml: within('<b/>'.repeat(MILLION)) },
];

interface Measured {
  readonly code: string;
  readonly units: number;
  readonly grownOctets: number;
}

describe('XML attacks, each in a process of its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'segy-test-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function measure(index: number): Promise<Measured> {
    const { reader, xml } = ATTACKS[index]!;
    const file = join(folder, String(index));
    writeFileSync(file, xml);
    const args = ['--expose-gc', CHILD, reader, file];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    rmSync(file);
    return JSON.parse(stdout) as Measured;
  }

  for (const [index, { reader, name }] of ATTACKS.entries()) {
    it(`${reader}: ${name} is refused within ${LIMIT_UNITS} units of work and 20 MB`, async () => {
      let best = await measure(index);
      for (let n = 1; n < TRIES && best.units > LIMIT_UNITS; n += 1) best = await measure(index);
      assert.match(best.code, /^SEGY_E_(?:XML|XML_SIGNATURE|KMS_DOCUMENT)$/);
      assert.ok(best.units <= LIMIT_UNITS, `${best.units.toFixed(1)} units`);
      assert.ok(best.grownOctets <= LIMIT_OCTETS, `${(best.grownOctets / 1e6).toFixed(1)} MB`);
    });
  }
});
