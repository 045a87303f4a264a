import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface MadeCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A certification authority of the test, made by the openssl command. */
export class TestAuthority {
  readonly #folder = mkdtempSync(join(tmpdir(), 'segy-tls-'));
  readonly cert: string;

  constructor() {
    this.#openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Test CA'],
    );
    this.cert = this.#read('ca.pem');
  }

  /**
   * @param names subject alternative names, such as `DNS:a.example,IP:127.0.0.1`
   * @param days of validity from now; negative for a certificate that has expired
   */
  issue(commonName: string, names: string, days = 2): MadeCertificate {
    writeFileSync(join(this.#folder, 'ext'), `subjectAltName=${names}\n`);
    this.#openssl(
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', `/CN=${commonName}`],
    );
    this.#openssl(
      ...['x509', '-req', '-in', 'leaf.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key'],
      ...['-CAcreateserial', '-out', 'leaf.pem', '-days', String(days), '-extfile', 'ext'],
    );
    return { cert: this.#read('leaf.pem'), key: this.#read('leaf.key') };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #openssl(...options: string[]): void {
    execFileSync('openssl', options, { cwd: this.#folder, stdio: 'pipe' });
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), 'utf8');
  }
}
