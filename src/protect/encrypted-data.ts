/**
 * EncryptedData of Type Content (XML Encryption 1.1, TS 33.180 clause 9.3.4): AES-GCM in CipherValue
 * as IV, ciphertext, tag. EncryptionMethod and KeyInfo may be absent on receipt; they are always
 * written. What is decrypted must stand alone: one element of the schema, or bare text.
 */
import { concatBytes, utf8 } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { escapeXml, parseXml } from '../xml/index.js';
import { DSIG_NAMESPACE } from '../xmldsig/index.js';
import {
  decodeBase64,
  decrypt,
  encrypt,
  IV_OCTETS,
  plaintextOf,
  toBase64,
  undecryptable,
} from './cipher.js';
import type { OpeningKeys, SealingKey } from './encrypted-uri.js';
import { PART_LIMITS, plainText, type LocatedDocument, type LocatedElement } from './located.js';
import { withKey } from './spk.js';
import { XMLENC, type InfoVocabulary } from './vocabulary.js';

const CONTENT = `${XMLENC}Content`;
const ALGORITHMS: ReadonlyMap<string, number> = new Map([
  ['http://www.w3.org/2009/xmlenc11#aes128-gcm', 16],
  ['http://www.w3.org/2009/xmlenc11#aes256-gcm', 32],
]);
const DEFAULT_ALGORITHMS = { 16: 'aes128-gcm', 32: 'aes256-gcm' } as const;

/** EncryptedData that stands for `content`. */
export function encryptContent(content: string, { spk, p0, random }: SealingKey): string {
  const { iv, sealed } = withKey('confidentiality', spk, p0, (key) =>
    encrypt(key, utf8(content), random),
  );
  const name = DEFAULT_ALGORITHMS[spk.key.length === 32 ? 32 : 16];
  return (
    `<EncryptedData xmlns="${XMLENC}" Type="${CONTENT}">` +
    `<EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#${name}"/>` +
    `<ds:KeyInfo xmlns:ds="${DSIG_NAMESPACE}"><ds:KeyName>${spk.keyName}</ds:KeyName></ds:KeyInfo>` +
    `<CipherData><CipherValue>${toBase64(concatBytes(iv, sealed))}</CipherValue></CipherData>` +
    '</EncryptedData>'
  );
}

/**
 * What `data`, the EncryptedData inside `holder`, stands for.
 * @throws SegyError SEGY_E_XML_DECRYPT, SEGY_E_SPK_*
 */
export function decryptContent(
  document: LocatedDocument,
  holder: LocatedElement,
  data: LocatedElement,
  vocabulary: InfoVocabulary,
  keys: OpeningKeys,
): string {
  const { keyName, octets, cipher } = readEncryptedData(document, data);
  const iv = cipher.subarray(0, IV_OCTETS);
  for (const spk of keys.spks.forReceiving(keyName, keys.now)) {
    if (octets !== null && octets !== spk.key.length) continue;
    let plain: Uint8Array;
    try {
      plain = withKey('confidentiality', spk, keys.p0, (key) =>
        decrypt(key, iv, cipher.subarray(IV_OCTETS)),
      );
    } catch (error) {
      if (error instanceof SegyError && error.code === 'SEGY_E_XML_DECRYPT') continue;
      throw error;
    }
    const text = plaintextOf(plain);
    checkContent(text, holder, vocabulary);
    return text;
  }
  throw undecryptable();
}

interface ReadEncryptedData {
  readonly keyName: string | null;
  /** key length that EncryptionMethod says; null without one */
  readonly octets: number | null;
  readonly cipher: Uint8Array;
}

function readEncryptedData(document: LocatedDocument, data: LocatedElement): ReadEncryptedData {
  const type = data.attributes.find(({ name }) => name === 'Type')?.value;
  if (type !== undefined && type !== CONTENT) throw undecryptable();
  const known = ['EncryptionMethod', 'KeyInfo', 'CipherData'];
  if (data.children.some(({ localName }) => !known.includes(localName))) throw undecryptable();
  const method = child(data, 'EncryptionMethod', XMLENC);
  const uri = method?.attributes.find(({ name }) => name === 'Algorithm')?.value;
  const octets = method === null ? null : ALGORITHMS.get(uri ?? '');
  if (octets === undefined || (method?.children.length ?? 0) > 0) throw undecryptable();
  const info = child(data, 'KeyInfo', DSIG_NAMESPACE);
  if (info?.children.some(({ localName }) => localName !== 'KeyName')) throw undecryptable();
  const keyName = info && child(info, 'KeyName', DSIG_NAMESPACE);
  if ((keyName?.children.length ?? 0) > 0) throw undecryptable();
  const cipherData = child(data, 'CipherData', XMLENC);
  const value = cipherData && child(cipherData, 'CipherValue', XMLENC);
  if (value === null || value.children.length > 0) throw undecryptable();
  return {
    keyName: keyName && plainText(document, keyName).trim(),
    octets,
    // Java's serialisers leave the carriage returns of wrapped base64 as references
    cipher: decodeBase64(plainText(document, value)),
  };
}

/** The one child of that name; null when there is none. */
function child(parent: LocatedElement, name: string, namespace: string): LocatedElement | null {
  const found = parent.children.filter(({ localName }) => localName === name);
  const [only] = found;
  if (found.length > 1 || (only !== undefined && only.namespace !== namespace)) {
    throw undecryptable();
  }
  return only ?? null;
}

/** One element without attributes that holds plain characters, as nearly every sender writes it. */
const PLAIN_ELEMENT =
  /^<(?:([A-Za-z]\w*):)?([A-Za-z]\w*)>[\x20-\x25\x27-\x3b\x3d\x3f-\x7e]*<\/(?:\1:)?\2>$/;

/** Bare text, or one element of the schema that holds text; it cannot close what it stands in. */
function checkContent(text: string, holder: LocatedElement, vocabulary: InfoVocabulary): void {
  const [plain, prefix = '', name = ''] = PLAIN_ELEMENT.exec(text) ?? [];
  const isPlain =
    plain !== undefined &&
    plain.endsWith(`</${prefix === '' ? '' : `${prefix}:`}${name}>`) &&
    holder.scope.get(prefix) === holder.namespace &&
    vocabulary.contents.has(name);
  if (isPlain) return;
  const scope = holder.scope.bindings().filter(([prefix]) => prefix !== 'xml');
  const declared = scope.map(
    ([prefix, uri]) => ` ${prefix === '' ? 'xmlns' : `xmlns:${prefix}`}="${escapeXml(uri)}"`,
  );
  let root;
  try {
    root = parseXml(`<w${declared.join('')}>${text}</w>`, PART_LIMITS);
  } catch {
    throw undecryptable();
  }
  const [first, ...more] = root.children;
  const isText = first === undefined;
  const isKnown =
    first !== undefined &&
    more.length === 0 &&
    first.children.length === 0 &&
    first.namespace === holder.namespace &&
    vocabulary.contents.has(first.localName) &&
    root.text.trim() === '';
  if (!isText && !isKnown) throw undecryptable();
}
