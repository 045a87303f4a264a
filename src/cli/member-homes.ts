/** Whose user an MC service ID is: ours, or a partner's, and which KMS keys it. */
import { PartnerTrust, type OwnDomain, type PartnerCertificates } from '../clients/index.js';
import type { PartnerConfig } from '../config/index.js';
import type { MemberHome } from '../gms/index.js';
import { hostOf } from '../mikey/index.js';

export type HomeOf = (uri: string, kmsUri?: string) => MemberHome | undefined;

/**
 * By the domain of the identity. Where the partner has several KMSs it is the trusted one that keys
 * that domain; before its certificate is trusted, the only one that the configuration names.
 */
export function memberHomes(
  config: { readonly partners: readonly PartnerConfig[] },
  domain: OwnDomain,
  certificates: PartnerCertificates,
): HomeOf {
  const trust = new PartnerTrust(domain, certificates);
  const isOwn = (host: string): boolean =>
    domain.certificate.domains.some((each) => (hostOf(each) ?? each) === host);
  return (uri, kmsUri) => {
    const host = hostOf(uri);
    if (host === undefined) return undefined;
    if (isOwn(host)) return { partner: '', kmsUri: domain.certificate.kmsUri };
    const partner = config.partners.find(({ domains }) => domains.includes(host));
    if (partner === undefined) return undefined;
    if (kmsUri !== undefined) {
      return partner.kmsUris.includes(kmsUri) ? { partner: partner.name, kmsUri } : undefined;
    }
    const [first, ...more] = partner.kmsUris;
    try {
      return { partner: partner.name, kmsUri: trust.certificateFor(uri, partner).kmsUri };
    } catch {
      return first === undefined || more.length > 0
        ? undefined
        : { partner: partner.name, kmsUri: first };
    }
  };
}
