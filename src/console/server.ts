/**
 * The console's listener. Its paths are a closed list:
 *
 *   GET  /login              the form
 *   POST /login              token=…; 303 to / with the session's cookie
 *   POST /logout             ends the session
 *   GET  /                   the page
 *   GET  /browser/<name>.js  its script; /console.css, /icon.svg
 *   GET  /events             server-sent events: `Change`, and `ended` when the session is over
 *   GET  /alive              204, prolongs the session: somebody sits before the page
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Environment } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import { Feed } from './feed.js';
import { formField } from './form.js';
import { originFault, SECURITY_HEADERS } from './guard.js';
import { DEFAULT_CONSOLE_LIMITS } from './limits.js';
import type { ConsoleLimits } from './limits.js';
import type { LoginTokens } from './login-tokens.js';
import type { Panels } from './model.js';
import { loginPage } from './page.js';
import { Sessions } from './sessions.js';
import type { Session } from './sessions.js';
import { staticFiles, type StaticFile } from './static-files.js';
import { stream } from './stream.js';

const CHECK_MS = 1000;
/** What is asked of the paths that are no fixed file. */
const METHODS: ReadonlyMap<string, string> = new Map([
  ['/login', 'GET, POST'],
  ['/logout', 'POST'],
  ['/events', 'GET'],
  ['/alive', 'GET'],
]);
const HTML = { 'Content-Type': 'text/html; charset=utf-8' };

/** As the security log names it. */
export type Refusal = 'token-failed' | 'rate-exceeded' | 'refused';

export interface ConsoleServerOptions {
  readonly address: string;
  /** 0 for any */
  readonly port: number;
  readonly tokens: LoginTokens;
  readonly read: () => Promise<Panels>;
  readonly env: Pick<Environment, 'clock' | 'timers' | 'random' | 'log'>;
  readonly idleMs: number;
  readonly absoluteMs: number;
  /** is told of every request that was refused for what it is; `kind` is for the security log */
  readonly refused: (source: string, kind: Refusal, message: string) => void;
  readonly limits?: Partial<ConsoleLimits>;
}

export class ConsoleServer {
  readonly #options: ConsoleServerOptions;
  readonly #limits: ConsoleLimits;
  readonly #server: Server;
  readonly #sessions: Sessions;
  readonly #feed: Feed;
  readonly #files = staticFiles();
  #cookie = '';

  private constructor(options: ConsoleServerOptions) {
    const { env, idleMs, absoluteMs } = options;
    this.#options = options;
    this.#limits = { ...DEFAULT_CONSOLE_LIMITS, ...options.limits };
    const { sessions, receiveMs, headerOctets, connections } = this.#limits;
    this.#sessions = new Sessions(env, { sessions, idleMs, absoluteMs });
    this.#feed = new Feed(options.read, env, this.#limits);
    this.#server = createServer(
      {
        maxHeaderSize: headerOctets,
        headersTimeout: receiveMs,
        requestTimeout: receiveMs,
        keepAliveTimeout: receiveMs,
        connectionsCheckingInterval: Math.min(CHECK_MS, receiveMs),
        // The guard answers these itself, with all its headers.
        requireHostHeader: false,
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.on('checkExpectation', (_, response: ServerResponse) =>
      refuse(response, 417, 'no expectation is met here'),
    );
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
      endBroken(error, socket),
    );
    this.#server.maxConnections = connections;
  }

  /** @throws SegyError SEGY_E_IO when the address cannot be taken */
  static async open(options: ConsoleServerOptions): Promise<ConsoleServer> {
    const opened = new ConsoleServer(options);
    const { address, port } = options;
    try {
      opened.#server.listen(port, address);
      await once(opened.#server, 'listening');
    } catch (cause) {
      throw new SegyError('SEGY_E_IO', `cannot listen at ${address}, port ${port}`, { cause });
    }
    // Cookies know no port: two gateways on one host must not end each other's sessions.
    opened.#cookie = `segy_console_${opened.port}`;
    return opened;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Logs everybody out. @returns how many sessions there were */
  endSessions(): number {
    return this.#sessions.endAll();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#sessions.endAll();
    this.#feed.stop();
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => response.destroy());
    try {
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
      const fault = originFault(request);
      if (fault !== null) {
        this.#tell(request, 'refused', fault);
        refuse(response, 403, fault);
        return;
      }
      await this.#route(request, response);
    } catch (error) {
      this.#options.env.log.error('console.failed', { message: toSegyError(error).message });
      if (!response.headersSent) refuse(response, 500, 'the console failed');
      else response.destroy();
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const allowed = METHODS.get(url) ?? (this.#files.has(url) ? 'GET' : undefined);
    if (allowed === undefined) refuse(response, 404, 'there is no such page');
    else if (!allowed.split(', ').includes(method)) {
      response.setHeader('Allow', allowed);
      refuse(response, 405, 'the method is not allowed');
    } else if (method === 'GET') this.#get(url, this.#sessionOf(request), response);
    else if (url === '/login') await this.#logIn(request, response);
    else this.#logOut(request, response);
  }

  #get(url: string, session: Session | undefined, response: ServerResponse): void {
    const file = this.#files.get(url);
    if (file?.closed === false) send(response, file);
    else if (url === '/login') {
      if (session === undefined) form(response, 200);
      else redirect(response, '/');
    } else if (session === undefined) {
      if (url === '/') redirect(response, '/login');
      else refuse(response, 401, 'log in first');
    } else if (url === '/events') this.#stream(response, session);
    else {
      this.#sessions.touch(session);
      if (file === undefined) response.writeHead(204).end();
      else send(response, file);
    }
  }

  #stream(response: ServerResponse, session: Session): void {
    const { streams, streamsOfSession } = this.#limits;
    if (session.onEnd.size >= streamsOfSession || this.#feed.readers >= streams) {
      refuse(response, 429, 'too many pages are open');
      return;
    }
    stream(response, this.#feed, session);
  }

  async #logIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = await formField(request, 'token', this.#limits.bodyOctets);
    if (token === null) {
      refuse(response, 400, 'the log-in is no small form with a token');
      return;
    }
    const result = this.#options.tokens.check(token.trim());
    if (result === 'too many') {
      this.#tell(request, 'rate-exceeded', 'too many log-ins');
      response.setHeader('Retry-After', Math.ceil(this.#limits.logInEveryMs / 1000));
      form(response, 429, 'Too many log-ins. Wait a moment.');
    } else if (result === 'wrong') {
      this.#tell(request, 'token-failed', 'a log-in with a wrong token');
      form(response, 401, 'This token is wrong, used or too old.');
    } else {
      this.#endSessionOf(request);
      this.#options.env.log.info('console.login', { source: sourceOf(request), token: result });
      const cookie = `${this.#cookie}=${this.#sessions.begin()}; HttpOnly; SameSite=Strict; Path=/`;
      response.setHeader('Set-Cookie', cookie);
      redirect(response, '/');
    }
  }

  #logOut(request: IncomingMessage, response: ServerResponse): void {
    // Whatever its body, it is not read.
    response.setHeader('Connection', 'close');
    this.#endSessionOf(request);
    this.#options.env.log.info('console.logout', { source: sourceOf(request) });
    const gone = `${this.#cookie}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0`;
    response.setHeader('Set-Cookie', gone);
    redirect(response, '/login');
  }

  #sessionOf(request: IncomingMessage): Session | undefined {
    return this.#sessions.find(this.#cookieOf(request));
  }

  #endSessionOf(request: IncomingMessage): void {
    const id = this.#cookieOf(request);
    if (id !== undefined) this.#sessions.end(id);
  }

  #cookieOf({ headers }: IncomingMessage): string | undefined {
    const prefix = `${this.#cookie}=`;
    const values = (headers.cookie ?? '')
      .split(';')
      .map((each) => each.trim())
      .filter((each) => each.startsWith(prefix));
    return values.length === 1 ? values[0]?.slice(prefix.length) : undefined;
  }

  #tell(request: IncomingMessage, kind: Refusal, message: string): void {
    this.#options.refused(sourceOf(request), kind, message);
  }
}

function sourceOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? '-';
}

function send(response: ServerResponse, { type, text }: StaticFile): void {
  response.writeHead(200, { 'Content-Type': type }).end(text);
}

function form(response: ServerResponse, status: number, problem?: string): void {
  response.writeHead(status, HTML).end(loginPage(problem));
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { Location: location }).end();
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  // What is left of a body that was refused is not waited for.
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' });
  response.end(`${reason}\n`);
}

/** What is no HTTP, too large or too slow, answered with the same headers as everything else. */
function endBroken({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status =
    code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  const headers = Object.entries({
    ...SECURITY_HEADERS,
    Connection: 'close',
    'Content-Length': '0',
  });
  const lines = [`HTTP/1.1 ${status}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  socket.end(`${lines.join('\r\n')}\r\n\r\n`, () => socket.destroy());
}
