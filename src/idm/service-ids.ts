/** MC service IDs in the claims of a token. */
import type { JWTPayload } from 'jose';
import { SegyError } from '../base/errors.js';
import { MC_SERVICES, type IdmPartner, type McService, type ServiceIds } from './ports.js';
import { claimOf } from './scopes.js';

const SERVICE_ID = /^[^\s<>"\p{Cc}]{1,255}$/u;

/**
 * Those of the claims, every one of them in a domain of the partner: a partner's IdM speaks for its
 * own users and for nobody else.
 * @throws SegyError SEGY_E_TOKEN
 */
export function readServiceIds(claims: JWTPayload, partner: IdmPartner): ServiceIds {
  const ids: Partial<Record<McService, string>> = {};
  for (const service of MC_SERVICES) {
    const name = claimOf(service, partner.codePoints);
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (value !== undefined) ids[service] = checkServiceId(value, partner, name);
  }
  if (Object.keys(ids).length > 0) return ids;
  if (!partner.securityTokens.subjectIsServiceId) {
    throw new SegyError('SEGY_E_TOKEN', 'the token names no MC service ID');
  }
  const id = checkServiceId(claims.sub, partner, 'sub');
  return { MCPTT: id, MCVideo: id, MCData: id };
}

function checkServiceId(value: unknown, partner: IdmPartner, name: string): string {
  if (typeof value !== 'string' || !SERVICE_ID.test(value)) {
    throw new SegyError('SEGY_E_TOKEN', `${name} of the token is no MC service ID`);
  }
  if (!partner.hasUser(value)) {
    throw new SegyError('SEGY_E_TOKEN', `${name} of the token is no user of ${partner.name}`);
  }
  return value;
}
