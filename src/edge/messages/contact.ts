/**
 * What the edge says of itself in headers: Contact on each side, and the MC service's feature tags
 * (TS 24.379 clause 10.1.1.2.1.1).
 */
import type { SipRequest } from '../../sip/index.js';
import type { EdgeSettings, Side } from '../dependencies.js';
import { interfaceFor, type PeerWay } from '../interfaces.js';

const ICSI = 'urn:urn-7:3gpp-service.ims.icsi.mcptt';
const ICSI_ESCAPED = 'urn%3Aurn-7%3A3gpp-service.ims.icsi.mcptt';
const MCPTT_TAG = '+g.3gpp.mcptt';
const ICSI_TAG = `+g.3gpp.icsi-ref="${ICSI_ESCAPED}"`;

/** What we are in a dialog towards MC: the focus of a call we answer, a caller otherwise. */
export type OuterRole = 'focus' | 'caller';

/** Host of `side`'s peers' view of us. */
export function ownHost(settings: EdgeSettings, side: Side, way: PeerWay): string {
  return bracketed(addressOf(settings, side, way).host);
}

/** Our host and port on one side, where the peer can dial us. */
export function ownHostPort(settings: EdgeSettings, side: Side, way: PeerWay): string {
  const { host, port } = addressOf(settings, side, way);
  return `${bracketed(host)}:${port}`;
}

/** Our Contact on one side, for the peer at the other end of `way`. */
export function ownContact(
  settings: EdgeSettings,
  side: Side,
  way: PeerWay,
  role: OuterRole,
): string {
  const uri = `<sip:segy@${ownHostPort(settings, side, way)};transport=${way.protocol}>`;
  if (side === 'inner') return uri;
  return `${uri};${MCPTT_TAG};${ICSI_TAG}${role === 'focus' ? ';isfocus' : ''}`;
}

/** Puts the headers by which MC functions recognise an MCPTT request. */
export function setServiceHeaders(request: SipRequest, identity: string): void {
  request.headers.set('Accept-Contact', [
    `*;${MCPTT_TAG};require;explicit`,
    `*;${ICSI_TAG};require;explicit`,
  ]);
  request.headers.set('P-Asserted-Service', ICSI);
  request.headers.set('P-Asserted-Identity', `<${identity}>`);
}

function addressOf(
  settings: EdgeSettings,
  side: Side,
  way: PeerWay,
): { readonly host: string; readonly port: number } {
  if (side === 'outer') {
    const found = interfaceFor(settings.outer.interfaces, way)?.contact;
    return found ?? { host: 'localhost', port: 5060 };
  }
  const { contacts } = settings.inner;
  const { protocol } = way;
  const address = contacts[protocol] ?? contacts.tls ?? contacts.tcp ?? contacts.udp;
  return address ?? { host: 'localhost', port: 5060 };
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
