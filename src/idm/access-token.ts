/**
 * Our access tokens (TS 33.180 B.2.2, B.9; the form of RFC 9068): signed JWTs of type `at+jwt` for
 * one audience, with the client, the scopes and the MC service IDs of the user.
 */
import { jwtVerify, SignJWT } from 'jose';
import type { JWTPayload } from 'jose';
import { toHex } from '../base/bytes.js';
import type { Clock, RandomBytes } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { checkCompact } from './compact-token.js';
import { readServiceIds } from './service-ids.js';
import { claimOf, serviceOfScope } from './scopes.js';
import { MC_SERVICES } from './ports.js';
import type { IdmDirectory, IdmPartner, McService, ServiceIds } from './ports.js';
import { SIGNING_ALGORITHM, type AccessTokenKeys } from './access-token-keys.js';
import { tokenFault } from './token-fault.js';

export const ACCESS_TOKEN_TYPE = 'at+jwt';

/** What a verified access token says. */
export interface AccessTokenClaims {
  /** name of the partner whose client and user it is */
  readonly partner: string;
  readonly clientId: string;
  /** `sub`, which the partner's IdM chose and never gives to another user */
  readonly subject: string;
  /** MC service IDs of the user, all in domains of the partner; at least one */
  readonly serviceIds: ServiceIds;
  readonly scopes: readonly string[];
  /** services whose groups the scopes open; at least one */
  readonly groupServices: readonly McService[];
  readonly tokenId: string;
  /** in milliseconds since 1970 */
  readonly expiresAt: number;
}

/** Guards what an access token of this gateway opens. */
export interface AccessTokenGuard {
  /**
   * @param bearer the token alone, without the word before it
   * @throws SegyError SEGY_E_TOKEN, SEGY_E_TOKEN_SIGNATURE, SEGY_E_TOKEN_EXPIRED
   */
  verify(bearer: string): Promise<AccessTokenClaims>;
}

export interface AccessTokenOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly lifeSeconds: number;
  readonly keys: AccessTokenKeys;
  readonly directory: IdmDirectory;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

export interface TokenGrant {
  readonly partner: IdmPartner;
  readonly clientId: string;
  readonly subject: string;
  readonly serviceIds: ServiceIds;
  readonly scopes: readonly string[];
}

export interface IssuedToken {
  readonly token: string;
  readonly tokenId: string;
  readonly lifeSeconds: number;
}

export class AccessTokens implements AccessTokenGuard {
  readonly #options: AccessTokenOptions;

  constructor(options: AccessTokenOptions) {
    this.#options = options;
  }

  async issue(grant: TokenGrant): Promise<IssuedToken> {
    const { issuer, audience, lifeSeconds, keys, clock, random } = this.#options;
    const { kid, privateKey } = keys.current();
    const tokenId = toHex(random(16));
    const now = Math.floor(clock.now() / 1000);
    const ids = MC_SERVICES.flatMap((service) => {
      const id = grant.serviceIds[service];
      return id === undefined ? [] : [[claimOf(service, grant.partner.codePoints), id] as const];
    });
    const token = await new SignJWT({
      ...Object.fromEntries(ids),
      client_id: grant.clientId,
      scope: grant.scopes.join(' '),
    })
      .setProtectedHeader({ alg: SIGNING_ALGORITHM, typ: ACCESS_TOKEN_TYPE, kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(grant.subject)
      .setJti(tokenId)
      .setIssuedAt(now)
      .setExpirationTime(now + lifeSeconds)
      .sign(privateKey);
    return { token, tokenId, lifeSeconds };
  }

  async verify(bearer: string): Promise<AccessTokenClaims> {
    const { issuer, audience, keys, clock } = this.#options;
    checkCompact(bearer, 'the token');
    let payload: JWTPayload;
    try {
      const verified = await jwtVerify(bearer, keys.keySet(), {
        algorithms: [SIGNING_ALGORITHM],
        typ: ACCESS_TOKEN_TYPE,
        issuer,
        audience,
        currentDate: new Date(clock.now()),
        requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id', 'scope'],
      });
      payload = verified.payload;
    } catch (error) {
      throw tokenFault(error);
    }
    return this.#claimsOf(payload);
  }

  /** Our signature says that we wrote it; whether the client and the user are still a partner's is seen now. */
  #claimsOf(payload: JWTPayload): AccessTokenClaims {
    const { sub, exp, jti, client_id: clientId, scope } = payload;
    if (
      typeof clientId !== 'string' ||
      typeof scope !== 'string' ||
      typeof exp !== 'number' ||
      typeof sub !== 'string' ||
      typeof jti !== 'string'
    ) {
      throw new SegyError('SEGY_E_TOKEN', 'a claim of the token is of another type');
    }
    const found = this.#options.directory.client(clientId);
    if (found === undefined) throw new SegyError('SEGY_E_TOKEN', 'the client is none any more');
    const { partner } = found;
    const serviceIds = readServiceIds(payload, partner);
    const scopes = scope.split(' ').filter((each) => each !== '');
    const groupServices = MC_SERVICES.filter(
      (service) =>
        serviceIds[service] !== undefined &&
        scopes.some((each) => serviceOfScope(each, partner.codePoints) === service),
    );
    if (groupServices.length === 0) {
      throw new SegyError('SEGY_E_TOKEN', 'the token is for no group management');
    }
    return {
      partner: partner.name,
      clientId,
      subject: sub,
      serviceIds,
      scopes,
      groupServices,
      tokenId: jti,
      expiresAt: exp * 1000,
    };
  }
}
