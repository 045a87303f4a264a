/** The SRTP suite that a security policy of MIKEY asks for. */
import { SegyError } from '../base/errors.js';
import type { SrtpPolicy } from '../mikey/index.js';
import type { SrtpSuite } from '../srtp/index.js';

/** @throws SegyError SEGY_E_MIKEY_POLICY for a policy that no suite here serves */
export function suiteOf(policy: SrtpPolicy): SrtpSuite {
  if (policy.keyLength === 16 && policy.encryption === 'AES-GCM') return 'AEAD_AES_128_GCM';
  if (
    policy.keyLength === 16 &&
    policy.encryption === 'AES-CM' &&
    policy.authentication === 'HMAC-SHA1-80'
  ) {
    return 'AES_CM_128_HMAC_SHA1_80';
  }
  throw new SegyError('SEGY_E_MIKEY_POLICY', 'no SRTP suite serves this security policy');
}
