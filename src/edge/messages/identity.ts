/**
 * Which identities may be handed to a PBX. Two MC service IDs are one only when their octets are equal:
 * the UID hashes every octet, so anything looser would let the signer and the caller differ.
 *
 * A dialplan puts what it gets into Dial(), URLs and shell commands, so nothing from the network
 * reaches it unless every character is in one small set. There is no escaping: a text outside the
 * set is refused, and a percent sign is outside it, so an escaped form cannot smuggle one in.
 */
import { SegyError } from '../../base/errors.js';

const SAFE_TEXT = /^[A-Za-z0-9+._@:-]{1,255}$/;
const SAFE_USER = /^[A-Za-z0-9+._-]{1,64}$/;
const SIP_IDENTITY = /^(sips?):([^@:]+)@([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?$/i;
const TEL_IDENTITY = /^(tel):(\+?[0-9.-]+)$/i;

/** An MC service ID taken apart. `uri` is the text as it came: the UID is computed over it. */
export interface McIdentity {
  readonly uri: string;
  /** user part, or the number of a tel URI */
  readonly user: string;
  /** host in lower case; null for a tel URI */
  readonly host: string | null;
}

/** True for a text that may be a header or variable towards the PBX. */
export function isSafeText(text: string): boolean {
  return SAFE_TEXT.test(text);
}

/**
 * Checks a text for use as a header or variable towards the PBX.
 * @throws SegyError SEGY_E_BAD_IDENTITY when it is empty, longer than 255 or holds another character
 *   than letters, digits and `+ . _ @ : -`
 */
export function requireSafeText(text: string, what: string): string {
  if (!isSafeText(text)) {
    throw new SegyError('SEGY_E_BAD_IDENTITY', `${what} holds a character the PBX may not get`);
  }
  return text;
}

/**
 * Checks a user part for use in a URI towards the PBX; percent-escapes are undone first.
 * @throws SegyError SEGY_E_BAD_IDENTITY when the result is empty, longer than 64 or holds another
 *   character than letters, digits and `+ . _ -`
 */
export function requireSafeUser(user: string, what: string): string {
  let plain: string;
  try {
    plain = decodeURIComponent(user);
  } catch {
    plain = '';
  }
  if (!SAFE_USER.test(plain)) {
    throw new SegyError('SEGY_E_BAD_IDENTITY', `${what} has a user part the PBX may not get`);
  }
  return plain;
}

/**
 * Reads an MC service ID that may be passed on to the PBX: `sip:user@host`, `sips:…` or `tel:…`,
 * no parameters, no password.
 * @param what whose identity it is, for the message
 * @throws SegyError SEGY_E_BAD_IDENTITY
 */
export function readMcIdentity(uri: string, what: string): McIdentity {
  requireSafeText(uri, what);
  const sip = SIP_IDENTITY.exec(uri);
  if (sip?.[2] !== undefined && sip[3] !== undefined) {
    return { uri, user: requireSafeUser(sip[2], what), host: sip[3].toLowerCase() };
  }
  const tel = TEL_IDENTITY.exec(uri);
  if (tel?.[2] !== undefined) {
    return { uri, user: requireSafeUser(tel[2], what), host: null };
  }
  throw new SegyError('SEGY_E_BAD_IDENTITY', `${what} is no MC service ID`);
}

/** True when `host` is one of `domains`, which are in lower case. A domain below one is another. */
export function hostInDomains(host: string | null, domains: readonly string[]): boolean {
  return host !== null && domains.includes(host.toLowerCase());
}
