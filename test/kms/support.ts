import { systemRandom } from '../../src/base/environment.js';
import { createInlineCrypto } from '../../src/crypto/index.js';
import { SecurityDomain } from '../../src/kms/index.js';
import type { DomainParameters, DomainTools, KmsCertificate } from '../../src/kms/index.js';

export const NOW = Date.UTC(2026, 5, 1, 12);
export const TOOLS: DomainTools = { random: systemRandom, slow: createInlineCrypto() };
export const CLOCK = { now: () => NOW };

export const PARAMETERS: DomainParameters = {
  kmsUri: 'kms.segy.example',
  domains: ['radio.example'],
  userKeyPeriod: 2_592_000n,
  userKeyOffset: 0n,
  validFrom: new Date(NOW - 1000),
  validTo: new Date(NOW + 86_400_000),
};

export function makeDomain(more: Partial<DomainParameters> = {}): SecurityDomain {
  return SecurityDomain.create({ ...PARAMETERS, ...more }, TOOLS);
}

let cached: KmsCertificate | undefined;

/** A certificate of some partner domain; its points are made once. */
export function partnerCertificate(more: Partial<KmsCertificate> = {}): KmsCertificate {
  cached ??= makeDomain({ kmsUri: 'kms.mc-a.example', domains: ['mc-a.example'] }).certificate;
  return { ...cached, isSecurityGateway: false, ...more };
}
