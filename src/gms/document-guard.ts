/** The guard of the group documents: a bearer token whose claims make its holder a caller. */
import { toSegyError, type SegyErrorCode } from '../base/errors.js';
import type { DocumentAccessConfig } from '../config/index.js';
import { bearerChallenge, bearerOf } from '../https/index.js';
import type { HttpRequestHead, HttpResponse } from '../https/index.js';
import type { XcapGuard } from '../xcap/index.js';
import { callerOf } from './document-access.js';
import type { AccessTokenClaims, DocumentCaller } from './document-access.js';

/** Knows the access tokens of this domain; our IdM is one. */
export interface AccessTokens {
  /** What a token says. @throws SegyError for one that opens nothing */
  verify(bearer: string): Promise<AccessTokenClaims>;
}

export interface DocumentGuardOptions {
  readonly tokens: AccessTokens;
  readonly access: DocumentAccessConfig;
}

const REALM = 'group documents';

export class DocumentGuard implements XcapGuard<DocumentCaller> {
  readonly #options: DocumentGuardOptions;

  constructor(options: DocumentGuardOptions) {
    this.#options = options;
  }

  async admit(
    head: HttpRequestHead,
  ): Promise<{ readonly caller: DocumentCaller } | { readonly answer: HttpResponse }> {
    const { tokens, access } = this.#options;
    const token = bearerOf(head);
    if (token === null) return { answer: bearerChallenge(REALM, null) };
    if (token === undefined) {
      const refused = { code: 'SEGY_E_HTTP', message: 'an Authorization without a token' } as const;
      return { answer: bearerChallenge(REALM, 'invalid_request', refused) };
    }
    let claims: AccessTokenClaims;
    try {
      claims = await tokens.verify(token);
    } catch (error) {
      const { code, message } = toSegyError(error);
      if (OURS.has(code)) throw error;
      return { answer: bearerChallenge(REALM, 'invalid_token', { code, message }) };
    }
    const caller = callerOf(claims, access);
    if (caller !== undefined) return { caller };
    const refused = {
      code: 'SEGY_E_NOT_GROUP_MEMBER',
      message: 'an access token that is for no groups',
      partner: claims.partner,
    } as const;
    return { answer: bearerChallenge(REALM, 'insufficient_scope', refused) };
  }

  forbidden({ partner, clientId }: DocumentCaller): HttpResponse {
    const refused = {
      code: 'SEGY_E_NOT_GROUP_MEMBER',
      message: `a user of client ${clientId} may not do this to this group document`,
      partner,
    } as const;
    return bearerChallenge(REALM, 'insufficient_scope', refused);
  }
}

/** What says nothing about the token. */
const OURS: ReadonlySet<SegyErrorCode> = new Set(['SEGY_E_BUSY', 'SEGY_E_INTERNAL', 'SEGY_E_IO']);
