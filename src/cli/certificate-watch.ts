/** Looks after the validity of the TLS certificates in use: a gauge, and a log line before one ends. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Environment, TimerHandle } from '../base/environment.js';
import type { SegyConfig } from '../config/index.js';
import { pinnedFiles } from './partner-tls.js';

const DAY_MS = 86_400_000;
const EVERY_MS = 3_600_000;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export interface CertificateFact {
  readonly file: string;
  readonly subject: string;
  /** in milliseconds since 1970 */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Every certificate in a PEM file. @throws Error when the file cannot be read or one is malformed */
export function certificatesIn(file: string): X509Certificate[] {
  const found = readFileSync(file, 'utf8').match(PEM) ?? [];
  return found.map((pem) => new X509Certificate(pem));
}

/** The certificate files of the configuration, each once. */
export function certificateFiles({ outer, https, partners }: SegyConfig): string[] {
  const files = [...outer.listeners, https].flatMap((listener) => {
    const tls = listener?.tls;
    return tls === undefined
      ? []
      : [tls.certFile, ...(tls.caFile === undefined ? [] : [tls.caFile])];
  });
  return [...new Set([...files, ...pinnedFiles(partners)])];
}

export function factsOf(file: string): CertificateFact[] {
  return certificatesIn(file).map(({ subject, validFrom, validTo }) => ({
    file,
    subject: subject.replaceAll('\n', ', '),
    notBefore: Date.parse(validFrom),
    notAfter: Date.parse(validTo),
  }));
}

export class CertificateWatch {
  readonly #env: Environment;
  readonly #warnMs: number;
  #files: readonly string[] = [];
  #timer: TimerHandle | null = null;
  /** told today already, by file and subject */
  readonly #told = new Map<string, number>();

  /** @param warnDays days before its end from which on a certificate is warned of, once a day */
  constructor(env: Environment, warnDays: number) {
    this.#env = env;
    this.#warnMs = warnDays * DAY_MS;
  }

  /** Begins, or goes on with other files. */
  watch(files: readonly string[]): void {
    this.#files = files;
    this.#look();
  }

  stop(): void {
    if (this.#timer !== null) this.#env.timers.clearTimeout(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    this.stop();
    for (const file of this.#files) this.#lookAt(file);
    this.#timer = this.#env.timers.setTimeout(() => this.#look(), EVERY_MS);
  }

  #lookAt(file: string): void {
    const { log, metrics, clock } = this.#env;
    try {
      const facts = factsOf(file);
      for (const fact of facts) this.#warn(fact);
      const first = Math.min(...facts.map(({ notAfter }) => notAfter));
      const days = Math.floor((first - clock.now()) / DAY_MS);
      metrics.gauge('segy_certificate_expiry_days', days, { file });
    } catch {
      log.warn('certificate.unreadable', { file });
    }
  }

  #warn({ file, subject, notAfter }: CertificateFact): void {
    const { log, clock } = this.#env;
    const now = clock.now();
    if (notAfter - now > this.#warnMs) return;
    const key = `${file} ${subject}`;
    if (now - (this.#told.get(key) ?? -DAY_MS) < DAY_MS) return;
    this.#told.set(key, now);
    const fields = { file, subject, until: new Date(notAfter).toISOString() };
    if (notAfter <= now) log.error('certificate.expired', fields);
    else log.warn('certificate.expiring', fields);
  }
}
