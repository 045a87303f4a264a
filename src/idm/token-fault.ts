/** Why jose refused a token, as an error of ours; nothing of the token is in it, nor in its cause. */
import { errors } from 'jose';
import { SegyError } from '../base/errors.js';

/** Longest token that is looked at, in octets. */
export const MAX_TOKEN = 8192;

/** @returns `error` itself where it is ours already, or is no fault of the token */
export function tokenFault(error: unknown, what = 'the token'): unknown {
  if (error instanceof errors.JWTExpired) {
    return new SegyError('SEGY_E_TOKEN_EXPIRED', `${what} is past its end`);
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason } = error;
    const how = reason === 'missing' ? 'is missing' : 'is not what is taken';
    return new SegyError('SEGY_E_TOKEN', `${claim} of ${what} ${how}`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return new SegyError('SEGY_E_TOKEN', `the algorithm of ${what} is not allowed`);
  }
  if (
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JWKSInvalid
  ) {
    return new SegyError('SEGY_E_TOKEN_SIGNATURE', `${what} is signed by no key of its issuer`);
  }
  if (error instanceof errors.JOSEError || error instanceof TypeError) {
    return new SegyError('SEGY_E_TOKEN', `${what} cannot be read`);
  }
  return error;
}
