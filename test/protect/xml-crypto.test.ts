/**
 * Whole signatures of the `xml-crypto` package and ours: it resolves each reference, digests what it
 * finds, canonicalises SignedInfo and compares the HMAC. A part that travels in MIME is for it the
 * element whose Id is the `cid:` URL, so the bodies here are elements in canonical form with that Id.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { SignedXml } from 'xml-crypto';
import { utf8 } from '../../src/base/bytes.js';
import { signallingKey } from '../../src/crypto/index.js';
import { signBodies, verifyBodies } from '../../src/protect/index.js';
import { C14N, HMAC_SHA256, SHA256 } from '../../src/xmldsig/index.js';
import { codeOf, opening, P0, SPK, spk, textOf } from './support.js';

/** What is used of its parser, which brings no types. */
interface DomElement {
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  removeChild(child: DomElement): void;
  getElementsByTagName(name: string): ArrayLike<DomElement>;
}
interface Parser {
  DOMParser: new () => { parseFromString(xml: string, type: string): DomElement };
}

/** The step of signing in which the library writes the references, which TypeScript may not see. */
interface Signer {
  addAllReferences: (document: unknown, signature: DomElement, ...rest: unknown[]) => void;
}

const { DOMParser } = createRequire(import.meta.url)('@xmldom/xmldom') as Parser;
const KEY = Buffer.from(signallingKey('integrity', SPK.key, P0, SPK.id));
const NAMESPACE = 'urn:3gpp:ns:mcpttSignedDoc:1.0';

/** HMAC-SHA-256, which the library leaves to who uses it. */
class HmacSha256 {
  readonly getAlgorithmName = (): string => HMAC_SHA256;
  readonly getSignature = (signedInfo: unknown, key: unknown): string =>
    createHmac('sha256', key as Buffer)
      .update(String(signedInfo))
      .digest('base64');
  readonly verifySignature = (material: string, key: unknown, value: string): boolean =>
    this.getSignature(material, key) === value;
}

const body = (name: string, content: string) => {
  const contentId = `${name}@mc-a.example`;
  const text = `<${name} xmlns="urn:${name}" xmlns:x="urn:x" Id="cid:${contentId}" x:a="1">${content}</${name}>`;
  return { contentId, text, octets: utf8(text) };
};
const BODIES = [
  body('info', '\n <x:user>sip:alice@mc-a.example</x:user>&amp;\t'),
  body('list', '<entry uri="sip:radio1@lmr.example"></entry>\u00e9'),
];

function library(options: ConstructorParameters<typeof SignedXml>[0] = {}): SignedXml {
  const made = new SignedXml({ publicCert: KEY, privateKey: KEY, ...options });
  made.SignatureAlgorithms = { [HMAC_SHA256]: HmacSha256 };
  return made;
}

/** The content that xml-crypto finds signed by each Signature; throws where one does not verify. */
function signedAsItSees(signatures: string, bodies: readonly string[]): string[] {
  const whole = `<message>${bodies.join('')}${signatures}</message>`;
  const parsed = new DOMParser().parseFromString(whole, 'text/xml');
  return Array.from(parsed.getElementsByTagName('Signature')).flatMap((node) => {
    const verifier = library();
    verifier.loadSignature(node);
    assert.ok(verifier.checkSignature(whole), 'a reference does not verify');
    return verifier.getSignedReferences();
  });
}

/** A `signatures` document that xml-crypto makes over the bodies. */
function signedByIt(bodies: readonly { contentId: string; text: string }[]): string {
  const made = bodies.map(({ contentId, text }) => {
    const signer = library({
      canonicalizationAlgorithm: C14N,
      signatureAlgorithm: HMAC_SHA256,
      getKeyInfoContent: () => `<KeyName>${SPK.keyName}</KeyName>`,
    });
    signer.addReference({
      xpath: `//*[@Id='cid:${contentId}']`,
      transforms: [C14N],
      digestAlgorithm: SHA256,
    });
    const step = signer as unknown as Signer;
    const add = step.addAllReferences.bind(signer);
    step.addAllReferences = (document, signature, ...rest) => {
      add(document, signature, ...rest);
      // octets of a MIME part: named by a cid: URL, and no transform stands before their digest
      const reference = signature.getElementsByTagName('Reference')[0]!;
      reference.setAttribute('URI', (reference.getAttribute('URI') ?? '').replace(/^#/, ''));
      reference.removeChild(reference.getElementsByTagName('Transforms')[0]!);
    };
    // canonical XML takes in the namespaces around it: the Signature is made where it will stand
    const around = `<message><signatures xmlns="${NAMESPACE}"></signatures>${text}</message>`;
    const location = { reference: "//*[local-name(.)='signatures']" };
    signer.computeSignature(around, { location: { ...location, action: 'append' } });
    return signer.getSignatureXml();
  });
  return `<signatures xmlns="${NAMESPACE}">${made.join('')}</signatures>`;
}

const texts = BODIES.map(({ text }) => text);

describe('protect: whole signatures of xml-crypto', () => {
  it('has signatures that it verifies, over the very octets of each body', () => {
    const ours = textOf(signBodies(BODIES, 'mcptt', SPK, P0));
    assert.deepEqual(signedAsItSees(ours, texts), texts);
  });

  it('has signatures that it refuses over a changed body, a changed value and another key', () => {
    const ours = textOf(signBodies(BODIES, 'mcptt', SPK, P0));
    const other = texts.map((text) => text.replace('alice', 'alicf'));
    assert.throws(() => signedAsItSees(ours, other), /a reference does not verify/);
    const changed = ours.replace(/<SignatureValue>(.)/, (_, first: string) =>
      first === 'A' ? '<SignatureValue>B' : '<SignatureValue>A',
    );
    assert.throws(() => signedAsItSees(changed, texts), /signature value/);
    const foreign = spk({ key: new Uint8Array(16) });
    const theirs = textOf(signBodies(BODIES, 'mcptt', foreign, P0));
    assert.throws(() => signedAsItSees(theirs, texts), /signature value/);
  });

  it('verifies the signatures that it makes', () => {
    const theirs = signedByIt(BODIES);
    assert.match(theirs, /URI="cid:info@mc-a\.example"/);
    const verified = verifyBodies(utf8(theirs), 'mcptt', BODIES, opening());
    assert.deepEqual(
      [...verified],
      BODIES.map(({ contentId }) => contentId),
    );
  });

  it('refuses the signatures that it makes over a changed body or under another key', () => {
    const theirs = utf8(signedByIt(BODIES));
    const changed = BODIES.map((each) => ({ ...each, octets: utf8(`${each.text} `) }));
    assert.equal(
      codeOf(() => verifyBodies(theirs, 'mcptt', changed, opening())),
      'SEGY_E_XML_SIGNATURE',
    );
    const other = opening(spk({ key: new Uint8Array(16) }));
    assert.equal(
      codeOf(() => verifyBodies(theirs, 'mcptt', BODIES, other)),
      'SEGY_E_XML_SIGNATURE',
    );
  });
});
