/** Signalling protection composed of the partners' profiles, their key files and the state. */
import { readFileSync } from 'node:fs';
import type { Clock, RandomBytes } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { PartnerTrust } from '../clients/index.js';
import type { Credentials } from '../clients/index.js';
import type { SegyConfig } from '../config/index.js';
import type { EccsiVerifier } from '../crypto/index.js';
import type { ReplayRecord } from '../keys/index.js';
import type { SecurityDomain, TrustStore } from '../kms/index.js';
import { SignallingProtection } from '../protect/index.js';

export interface ProtectionParts {
  readonly domain: SecurityDomain;
  readonly trust: TrustStore;
  readonly credentials: Pick<Credentials, 'at'>;
  readonly replay: ReplayRecord;
  readonly verifier: EccsiVerifier;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/** @throws SegyError SEGY_E_CONFIG when a key file does not hold a key */
export function makeProtection(config: SegyConfig, parts: ProtectionParts): SignallingProtection {
  const { domain, trust, credentials, replay, verifier, clock, random } = parts;
  const { certificate } = domain;
  const partnerTrust = new PartnerTrust(domain, trust);
  return new SignallingProtection({
    partners: config.partners,
    readKeyFile,
    host: certificate.domains[0] ?? certificate.kmsUri,
    clock,
    random,
    verifier,
    replay,
    keys: {
      certificateFor: (uri, partner) => partnerTrust.certificateFor(uri, partner),
      signer: async (uri, unixMs) => ({ certificate, keySet: await credentials.at(uri, unixMs) }),
    },
  });
}

/** @throws SegyError SEGY_E_CONFIG when the file cannot be read */
export function readKeyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SegyError('SEGY_E_CONFIG', `${file} cannot be read`, { cause });
  }
}
