/**
 * Which MC user a PBX means by the URI it dials. The dialplan dials either
 *
 *   PJSIP/alice@segy                                      one partner: alice of its first domain
 *   PJSIP/segy/sip:alice@127.0.0.2:5062\;segy-domain=mc-a.example   a partner's domain as a parameter
 *   PJSIP/segy/sip:alice@mc-a.example   the same as host, where the PBX has the gateway as proxy
 *   sofia/gateway/segy/alice;segy-domain=mc-a.example   the parameter, dialled by a gateway of that name
 *
 * A user part that is the `pbx` name of a group means that group, whatever the host: the names of
 * groups and users are unique together.
 *
 * A domain belongs to one partner at most (the configuration's schema checks it).
 */
import { SegyError } from '../../base/errors.js';
import type { GroupConfig, PartnerConfig } from '../../config/index.js';
import { parseSipUri, userText } from '../../sip/index.js';
import type { HomeGroupsPort } from '../ports/home-groups-port.js';
import { requireSafeUser } from '../messages/identity.js';

export interface OutgoingTarget {
  readonly partner: PartnerConfig;
  /** MC service ID of the called user */
  readonly uri: string;
}

export interface OutgoingGroup {
  readonly partner: PartnerConfig;
  readonly group: GroupConfig;
}

const DOMAIN_PARAMETER = 'segy-domain';

/** The parameter by which a dialled URI names a partner's domain, `;` before it; empty without one. */
export function domainParameterOf(requestUri: string): string {
  const named = parseSipUri(requestUri).params.get(DOMAIN_PARAMETER);
  return named === undefined || named === null ? '' : `;${DOMAIN_PARAMETER}=${named.toLowerCase()}`;
}

/**
 * @throws SegyError SEGY_E_BAD_IDENTITY for an unsafe user part, SEGY_E_UNKNOWN_PARTNER when no
 *   partner serves the domain or several could be meant
 */
export function resolveOutgoing(
  requestUri: string,
  partners: readonly PartnerConfig[],
): OutgoingTarget {
  const uri = parseSipUri(requestUri);
  const user = requireSafeUser(userText(uri) ?? '', 'the dialled URI');
  const named = uri.params.get(DOMAIN_PARAMETER)?.toLowerCase();
  const domain = named ?? uri.host.toLowerCase();
  const byDomain = partners.find((partner) => partner.domains.includes(domain));
  if (byDomain !== undefined) return { partner: byDomain, uri: `sip:${user}@${domain}` };
  const [only] = partners;
  const own = only?.domains[0];
  if (named !== undefined || only === undefined || own === undefined || partners.length > 1) {
    throw new SegyError('SEGY_E_UNKNOWN_PARTNER', 'the dialled URI names no one partner');
  }
  return { partner: only, uri: `sip:${user}@${own}` };
}

/**
 * The group that the PBX dials by its `pbx` name; undefined where it dials none. A group that is homed
 * here is called at the partner whose domain the URI names, or at the only one that has members.
 * @throws SegyError SEGY_E_UNKNOWN_PARTNER where several partners could be meant, or none has members
 */
export function resolveOutgoingGroup(
  requestUri: string,
  partners: readonly PartnerConfig[],
  homeGroups?: Pick<HomeGroupsPort, 'byPbxName' | 'partnersOf'>,
): OutgoingGroup | undefined {
  const uri = parseSipUri(requestUri);
  const name = userText(uri) ?? '';
  for (const partner of partners) {
    const group = partner.groups.find(({ pbx }) => pbx === name);
    if (group !== undefined) return { partner, group };
  }
  const homed = homeGroups?.byPbxName(name);
  if (homed === undefined) return undefined;
  const members = homeGroups?.partnersOf(homed.id) ?? [];
  const candidates = partners.filter((partner) => members.includes(partner.name));
  const domain = (uri.params.get(DOMAIN_PARAMETER) ?? uri.host).toLowerCase();
  const [only, ...more] = candidates;
  const partner =
    candidates.find(({ domains }) => domains.includes(domain)) ??
    (more.length === 0 && !uri.params.has(DOMAIN_PARAMETER) ? only : undefined);
  if (partner === undefined) {
    throw new SegyError('SEGY_E_UNKNOWN_PARTNER', `${name} has members of no one partner`);
  }
  return { partner, group: homed };
}
