/** The token request to the partner's IdM (TS 33.180 B.7.4) and its answer (B.7.5, RFC 6749 clause 5). */
import { isBearerToken } from '../base/bearer-token.js';
import { SegyError } from '../base/errors.js';
import type { PartnerIdmConfig } from '../config/index.js';
import type { IncomingResponse } from '../https/index.js';
import { jsonObject, refusal } from './json-answer.js';
import { grantType } from './metadata.js';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** What an exchange may say that it issued, if it is to be used as an access token (RFC 8693 clause 3). */
const ACCESS_TOKEN_TYPES = [
  'urn:ietf:params:oauth:token-type:access_token',
  'urn:ietf:params:oauth:token-type:jwt',
];
/** Longer than any token is kept, in seconds. */
const LONGEST_SECONDS = 86_400;

export interface IssuedToken {
  readonly token: string;
  /** how long it is good for */
  readonly seconds: number;
}

/** The form of the request. @param assertion of the client, where it authenticates by one */
export function tokenForm(
  idm: PartnerIdmConfig,
  securityToken: string,
  assertion: string | null,
): string {
  const { codePoints, clientId, scopes } = idm;
  const form = new URLSearchParams({ grant_type: grantType(idm) });
  if (codePoints.grant === 'jwt-bearer') form.set('assertion', securityToken);
  else {
    form.set('subject_token', securityToken);
    form.set('subject_token_type', codePoints.subjectTokenType);
    form.set('requested_token_type', codePoints.requestedTokenType);
  }
  form.set('scope', scopes.join(' '));
  form.set('client_id', clientId);
  if (assertion !== null) {
    form.set('client_assertion_type', ASSERTION_TYPE);
    form.set('client_assertion', assertion);
  }
  return form.toString();
}

/**
 * @throws SegyError SEGY_E_ACCESS_TOKEN where the IdM refuses, with its OAuth error in `details.oauth`;
 *   SEGY_E_PARTNER_IDM where its answer is not one that a token can be taken from
 */
export function readTokenAnswer(response: IncomingResponse, idm: PartnerIdmConfig): IssuedToken {
  if (response.status !== 200) throw tokenRefusal(response);
  const answer = jsonObject(response, 'the token answer');
  const { access_token: token, token_type: type, scope, issued_token_type: issued } = answer;
  const unusable = (why: string): SegyError => new SegyError('SEGY_E_PARTNER_IDM', why);
  if (typeof token !== 'string' || !isBearerToken(token)) {
    throw unusable('the token answer holds no token that can be sent');
  }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    throw unusable('the token is no bearer token');
  }
  const isExchange = idm.codePoints.grant === 'token-exchange';
  if (isExchange && !ACCESS_TOKEN_TYPES.some((each) => each === issued)) {
    throw unusable('what was issued in exchange is no access token');
  }
  if (scope !== undefined) {
    const granted = typeof scope === 'string' ? scope.split(' ') : [];
    const missing = idm.scopes.find((each) => !granted.includes(each));
    if (missing !== undefined) throw unusable(`the token is not for the scope ${missing}`);
  }
  return { token, seconds: secondsOf(answer.expires_in, idm) };
}

/** A number, or as some servers write it a string of digits. */
function secondsOf(expiresIn: unknown, { unstatedSeconds }: PartnerIdmConfig): number {
  if (expiresIn === undefined) return unstatedSeconds;
  const seconds =
    typeof expiresIn === 'string' && /^\d{1,10}$/.test(expiresIn) ? Number(expiresIn) : expiresIn;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds < 1) {
    throw new SegyError('SEGY_E_PARTNER_IDM', 'the token has no life, or none that can be read');
  }
  return Math.min(seconds, LONGEST_SECONDS);
}

function tokenRefusal(response: IncomingResponse): SegyError {
  const plain = refusal('SEGY_E_PARTNER_IDM', 'no token', response);
  if (response.status !== 400 && response.status !== 401) return plain;
  let error: unknown;
  try {
    ({ error } = jsonObject(response, 'the refusal'));
  } catch {
    return plain;
  }
  if (typeof error !== 'string' || !/^[a-z_]{1,64}$/.test(error)) return plain;
  return new SegyError('SEGY_E_ACCESS_TOKEN', `the IdM of the partner refuses: ${error}`, {
    details: { ...plain.details, oauth: error },
  });
}
