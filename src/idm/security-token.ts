/**
 * Validation of a partner's security token (TS 33.180 B.8, B.11.3). What can be seen without a key is
 * looked at first, so that a token that would be refused anyway costs no signature check.
 */
import { createHash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import { SegyError } from '../base/errors.js';
import { checkCompact } from './compact-token.js';
import type { IdmPartner, ServiceIds } from './ports.js';
import { readServiceIds } from './service-ids.js';
import { tokenFault } from './token-fault.js';

/** How far the clocks may be apart (TS 33.180 B.8). */
export const LEEWAY_SECONDS = 30;
/** Longest `sub` (TS 33.180 B.8) and `jti`, in octets. */
const MAX_ID = 255;

export interface SecurityToken {
  readonly subject: string;
  readonly serviceIds: ServiceIds;
  readonly tokenId: string | undefined;
  /** in milliseconds since 1970, without the leeway */
  readonly expiresAt: number;
  /**
   * SHA-256 of what is signed: the signature is not in it, because from an ECDSA signature anybody
   * can make a second one that verifies.
   */
  readonly digest: string;
}

export interface SecurityTokenContext {
  readonly partner: IdmPartner;
  /** the client that presents it */
  readonly clientId: string;
  /** whether an audience means us */
  readonly isOurs: (address: string) => boolean;
  /** in milliseconds since 1970 */
  readonly now: number;
}

/**
 * @throws SegyError SEGY_E_TOKEN, SEGY_E_TOKEN_SIGNATURE, SEGY_E_TOKEN_EXPIRED; SEGY_E_PARTNER_IDM when
 *   the keys of the issuer cannot be had
 */
export async function verifySecurityToken(
  token: string,
  context: SecurityTokenContext,
): Promise<SecurityToken> {
  const { partner, now } = context;
  const { issuer, algorithms } = partner.securityTokens;
  checkCompact(token, 'the security token');
  try {
    checkHeader(token, partner);
    readClaims(decodeJwt(token), context);
    const { payload } = await jwtVerify(token, partner.tokenKeys, {
      algorithms: [...algorithms],
      issuer,
      clockTolerance: LEEWAY_SECONDS,
      currentDate: new Date(now),
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat'],
    });
    const signed = token.slice(0, token.lastIndexOf('.'));
    const digest = createHash('sha256').update(signed).digest('hex');
    return { ...readClaims(payload, context), digest };
  } catch (error) {
    throw tokenFault(error, 'the security token');
  }
}

function checkHeader(token: string, { securityTokens }: IdmPartner): void {
  const { alg, typ, crit } = decodeProtectedHeader(token);
  const { algorithms, types, untyped } = securityTokens;
  if (!algorithms.some((each) => each === alg)) throw wrong('has an algorithm that is not allowed');
  if (crit !== undefined) throw wrong('has an extension that is not understood');
  if (typ === undefined ? untyped : types.some((each) => isSameType(each, typ))) return;
  throw wrong('is of another type');
}

/** Media types without `application/` (RFC 7515 clause 4.1.9), in any case. */
function isSameType(one: string, other: unknown): boolean {
  const normal = (type: string): string => type.toLowerCase().replace(/^application\//, '');
  return typeof other === 'string' && normal(one) === normal(other);
}

function readClaims(
  claims: JWTPayload,
  { partner, clientId, isOurs, now }: SecurityTokenContext,
): Omit<SecurityToken, 'digest'> {
  const { issuer, longestSeconds, namesClient, singleUse } = partner.securityTokens;
  const { iss, sub, aud, exp, nbf, iat, jti } = claims as Readonly<Record<string, unknown>>;
  if (iss !== issuer) throw wrong('is of another issuer');
  const audience: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audience.some((each) => typeof each === 'string' && isOurs(each))) {
    throw wrong('is not for us');
  }
  if (namesClient && !audience.includes(clientId)) throw wrong('does not name the client');
  if (!isSeconds(exp) || !isSeconds(iat) || (nbf !== undefined && !isSeconds(nbf))) {
    throw wrong('has a time that is none');
  }
  const seconds = now / 1000;
  if (exp <= seconds - LEEWAY_SECONDS) {
    throw new SegyError('SEGY_E_TOKEN_EXPIRED', 'the security token is past its end');
  }
  if (iat > seconds + LEEWAY_SECONDS || (nbf ?? iat) > seconds + LEEWAY_SECONDS) {
    throw wrong('is not valid yet');
  }
  if (exp <= iat || exp - iat > longestSeconds) throw wrong('lives too long, or not at all');
  if (!isShort(sub)) throw wrong('has a subject that is none');
  if (jti !== undefined && !isShort(jti)) throw wrong('has an identifier that is none');
  if (singleUse && jti === undefined) throw wrong('has no identifier');
  return {
    subject: sub,
    serviceIds: readServiceIds(claims, partner),
    tokenId: jti,
    expiresAt: exp * 1000,
  };
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER / 1000;
}

function isShort(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    Buffer.byteLength(value) <= MAX_ID &&
    !/\p{Cc}/u.test(value)
  );
}

function wrong(how: string): SegyError {
  return new SegyError('SEGY_E_TOKEN', `the security token ${how}`);
}
