/** TLS: who a peer's certificate names, and whether that is who was wanted (RFC 5922). */
import { isIP } from 'node:net';
import { createSecureContext, type PeerCertificate, type TLSSocket } from 'node:tls';
import { SegyError } from '../../base/errors.js';
import { sameHost } from '../host.js';
import type { TlsPeer } from '../peers.js';
import { parseSipUri } from '../uri.js';

/** Certificates and key in PEM. */
export interface TlsIdentity {
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** whom to trust; the system's list when absent */
  readonly ca?: string | Uint8Array;
  /** the lowest version that is spoken; default TLSv1.2 */
  readonly minVersion?: TlsVersion;
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export interface TlsListenOptions extends TlsIdentity {
  readonly cert: string | Uint8Array;
  readonly key: string | Uint8Array;
  /** ask for a client certificate. Default false */
  readonly requestCert?: boolean;
  /** end the handshake when the asked certificate is missing or does not verify. Default true */
  readonly rejectUnauthorized?: boolean;
}

/** An identity as node:tls takes it. */
export function secureOptions(identity: TlsIdentity): {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ca?: Buffer;
  readonly minVersion: TlsVersion;
} {
  const out: { cert?: Buffer; key?: Buffer; ca?: Buffer } = {};
  for (const name of ['cert', 'key', 'ca'] as const) {
    const value = identity[name];
    if (value !== undefined) out[name] = Buffer.from(value as Uint8Array);
  }
  return { ...out, minVersion: identity.minVersion ?? 'TLSv1.2' };
}

/** @throws SegyError SEGY_E_IO when the certificate or key cannot be used, or do not belong together */
export function checkTlsIdentity(identity: TlsIdentity): void {
  try {
    createSecureContext(secureOptions(identity));
  } catch (cause) {
    const message = `the TLS certificate or key cannot be used: ${String(cause)}`;
    throw new SegyError('SEGY_E_IO', message, { cause });
  }
}

/** Facts about the peer's certificate; undefined when it gave none. */
export function tlsPeer(socket: TLSSocket): TlsPeer | undefined {
  // null, whatever the types say, once the socket is destroyed
  const certificate = socket.getPeerCertificate() as Partial<PeerCertificate> | null;
  if (certificate === null) return undefined;
  if (certificate.subject === undefined && certificate.subjectaltname === undefined)
    return undefined;
  const names = { subjectAltNames: splitNames(certificate.subjectaltname ?? '') };
  const peer = { authorized: socket.authorized, ...names };
  const subject: unknown = certificate.subject?.CN;
  return typeof subject === 'string' ? { ...peer, subject } : peer;
}

/** Node separates names by comma and blank, and quotes as JSON those that could be mistaken. */
function splitNames(text: string): string[] {
  return [...text.matchAll(/(?:[^",]|"(?:[^"\\]|\\.)*")+/g)].map((match) => match[0].trim());
}

/**
 * Does the certificate name `wanted`? An address must be among its addresses. A host must be among its
 * `sip:` URIs, or, where it has none, among its DNS names; no wildcards and no common name
 * (RFC 5922 clause 7.2).
 * @returns undefined when it does
 */
export function checkServerName(wanted: string, certificate: PeerCertificate): Error | undefined {
  const names = splitNames(certificate.subjectaltname ?? '');
  const having = (prefix: string): string[] =>
    names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  const domains = having('URI:').flatMap(sipDomain);
  const candidates =
    isIP(wanted) > 0 ? having('IP Address:') : domains.length > 0 ? domains : having('DNS:');
  if (candidates.some((name) => sameHost(name, wanted))) return undefined;
  return new Error(`the certificate does not name ${wanted}`);
}

/** The domain of a `sip:` URI without user part; nothing for any other. */
function sipDomain(text: string): string[] {
  try {
    const uri = parseSipUri(text);
    return uri.scheme === 'sip' && uri.user === undefined ? [uri.host] : [];
  } catch {
    return [];
  }
}
