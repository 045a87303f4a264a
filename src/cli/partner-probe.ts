/** OPTIONS to each address of a partner, from the outer address, over the transport it is reached by. */
import type { Environment } from '../base/environment.js';
import { toSegyError } from '../base/errors.js';
import type { PartnerConfig, SegyConfig } from '../config/index.js';
import { optionsRequest } from '../edge/index.js';
import { SipEndpoint } from '../sip/index.js';
import type { SipTarget } from '../sip/index.js';
import { outgoingTls } from './tls-files.js';

export interface ProbeResult {
  readonly address: string;
  /** true when anything answered */
  readonly reached: boolean;
  /** status of the answer, or why there was none */
  readonly detail: string;
}

const PATIENCE_MS = 5000;

export async function partnerProbe(
  config: SegyConfig,
  partner: PartnerConfig,
  env: Environment,
): Promise<ProbeResult[]> {
  const identity = outgoingTls(config);
  const endpoint = new SipEndpoint({ name: 'probe', env, tls: identity });
  try {
    const address = config.outer.listeners[0]?.address ?? '127.0.0.1';
    for (const protocol of new Set(partner.sip.addresses.map(({ transport }) => transport))) {
      const own = protocol === 'tls' ? 'tcp' : protocol;
      await endpoint.listen({ protocol: own, address, port: 0 });
    }
    return await Promise.all(
      partner.sip.addresses.map(async ({ host, port, transport, serverName }) => {
        const target = {
          protocol: transport,
          address: host,
          port,
          ...(serverName !== undefined && { serverName }),
        };
        const tried = `${transport} ${host}:${port}`;
        return { address: tried, ...(await probe(endpoint, partner, target, env)) };
      }),
    );
  } finally {
    await endpoint.close();
  }
}

function probe(
  endpoint: SipEndpoint,
  partner: PartnerConfig,
  target: SipTarget,
  { random, timers }: Environment,
): Promise<Omit<ProbeResult, 'address'>> {
  return new Promise((resolve) => {
    const timer = timers.setTimeout(() => {
      resolve({ reached: false, detail: 'nothing answered' });
    }, PATIENCE_MS);
    const end = (reached: boolean, detail: string): void => {
      timers.clearTimeout(timer);
      resolve({ reached, detail });
    };
    try {
      const transaction = endpoint.request(
        optionsRequest(partner.sip.requestUri, 'sip:segy@invalid', random),
        target,
      );
      transaction.onFinal = ({ status, reason }) => end(true, `${status} ${reason}`);
      transaction.onError = ({ message }) => end(false, message);
    } catch (error) {
      end(false, toSegyError(error).message);
    }
  });
}
