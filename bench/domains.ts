/** Security domains for the benches that make and open whole I_MESSAGEs. */
import { systemClock, systemRandom } from '../src/base/environment.js';
import type { SlowCrypto } from '../src/crypto/index.js';
import { SecurityDomain } from '../src/kms/index.js';

/** A domain of one MC domain, valid now, with a key period of 30 days. */
export function makeDomain(kmsUri: string, domain: string, slow: SlowCrypto): SecurityDomain {
  const now = systemClock.now();
  return SecurityDomain.create(
    {
      kmsUri,
      domains: [domain],
      userKeyPeriod: 2_592_000n,
      userKeyOffset: 0n,
      validFrom: new Date(now - 1e9),
      validTo: new Date(now + 1e11),
    },
    { random: systemRandom, slow },
  );
}
