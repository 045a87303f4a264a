/**
 * Refer-To (RFC 3515): read strictly, and written anew for the other side. It holds the URI of one
 * user or group and at most a Replaces (RFC 3891); whatever else a URI can carry into a request that
 * somebody else will send (a method, other headers, a body) is refused.
 */
import { SegyError } from '../../base/errors.js';
import type { PartnerConfig } from '../../config/index.js';
import {
  normaliseHost,
  parseNameAddr,
  parseSipUri,
  type SipRequest,
  type SipUri,
} from '../../sip/index.js';
import type { CallDependencies, Side } from '../dependencies.js';
import {
  hostInDomains,
  isSafeText,
  readMcIdentity,
  requireSafeUser,
} from '../messages/identity.js';

/** Characters of a Refer-To; an encrypted identity and an escaped Replaces have ample room. */
const MAX_LENGTH = 2048;
const DOMAIN_PARAMETER = 'segy-domain';
const DIALOG =
  /^([^\s;,<>"]{1,255});(to|from)-tag=([^\s;=,"]{1,128});(to|from)-tag=([^\s;=,"]{1,128})$/;

/** A dialog named by its Call-ID and its two tags. */
export interface DialogReference {
  readonly callId: string;
  readonly tags: readonly [string, string];
  /** as it came, unescaped */
  readonly text: string;
}

export interface ReferTo {
  /** the URI without its header part */
  readonly uri: string;
  readonly replaces: DialogReference | null;
}

/** Whom a call is referred to, as both sides know them. */
export interface ReferTarget {
  /** MC service ID of the user or group */
  readonly mc: string;
  /** the URI for the side that is to call it */
  readonly uri: string;
}

function malformed(what: string): SegyError {
  return new SegyError('SEGY_E_REFER_TO', what);
}

function foreign(what: string): SegyError {
  return new SegyError('SEGY_E_REFER_TARGET', what);
}

/** @throws SegyError SEGY_E_REFER_TO */
export function readReferTo(request: SipRequest): ReferTo {
  const [value, ...more] = request.headers.getAll('Refer-To');
  if (value === undefined || more.length > 0) throw malformed('there is not one Refer-To');
  if (value.length > MAX_LENGTH) throw malformed('Refer-To is too long');
  const { text, uri } = uriOf(value);
  if (uri.password !== undefined) throw malformed('Refer-To has a password');
  const [header, ...others] = uri.headers;
  if (header === undefined) return { uri: text, replaces: null };
  const [name, escaped] = header;
  if (others.length > 0 || name.toLowerCase() !== 'replaces') {
    throw malformed('Refer-To has headers for the request to come');
  }
  const start = text.indexOf('?', text.indexOf('@'));
  return { uri: text.slice(0, start), replaces: readReplaces(escaped) };
}

function uriOf(value: string): { text: string; uri: SipUri } {
  try {
    const text = parseNameAddr(value).uri;
    return { text, uri: parseSipUri(text) };
  } catch (cause) {
    throw new SegyError('SEGY_E_REFER_TO', 'Refer-To holds no SIP or tel URI', { cause });
  }
}

function readReplaces(escaped: string): DialogReference {
  let text: string;
  try {
    text = decodeURIComponent(escaped);
  } catch (cause) {
    throw new SegyError('SEGY_E_REFER_TO', 'the Replaces in Refer-To is malformed', { cause });
  }
  const [, callId, first, tagA, second, tagB] = DIALOG.exec(text) ?? [];
  if (callId === undefined || tagA === undefined || tagB === undefined || first === second) {
    throw malformed('the Replaces in Refer-To is malformed');
  }
  return { callId, tags: [tagA, tagB], text };
}

/**
 * Whom the MC side refers a radio to: a user whom the gateway represents, or a group that the PBX
 * knows. A user of a partner is none: that call would have to begin here and be keyed for somebody who
 * is no party of this one.
 * @throws SegyError SEGY_E_REFER_TARGET
 */
export function targetAtPbx(
  uri: string,
  partner: PartnerConfig,
  { clients, homeGroups, settings }: CallDependencies,
): ReferTarget {
  const { address, port } = settings.pbx;
  const host = address.includes(':') ? `[${address}]` : address;
  const homed = homeGroups?.partnersOf(uri).includes(partner.name) === true;
  const pbx =
    clients.byUri(uri)?.pbx ??
    partner.groups.find(({ id }) => id === uri)?.pbx ??
    (homed ? homeGroups.find(uri)?.pbx : undefined);
  if (!isSafeText(uri) || pbx === undefined) {
    throw foreign('Refer-To names nobody whom the gateway represents');
  }
  return { mc: uri, uri: `sip:${requireSafeUser(pbx, 'the transfer target')}@${host}:${port}` };
}

/**
 * Whom the PBX refers an MC user to. A user of the partner, by one of its domains as host or
 * `segy-domain`; with our own host or the PBX's as host, a radio user or group by its name on the PBX,
 * else a user of the partner's first domain.
 * @throws SegyError SEGY_E_REFER_TARGET, SEGY_E_BAD_IDENTITY
 */
export function targetAtMc(
  text: string,
  partner: PartnerConfig,
  deps: CallDependencies,
): ReferTarget {
  const own = deps.clients.byUri(text);
  if (own !== undefined) return asIs(own.uri);
  const uri = parseSipUri(text);
  const named = uri.params.get(DOMAIN_PARAMETER);
  const parameters = [...uri.params.keys()].filter((name) => name !== DOMAIN_PARAMETER);
  if (uri.scheme === 'tel' || parameters.length > 0 || named === null) {
    throw foreign('Refer-To names no MC user');
  }
  const user = requireSafeUser(uri.user ?? '', 'the transfer target');
  const domain = (named ?? uri.host).toLowerCase();
  if (hostInDomains(domain, partner.domains)) return asIs(`sip:${user}@${domain}`);
  if (named !== undefined || !isOurs(uri.host, deps)) {
    throw foreign('Refer-To names a host that is none of the partner');
  }
  const known = deps.clients.byPbxUser(user)?.uri ?? groupByPbxName(user, partner, deps);
  const [first] = partner.domains;
  if (known === undefined && first === undefined) throw foreign('the partner has no domain');
  return asIs(known ?? `sip:${user}@${first ?? ''}`);
}

function asIs(mc: string): ReferTarget {
  readMcIdentity(mc, 'the transfer target');
  return { mc, uri: mc };
}

function groupByPbxName(
  name: string,
  partner: PartnerConfig,
  { homeGroups }: CallDependencies,
): string | undefined {
  const theirs = partner.groups.find(({ pbx }) => pbx === name);
  if (theirs !== undefined) return theirs.id;
  const homed = homeGroups?.byPbxName(name);
  if (homed === undefined) return undefined;
  return homeGroups?.partnersOf(homed.id).includes(partner.name) === true ? homed.id : undefined;
}

function isOurs(host: string, { settings }: CallDependencies): boolean {
  const { udp, tcp, tls } = settings.inner.contacts;
  const ours = [udp, tcp, tls].flatMap((contact) => (contact === undefined ? [] : [contact.host]));
  return [...ours, settings.pbx.address].map(normaliseHost).includes(normaliseHost(host));
}

/** MC service ID of the party of a call on one side. */
export function partyOf(
  call: { readonly callerSide: Side; readonly names: { caller: string; callee: string } },
  side: Side,
): string {
  return call.callerSide === side ? call.names.caller : call.names.callee;
}
