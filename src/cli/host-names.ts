/** Host names in the configuration: how they are resolved, and which of them are not. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { locate } from '../config/index.js';
import type { ConfigFinding, SegyConfig } from '../config/index.js';
import type { ResolveHost } from '../edge/index.js';

/** Every address of a name, as this host resolves names. */
export const resolveHost: ResolveHost = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/**
 * A warning for each partner host that does not resolve now. It is no fault of the file: the gateway
 * starts all the same and goes on asking.
 */
export async function unresolvedHosts(
  config: SegyConfig,
  text: string,
  resolve: ResolveHost,
): Promise<ConfigFinding[]> {
  const named = config.partners.flatMap(({ sip }, partner) =>
    sip.addresses.flatMap(({ host }, index) => {
      const path = ['partners', partner, 'sip', 'addresses', index, 'host'];
      return isIP(host) > 0 ? [] : [{ host, path }];
    }),
  );
  const checked = named.map(async ({ host, path }) => {
    const found = await resolve(host).catch(() => []);
    const message = `${host} does not resolve; calls with this partner wait for that`;
    return found.length > 0 ? [] : [{ ...locate(text, path), message }];
  });
  return (await Promise.all(checked)).flat();
}
