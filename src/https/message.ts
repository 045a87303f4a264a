/** An HTTP request as handlers see it, whole and within its limits, and what they answer. */
import type { SegyErrorCode } from '../base/errors.js';

export interface ClientCertificate {
  /** SHA-256 of the DER, lower-case hex */
  readonly sha256: string;
  /** true when it chains to one of the listener's authorities */
  readonly authorized: boolean;
  /** subject alternative names of type DNS, lower case */
  readonly dnsNames: readonly string[];
  /** subject alternative names of type URI */
  readonly uris: readonly string[];
  /** as RFC 4514 writes it, most specific name first */
  readonly subject: string;
  readonly der: Uint8Array;
  /** when it is good, in milliseconds since 1970 */
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface HttpRequest {
  readonly method: string;
  /** as it travelled, percent-encoding and all, without the query */
  readonly path: string;
  /** without the question mark; empty where there is none */
  readonly query: string;
  /** value of a header field by its lower-case name */
  header(name: string): string | undefined;
  readonly body: Uint8Array;
  /** IP address of the peer */
  readonly address: string;
  readonly certificate: ClientCertificate | null;
}

/** Why a request was refused: for the security log alone, never in the answer. */
export interface Refused {
  readonly code: SegyErrorCode;
  /** without octets from the wire */
  readonly message: string;
  /** name of the partner that it belongs to, where that is known */
  readonly partner?: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly refused?: Refused;
}

/** A request before its body is read. */
export type HttpRequestHead = Omit<HttpRequest, 'body'>;

interface AnyRoute {
  /** name in metrics */
  readonly name: string;
  /** whether the path, without its query, is of this route */
  matches(path: string): boolean;
  /** largest body in octets; zero where no method has one */
  readonly maxBodyOctets: number;
}

/** In either form a rejection is answered with a bare 500 (503 for SEGY_E_BUSY). */
export type HttpRoute = WholeRoute | StagedRoute;

/** Takes requests whole, whoever asks: for bodies that are small. */
export interface WholeRoute extends AnyRoute {
  handle(request: HttpRequest): Promise<HttpResponse>;
}

/** Decides by the header fields whether it reads the body, so that a stranger sends none. */
export interface StagedRoute extends AnyRoute {
  /** The answer, or what makes it of the body. */
  begin(
    head: HttpRequestHead,
  ): Promise<HttpResponse | ((body: Uint8Array) => Promise<HttpResponse>)>;
}

/** A response with a JSON object that no cache keeps. */
export function jsonResponse(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return {
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers },
    body: JSON.stringify(value),
  };
}

/** 405 with what is allowed. */
export function methodNotAllowed(allow: string): HttpResponse {
  return { status: 405, headers: { Allow: allow } };
}
