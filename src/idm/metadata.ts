/**
 * What the IdM says of itself: provider metadata (OpenID Connect Discovery 1.0, RFC 8414) and the public
 * keys of its tokens (RFC 7517).
 */
import type { JSONWebKeySet } from 'jose';
import { methodNotAllowed } from '../https/index.js';
import type { HttpResponse, WholeRoute } from '../https/index.js';
import { ASYMMETRIC } from './public-keys.js';
import { SIGNING_ALGORITHM } from './access-token-keys.js';

/** How long others may keep it, in seconds. */
const CACHE_SECONDS = 300;

/** The addresses of the IdM, all below its issuer. */
export interface IdmAddresses {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly keySet: string;
}

export function addressesOf(issuer: string): IdmAddresses {
  return { issuer, tokenEndpoint: `${issuer}/token`, keySet: `${issuer}/jwks` };
}

export function pathOf(address: string): string {
  return new URL(address).pathname;
}

export interface MetadataOptions {
  readonly addresses: IdmAddresses;
  /** grant types and scopes of every partner, as they are now */
  readonly names: () => {
    readonly grants: readonly string[];
    readonly scopes: readonly string[];
    readonly claims: readonly string[];
  };
}

export function metadataRoute({ addresses, names }: MetadataOptions): WholeRoute {
  const path = pathOf(addresses.issuer).replace(/\/$/, '');
  const paths = [
    `${path}/.well-known/openid-configuration`,
    `/.well-known/oauth-authorization-server${path}`,
  ];
  return readOnly('idm-metadata', paths, () => {
    const { grants, scopes, claims } = names();
    return {
      issuer: addresses.issuer,
      token_endpoint: addresses.tokenEndpoint,
      jwks_uri: addresses.keySet,
      grant_types_supported: grants,
      // nobody logs in here, so there is no authorization endpoint and no response type
      response_types_supported: [],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [SIGNING_ALGORITHM],
      scopes_supported: scopes,
      claims_supported: claims,
      token_endpoint_auth_methods_supported: [
        ...['tls_client_auth', 'self_signed_tls_client_auth', 'private_key_jwt'],
      ],
      token_endpoint_auth_signing_alg_values_supported: ASYMMETRIC,
    };
  });
}

export function keySetRoute(addresses: IdmAddresses, keys: () => JSONWebKeySet): WholeRoute {
  return readOnly('idm-keys', [pathOf(addresses.keySet)], keys);
}

function readOnly(name: string, paths: readonly string[], value: () => unknown): WholeRoute {
  return {
    name,
    maxBodyOctets: 0,
    matches: (path) => paths.includes(path),
    handle: ({ method }) => Promise.resolve(answer(method, value)),
  };
}

function answer(method: string, value: () => unknown): HttpResponse {
  if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed('GET, HEAD');
  return {
    status: 200,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': `public, max-age=${CACHE_SECONDS}`,
    },
    body: JSON.stringify(value()),
  };
}
