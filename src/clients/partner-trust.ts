/** Which KMS may vouch for whose users: the rule that keeps one partner from signing as another's. */
import { SegyError } from '../base/errors.js';
import type { KmsCertificate } from '../kms/index.js';
import { hostOf } from '../mikey/index.js';
import type { OwnDomain, PartnerCertificates } from './ports.js';

/** What of a partner decides on trust; the configuration's partner has these fields. */
export interface TrustedPartner {
  readonly name: string;
  readonly domains: readonly string[];
  readonly kmsUris: readonly string[];
  /** domains of the partner's users where its KMS certificate lists none; `domains` when absent */
  readonly kmsDomains?: readonly string[] | undefined;
}

export class PartnerTrust {
  readonly #domain: OwnDomain;
  readonly #certificates: PartnerCertificates;

  constructor(domain: OwnDomain, certificates: PartnerCertificates) {
    this.#domain = domain;
    this.#certificates = certificates;
  }

  /** The certificate of a KMS: our own domain's, or a trusted one. */
  findCertificate(kmsUri: string): KmsCertificate | undefined {
    const { certificate } = this.#domain;
    if (kmsUri === certificate.kmsUri) return certificate;
    return this.#certificates.find(kmsUri)?.certificate;
  }

  /** True when the configuration and the trust store both say that the KMS is this partner's. */
  isKmsOf(partner: TrustedPartner, certificate: KmsCertificate): boolean {
    return (
      partner.kmsUris.includes(certificate.kmsUri) &&
      this.#certificates.find(certificate.kmsUri)?.partner === partner.name
    );
  }

  /**
   * The partner's certificate under which a key for `userUri` is encapsulated.
   * @throws SegyError SEGY_E_MIKEY_KMS_UNKNOWN
   */
  certificateFor(userUri: string, partner: TrustedPartner): KmsCertificate {
    for (const kmsUri of partner.kmsUris) {
      const certificate = this.#certificates.find(kmsUri)?.certificate;
      if (
        certificate !== undefined &&
        this.isKmsOf(partner, certificate) &&
        domainAllowed(userUri, certificate, partner)
      ) {
        return certificate;
      }
    }
    throw new SegyError(
      'SEGY_E_MIKEY_KMS_UNKNOWN',
      `no trusted KMS of partner ${partner.name} serves the called user's domain`,
    );
  }
}

/** Whether the host of `uri` is a domain that this KMS keys for the partner. */
export function domainAllowed(
  uri: string,
  certificate: KmsCertificate,
  partner: TrustedPartner,
): boolean {
  const domains =
    certificate.domains.length > 0 ? certificate.domains : (partner.kmsDomains ?? partner.domains);
  const host = hostOf(uri);
  return host !== undefined && domains.some((domain) => (hostOf(domain) ?? domain) === host);
}
