/** What is wrong with the TLS certificates that the configuration names, as they stand in their files. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { locate } from '../config/index.js';
import type { ConfigFinding, SegyConfig } from '../config/index.js';
import { certificatesIn } from './certificate-watch.js';

const DAY_MS = 86_400_000;

export interface CertificateFindings {
  readonly findings: readonly ConfigFinding[];
  readonly warnings: readonly ConfigFinding[];
}

/** The files of a listener's TLS, or of ours as a client. */
interface Tls {
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly caFile?: string | undefined;
}

interface NamedTls {
  readonly path: readonly PropertyKey[];
  readonly tls: Tls;
  /** by what clients reach the listener; null for a client's certificate */
  readonly host: string | null;
}

/** @param now in milliseconds since 1970 */
export function checkCertificates(
  config: SegyConfig,
  text: string,
  now: number,
): CertificateFindings {
  const findings: ConfigFinding[] = [];
  const warnings: ConfigFinding[] = [];
  for (const { path, tls, host } of namedTls(config)) {
    const at = (name: keyof Tls) => locate(text, [...path, name]);
    const wrong = (name: keyof Tls, message: string, cure: string): void =>
      void findings.push({ ...at(name), message, cure });
    const warn = (name: keyof Tls, message: string, cure: string): void =>
      void warnings.push({ ...at(name), message, cure });
    const { certFile, keyFile } = tls;
    if (certFile !== undefined) {
      const chain = read(certFile);
      if (chain === null) {
        wrong(
          'certFile',
          `${certFile} holds no certificate`,
          'write the certificate in PEM, its chain behind it',
        );
      } else {
        checkChain(chain, host, config.alarms.certificateDays, now, { wrong, warn });
        if (keyFile !== undefined) checkKey({ certFile, keyFile }, chain, wrong);
      }
    }
    if (tls.caFile !== undefined) checkAuthorities(tls.caFile, now, { wrong, warn });
  }
  return { findings, warnings };
}

function namedTls(config: SegyConfig): NamedTls[] {
  const { outer, https, gms, idm } = config;
  const sip = outer.listeners.flatMap(({ tls, address }, index) => {
    const path = ['outer', 'listeners', index, 'tls'];
    return tls === undefined ? [] : [{ path, tls, host: outer.advertised ?? address }];
  });
  const clients = config.partners.flatMap(({ idm: own, groupDocuments }, index) =>
    Object.entries({ idm: own?.tls, groupDocuments: groupDocuments?.tls }).flatMap(
      ([section, tls]): NamedTls[] =>
        tls === undefined ? [] : [{ path: ['partners', index, section, 'tls'], tls, host: null }],
    ),
  );
  if (https === undefined) return [...sip, ...clients];
  const url = gms?.xcapRoot ?? idm?.issuer;
  const host = url === undefined ? https.address : new URL(url).hostname.replace(/^\[|\]$/g, '');
  return [...sip, { path: ['https', 'tls'], tls: https.tls, host }, ...clients];
}

type Note = (name: keyof Tls, message: string, cure: string) => void;
interface Notes {
  readonly wrong: Note;
  readonly warn: Note;
}

/** Certificates of a file; null where it holds none. A file that cannot be read is another finding. */
function read(file: string): X509Certificate[] | null {
  try {
    const found = certificatesIn(file);
    return found.length > 0 ? found : null;
  } catch {
    return null;
  }
}

function checkChain(
  chain: readonly X509Certificate[],
  host: string | null,
  warningDays: number,
  now: number,
  { wrong, warn }: Notes,
): void {
  const [own] = chain;
  if (own === undefined) return;
  const ends = Date.parse(own.validTo);
  if (ends <= now) {
    wrong('certFile', `the certificate ended ${own.validTo}`, 'have it renewed');
  } else if (now < Date.parse(own.validFrom)) {
    wrong(
      'certFile',
      `the certificate is valid from ${own.validFrom} on`,
      "set this host's clock right, or wait",
    );
  } else if (ends - now < warningDays * DAY_MS) {
    const days = Math.floor((ends - now) / DAY_MS);
    warn('certFile', `the certificate ends in ${days} days`, 'have it renewed, and segy reload');
  }
  for (const [i, certificate] of chain.entries()) {
    const issuer = chain[i + 1];
    if (issuer === undefined) break;
    if (certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)) continue;
    wrong(
      'certFile',
      'the chain is not in order: a certificate is not signed by the next one',
      'put the own certificate first and its issuers behind it',
    );
  }
  if (host === null) return;
  if ((own.subjectAltName ?? '') === '') {
    wrong(
      'certFile',
      'the certificate has no subjectAltName, so no partner can check its name',
      'have one issued with a DNS name or URI',
    );
    return;
  }
  const named = isIP(host) > 0 ? own.checkIP(host) : own.checkHost(host, { wildcards: false });
  if (named === undefined) {
    warn(
      'certFile',
      `the certificate does not name ${host}`,
      'compare its names with what partners expect',
    );
  }
}

function checkKey(
  tls: { readonly certFile: string; readonly keyFile: string },
  chain: readonly X509Certificate[],
  wrong: Note,
): void {
  try {
    const key = createPrivateKey(readFileSync(tls.keyFile));
    if (chain[0]?.checkPrivateKey(key) !== false) return;
    wrong(
      'keyFile',
      `${tls.keyFile} is not the key of ${tls.certFile}`,
      'name the key that belongs to the certificate',
    );
  } catch (error) {
    const isThere = !(error instanceof Error && 'code' in error && error.code === 'ENOENT');
    if (isThere) {
      wrong(
        'keyFile',
        `${tls.keyFile} holds no private key that can be read`,
        'write it in PEM, without a passphrase',
      );
    }
  }
}

function checkAuthorities(file: string, now: number, { wrong, warn }: Notes): void {
  const authorities = read(file);
  if (authorities === null) {
    wrong('caFile', `${file} holds no certificate`, "write the partners' authorities in PEM");
    return;
  }
  for (const { validTo, subject } of authorities) {
    if (Date.parse(validTo) > now) continue;
    warn(
      'caFile',
      `the authority ${subject.replaceAll('\n', ', ')} ended ${validTo}`,
      'ask the partner for the new one',
    );
  }
}
