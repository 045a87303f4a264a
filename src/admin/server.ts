/**
 * The command socket of the running gateway: HTTP on a unix socket that only its owner can open.
 *
 *   POST /v1/<command>, Content-Type application/json, a JSON value as the body
 *   200 application/json          the result
 *   200 application/x-ndjson      lines {"event":…}, the last one {"result":…} or {"error":…}
 *   4xx, 5xx application/json     {"code":…,"message":…}
 *
 * Whoever may open the socket may do all that commands do; there is nothing finer.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Environment } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import type { SegyErrorCode } from '../base/errors.js';
import type { AdminCommand, AdminCommands } from './command.js';
import { DEFAULT_ADMIN_LIMITS } from './limits.js';
import type { AdminLimits } from './limits.js';
import { checkFolder, checkPathLength, removeStaleSocket } from './socket-path.js';

const COMMAND_PATH = /^\/v1\/([a-z0-9-]+(?:\/[a-z0-9-]+)*)$/;
const MAX_HEADER_OCTETS = 8192;
/** Mode 0600 for the socket from its first moment on. */
const OWNER_ONLY = 0o177;

const HTTP_STATUS: Partial<Record<SegyErrorCode, number>> = {
  SEGY_E_ADMIN: 400,
  SEGY_E_NOT_FOUND: 404,
  SEGY_E_BUSY: 503,
  SEGY_E_TIMEOUT: 504,
  SEGY_E_INTERNAL: 500,
};
const REFUSED = 409;

export interface AdminServerOptions {
  readonly socketPath: string;
  readonly commands: AdminCommands;
  readonly env: Pick<Environment, 'clock' | 'timers' | 'log'>;
  readonly limits?: Partial<AdminLimits>;
}

export class AdminServer {
  readonly #options: AdminServerOptions;
  readonly #limits: AdminLimits;
  readonly #server: Server;
  readonly #running = new Set<AbortController>();

  private constructor(options: AdminServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_ADMIN_LIMITS, ...options.limits };
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_OCTETS,
        headersTimeout: this.#limits.receiveMs,
        requestTimeout: this.#limits.receiveMs,
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = this.#limits.connections;
  }

  /**
   * Listens at `socketPath`, in the place of a socket that nobody listens at.
   * @throws SegyError SEGY_E_IO
   */
  static async open(options: AdminServerOptions): Promise<AdminServer> {
    const { socketPath } = options;
    checkPathLength(socketPath);
    await checkFolder(socketPath);
    await removeStaleSocket(socketPath);
    const admin = new AdminServer(options);
    await admin.#listen(socketPath);
    return admin;
  }

  /** Ends every running command and lets the socket go. */
  async close(): Promise<void> {
    for (const running of this.#running) running.abort();
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #listen(path: string): Promise<void> {
    const listening = once(this.#server, 'listening');
    // The socket comes into being within listen(), so nobody ever sees it with other rights.
    const before = process.umask(OWNER_ONLY);
    try {
      this.#server.listen(path);
    } finally {
      process.umask(before);
    }
    try {
      await listening;
    } catch (cause) {
      throw new SegyError('SEGY_E_IO', `cannot listen at ${path}`, { cause });
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const running = new AbortController();
    response.once('close', () => running.abort());
    const answer = new Answer(response);
    try {
      const [name, command] = this.#commandOf(request);
      const body = await this.#bodyOf(request);
      answer.end(await this.#run(name, command, { body, running, answer }));
    } catch (error) {
      answer.fail(toSegyError(error));
    }
  }

  #commandOf({ method, url = '', headers }: IncomingMessage): [string, AdminCommand] {
    const name = COMMAND_PATH.exec(url)?.[1] ?? '';
    const { commands } = this.#options;
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command === undefined) throw refuse('there is no such command');
    if (method !== 'POST' || headers['content-type'] !== 'application/json') {
      throw refuse('a command is a POST of application/json');
    }
    return [name, command];
  }

  async #bodyOf(request: IncomingMessage): Promise<unknown> {
    const chunks: Buffer[] = [];
    let octets = 0;
    // A stream that is left early is otherwise destroyed, and the answer with it.
    const arriving = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const chunk of arriving) {
      octets += chunk.length;
      if (octets > this.#limits.bodyOctets) throw refuse('the body is too large');
      chunks.push(chunk);
    }
    try {
      return JSON.parse(Buffer.concat(chunks).toString('utf8'));
    } catch {
      throw refuse('the body is no JSON');
    }
  }

  async #run(
    name: string,
    command: AdminCommand,
    { body, running, answer }: { body: unknown; running: AbortController; answer: Answer },
  ): Promise<unknown> {
    const { clock, timers, log } = this.#options.env;
    if (this.#running.size >= this.#limits.concurrent) {
      throw new SegyError('SEGY_E_BUSY', 'too many commands run already');
    }
    const { timeoutMs = this.#limits.runMs } = command;
    const timeout = (): void => running.abort();
    const timer = timeoutMs === null ? undefined : timers.setTimeout(timeout, timeoutMs);
    const begun = clock.now();
    let code = 'ok';
    this.#running.add(running);
    try {
      const { signal } = running;
      const event = (value: unknown): Promise<void> => answer.event(value, signal);
      return await untilAborted(command.run(body, { signal, event }), signal);
    } catch (error) {
      ({ code } = toSegyError(error));
      throw error;
    } finally {
      this.#running.delete(running);
      if (timer !== undefined) timers.clearTimeout(timer);
      const write = command.changes ? 'info' : 'debug';
      log[write]('admin.command', { command: name, outcome: code, ms: clock.now() - begun });
    }
  }
}

/** The response to one request: one JSON value, or lines once there was an event. */
class Answer {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  async event(value: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw cancelled();
    if (!this.#response.headersSent) {
      this.#response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    }
    const hasRoom = this.#response.write(line({ event: value }));
    if (!hasRoom) await once(this.#response, 'drain', { signal });
  }

  end(result: unknown): void {
    if (this.#response.headersSent) this.#response.end(line({ result: result ?? null }));
    else this.#whole(200, result ?? null);
  }

  fail({ code, message }: SegyError): void {
    const error = { code, message };
    if (this.#response.headersSent) this.#response.end(line({ error }));
    else this.#whole(HTTP_STATUS[code] ?? REFUSED, error);
  }

  #whole(status: number, value: unknown): void {
    // What is left of a body that was refused is not waited for.
    this.#response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close' });
    this.#response.end(JSON.stringify(value));
  }
}

/** Settles with `work`, or when the signal comes first. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(cancelled());
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } catch (error) {
    throw signal.aborted ? cancelled() : error;
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

function refuse(message: string): SegyError {
  return new SegyError('SEGY_E_ADMIN', message);
}

function cancelled(): SegyError {
  return new SegyError(
    'SEGY_E_CANCELLED',
    'the command took too long, or nobody hears it any more',
  );
}
