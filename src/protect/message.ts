/**
 * Protection of one SIP message, hop by hop: what came is verified, then decrypted, and takes the
 * place of the protected body; what goes is encrypted, then signed (TS 24.379 clause 6.6.1). What is
 * read on is made of the very octets that were verified.
 */
import type { RandomBytes } from '../base/environment.js';
import { toHex } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import {
  contentId,
  leafParts,
  makeMultipart,
  parseBody,
  SipHeaders,
  type BodyPart,
  type OutgoingPart,
  type SipMessage,
} from '../sip/index.js';
import { decryptDocument, encryptDocument } from './confidentiality.js';
import type { OpeningKeys, SealingKey } from './encrypted-uri.js';
import { signBodies, verifyBodies, type SignableBody } from './integrity.js';
import {
  EAR_TYPE,
  isProtectedXml,
  serviceOf,
  SIGNED_DOCUMENTS,
  signedServiceOf,
} from './vocabulary.js';

/** What policy demands of a message that came. */
export interface Demands {
  readonly confidentiality: boolean;
  readonly integrity: boolean;
}

export interface Measures {
  readonly confidentiality: boolean;
  readonly integrity: boolean;
  /** host part of the Content-IDs we make */
  readonly host: string;
  readonly random: RandomBytes;
}

/**
 * Takes the protection off `message`: its body becomes the clear one.
 * @param keys null where no SPK is held
 * @returns the EAR it carried, as octets; null without one
 * @throws SegyError SEGY_E_SIP_SYNTAX, SEGY_E_XML*, SEGY_E_SPK_*, SEGY_E_EAR_SYNTAX; the message is
 *   then as it was
 */
export function openMessage(
  message: SipMessage,
  keys: OpeningKeys | null,
  demands: Demands,
  random: RandomBytes,
): Uint8Array | null {
  const type = message.headers.get('Content-Type');
  if (message.body.length === 0 || type === undefined) return null;
  const parts = leafParts(parseBody(type, message.body));
  const typeOf = (part: BodyPart): string => part.contentType.type;
  const signed = parts.filter((part) => signedServiceOf(typeOf(part)) !== null);
  const ears = parts.filter((part) => typeOf(part) === EAR_TYPE);
  const xml = parts.filter((part) => isProtectedXml(typeOf(part)));
  if (signed.length + ears.length + xml.length === 0) return null;
  if (signed.length > 0 || demands.integrity) {
    verify(message, type, parts, { signed, xml, keys });
  }
  if (ears.length > 1) throw new SegyError('SEGY_E_EAR_SYNTAX', 'the message has two EARs');
  refuseEncoded(xml);
  const clear = new Map(
    xml.map((part) => [part, decryptDocument(part.body, keys, demands.confidentiality)]),
  );
  const changed = xml.some((part) => clear.get(part) !== part.body);
  if (changed || signed.length + ears.length > 0) {
    const kept = parts.filter((part) => !signed.includes(part) && !ears.includes(part));
    replace(
      message,
      kept.map((part) => outgoing(part, clear.get(part))),
      random,
    );
  }
  return ears[0]?.body ?? null;
}

interface ToVerify {
  readonly signed: readonly BodyPart[];
  readonly xml: readonly BodyPart[];
  readonly keys: OpeningKeys | null;
}

/** Every XML body has its one signature. */
function verify(
  message: SipMessage,
  type: string,
  parts: readonly BodyPart[],
  { signed, xml, keys }: ToVerify,
): void {
  const [document, ...more] = signed;
  if (document === undefined) {
    if (xml.length === 0) return;
    throw new SegyError('SEGY_E_XML_UNSIGNED', 'the message is not signed');
  }
  const service = signedServiceOf(document.contentType.type);
  if (more.length > 0 || service === null) refuse('there are two signature parts');
  // two readers could take different parts of a nested body
  const top = parseBody(type, message.body);
  if (top.parts.some((part) => part.parts.length > 0)) refuse('a signed body stands in another');
  if (keys === null) {
    throw new SegyError('SEGY_E_XML_PROTECTED', 'the message is signed and no SPK is held');
  }
  const others = parts.filter((part) => part !== document);
  const bodies = others.flatMap((part) => signable(part));
  if (new Set(bodies.map((body) => body.contentId)).size < bodies.length) {
    refuse('two bodies have one Content-ID');
  }
  const verified = verifyBodies(document.body, service, bodies, keys);
  for (const part of xml) {
    if (!verified.has(contentId(part) ?? '')) {
      throw new SegyError('SEGY_E_XML_UNSIGNED', `a body of ${part.contentType.type} is unsigned`);
    }
  }
}

function signable(part: BodyPart): SignableBody[] {
  const id = contentId(part);
  return id === undefined || id === '' ? [] : [{ contentId: id, octets: part.body }];
}

function refuse(what: string): never {
  throw new SegyError('SEGY_E_XML_SIGNATURE', what);
}

/** A transfer encoding would let what is read differ from what was digested. */
function refuseEncoded(xml: readonly BodyPart[]): void {
  for (const part of xml) {
    const encoding = part.headers.get('Content-Transfer-Encoding')?.toLowerCase() ?? 'binary';
    if (!['7bit', '8bit', 'binary'].includes(encoding)) {
      throw new SegyError('SEGY_E_SIP_BODY', 'an XML body has a transfer encoding');
    }
  }
}

/**
 * Protects the XML bodies of `message` and puts an EAR beside them.
 * @param key null where nothing is protected
 * @throws SegyError SEGY_E_XML, SEGY_E_XML_PLACE; the message is then as it was
 */
export function sealMessage(message: SipMessage, key: SealingKey | null, measures: Measures): void {
  const type = message.headers.get('Content-Type');
  if (message.body.length === 0 || type === undefined || key === null) return;
  const parts = leafParts(parseBody(type, message.body));
  const types = parts.map((part) => part.contentType.type);
  const { confidentiality, integrity, host, random } = measures;
  if (!types.some(isProtectedXml) || !(confidentiality || integrity)) return;
  const bodies: SignableBody[] = [];
  const sealed = parts.map((part) => {
    if (!isProtectedXml(part.contentType.type)) return outgoing(part);
    const octets = confidentiality ? encryptDocument(part.body, key) : part.body;
    const made = outgoing(part, octets);
    if (integrity) {
      const id = `${toHex(random(8))}@${host}`;
      made.headers.set('Content-ID', `<${id}>`);
      bodies.push({ contentId: id, octets });
    }
    return made;
  });
  if (integrity) {
    const service = serviceOf(types);
    const headers = new SipHeaders([['Content-Type', SIGNED_DOCUMENTS[service].type]]);
    sealed.push({ headers, body: signBodies(bodies, service, key.spk, key.p0) });
  }
  replace(message, sealed, random);
}

/** Adds `ear` as a part of its own; SDP stays the first one. */
export function attachEar(message: SipMessage, ear: Uint8Array, random: RandomBytes): void {
  const type = message.headers.get('Content-Type');
  const parts =
    message.body.length === 0 || type === undefined ? [] : leafParts(parseBody(type, message.body));
  const headers = new SipHeaders([
    ['Content-Type', EAR_TYPE],
    ['Content-Transfer-Encoding', 'binary'],
  ]);
  replace(message, [...parts.map((part) => outgoing(part)), { headers, body: ear }], random);
}

/** A part with its own fields, and perhaps another content. */
function outgoing(part: BodyPart, body: Uint8Array = part.body): OutgoingPart {
  const headers = part.headers.clone();
  headers.remove('Content-Length');
  return { headers, body };
}

function replace(message: SipMessage, parts: readonly OutgoingPart[], random: RandomBytes): void {
  const [only, ...more] = parts;
  if (only === undefined) {
    message.headers.remove('Content-Type');
    message.body = new Uint8Array();
  } else if (more.length === 0) {
    message.headers.set('Content-Type', only.headers.get('Content-Type') ?? 'text/plain');
    message.body = only.body;
  } else {
    const { contentType, body } = makeMultipart(parts, random);
    message.headers.set('MIME-Version', '1.0');
    message.headers.set('Content-Type', contentType);
    message.body = body;
  }
}
