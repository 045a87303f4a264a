/** The one record that holds the gateway's own security domain. */
import { wipe } from '../base/bytes.js';
import type { RecordSpace } from '../base/records.js';
import { SegyError } from '../base/errors.js';
import { SecurityDomain } from './domain.js';
import type { DomainTools } from './domain.js';

const KEY = 'own';

/** @returns undefined where no domain was made yet @throws SegyError SEGY_E_STORE */
export async function loadDomain(
  records: RecordSpace,
  tools: DomainTools,
): Promise<SecurityDomain | undefined> {
  const octets = await records.get(KEY);
  if (octets === undefined) return undefined;
  try {
    return SecurityDomain.fromSecret(octets, tools);
  } finally {
    wipe(octets);
  }
}

/**
 * Keeps `domain`; on disk when it resolves.
 * @throws SegyError SEGY_E_KMS_EXISTS when another KMS URI's domain is kept, which is never
 *   overwritten, or one at all where `mode` is 'create'
 */
export async function saveDomain(
  records: RecordSpace,
  domain: SecurityDomain,
  mode: 'create' | 'renew',
  tools: DomainTools,
): Promise<void> {
  const present = await loadDomain(records, tools);
  const presentUri = present?.certificate.kmsUri;
  present?.wipe();
  if (presentUri !== undefined && (mode === 'create' || presentUri !== domain.certificate.kmsUri)) {
    throw new SegyError('SEGY_E_KMS_EXISTS', `the security domain ${presentUri} is kept here`);
  }
  const octets = domain.toSecret();
  try {
    await records.put(KEY, octets);
  } finally {
    wipe(octets);
  }
}
