/** TLS as this product speaks it, on either side: 1.3, or 1.2 with ECDHE and AEAD suites alone. */
import type { X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { TLSSocket, type SecureContextOptions } from 'node:tls';
import type { ClientCertificate } from './message.js';

const SUITES = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];
const SIGNATURES = [
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384',
  'ed25519',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_pss_sha256',
  'rsa_pkcs1_sha256',
  'rsa_pkcs1_sha384',
];
const CURVES = 'X25519:P-256:P-384';

export type TlsVersion = '1.2' | '1.3';

/** Options of a context that takes no older or weaker TLS than `least`. */
export function strongTls(least: TlsVersion = '1.2'): SecureContextOptions {
  return {
    minVersion: `TLSv${least}`,
    ciphers: SUITES.join(':'),
    honorCipherOrder: true,
    ecdhCurve: CURVES,
    sigalgs: SIGNATURES.join(':'),
  };
}

/** Of connections that are open: reading a certificate costs more than answering many a request. */
const known = new WeakMap<TLSSocket, ClientCertificate>();

/** Facts about the peer's certificate; null when it gave none. Nothing changes it on a connection. */
export function certificateOf(socket: Duplex): ClientCertificate | null {
  if (!(socket instanceof TLSSocket)) return null;
  const before = known.get(socket);
  if (before !== undefined) return before;
  // null, whatever the types say, once the socket is destroyed
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  const facts = factsOf(certificate, socket.authorized);
  known.set(socket, facts);
  return facts;
}

function factsOf(certificate: X509Certificate, authorized: boolean): ClientCertificate {
  // a value with a comma in it comes in quotes; it is no name that anybody pins, nor several
  const names = (certificate.subjectAltName ?? '').replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  return {
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    authorized,
    dnsNames: [...names.matchAll(/(?:^|, )DNS:([A-Za-z0-9.*_-]+)(?=,|$)/g)].map((match) =>
      (match[1] ?? '').toLowerCase(),
    ),
    uris: [...names.matchAll(/(?:^|, )URI:([^\s",]+)(?=,|$)/g)].map((match) => match[1] ?? ''),
    subject: certificate.subject.split('\n').reverse().join(','),
    der: new Uint8Array(certificate.raw),
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
  };
}
