/** Writing Annex D documents (TS 33.180 D.3), in the schema's order of elements. */
import { toHex } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { escapeXml } from '../xml/index.js';
import type { KmsCertificate, KmsKeySet } from './certificate.js';
import { writeEncryptedKey } from './transport-key.js';
import type { TransportKey, WrapProfile } from './transport-key.js';

/** Namespace of the KMS interface. */
export const KMS_NAMESPACE = 'urn:3gpp:ns:mcsecKMSInterface:1.0';
const XSI_NAMESPACE = 'http://www.w3.org/2001/XMLSchema-instance';
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACES = ` xmlns="${KMS_NAMESPACE}" xmlns:xsi="${XSI_NAMESPACE}"`;

type Value = string | bigint | boolean | Date | undefined;

function element(name: string, value: Value): string {
  if (value === undefined) return '';
  const text = value instanceof Date ? formatDateTime(value) : String(value);
  return `<${name}>${escapeXml(text)}</${name}>\n`;
}

function attributeText(name: string, value: string | boolean | undefined): string {
  return value === undefined ? '' : ` ${name}="${escapeXml(String(value))}"`;
}

/** xsd:dateTime in UTC, seconds only where there is no fraction. */
function formatDateTime(date: Date): string {
  return date.toISOString().replace('.000Z', 'Z');
}

/** How secret keys are written. */
export interface WriteOptions {
  /** wraps them under this transport key; otherwise they stand in clear */
  readonly transportKey?: TransportKey;
  readonly wrap?: WrapProfile;
}

function key(name: string, octets: Uint8Array, options: WriteOptions): string {
  return options.transportKey === undefined
    ? `<${name} xsi:type="KeyContentType">${toHex(octets)}</${name}>\n`
    : `<${name} xsi:type="EncKeyContentType">${writeEncryptedKey(options.transportKey, octets, options.wrap)}</${name}>\n`;
}

function certificateElement(c: KmsCertificate, namespaces: string): string {
  const domains = c.domains.map((domain) => element('KmsDomain', domain)).join('');
  return (
    `<KmsCertificate${namespaces}${attributeText('Id', c.id)}` +
    `${attributeText('Version', c.version ?? '1.1.0')}${attributeText('Role', c.role)}` +
    `${attributeText('IsSecurityGateway', c.isSecurityGateway ? true : undefined)}>\n` +
    element('CertUri', c.certUri) +
    element('KmsUri', c.kmsUri) +
    element('Issuer', c.issuer) +
    element('ValidFrom', c.validFrom) +
    element('ValidTo', c.validTo) +
    element('Revoked', c.revoked) +
    element('UserIdFormat', '2') +
    element('UserKeyPeriod', c.userKeyPeriod) +
    element('UserKeyOffset', c.userKeyOffset) +
    element('PubEncKey', toHex(c.pubEncKey)) +
    element('PubAuthKey', toHex(c.pubAuthKey)) +
    element('ParameterSet', '1') +
    (domains === '' ? '' : `<KmsDomainList>\n${domains}</KmsDomainList>\n`) +
    '</KmsCertificate>\n'
  );
}

function keySetElement(k: KmsKeySet, namespaces: string, options: WriteOptions): string {
  return (
    `<KmsKeySet${namespaces} Version="1.1.0">\n` +
    element('KmsUri', k.kmsUri) +
    element('CertUri', k.certUri) +
    element('Issuer', k.issuer) +
    element('UserUri', k.userUri) +
    element('UserID', Buffer.from(k.userId).toString('base64')) +
    element('ValidFrom', k.validFrom) +
    element('ValidTo', k.validTo) +
    element('KeyPeriodNo', k.keyPeriodNo) +
    element('Revoked', k.revoked) +
    key('UserDecryptKey', k.rsk, options) +
    key('UserSigningKeySSK', k.ssk, options) +
    key('UserPubTokenPVT', k.pvt, options) +
    '</KmsKeySet>\n'
  );
}

/** One certificate as a document of its own. Always Parameter Set 1 and UserIdFormat 2. */
export function writeKmsCertificate(certificate: KmsCertificate): string {
  return DECLARATION + certificateElement(certificate, NAMESPACES);
}

/**
 * Key sets as one document: a bare KmsKeySet where it is one, a KmsKeyProv around several.
 * The text holds secret keys, in clear unless a transport key wraps them.
 * @throws SegyError SEGY_E_ARGUMENT for none
 */
export function writeKmsKeySets(keySets: readonly KmsKeySet[], options: WriteOptions = {}): string {
  const [first] = keySets;
  if (first === undefined) throw new SegyError('SEGY_E_ARGUMENT', 'no key set to write');
  if (keySets.length === 1) return DECLARATION + keySetElement(first, NAMESPACES, options);
  return DECLARATION + keyProvElement(keySets, NAMESPACES, options);
}

function keyProvElement(
  keySets: readonly KmsKeySet[],
  namespaces: string,
  options: WriteOptions,
  newKeys: NewExchangeKeys = {},
): string {
  const inside =
    keySets.map((keySet) => keySetElement(keySet, '', options)).join('') +
    newKeyElement('NewTransportKey', newKeys.transportKey, options) +
    newKeyElement('NewIntegrityKey', newKeys.integrityKey, options);
  const rolls = newKeys.transportKey !== undefined || newKeys.integrityKey !== undefined;
  const type = rolls ? ' xsi:type="KmsKeyProvTkIkType"' : '';
  return `<KmsKeyProv${namespaces}${type} Version="1.0.0">\n${inside}</KmsKeyProv>\n`;
}

function newKeyElement(
  name: string,
  newKey: TransportKey | undefined,
  { transportKey, wrap }: WriteOptions,
): string {
  if (newKey === undefined) return '';
  if (transportKey === undefined) {
    throw new SegyError('SEGY_E_ARGUMENT', `a ${name} goes only under the present transport key`);
  }
  const wrapped = writeEncryptedKey(transportKey, newKey.key, wrap, newKey.name);
  return `<${name} xsi:type="EncKeyContentType">${wrapped}</${name}>\n`;
}

/**
 * Keys that follow those now shared with the receiver (D.3, KmsKeyProvTkIkType), each sent under the
 * present transport key.
 */
export interface NewExchangeKeys {
  readonly transportKey?: TransportKey;
  readonly integrityKey?: TransportKey;
}

/** The answer of a KMS: header fields and one of its three messages. */
export interface KmsResponse {
  readonly userUri: string;
  readonly kmsUri: string;
  readonly time: Date;
  readonly clientReqUrl: string;
  readonly message:
    | { readonly kind: 'init'; readonly certificate: KmsCertificate }
    | {
        readonly kind: 'keyProv';
        readonly keySets: readonly KmsKeySet[];
        readonly newKeys?: NewExchangeKeys;
      }
    | {
        readonly kind: 'certCache';
        readonly cacheNum: bigint;
        readonly certificates: readonly KmsCertificate[];
      };
}

function messageElement(message: KmsResponse['message'], options: WriteOptions): string {
  switch (message.kind) {
    case 'init':
      return `<KmsInit Version="1.0.0">\n${certificateElement(message.certificate, '')}</KmsInit>\n`;
    case 'keyProv':
      return keyProvElement(message.keySets, '', options, message.newKeys);
    case 'certCache': {
      const inside = message.certificates.map((c) => certificateElement(c, '')).join('');
      return `<KmsCertCache Version="1.0.0" CacheNum="${message.cacheNum}">\n${inside}</KmsCertCache>\n`;
    }
  }
}

/** A KmsResponse (D.3.1) around a message. */
export function writeKmsResponse(response: KmsResponse, options: WriteOptions = {}): string {
  return (
    `${DECLARATION}<KmsResponse${NAMESPACES} Version="1.0.0">\n` +
    element('UserUri', response.userUri) +
    element('KmsUri', response.kmsUri) +
    element('Time', response.time) +
    element('ClientReqUrl', response.clientReqUrl) +
    `<KmsMessage>\n${messageElement(response.message, options)}</KmsMessage>\n` +
    '</KmsResponse>\n'
  );
}
