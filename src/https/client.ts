/**
 * HTTPS requests to partners: strong TLS, authorities or one certificate pinned by configuration,
 * bounded in size and time, no redirection followed, no proxy.
 */
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { SegyError } from '../base/errors.js';
import { certificateOf, strongTls } from './tls.js';

export interface PinnedTls {
  /** authorities in PEM; the system's list when absent */
  readonly ca?: Uint8Array;
  /** SHA-256 of the server's certificate, lower-case hex: that one and no other */
  readonly certificateSha256?: string;
  /** our certificate and key, where the partner asks for them */
  readonly cert?: Uint8Array;
  readonly key?: Uint8Array;
}

export interface OutgoingRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

export interface IncomingResponse {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: Uint8Array;
}

export interface ClientBounds {
  readonly timeoutMs: number;
  readonly maxOctets: number;
  /** leaves the request when it fires */
  readonly signal?: AbortSignal;
}

/** @throws SegyError SEGY_E_PARTNER_IDM, SEGY_E_TLS_PEER, SEGY_E_TIMEOUT */
export function httpsFetch(
  { url, method, headers = {}, body }: OutgoingRequest,
  tls: PinnedTls,
  { timeoutMs, maxOctets, signal }: ClientBounds,
): Promise<IncomingResponse> {
  const { hostname, host } = new URL(url);
  const name = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const fail = (
      code: 'SEGY_E_PARTNER_IDM' | 'SEGY_E_TLS_PEER' | 'SEGY_E_TIMEOUT',
      what: string,
      cause?: unknown,
    ): void => {
      clearTimeout(late);
      reject(new SegyError(code, `${host}: ${what}`, { cause }));
      outgoing.destroy();
    };
    const outgoing = httpsRequest(url, {
      ...strongTls(),
      method,
      agent: false,
      ...(signal !== undefined && { signal }),
      // an address is no server name (RFC 6066 clause 3); its certificate is checked all the same
      servername: isIP(name) === 0 ? name : '',
      ...(tls.ca !== undefined && { ca: Buffer.from(tls.ca) }),
      ...(tls.cert !== undefined && { cert: Buffer.from(tls.cert) }),
      ...(tls.key !== undefined && { key: Buffer.from(tls.key) }),
      // a pinned certificate is compared itself, below, before anything is written
      rejectUnauthorized: tls.certificateSha256 === undefined,
      headers: {
        ...headers,
        Connection: 'close',
        ...(body !== undefined && { 'Content-Length': String(Buffer.byteLength(body)) }),
      },
    });
    const late = setTimeout(() => fail('SEGY_E_TIMEOUT', 'no answer in time'), timeoutMs);
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const isTls = /^ERR_TLS|CERT|SELF_SIGNED|UNABLE_TO|SSL/.test(error.code ?? '');
      fail(isTls ? 'SEGY_E_TLS_PEER' : 'SEGY_E_PARTNER_IDM', error.code ?? 'no connection', error);
    });
    outgoing.on('socket', (socket) => {
      socket.once('secureConnect', () => {
        const fault = faultOf(socket, tls.certificateSha256);
        if (fault !== undefined) fail('SEGY_E_TLS_PEER', fault);
        else outgoing.end(typeof body === 'string' ? body : body && Buffer.from(body));
      });
    });
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      let length = 0;
      incoming.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxOctets) fail('SEGY_E_PARTNER_IDM', 'the answer is too large');
        else chunks.push(chunk);
      });
      incoming.on('error', (error) => fail('SEGY_E_PARTNER_IDM', 'the answer broke off', error));
      incoming.on('end', () => {
        clearTimeout(late);
        if (!incoming.complete) {
          fail('SEGY_E_PARTNER_IDM', 'the answer broke off');
          return;
        }
        resolve({
          status: incoming.statusCode ?? 0,
          header: (name) => {
            const value = incoming.headers[name];
            return Array.isArray(value) ? value.join(', ') : value;
          },
          body: new Uint8Array(Buffer.concat(chunks)),
        });
      });
    });
  });
}

/** What is wrong with the server's certificate; asked once, because node tells a client of it only once. */
function faultOf(socket: Duplex, sha256: string | undefined): string | undefined {
  const certificate = certificateOf(socket);
  if (certificate === null) return 'the server shows no certificate';
  if (sha256 === undefined) return undefined;
  if (certificate.sha256 !== sha256) return 'the certificate is not the pinned one';
  const now = Date.now();
  const { notBefore, notAfter } = certificate;
  return notBefore <= now && now < notAfter
    ? undefined
    : 'the pinned certificate is outside its validity';
}
