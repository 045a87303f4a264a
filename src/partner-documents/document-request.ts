/** One conditional GET of a partner's document (RFC 4825 clause 7.4, RFC 6750 clause 2.1). */
import { SegyError } from '../base/errors.js';
import type { GroupDocumentsConfig } from '../config/index.js';
import { httpsFetch, retryAfter, type IncomingResponse, type PinnedTls } from '../https/index.js';

/** Quotes and all; longer ones are not kept. */
const ETAG = /^(?:W\/)?"[\x21\x23-\x7e]{0,200}"$/;
const XML_TYPE = /^(?:application|text)\/(?:[a-z0-9.+-]+\+)?xml *(?:;|$)/i;

export interface DocumentRequest {
  readonly url: string;
  readonly token: string | null;
  /** entity tag of what was read last */
  readonly etag: string | null;
}

/** What the server has: `octets` null where it is what was read last. */
export interface DocumentAnswer {
  readonly octets: Uint8Array | null;
  /** null where the server gives none that can be sent back */
  readonly etag: string | null;
}

/**
 * @throws SegyError SEGY_E_ACCESS_TOKEN for 401, SEGY_E_NOT_FOUND for 404 and 410, SEGY_E_PARTNER_IDM for
 *   any other answer that is no document, SEGY_E_TLS_PEER, SEGY_E_TIMEOUT
 */
export async function requestDocument(
  { url, token, etag }: DocumentRequest,
  tls: PinnedTls,
  { timeoutSeconds, maxOctets }: GroupDocumentsConfig,
  signal: AbortSignal,
): Promise<DocumentAnswer> {
  const response = await httpsFetch(
    {
      url,
      method: 'GET',
      headers: {
        Accept: '*/*',
        ...(token !== null && { Authorization: `Bearer ${token}` }),
        ...(etag !== null && { 'If-None-Match': etag }),
      },
    },
    tls,
    { timeoutMs: 1000 * timeoutSeconds, maxOctets, signal },
  );
  if (response.status === 304 && etag !== null) return { octets: null, etag };
  if (response.status !== 200) throw refusalOf(response);
  if (!XML_TYPE.test(response.header('content-type') ?? '')) {
    throw new SegyError('SEGY_E_PARTNER_IDM', 'what was served is not XML');
  }
  const tag = response.header('etag') ?? '';
  return { octets: response.body, etag: ETAG.test(tag) ? tag : null };
}

function refusalOf(response: IncomingResponse): SegyError {
  const { status } = response;
  const code =
    status === 401
      ? 'SEGY_E_ACCESS_TOKEN'
      : status === 404 || status === 410
        ? 'SEGY_E_NOT_FOUND'
        : 'SEGY_E_PARTNER_IDM';
  const details = retryAfter(response);
  return new SegyError(code, `no document: status ${status}`, { details });
}
