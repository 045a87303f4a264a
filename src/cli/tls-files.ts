/** TLS certificates and keys as the configuration names them, read from their files. */
import { readFileSync } from 'node:fs';
import { SegyError } from '../base/errors.js';
import type { SegyConfig } from '../config/index.js';
import type { TlsIdentity, TlsListenOptions } from '../sip/index.js';

type TlsFiles = NonNullable<SegyConfig['outer']['listeners'][number]['tls']>;

/** @throws SegyError SEGY_E_CONFIG when a file cannot be read */
export function readTls(tls: TlsFiles): TlsListenOptions {
  return {
    cert: readTlsFile(tls.certFile),
    key: readTlsFile(tls.keyFile),
    ...(tls.caFile !== undefined && { ca: readTlsFile(tls.caFile) }),
    minVersion: tls.minVersion,
    requestCert: tls.requestClientCert,
  };
}

/** Our certificate on connections that we open: that of the first TLS listener. */
export function outgoingTls({ outer }: SegyConfig): TlsIdentity {
  const tls = outer.listeners.find((listener) => listener.tls !== undefined)?.tls;
  return tls === undefined ? {} : readTls(tls);
}

/** @throws SegyError SEGY_E_CONFIG when it cannot be read */
export function readTlsFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new SegyError('SEGY_E_CONFIG', `${file} cannot be read`, { cause });
  }
}
