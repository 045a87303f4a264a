/** The `application/vnd.3gpp.mcptt-info+xml` body of a call or a subscription (TS 24.379 annex F.1). */
import { SegyError } from '../base/errors.js';
import type { FloorLevel } from '../floor/index.js';
import { escapeXml, firstChild, parseXml } from '../xml/index.js';
import type { XmlElement } from '../xml/index.js';

export const MCPTT_INFO_TYPE = 'application/vnd.3gpp.mcptt-info+xml';
const NAMESPACE = 'urn:3gpp:ns:mcpttInfo:1.0';

export interface McpttInfo {
  readonly sessionType: string;
  /** MCPTT ID of the called user, or the called group */
  readonly requestUri: string;
  /** MCPTT ID of the calling user */
  readonly callingUserId: string;
  /** how urgent the call is */
  readonly level?: FloorLevel;
  /** the group of the call, where the request URI names the invited member */
  readonly callingGroupId?: string;
}

/** Each identity stands in the element that the schema has for a clear value, `mcpttURI`. */
function identity(name: string, uri: string): string {
  return `<${name} type="Normal"><mcpttURI>${escapeXml(uri)}</mcpttURI></${name}>`;
}

/** Says whose subscription it is. */
export function writeSubscriberInfo(user: string): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
    `<mcpttinfo xmlns="${NAMESPACE}"><mcptt-Params>` +
    identity('mcptt-calling-user-id', user) +
    '</mcptt-Params></mcpttinfo>\r\n'
  );
}

export function writeMcpttInfo(info: McpttInfo): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
    `<mcpttinfo xmlns="${NAMESPACE}"><mcptt-Params>` +
    `<session-type>${escapeXml(info.sessionType)}</session-type>` +
    identity('mcptt-request-uri', info.requestUri) +
    identity('mcptt-calling-user-id', info.callingUserId) +
    indications(info.level ?? 'normal') +
    '</mcptt-Params></mcpttinfo>\r\n'
  );
}

const INDICATIONS = { emergency: 'emergency-ind', 'imminent-peril': 'imminentperil-ind' } as const;

function indications(level: FloorLevel): string {
  if (level === 'normal') return '';
  const name = INDICATIONS[level];
  return `<${name} type="Normal"><mcpttBoolean>true</mcpttBoolean></${name}>`;
}

/** @throws SegyError SEGY_E_XML when the document is malformed or lacks one of the three elements */
export function readMcpttInfo(bytes: Uint8Array): McpttInfo {
  const params = child(parseXml(bytes), 'mcptt-Params');
  const group = firstChild(params, 'mcptt-calling-group-id');
  return {
    sessionType: child(params, 'session-type').text.trim(),
    requestUri: identityOf(child(params, 'mcptt-request-uri')),
    callingUserId: identityOf(child(params, 'mcptt-calling-user-id')),
    level: levelOf(params),
    ...(group !== undefined && { callingGroupId: identityOf(group) }),
  };
}

function levelOf(params: XmlElement): FloorLevel {
  if (firstChild(params, INDICATIONS.emergency)) return 'emergency';
  return firstChild(params, INDICATIONS['imminent-peril']) ? 'imminent-peril' : 'normal';
}

function identityOf(element: XmlElement): string {
  return (firstChild(element, 'mcpttURI') ?? element).text.trim();
}

function child(parent: XmlElement, localName: string): XmlElement {
  const found = firstChild(parent, localName);
  if (!found) throw new SegyError('SEGY_E_XML', `mcptt-info holds no ${localName} element`);
  return found;
}
