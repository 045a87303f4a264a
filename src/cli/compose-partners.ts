/** What finds the partners' addresses and watches them, made of the configuration. */
import type { Environment } from '../base/environment.js';
import type { SegyConfig } from '../config/index.js';
import {
  DEFAULT_PARTNER_ADDRESSES_LIMITS,
  PartnerAddresses,
  PartnerHealth,
  PartnerProbes,
} from '../edge/index.js';
import type { SipEndpoint } from '../sip/index.js';
import { createDns } from './host-names.js';

/** Resolves when the first names are known or their time is over. Probes begin with their first `update`. */
export async function watchPartners(
  config: SegyConfig,
  env: Environment,
  endpoint: SipEndpoint,
  identity: string,
): Promise<{ readonly addresses: PartnerAddresses; readonly probes: PartnerProbes }> {
  const health = new PartnerHealth(env);
  const addresses = new PartnerAddresses(config.partners, createDns(config), env, health, {
    ...DEFAULT_PARTNER_ADDRESSES_LIMITS,
    refreshMs: config.dns.refreshSeconds * 1000,
  });
  const probes = new PartnerProbes({ env, endpoint, health, addresses, identity });
  addresses.onChange = () => probes.refresh();
  await addresses.start();
  return { addresses, probes };
}
