/** A console with views that a test fills, and a client that speaks plain HTTP to it. */
import { request } from 'node:http';
import { connect } from 'node:net';
import type { GatewayViews } from '../../src/admin/index.js';
import { silentLog, systemClock, systemRandom, systemTimers } from '../../src/base/environment.js';
import {
  ConsoleServer,
  DEFAULT_CONSOLE_LIMITS,
  LoginTokens,
  readPanels,
} from '../../src/console/index.js';
import type { ConsoleLimits, ConsoleViews } from '../../src/console/index.js';

export const FILE_TOKEN = 'a-token-of-the-file-0123456789abcdef';

export type Filling = Partial<Omit<ConsoleViews, 'gateway'>> & {
  readonly gateway?: Partial<GatewayViews>;
};

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Views of a gateway that has nothing to show but what `filling` says. */
export function viewsOf({ gateway = {}, ...rest }: Filling = {}): ConsoleViews {
  return {
    gateway: {
      version: '0.0.0',
      startedAt: Date.now(),
      state: () => 'running',
      now: () => Date.now(),
      edge: { calls: () => [] },
      media: {
        stats: () => Promise.reject(new Error('not asked')),
        totals: () => undefined,
        sessionStats: () => Promise.reject(new Error('not asked')),
      },
      partners: () => [],
      pbx: () => ({ type: 'asterisk', linked: true }),
      expiries: () => [],
      health: () => ({ audit: null, store: null }),
      alarms: () => [],
      lags: () => [],
      metric: () => 0,
      ...gateway,
    },
    trust: () => [],
    periods: () => [],
    audit: () => Promise.resolve([]),
    ...rest,
  };
}

export class ConsoleKit {
  /** moves time on for sessions and tokens, in milliseconds */
  skew = 0;
  readonly refusals: { readonly kind: string; readonly message: string }[] = [];
  readonly tokens: LoginTokens;

  private constructor(limits: Partial<ConsoleLimits>) {
    this.tokens = new LoginTokens({
      fileToken: () => FILE_TOKEN,
      env: { clock: this.clock, random: systemRandom },
      limits: { ...DEFAULT_CONSOLE_LIMITS, ...limits },
    });
  }

  server!: ConsoleServer;

  static async open(
    filling: Filling = {},
    limits: Partial<ConsoleLimits> = {},
  ): Promise<ConsoleKit> {
    const kit = new ConsoleKit(limits);
    kit.server = await ConsoleServer.open({
      address: '127.0.0.1',
      port: 0,
      tokens: kit.tokens,
      read: readPanels(viewsOf(filling)),
      env: { clock: kit.clock, timers: systemTimers, random: systemRandom, log: silentLog },
      idleMs: 60_000,
      absoluteMs: 600_000,
      refused: (_, kind, message) => kit.refusals.push({ kind, message }),
      limits,
    });
    return kit;
  }

  get clock(): { now(): number } {
    return { now: () => systemClock.now() + this.skew };
  }

  get host(): string {
    return `127.0.0.1:${this.server.port}`;
  }

  ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = request(
        { host: '127.0.0.1', port: this.server.port, path, method, headers, agent: false },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('error', reject);
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
          );
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  logIn(token: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.ask('/login', {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        Origin: `http://${this.host}`,
        ...headers,
      },
      body: new URLSearchParams({ token }).toString(),
    });
  }

  /** Logs in. @returns the Cookie header of the session */
  async session(): Promise<string> {
    const { headers } = await this.logIn(FILE_TOKEN);
    const [cookie = ''] = headers['set-cookie'] ?? [];
    return cookie.split(';')[0] ?? '';
  }

  /** Sends octets as they are. @returns what came back until the other side closed */
  raw(text: string): Promise<string> {
    return new Promise((resolve) => {
      let answer = '';
      const socket = connect(this.server.port, '127.0.0.1', () => socket.write(text));
      socket.on('data', (chunk) => (answer += chunk.toString()));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(answer));
    });
  }

  /** The events of a stream, as they come. */
  follow(cookie: string): {
    readonly events: string[];
    readonly ended: Promise<void>;
    readonly status: Promise<number>;
    stop(): void;
  } {
    const events: string[] = [];
    let end = (): void => undefined;
    let begin: (status: number) => void = () => undefined;
    const status = new Promise<number>((resolve) => (begin = resolve));
    const ended = new Promise<void>((resolve) => (end = resolve));
    const sent = request(
      {
        host: '127.0.0.1',
        port: this.server.port,
        path: '/events',
        headers: { Cookie: cookie },
        agent: false,
      },
      (response) => {
        begin(response.statusCode ?? 0);
        let rest = '';
        response.on('data', (chunk: Buffer) => {
          const parts = (rest + chunk.toString()).split('\n\n');
          rest = parts.pop() ?? '';
          events.push(...parts);
        });
        response.on('close', end);
      },
    );
    sent.on('error', end);
    sent.end();
    return { events, ended, status, stop: () => sent.destroy() };
  }
}
