/**
 * A partner's security domain, kept apart from the gateway's: its own KMS secrets, its users' key
 * sets, and the certificates of other domains it trusts.
 */
import type { Environment } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { EccsiVerifier } from '../crypto/index.js';
import type { SlowCrypto } from '../crypto/index.js';
import { periodAt } from '../kms/index.js';
import type { KmsCertificate, KmsKeySet, SecurityDomain } from '../kms/index.js';

export interface SimDomainOptions {
  readonly kms: SecurityDomain;
  /** certificates of other domains, the gateway's among them */
  readonly trusted: readonly KmsCertificate[];
  readonly slow: SlowCrypto;
}

export class SimDomain {
  readonly slow: SlowCrypto;
  readonly verifier = new EccsiVerifier({ cacheSize: 64 });
  readonly #kms: SecurityDomain;
  readonly #trusted = new Map<string, KmsCertificate>();
  readonly #keySets = new Map<string, Promise<KmsKeySet>>();

  constructor(
    options: SimDomainOptions,
    readonly env: Environment,
  ) {
    this.slow = options.slow;
    this.#kms = options.kms;
    for (const certificate of options.trusted) this.#trusted.set(certificate.kmsUri, certificate);
  }

  /** Our KMS certificate, for a partner to trust. */
  get certificate(): KmsCertificate {
    return this.#kms.certificate;
  }

  /** The certificate of our own or a trusted KMS. */
  find(kmsUri: string): KmsCertificate | undefined {
    return kmsUri === this.certificate.kmsUri ? this.certificate : this.#trusted.get(kmsUri);
  }

  /** The one trusted certificate whose domains hold the host of `userUri`. */
  certificateOf(userUri: string): KmsCertificate {
    const host = /^[^@]*@([^:;?]+)/.exec(userUri)?.[1]?.toLowerCase() ?? '';
    for (const certificate of [this.certificate, ...this.#trusted.values()]) {
      if (certificate.domains.some((domain) => domain.toLowerCase() === host)) return certificate;
    }
    throw new SegyError('SEGY_E_MIKEY_KMS_UNKNOWN', `no trusted KMS serves ${host}`);
  }

  /** The key set of one of our users for the key period that holds `unixMs`. */
  keySet(userUri: string, unixMs = this.env.clock.now()): Promise<KmsKeySet> {
    const periodNo = periodAt(this.certificate, unixMs);
    const name = `${periodNo} ${userUri}`;
    const held = this.#keySets.get(name) ?? this.#kms.issue(userUri, periodNo);
    this.#keySets.set(name, held);
    return held;
  }
}
