/**
 * Where requests go. Only to addresses the operator configured: a Contact or route that names
 * another host is used in the request line, but the request is sent to the configured peer, so
 * that nobody can make the gateway send to a third party.
 */
import type { PartnerConfig } from '../config/index.js';
import { parseSipUri, type SipSource, type SipTarget } from '../sip/index.js';
import { canonicalAddress } from './admission.js';
import type { EdgeSettings, Side } from './dependencies.js';

type PartnerAddress = PartnerConfig['sip']['addresses'][number];

function targetOf(entry: PartnerAddress): SipTarget {
  const target = { protocol: entry.transport, address: entry.host, port: entry.port };
  return entry.serverName === undefined ? target : { ...target, serverName: entry.serverName };
}

/** The partner's addresses in the order in which they are tried. */
export function partnerTargets(partner: PartnerConfig): SipTarget[] {
  return partner.sip.addresses.map(targetOf);
}

/** The PBX's SIP address. */
export function pbxTarget(settings: EdgeSettings): SipTarget {
  const { address, port, transport } = settings.pbx;
  return { protocol: transport, address, port };
}

/**
 * The peer that sent a request, as configured (a partner may have several hosts), over the
 * connection it used as long as that lives.
 */
export function peerTarget(
  side: Side,
  source: SipSource,
  partner: PartnerConfig,
  settings: EdgeSettings,
): SipTarget {
  const { connectionId } = source;
  const target = configuredTarget(side, source, partner, settings);
  return connectionId === undefined
    ? target
    : { ...target, protocol: source.protocol, connectionId };
}

function configuredTarget(
  side: Side,
  source: SipSource,
  partner: PartnerConfig,
  settings: EdgeSettings,
): SipTarget {
  if (side === 'inner') return pbxTarget(settings);
  const targets = partnerTargets(partner);
  const from = canonicalAddress(source.address);
  const own = targets.find((target) => canonicalAddress(target.address) === from);
  const { protocol, address, port } = source;
  return own ?? targets[0] ?? { protocol, address, port };
}

/**
 * Next hop of a dialog: first route, else remote target, where its host is one of `hosts`;
 * otherwise `peer`. A TLS peer stays a TLS peer.
 */
export function nextHop(
  peer: SipTarget,
  hosts: ReadonlySet<string>,
  routeSet: readonly string[],
  remoteTarget: string,
): SipTarget {
  const first = routeSet[0];
  const text = first === undefined ? remoteTarget : /<([^>]*)>/.exec(first)?.[1];
  if (text === undefined || !/^sips?:/i.test(text)) return peer;
  const uri = parseSipUri(text);
  if (!hosts.has(canonicalAddress(uri.host))) return peer;
  const protocol =
    peer.protocol === 'tls' ? 'tls' : plainTransport(uri.params.get('transport'), peer);
  const port = uri.port ?? (protocol === 'tls' ? 5061 : 5060);
  return { ...peer, protocol, address: uri.host, port };
}

function plainTransport(text: string | null | undefined, peer: SipTarget): SipTarget['protocol'] {
  const name = text?.toLowerCase();
  return name === 'udp' || name === 'tcp' ? name : peer.protocol;
}

/** Hosts of one side's peer that a next hop may name. */
export function peerHosts(
  side: Side,
  partner: PartnerConfig,
  settings: EdgeSettings,
): ReadonlySet<string> {
  if (side === 'inner') return new Set([canonicalAddress(settings.pbx.address)]);
  const { addresses, sources } = partner.sip;
  return new Set([...addresses.map((entry) => entry.host), ...sources].map(canonicalAddress));
}
