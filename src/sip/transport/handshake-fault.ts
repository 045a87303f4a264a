/** Why a TLS handshake from outside failed, in words of our own: nothing of the peer's goes into a log. */
import type { TLSSocket } from 'node:tls';

/** What a reason is called in metrics, and what it means. */
const FAULTS = {
  'no-certificate': 'the peer gave no certificate',
  'unknown-ca': 'the certificate is not signed by a trusted authority',
  expired: 'the certificate has expired',
  'not-yet-valid': 'the certificate is not valid yet',
  'bad-certificate': 'the certificate does not verify',
  version: 'the peer offers no TLS version that is allowed',
  cipher: 'the peer offers no cipher that is allowed',
  'refused-ours': 'the peer does not accept our certificate',
  'no-tls': 'the peer does not speak TLS',
  timeout: 'the handshake took too long',
  broken: 'the peer ended the handshake',
} as const;

export type HandshakeFault = keyof typeof FAULTS;

/** By the code of node:tls: of the verification, else of the error. */
const BY_CODE: Readonly<Record<string, HandshakeFault>> = {
  // what OpenSSL says where there is nothing to verify
  UNABLE_TO_GET_ISSUER_CERT: 'no-certificate',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'no-certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown-ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown-ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown-ca',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'unknown-ca',
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet-valid',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'version',
  ERR_SSL_VERSION_TOO_LOW: 'version',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'version',
  ERR_SSL_NO_SHARED_CIPHER: 'cipher',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 'cipher',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'refused-ours',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'refused-ours',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'refused-ours',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'refused-ours',
  ERR_SSL_HTTP_REQUEST: 'no-tls',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no-tls',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
};

/** Codes of the verification that came from a certificate. */
const VERIFICATION = /^(CERT_|UNABLE_|SELF_|DEPTH_|INVALID_|PATH_|HOSTNAME_|ERROR_IN_|CRL_)/;

export function handshakeFault(socket: TLSSocket, error: Error): HandshakeFault {
  // the types say Error, but it is the code of the verification
  const verification: unknown = socket.authorizationError;
  const thrown: unknown = 'code' in error ? error.code : undefined;
  for (const code of [verification, thrown]) {
    if (typeof code !== 'string') continue;
    const fault = BY_CODE[code];
    if (fault !== undefined) return fault;
    if (VERIFICATION.test(code)) return 'bad-certificate';
  }
  return 'broken';
}

export function describeFault(fault: HandshakeFault): string {
  return `TLS handshake: ${FAULTS[fault]}`;
}
