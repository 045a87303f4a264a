/** What a partner's IdM server says of itself (OpenID Connect Discovery clause 3, RFC 8414). */
import { z } from 'zod';
import { SegyError } from '../base/errors.js';
import type { PartnerIdmConfig } from '../config/index.js';
import type { IncomingResponse } from '../https/index.js';
import { jsonObject, refusal } from './json-answer.js';

const names = z.array(z.string().max(255)).max(200);
const metadataSchema = z.object({
  issuer: z.string().max(2048),
  token_endpoint: z.string().max(2048),
  grant_types_supported: names.optional(),
  token_endpoint_auth_methods_supported: names.optional(),
  token_endpoint_auth_signing_alg_values_supported: names.optional(),
  /** for clients with a certificate (RFC 8705 clause 5) */
  mtls_endpoint_aliases: z.object({ token_endpoint: z.string().max(2048).optional() }).optional(),
});

export interface IdmMetadata {
  readonly tokenEndpoint: string;
  /** lists of the metadata in which something that the profile needs is missing, in words */
  readonly lacks: readonly string[];
}

export function metadataUrl({ issuer, codePoints }: PartnerIdmConfig): string {
  return issuer.replace(/\/$/, '') + codePoints.metadataPath;
}

/**
 * @throws SegyError SEGY_E_PARTNER_IDM where it is no metadata, or of another issuer (Discovery
 *   clause 4.3), or sends tokens' requests to another host than the issuer's
 */
export function readMetadata(response: IncomingResponse, idm: PartnerIdmConfig): IdmMetadata {
  if (response.status !== 200) throw refusal('SEGY_E_PARTNER_IDM', 'no metadata', response);
  const parsed = metadataSchema.safeParse(jsonObject(response, 'the metadata'));
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.map(String).join('.') ?? '';
    throw new SegyError('SEGY_E_PARTNER_IDM', `the metadata: ${path} is missing or malformed`);
  }
  const { data } = parsed;
  if (data.issuer !== idm.issuer) {
    throw new SegyError('SEGY_E_PARTNER_IDM', 'the metadata is that of another issuer');
  }
  const alias = idm.authenticate === 'tls' ? data.mtls_endpoint_aliases?.token_endpoint : undefined;
  const tokenEndpoint = alias ?? data.token_endpoint;
  if (!isOnHostOf(tokenEndpoint, idm.issuer)) {
    const cure = 'pin it as idm.tokenEndpoint where that is right';
    throw new SegyError(
      'SEGY_E_PARTNER_IDM',
      `the metadata names a token endpoint on another host; ${cure}`,
    );
  }
  const method = idm.authenticate === 'tls' ? 'tls_client_auth' : 'private_key_jwt';
  const methods = data.token_endpoint_auth_methods_supported;
  const algorithms = data.token_endpoint_auth_signing_alg_values_supported;
  const isMissing = (list: string[] | undefined, ...any: string[]): boolean =>
    list !== undefined && !any.some((each) => list.includes(each));
  const grant = grantType(idm);
  const lacks = [
    ...(isMissing(data.grant_types_supported, grant) ? [`the grant ${grant}`] : []),
    ...(isMissing(methods, method, `self_signed_${method}`) ? [`authentication by ${method}`] : []),
    ...(method === 'private_key_jwt' && isMissing(algorithms, 'ES256')
      ? ['client assertions under ES256']
      : []),
  ];
  return { tokenEndpoint, lacks };
}

export function grantType({ codePoints }: PartnerIdmConfig): string {
  return `urn:ietf:params:oauth:grant-type:${codePoints.grant}`;
}

function isOnHostOf(url: string, issuer: string): boolean {
  try {
    const { protocol, hostname, username } = new URL(url);
    return protocol === 'https:' && username === '' && hostname === new URL(issuer).hostname;
  } catch {
    return false;
  }
}
