/** Public keys of others: JSON Web Key Sets (RFC 7517) as they are configured or published. */
import { createLocalJWKSet } from 'jose';
import type { JSONWebKeySet, JWK, JWTVerifyGetKey } from 'jose';
import { SegyError } from '../base/errors.js';

/** Algorithms of signatures that anybody's public key may verify; no HMAC, and never none. */
export const ASYMMETRIC = [
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
  ...['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'],
];

/** Largest key set that is read, in octets. */
export const MAX_KEY_SET = 65_536;
const MAX_KEYS = 64;
const KEY_TYPES: readonly unknown[] = ['EC', 'OKP', 'RSA'];
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/**
 * The signature keys of a set. Keys of other uses and kinds are left out.
 * @throws SegyError SEGY_E_TOKEN when it is no set, holds a secret, or has no such key
 */
export function readKeySet(octets: Uint8Array): JWTVerifyGetKey {
  if (octets.length > MAX_KEY_SET) throw wrong('it is too large');
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(octets));
  } catch {
    throw wrong('it is no JSON');
  }
  if (!isKeySet(value)) throw wrong('it has no list of keys');
  if (value.keys.length > MAX_KEYS) throw wrong(`it has more than ${MAX_KEYS} keys`);
  if (value.keys.some((jwk) => PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name)))) {
    throw wrong('it holds a private or secret key');
  }
  const keys = value.keys.filter(({ kty, use }) => KEY_TYPES.includes(kty) && use !== 'enc');
  if (keys.length === 0) throw wrong('it has no key for signatures');
  return createLocalJWKSet({ keys });
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  if (typeof value !== 'object' || value === null || !('keys' in value)) return false;
  const { keys } = value;
  return Array.isArray(keys) && keys.every((key) => isKey(key));
}

function isKey(value: unknown): value is JWK {
  return typeof value === 'object' && value !== null && 'kty' in value;
}

function wrong(message: string): SegyError {
  return new SegyError('SEGY_E_TOKEN', `the key set cannot be used: ${message}`);
}
