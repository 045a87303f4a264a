/**
 * Where requests go. Only to addresses the operator configured: a Contact or route that names
 * another host is used in the request line, but the request is sent to the configured peer, so
 * that nobody can make the gateway send to a third party.
 */
import { isIP } from 'node:net';
import type { PartnerConfig } from '../../config/index.js';
import { parseSipUri, type SipSource, type SipTarget, normaliseHost } from '../../sip/index.js';
import type { EdgeDependencies, EdgeSettings, HostAddresses, Side } from '../dependencies.js';

type PartnerAddress = PartnerConfig['sip']['addresses'][number];

/** What of the edge's surroundings decides where requests go. */
type Surroundings = Pick<EdgeDependencies, 'settings' | 'addresses'>;

/** Over TLS a host name is also the name that the certificate must carry. */
function targetsOf(entry: PartnerAddress, addresses: HostAddresses): SipTarget[] {
  const { host, transport: protocol, port } = entry;
  const serverName = entry.serverName ?? (isIP(host) === 0 ? host : undefined);
  const named = serverName === undefined || protocol !== 'tls' ? {} : { serverName };
  return addresses.of(host).map((address) => ({ protocol, address, port, ...named }));
}

/** The partner's addresses that are known, in the order in which they are tried. */
export function partnerTargets(
  partner: PartnerConfig,
  addresses: HostAddresses,
): readonly SipTarget[] {
  const configured = partner.sip.addresses.flatMap((entry) => targetsOf(entry, addresses));
  const via = partner.sip.listeners;
  const all = [...configured, ...addresses.located(partner)];
  return addresses.ranked(partner, via === undefined ? all : all.map((to) => ({ ...to, via })));
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
  surroundings: Surroundings,
): SipTarget {
  const { connectionId, listener } = source;
  const configured = configuredTarget(side, source, partner, surroundings);
  // the call stays on the interface by which it came
  const target =
    side === 'inner' || listener === undefined ? configured : { ...configured, via: [listener] };
  return connectionId === undefined
    ? target
    : { ...target, protocol: source.protocol, connectionId };
}

function configuredTarget(
  side: Side,
  source: SipSource,
  partner: PartnerConfig,
  { settings, addresses }: Surroundings,
): SipTarget {
  if (side === 'inner') return pbxTarget(settings);
  const targets = partnerTargets(partner, addresses);
  const from = normaliseHost(source.address);
  const own = targets.find((target) => target.address === from);
  const { protocol, address, port } = source;
  return own ?? targets[0] ?? { protocol, address, port };
}

/**
 * Next hop of a dialog: first route, else remote target, where its host is one of `hosts`, at an
 * address of that host; otherwise `peer`. A TLS peer stays a TLS peer.
 */
export function nextHop(
  peer: SipTarget,
  hosts: ReadonlyMap<string, readonly string[]>,
  routeSet: readonly string[],
  remoteTarget: string,
): SipTarget {
  const first = routeSet[0];
  const text = first === undefined ? remoteTarget : /<([^>]*)>/.exec(first)?.[1];
  if (text === undefined || !/^sips?:/i.test(text)) return peer;
  const uri = parseSipUri(text);
  const known = hosts.get(normaliseHost(uri.host));
  const address = known?.includes(peer.address) === true ? peer.address : known?.[0];
  if (address === undefined) return peer;
  const protocol =
    peer.protocol === 'tls' ? 'tls' : plainTransport(uri.params.get('transport'), peer);
  const port = uri.port ?? (protocol === 'tls' ? 5061 : 5060);
  return { ...peer, protocol, address, port };
}

function plainTransport(text: string | null | undefined, peer: SipTarget): SipTarget['protocol'] {
  const name = text?.toLowerCase();
  // a Contact may ask for TCP, but never turns a partner that is reached over TCP to UDP
  return name === 'tcp' || (name === 'udp' && peer.protocol === 'udp') ? name : peer.protocol;
}

/** Hosts of one side's peer that a next hop may name, with their addresses. */
export function peerHosts(
  side: Side,
  partner: PartnerConfig,
  { settings, addresses }: Surroundings,
): ReadonlyMap<string, readonly string[]> {
  const { sip } = partner;
  const located = side === 'outer' ? addresses.located(partner) : [];
  const outer = [
    ...sip.addresses.map((entry) => entry.host),
    ...sip.sources,
    ...located.map(({ address }) => address),
  ];
  const hosts = side === 'inner' ? [settings.pbx.address] : outer;
  return new Map(
    hosts.flatMap((host) => {
      const known = addresses.of(host);
      const own = known.map((address) => [address, [address]] as const);
      return [[normaliseHost(host), known] as const, ...own];
    }),
  );
}
