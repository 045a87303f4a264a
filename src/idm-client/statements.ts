/**
 * What the gateway states to a partner's identity management: who its user is (security token, TS
 * 33.180 B.8), and that it is itself the registered client (RFC 7523 clause 2.2).
 */
import { SignJWT } from 'jose';
import { toHex } from '../base/bytes.js';
import type { Clock, RandomBytes } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import type { PartnerIdmConfig } from '../config/index.js';
import type { Signer } from './statement-keys.js';

const ASSERTION_SECONDS = 60;
const MAX_SUBJECT_OCTETS = 255;

/** Where statements come from. */
export interface StatementParts {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly signer: () => Promise<Signer>;
  /** @throws SegyError SEGY_E_CONFIG */
  readonly readFile: (file: string) => string;
}

/**
 * The security token of `user` for the partner's IdM: of the file that the profile names for the
 * user, or made here with all the claims of table B.8-1.
 * @throws SegyError SEGY_E_ACCESS_TOKEN for a user without a file, or whose name is over 255 octets;
 *   SEGY_E_CONFIG
 */
export async function securityToken(
  idm: PartnerIdmConfig,
  user: string,
  { clock, random, signer, readFile }: StatementParts,
): Promise<string> {
  const { securityToken: source, issuer, clientId, codePoints } = idm;
  if (source.from === 'files') {
    const file = source.files.find((each) => each.user === user)?.file;
    if (file === undefined) {
      throw new SegyError('SEGY_E_ACCESS_TOKEN', `no file holds a security token of ${user}`);
    }
    const text = readFile(file).trim();
    if (/^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}$/.test(text)) return text;
    throw new SegyError('SEGY_E_CONFIG', `${file} holds no signed token`);
  }
  if (Buffer.byteLength(user) > MAX_SUBJECT_OCTETS) {
    throw new SegyError('SEGY_E_ACCESS_TOKEN', 'a user is named by more than 255 octets');
  }
  const { kid, key } = await signer();
  const now = Math.floor(clock.now() / 1000);
  const { securityTokenTyp: typ, userClaims } = codePoints;
  return new SignJWT(Object.fromEntries(userClaims.map((claim) => [claim, user])))
    .setProtectedHeader({ alg: 'ES256', kid, ...(typ !== null && { typ }) })
    .setIssuer(source.issuer)
    .setSubject(user)
    .setAudience([clientId, issuer])
    .setIssuedAt(now)
    .setExpirationTime(now + source.seconds)
    .setJti(toHex(random(16)))
    .sign(key);
}

/** A client assertion, good for one minute at `audience`. */
export async function clientAssertion(
  clientId: string,
  audience: string,
  { clock, random, signer }: StatementParts,
): Promise<string> {
  const { kid, key } = await signer();
  const now = Math.floor(clock.now() / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setIssuedAt(now)
    .setExpirationTime(now + ASSERTION_SECONDS)
    .setJti(toHex(random(16)))
    .sign(key);
}
