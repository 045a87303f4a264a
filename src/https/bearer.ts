/** Bearer tokens in HTTP (RFC 6750): where one is read from, and how a client is told what lacks. */
import type { HttpRequestHead, HttpResponse, Refused } from './message.js';

const MAX_TOKEN = 8192;
const SCHEME = /^\s*bearer(?:\s|$)/i;
const CREDENTIALS = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * The token of the Authorization field and of no other place; null where there is none or another
 * scheme, undefined where it is no token.
 */
export function bearerOf({ header }: Pick<HttpRequestHead, 'header'>): string | null | undefined {
  const field = header('authorization');
  if (field === undefined || !SCHEME.test(field)) return null;
  const token = CREDENTIALS.exec(field.trim())?.[1];
  return token === undefined || token.length > MAX_TOKEN ? undefined : token;
}

/** Why there is no access; null for a request without any credentials, which is told no reason. */
export type BearerError = 'invalid_request' | 'invalid_token' | 'insufficient_scope' | null;

/** 400, 401 or 403 as RFC 6750 clause 3.1 has it. */
export function bearerChallenge(
  realm: string,
  error: BearerError,
  refused?: Refused,
): HttpResponse {
  const parameters = [`realm="${realm}"`, ...(error === null ? [] : [`error="${error}"`])];
  const status = { invalid_request: 400, invalid_token: 401, insufficient_scope: 403 };
  return {
    status: error === null ? 401 : status[error],
    headers: {
      'WWW-Authenticate': `Bearer ${parameters.join(', ')}`,
      'Cache-Control': 'no-store',
    },
    ...(refused && { refused }),
  };
}
