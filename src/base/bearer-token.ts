/** Bearer tokens as they travel (RFC 6750 clause 2.1). */

const MAX_TOKEN_OCTETS = 8_192;

/** Whether `text` has the form of a bearer token, 8192 octets at most. */
export function isBearerToken(text: string): boolean {
  return text.length <= MAX_TOKEN_OCTETS && /^[A-Za-z0-9._~+/-]+=*$/.test(text);
}
