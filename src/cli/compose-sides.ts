/** The gateway's two sides and its PBX as the configuration has them: SIP endpoints, media, control link. */
import { readFileSync } from 'node:fs';
import type { Environment } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import type { SegyConfig } from '../config/index.js';
import { DEFAULT_EDGE_LIMITS } from '../edge/index.js';
import type { EdgeSettings, PbxPort } from '../edge/index.js';
import type { createMediaEngine } from '../media/index.js';
import { createAriPort, createEslPort } from '../pbx/index.js';
import { formatHostPort } from '../sip/index.js';
import type { SipEndpoint } from '../sip/index.js';
import { mediaAddresses, outerInterfaces } from './interfaces.js';
import { readTls } from './tls-files.js';

export function mediaOptions(config: SegyConfig): Parameters<typeof createMediaEngine>[0] {
  const { inner, outer, limits } = config;
  return {
    workers: limits.mediaWorkers,
    nice: limits.mediaNice,
    outer: {
      address: outer.mediaAddress,
      otherAddresses: mediaAddresses(config).slice(1),
      portMin: outer.mediaPorts[0],
      portMax: outer.mediaPorts[1],
    },
    inner: {
      address: inner.address,
      portMin: inner.mediaPorts[0],
      portMax: inner.mediaPorts[1],
      allowedAddresses: inner.allowedMediaAddresses,
    },
  };
}

/** Opens every listener of both sides. @throws SegyError of the first that cannot be opened */
export async function listen(
  config: SegyConfig,
  outer: SipEndpoint,
  inner: SipEndpoint,
): Promise<void> {
  for (const [index, { name, contact }] of outerInterfaces(config).entries()) {
    const listener = config.outer.listeners[index];
    if (listener === undefined) continue;
    const { transport, address, port, tls } = listener;
    await outer.listen({
      ...{ name, protocol: transport, address, port },
      ...(contact.host !== address && { advertised: contact }),
      ...(tls && { tls: readTls(tls) }),
    });
  }
  for (const protocol of config.inner.transports) {
    await inner.listen({ protocol, address: config.inner.address, port: config.inner.sipPort });
  }
}

export function edgeSettings(config: SegyConfig): EdgeSettings {
  const { inner, pbx, limits } = config;
  const innerContact = { host: inner.address, port: inner.sipPort };
  const interfaces = outerInterfaces(config);
  return {
    outer: {
      interfaces,
      identity: `sip:segy@${formatHostPort({ host: interfaces[0]?.contact.host ?? 'localhost' })}`,
    },
    inner: {
      contacts: Object.fromEntries(inner.transports.map((t) => [t, innerContact])),
      mcBodies: inner.mcBodies,
    },
    pbx: pbx.sip,
    allowedMediaAddresses: inner.allowedMediaAddresses,
    limits: {
      ...DEFAULT_EDGE_LIMITS,
      setupMs: limits.setupSeconds * 1000,
      outboundChannelMs: limits.outboundChannelMs,
      calls: limits.calls,
      silentMs: limits.silentMs,
    },
  };
}

/** @param signals whether the dialplan keys radios by what happens on its channels */
export function pbxPort(pbx: SegyConfig['pbx'], signals: boolean, env: Environment): PbxPort {
  if (pbx.type === 'asterisk') {
    const { ari } = pbx;
    return createAriPort({ ...ari, password: readSecret(ari.passwordFile) }, env, { signals });
  }
  const { host, port, passwordFile } = pbx.esl;
  return createEslPort({ host, port, password: readSecret(passwordFile) }, env, { signals });
}

function readSecret(file: string): string {
  const secret = readFileSync(file, 'utf8').trimEnd();
  if (secret === '') throw new SegyError('SEGY_E_CONFIG', `${file} is empty`);
  return secret;
}
