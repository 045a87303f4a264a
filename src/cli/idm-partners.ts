/** The partners whose security tokens the IdM takes, made of the configuration, with their keys fetched. */
import type { Alarms } from '../base/alarms.js';
import type { Clock, Log, Metrics } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import type { PartnerConfig } from '../config/index.js';
import { httpsFetch } from '../https/index.js';
import type { OutgoingRequest, PinnedTls } from '../https/index.js';
import { makePartner, MAX_KEY_SET } from '../idm/index.js';
import type { IdmPartner, PartnerMeans } from '../idm/index.js';
import { hostOf } from '../mikey/index.js';
import { readTlsFile } from './tls-files.js';

const FETCH_MS = 5000;

/**
 * The partners that have an IdM.
 * @param fetch gets their key sets
 * @throws SegyError SEGY_E_CONFIG when a file cannot be read or used
 */
export function idmPartners(
  partners: readonly Pick<PartnerConfig, 'name' | 'domains' | 'codePoints' | 'securityTokens'>[],
  { clock, log, metrics }: { readonly clock: Clock; readonly log: Log; readonly metrics: Metrics },
  alarms: Alarms,
  fetch: PartnerMeans['fetch'] = fetchKeys,
): IdmPartner[] {
  return partners.flatMap(({ name, domains, codePoints, securityTokens }) => {
    if (securityTokens === undefined) return [];
    const hasUser = (id: string): boolean => domains.includes(hostOf(id) ?? '');
    return [
      makePartner(
        { name, codePoints, securityTokens, hasUser },
        {
          ...{ clock, readFile: readTlsFile, fetch },
          onFetch: (partner, error) => {
            const outcome = error === null ? 'fetched' : error.code;
            metrics.count('segy_idm_key_fetches_total', { partner, outcome });
            if (error === null) {
              alarms.clear('partner-idm-keys', partner);
              return;
            }
            const { code, message } = error;
            log.warn('idm.keys.failed', { partner, code, message });
            alarms.raise('partner-idm-keys', partner, `${code} ${message}`);
          },
        },
      ),
    ];
  });
}

/** Whether its keys are fetched, and not in a file. */
export const fetchesKeys = ({ securityTokens }: PartnerConfig): boolean =>
  securityTokens?.keysUrl !== undefined;

async function fetchKeys(request: OutgoingRequest, tls: PinnedTls): Promise<Uint8Array> {
  const bounds = { timeoutMs: FETCH_MS, maxOctets: MAX_KEY_SET };
  const { status, body } = await httpsFetch(request, tls, bounds);
  if (status !== 200)
    throw new SegyError('SEGY_E_PARTNER_IDM', `the key set is answered ${status}`);
  return body;
}
