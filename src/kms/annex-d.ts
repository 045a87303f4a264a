/**
 * Reading Annex D documents (TS 33.180 D.3): certificates and key sets, bare, in a SignedKmsCertificate
 * or anywhere in a KmsResponse. Structure and ranges are checked here; that the points are points, by
 * checkKmsCertificate. XML signatures are not judged here but in signed.ts, which hands on what one covers.
 */
import { DEFAULT_XML_LIMITS, parseXmlSequence, type XmlElement } from '../xml/index.js';
import {
  booleanOf,
  optionalBoolean,
  optionalDateTime,
  optionalInteger,
  optionalText,
  refuseDocument,
  requiredInteger,
  requiredKey,
  requiredText,
  requiredUid,
  requiredUri,
  single,
  textAttribute,
  uriOf,
  valueAttribute,
  type TransportKeys,
} from './annex-d-values.js';
import { KMS_NAMESPACE } from './annex-d-write.js';
import type { KmsCertificate, KmsKeySet } from './certificate.js';
import { readNewKey } from './transport-key.js';
import type { TransportKey } from './transport-key.js';

/** What one file or answer held, in order. */
export interface KmsDocument {
  readonly certificates: readonly KmsCertificate[];
  readonly keySets: readonly KmsKeySet[];
  /** keys that follow the present transport and integrity keys; read where transport keys are given */
  readonly newTransportKeys: readonly TransportKey[];
  readonly newIntegrityKeys: readonly TransportKey[];
}

export interface ReadOptions {
  /** for key sets that come wrapped; without them such a key set is refused */
  readonly transportKeys?: TransportKeys;
}

/** Only UIDs of F.2.1 (format 2) are ours. */
const USER_ID_FORMAT = '2';
/** RFC 6509 Appendix A. */
const PARAMETER_SET = 1n;
const ROLES = ['Root', 'External', 'Migration'] as const;

/** Elements that hold certificates and key sets, at any of their levels. */
const CONTAINERS: ReadonlySet<string> = new Set([
  'SignedKmsResponse',
  'KmsResponse',
  'KmsMessage',
  'KmsInit',
  'KmsKeyProv',
  'KmsCertCache',
  'SignedKmsCertificate',
]);

/** More than a hundred certificates or key sets. */
const LIMITS = { ...DEFAULT_XML_LIMITS, maxDepth: 24, maxAttributes: 32 };

function present<K extends string, T>(key: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, T>);
}

function readRole(element: XmlElement, container: string): KmsCertificate['role'] {
  const text = valueAttribute(element, 'Role');
  if (text === undefined) return container === 'KmsInit' ? 'Root' : 'External';
  return (
    ROLES.find((role) => role === text) ?? refuseDocument('the Role of a KmsCertificate is unknown')
  );
}

function readDomains(element: XmlElement): string[] {
  const list = single(element, 'KmsDomainList');
  if (list === undefined) return [];
  const named = list.children.filter(
    ({ localName, namespace }) =>
      localName === 'KmsDomain' && [list.namespace, ''].includes(namespace),
  );
  const domains = named.map(({ text, children }) => {
    if (children.length > 0) refuseDocument('KmsDomain holds elements');
    return text.trim();
  });
  if (domains.length === 0 || domains.includes('')) {
    refuseDocument('KmsDomainList names no domain');
  }
  return domains.map((domain) => uriOf(domain, 'KmsDomain'));
}

function readCertificate(element: XmlElement, container: string): KmsCertificate {
  if (requiredText(element, 'UserIdFormat') !== USER_ID_FORMAT) {
    refuseDocument('UserIdFormat is not 2');
  }
  // The schema makes ParameterSet optional and there is one set; another must not be taken for it.
  if ((optionalInteger(element, 'ParameterSet') ?? PARAMETER_SET) !== PARAMETER_SET) {
    refuseDocument('ParameterSet is not 1');
  }
  const userKeyPeriod = requiredInteger(element, 'UserKeyPeriod');
  const userKeyOffset = requiredInteger(element, 'UserKeyOffset');
  if (userKeyPeriod < 1n) refuseDocument('UserKeyPeriod is zero');
  if (userKeyOffset >= userKeyPeriod) refuseDocument('UserKeyOffset is not below UserKeyPeriod');
  const gateway = valueAttribute(element, 'IsSecurityGateway');
  return {
    role: readRole(element, container),
    isSecurityGateway: gateway !== undefined && booleanOf(gateway, 'IsSecurityGateway'),
    ...present('version', textAttribute(element, 'Version')),
    ...present('id', textAttribute(element, 'Id')),
    ...present('certUri', optionalText(element, 'CertUri')),
    kmsUri: requiredUri(element, 'KmsUri'),
    ...present('issuer', optionalText(element, 'Issuer')),
    ...validity(element),
    revoked: optionalBoolean(element, 'Revoked') ?? false,
    userKeyPeriod,
    userKeyOffset,
    pubEncKey: requiredPoint(element, 'PubEncKey', 257),
    pubAuthKey: requiredPoint(element, 'PubAuthKey', 65),
    domains: readDomains(element),
  };
}

function validity(element: XmlElement): { validFrom?: Date; validTo?: Date } {
  const validFrom = optionalDateTime(element, 'ValidFrom');
  const validTo = optionalDateTime(element, 'ValidTo');
  if (validFrom !== undefined && validTo !== undefined && validTo < validFrom) {
    refuseDocument('ValidTo lies before ValidFrom');
  }
  return { ...present('validFrom', validFrom), ...present('validTo', validTo) };
}

function requiredPoint(
  element: XmlElement,
  localName: string,
  length: number,
  transportKeys?: TransportKeys,
): Uint8Array {
  const point = requiredKey(element, localName, length, transportKeys);
  if (point[0] !== 4) refuseDocument(`${localName} is not an uncompressed point`);
  return point;
}

function readKeySet(element: XmlElement, transportKeys: TransportKeys | undefined): KmsKeySet {
  return {
    kmsUri: requiredUri(element, 'KmsUri'),
    ...present('certUri', optionalText(element, 'CertUri')),
    ...present('issuer', optionalText(element, 'Issuer')),
    userUri: requiredText(element, 'UserUri'),
    userId: requiredUid(element, 'UserID'),
    ...validity(element),
    keyPeriodNo: requiredInteger(element, 'KeyPeriodNo'),
    revoked: optionalBoolean(element, 'Revoked') ?? false,
    rsk: requiredPoint(element, 'UserDecryptKey', 257, transportKeys),
    ssk: requiredKey(element, 'UserSigningKeySSK', 32, transportKeys),
    pvt: requiredPoint(element, 'UserPubTokenPVT', 65, transportKeys),
  };
}

interface Collected {
  readonly certificates: KmsCertificate[];
  readonly keySets: KmsKeySet[];
  readonly newTransportKeys: TransportKey[];
  readonly newIntegrityKeys: TransportKey[];
}

function collect(
  element: XmlElement,
  container: string,
  into: Collected,
  transportKeys: TransportKeys | undefined,
): void {
  if (element.localName === 'KmsCertificate') {
    into.certificates.push(readCertificate(element, container));
  } else if (element.localName === 'KmsKeySet') {
    into.keySets.push(readKeySet(element, transportKeys));
  } else if (element.localName === 'NewTransportKey') {
    if (transportKeys) into.newTransportKeys.push(readNewKey(element, transportKeys));
  } else if (element.localName === 'NewIntegrityKey') {
    if (transportKeys) into.newIntegrityKeys.push(readNewKey(element, transportKeys));
  } else if (element.localName === 'KmsError') {
    refuseDocument('the KMS answered with a KmsError');
  } else if (CONTAINERS.has(element.localName) || container === '') {
    // A signature around a certificate does not change what holds it.
    const inside =
      container !== '' && element.localName.startsWith('Signed') ? container : element.localName;
    for (const child of element.children) {
      // Elements of other namespaces are extensions or the XML signature.
      if ([element.namespace, '', KMS_NAMESPACE].includes(child.namespace)) {
        collect(child, inside, into, transportKeys);
      }
    }
  }
}

/**
 * Certificates and key sets of a file or answer. Several documents may follow each other, and a root element
 * of another name may hold them.
 * @throws SegyError SEGY_E_XML (not strict XML), SEGY_E_KMS_DOCUMENT (a rule of Annex D is broken, or
 * there is neither a certificate nor a key set)
 */
export function readKmsDocument(xml: Uint8Array | string, options: ReadOptions = {}): KmsDocument {
  const found: Collected = {
    certificates: [],
    keySets: [],
    newTransportKeys: [],
    newIntegrityKeys: [],
  };
  for (const root of parseXmlSequence(xml, LIMITS)) collect(root, '', found, options.transportKeys);
  if (found.certificates.length === 0 && found.keySets.length === 0) {
    refuseDocument('no KmsCertificate and no KmsKeySet');
  }
  return found;
}
