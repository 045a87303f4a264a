/**
 * Refusals of the token endpoint: a code for the operator and an OAuth error for the client
 * (RFC 6749 clause 5.2, RFC 8693 clause 2.2.2).
 */
import { ERROR_CODES, SegyError, type SegyErrorCode } from '../base/errors.js';
import { jsonResponse, type HttpResponse } from '../https/index.js';

export type OAuthErrorName =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'invalid_target';

/** A refusal that the client is told as `oauth`. */
export function refusal(code: SegyErrorCode, oauth: OAuthErrorName, message: string): SegyError {
  return new SegyError(code, message, { details: { oauth } });
}

/** Codes of tokens that were refused; how OAuth calls that depends on what the token was for. */
const TOKEN_REFUSED: readonly SegyErrorCode[] = [
  'SEGY_E_TOKEN',
  'SEGY_E_TOKEN_SIGNATURE',
  'SEGY_E_TOKEN_EXPIRED',
  'SEGY_E_TOKEN_REPLAYED',
];

/** `error` as a refusal with that OAuth error where a token was refused and none is named yet. */
export function asRefusal(error: unknown, oauth: OAuthErrorName): unknown {
  if (!(error instanceof SegyError) || error.details.oauth !== undefined) return error;
  return TOKEN_REFUSED.includes(error.code) ? refusal(error.code, oauth, error.message) : error;
}

/** The OAuth error of a refusal; undefined where there is none. */
export function oauthErrorOf(error: unknown): string | undefined {
  return error instanceof SegyError ? error.details.oauth : undefined;
}

export interface RefusedRequest {
  /** value of its Authorization field */
  readonly authorization: string | undefined;
  readonly partner: string | undefined;
}

/** The answer to what was refused. The description is that of the code: nothing of the request. */
export function refusalResponse(
  { code, message }: SegyError,
  oauth: string,
  { authorization, partner }: RefusedRequest,
  status = oauth === 'invalid_client' ? 401 : 400,
): HttpResponse {
  return {
    ...jsonResponse(
      status,
      { error: oauth, error_description: ERROR_CODES[code].summary },
      { Pragma: 'no-cache', ...(status === 401 && challenge(authorization)) },
    ),
    refused: { code, message, ...(partner !== undefined && { partner }) },
  };
}

/** The scheme that the client tried (RFC 6749 clause 5.2), or a name for what would be taken. */
function challenge(authorization: string | undefined): Readonly<Record<string, string>> {
  const isBasic = authorization !== undefined && /^basic( |$)/i.test(authorization);
  return { 'WWW-Authenticate': `${isBasic ? 'Basic' : 'private_key_jwt'} realm="token"` };
}
