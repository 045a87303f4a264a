/**
 * The PBX side of the gateway: one implementation of the edge's `PbxPort` (port.ts) over a driver for
 * each kind of PBX. Nothing outside this folder knows which PBX it is.
 */
import type { Environment } from '../base/environment.js';
import type { PbxPort } from '../edge/ports/pbx-port.js';
import type { DriverOptions } from './driver.js';
import { createAriDriver } from './ari/driver.js';
import type { AriAddress } from './ari/library.js';
import { createEslDriver } from './esl/driver.js';
import type { EslAddress } from './esl/library.js';
import { type PortOptions, createPort } from './port.js';

export type { AriAddress } from './ari/library.js';
export type { EslAddress } from './esl/library.js';
export type { PortOptions } from './port.js';

/** A port on Asterisk through ARI. @throws SegyError SEGY_E_CONFIG for an unusable address */
export function createAriPort(
  address: AriAddress,
  environment: Environment,
  options?: PortOptions & DriverOptions,
): PbxPort {
  return createPort(createAriDriver(address, environment.timers, options), environment, options);
}

/** A port on FreeSWITCH through its event socket. @throws SegyError SEGY_E_CONFIG as above */
export function createEslPort(
  address: EslAddress,
  environment: Environment,
  options?: PortOptions & DriverOptions,
): PbxPort {
  return createPort(createEslDriver(address, options), environment, options);
}
