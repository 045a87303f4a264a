/**
 * application/vnd.3gpp.mcptt-info+xml (TS 24.379 Annex F.1) and the single entry of an
 * application/resource-lists+xml (RFC 4826), as a private call uses them. Unknown elements are
 * passed over, as the schema's extension points ask; a known one that comes twice is refused,
 * because two readers could then see two callers.
 */
import { SegyError } from '../../base/errors.js';
import type { FloorLevel } from '../../media/index.js';
import { attribute, childElements, escapeXml, parseXml, type XmlElement } from '../../xml/index.js';

export const MCPTT_INFO_TYPE = 'application/vnd.3gpp.mcptt-info+xml';
export const RESOURCE_LISTS_TYPE = 'application/resource-lists+xml';

const MCPTT_INFO = 'urn:3gpp:ns:mcpttInfo:1.0';
/** Elements that say how urgent a call is (TS 24.379 F.1). */
const INDICATIONS = { emergency: 'emergency-ind', 'imminent-peril': 'imminentperil-ind' } as const;
const RESOURCE_LISTS = 'urn:ietf:params:xml:ns:resource-lists';
const MAX_ENTRIES = 64;
const LIMITS = { maxBytes: 65_536, maxDepth: 16, maxElements: 500, maxAttributes: 16 };

/** Elements of mcptt-Params that a private call needs; null where one is absent. */
export interface McpttInfo {
  readonly sessionType: string | null;
  readonly requestUri: string | null;
  readonly callingUserId: string | null;
  readonly callingGroupId: string | null;
  /** emergency-ind, else imminentperil-ind, else normal */
  readonly level: FloorLevel;
}

export const NO_MCPTT_INFO: McpttInfo = {
  sessionType: null,
  requestUri: null,
  callingUserId: null,
  callingGroupId: null,
  level: 'normal',
};

/**
 * Reads an mcptt-info body.
 * @throws SegyError SEGY_E_XML when it is malformed, of another document type or ambiguous;
 *   SEGY_E_XML_PROTECTED when an element is encrypted
 */
export function readMcpttInfo(body: Uint8Array): McpttInfo {
  const root = parseXml(body, LIMITS);
  if (root.localName !== 'mcpttinfo' || root.namespace !== MCPTT_INFO) {
    throw new SegyError('SEGY_E_XML', 'the body is no mcpttinfo document');
  }
  const params = onlyChild(root, 'mcptt-Params');
  if (params === null) return NO_MCPTT_INFO;
  return {
    sessionType: onlyChild(params, 'session-type')?.text.trim() ?? null,
    requestUri: contentUri(params, 'mcptt-request-uri'),
    callingUserId: contentUri(params, 'mcptt-calling-user-id'),
    callingGroupId: contentUri(params, 'mcptt-calling-group-id'),
    level: levelOf(params),
  };
}

/**
 * The one entry of a resource list; null when it holds none or more than one.
 * @throws SegyError SEGY_E_XML
 */
export function readSingleEntry(body: Uint8Array): string | null {
  const root = parseXml(body, LIMITS);
  if (root.localName !== 'resource-lists' || root.namespace !== RESOURCE_LISTS) {
    throw new SegyError('SEGY_E_XML', 'the body is no resource-lists document');
  }
  const entries = childElements(root, 'list', RESOURCE_LISTS).flatMap((list) =>
    childElements(list, 'entry', RESOURCE_LISTS),
  );
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) return null;
  return attribute(entry, 'uri') ?? null;
}

/**
 * Every entry of a resource list; at most 64.
 * @throws SegyError SEGY_E_XML
 */
export function readEntries(body: Uint8Array): string[] {
  const root = parseXml(body, LIMITS);
  if (root.localName !== 'resource-lists' || root.namespace !== RESOURCE_LISTS) {
    throw new SegyError('SEGY_E_XML', 'the body is no resource-lists document');
  }
  const entries = childElements(root, 'list', RESOURCE_LISTS).flatMap((list) =>
    childElements(list, 'entry', RESOURCE_LISTS),
  );
  if (entries.length > MAX_ENTRIES) throw new SegyError('SEGY_E_XML', 'too many entries');
  return entries.flatMap((entry) => attribute(entry, 'uri') ?? []);
}

/** The mcptt-info body of a private call that the gateway sends for a represented user. */
export function writePrivateCallInfo(
  calleeUri: string,
  callerUri: string,
  level: FloorLevel = 'normal',
): string {
  return writeInfo('private', calleeUri, callerUri, level);
}

/** The mcptt-info body of a call into a prearranged group for a represented user. */
export function writeGroupCallInfo(
  groupId: string,
  callerUri: string,
  level: FloorLevel = 'normal',
): string {
  return writeInfo('prearranged', groupId, callerUri, level);
}

/**
 * The mcptt-info body of a request that is about one represented user.
 * @param accessToken of the user at the partner; null for none
 */
export function writeUserInfo(userUri: string, accessToken: string | null): string {
  const token =
    accessToken === null
      ? ''
      : '<mcptt-access-token type="Normal">' +
        `<mcpttString>${escapeXml(accessToken)}</mcpttString></mcptt-access-token>`;
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
    `<mcpttinfo xmlns="${MCPTT_INFO}"><mcptt-Params>${token}` +
    uriElement('mcptt-request-uri', userUri) +
    uriElement('mcptt-calling-user-id', userUri) +
    '</mcptt-Params></mcpttinfo>\r\n'
  );
}

/** The mcptt-info body of a request of our GMS to one of a partner's users, or to its GMS. */
export function writeGmsInfo(gmsUri: string, targetUri: string): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
    `<mcpttinfo xmlns="${MCPTT_INFO}"><mcptt-Params>` +
    uriElement('mcptt-request-uri', targetUri) +
    uriElement('mcptt-calling-user-id', gmsUri) +
    '</mcptt-Params></mcpttinfo>\r\n'
  );
}

function uriElement(element: string, value: string): string {
  return `<${element} type="Normal"><mcpttURI>${escapeXml(value)}</mcpttURI></${element}>`;
}

function writeInfo(
  sessionType: string,
  calleeUri: string,
  callerUri: string,
  level: FloorLevel,
): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
    `<mcpttinfo xmlns="${MCPTT_INFO}"><mcptt-Params>` +
    `<session-type>${sessionType}</session-type>` +
    uriElement('mcptt-request-uri', calleeUri) +
    uriElement('mcptt-calling-user-id', callerUri) +
    (level === 'normal' ? '' : indication(INDICATIONS[level])) +
    '</mcptt-Params></mcpttinfo>\r\n'
  );
}

function indication(element: string): string {
  return `<${element} type="Normal"><mcpttBoolean>true</mcpttBoolean></${element}>`;
}

function onlyChild(parent: XmlElement, localName: string): XmlElement | null {
  const found = childElements(parent, localName, MCPTT_INFO);
  if (found.length > 1) throw new SegyError('SEGY_E_XML', `${localName} comes more than once`);
  return found[0] ?? null;
}

function levelOf(params: XmlElement): FloorLevel {
  if (isIndicated(params, INDICATIONS.emergency)) return 'emergency';
  return isIndicated(params, INDICATIONS['imminent-peril']) ? 'imminent-peril' : 'normal';
}

/** An element of contentType that holds mcpttBoolean, or its bare text. */
function isIndicated(params: XmlElement, localName: string): boolean {
  const element = onlyChild(params, localName);
  if (element === null) return false;
  refuseEncrypted(element, localName);
  const text = (onlyChild(element, 'mcpttBoolean') ?? element).text.trim();
  return text === 'true' || text === '1';
}

function refuseEncrypted(element: XmlElement, localName: string): void {
  const isEncrypted = element.children.some((child) => child.localName === 'EncryptedData');
  if (isEncrypted || attribute(element, 'type') === 'Encrypted') {
    throw new SegyError('SEGY_E_XML_PROTECTED', `${localName} is encrypted`);
  }
}

/** An element of contentType: its mcpttURI, or its bare text, which some senders write. */
function contentUri(params: XmlElement, localName: string): string | null {
  const element = onlyChild(params, localName);
  if (element === null) return null;
  refuseEncrypted(element, localName);
  const uri = (onlyChild(element, 'mcpttURI') ?? element).text.trim();
  return uri === '' ? null : uri;
}
