/** A listener on a free port with certificates of a test authority, and clients that trust it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  silentLog,
  silentMetrics,
  systemClock,
  systemRandom,
  systemTimers,
} from '../../src/base/environment.js';
import type { Environment, Log, LogFields } from '../../src/base/environment.js';
import { utf8 } from '../../src/base/bytes.js';
import { ClientLimits, HttpsListener } from '../../src/https/index.js';
import type { ClientRate, HttpRoute, ListenerLimits, ListenerTls } from '../../src/https/index.js';
import { TestAuthority, type MadeCertificate } from '../sip/support/certificates.js';

export const GENEROUS: ClientRate = {
  requestsPerSecond: 10_000,
  burst: 10_000,
  handshakesPerSecond: 10_000,
  connections: 1000,
};

export const LIMITS: ListenerLimits = {
  headerOctets: 16_384,
  handshakeMs: 5000,
  headerMs: 5000,
  requestMs: 5000,
  idleMs: 10_000,
  requestsPerConnection: 1000,
  parallel: 64,
};

export interface LoggedEvent {
  readonly event: string;
  readonly fields: LogFields;
}

/** The system's environment, with what it warns of kept. */
export function loggingEnvironment(): Environment & { readonly events: LoggedEvent[] } {
  const events: LoggedEvent[] = [];
  const keep = (event: string, fields: LogFields = {}): void => void events.push({ event, fields });
  const log: Log = { ...silentLog, warn: keep, error: keep };
  return {
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    metrics: silentMetrics,
    log,
    events,
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** The certificates of one test, in files too. */
export class Certificates {
  readonly folder = mkdtempSync(join(tmpdir(), 'segy-https-'));
  readonly #authority = new TestAuthority();
  readonly caFile: string;
  readonly server: MadeCertificate;

  constructor() {
    this.caFile = this.write('ca.pem', this.#authority.cert);
    this.server = this.#authority.issue('segy', 'DNS:localhost,IP:127.0.0.1');
  }

  get ca(): Uint8Array {
    return utf8(this.#authority.cert);
  }

  client(name: string): MadeCertificate & { readonly certFile: string; readonly keyFile: string } {
    const made = this.#authority.issue(name, `DNS:${name}`);
    const certFile = this.write(`${name}.pem`, made.cert);
    return { ...made, certFile, keyFile: this.write(`${name}.key`, made.key) };
  }

  write(name: string, text: string): string {
    const file = join(this.folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  }

  tls(more: Partial<ListenerTls> = {}): ListenerTls {
    return {
      cert: utf8(this.server.cert),
      key: utf8(this.server.key),
      ca: this.ca,
      clientCertificates: 'optional',
      least: '1.2',
      ...more,
    };
  }

  remove(): void {
    this.#authority.remove();
    rmSync(this.folder, { recursive: true });
  }
}

export function openListener(
  certificates: Certificates,
  routes: readonly HttpRoute[],
  more: {
    readonly tls?: Partial<ListenerTls>;
    readonly limits?: Partial<ListenerLimits>;
    readonly rate?: Partial<ClientRate>;
    readonly env?: Environment;
  } = {},
): Promise<HttpsListener> {
  const env = more.env ?? loggingEnvironment();
  return HttpsListener.open({
    address: '127.0.0.1',
    port: 0,
    tls: certificates.tls(more.tls),
    limits: { ...LIMITS, ...more.limits },
    clients: generousClients(more.rate),
    routes,
    env,
  });
}

/** Limits that no test meets but by `rate`. */
export function generousClients(rate: Partial<ClientRate> = {}): ClientLimits {
  return new ClientLimits(
    {
      anyone: { ...GENEROUS, ...rate },
      known: new Map(),
      handshakesPerSecond: 10_000,
      connections: 1000,
      remembered: 100,
    },
    systemClock,
  );
}

/** What a command prints; its exit status does not matter. */
export function run(command: string, options: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(command, options, { timeout: 90_000 }, (_error, stdout, stderr) => {
      resolve(`${stdout}${stderr}`);
    });
    // a command that reads no input may be gone before it is given
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** One request by curl, which trusts the authority. */
export async function curl(
  { caFile }: { readonly caFile: string },
  url: string,
  ...options: readonly string[]
): Promise<Answer> {
  const base = ['-s', '-i', '--path-as-is', '--max-time', '60', '--cacert', caFile];
  const text = await run('curl', [...base, ...options, url]);
  const final = text.replace(/^HTTP\/1.1 100[^\r]*\r\n\r\n/, '');
  const [headers = '', ...body] = final.split('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(headers)?.[1] ?? 0);
  return { status, headers, body: body.join('\r\n\r\n') };
}
