/**
 * The one file that touches ari-client, and the place where its defects are contained:
 *
 * - An HTTP error while it loads the API description is thrown outside any handler and would end the
 *   process. So the description is fetched here first, and the library called only when all of it came.
 * - Its event socket retries eleven times and then never again, on timers nobody can stop. So its
 *   listeners are taken off the socket before the first event, and ours put there.
 * - An event of a type it has no model for, or one that is no JSON, throws in its listener. Ours reads
 *   the octets.
 * - A request on a kept-alive connection that the PBX has just closed never settles. So each request has
 *   a connection of its own.
 * - It writes a notice to standard output, keeps each for ever, and does so by a global function.
 */
import { setMaxListeners } from 'node:events';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { createRequire } from 'node:module';
import ari, { type Client, type EventSocket } from 'ari-client';
import type { Timers } from '../../base/environment.js';
import { SegyError } from '../../base/errors.js';

/** Where ARI is and who we are. */
export interface AriAddress {
  /** such as `http://127.0.0.1:8088` */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Stasis application */
  readonly app: string;
}

export interface AriConnection {
  readonly client: Client;
  readonly socket: EventSocket;
}

export interface SocketListener {
  message(data: Uint8Array): void;
  pong(): void;
  closed(reason: string): void;
}

/** Largest API description document; Asterisk's are below 200 kB. */
const DOCUMENT_LIMIT = 4 * 1024 * 1024;

/** `readyState` of a socket that is closed. */
const CLOSED = 3;

const silence = (): void => undefined;
Object.assign(globalThis, { log: silence });

/** What is used of the HTTP side of ari-client, package swagger-client: a hook on each request. */
interface Swagger {
  readonly authorizations: {
    add(name: string, hook: { apply(request: { headers: Record<string, string> }): boolean }): void;
  };
}
const require = createRequire(import.meta.url);
const swagger = createRequire(require.resolve('ari-client'))('swagger-client') as Swagger;
swagger.authorizations.add('connection', {
  apply: (request) => {
    request.headers.Connection = 'close';
    return true;
  },
});

const down = (message: string, cause?: unknown): SegyError =>
  new SegyError('SEGY_E_PBX_DOWN', message, { cause });

/**
 * Loads the API, opens the event socket and resolves when it is open.
 * @throws SegyError SEGY_E_PBX_DOWN
 */
export async function openAri(
  address: AriAddress,
  listener: SocketListener,
  signal: AbortSignal,
): Promise<AriConnection> {
  await checkDescription(address, signal);
  const client = await loaded(address);
  if (signal.aborted) throw down('stopped while connecting');
  client.start(address.app, false).then(silence, silence);
  const socket = client._ws;
  socket.removeAllListeners();
  await opened(socket, listener, signal);
  return { client, socket };
}

async function loaded(address: AriAddress): Promise<Client> {
  try {
    return await ari.connect(address.url, address.username, address.password);
  } catch (error) {
    throw down(`the ARI description cannot be loaded: ${String(error)}`, error);
  }
}

function opened(socket: EventSocket, listener: SocketListener, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let reason = 'the event socket was closed';
    let isOpen = false;
    const abort = (): void => socket.terminate();
    signal.addEventListener('abort', abort, { once: true });
    socket.on('open', () => {
      isOpen = true;
      signal.removeEventListener('abort', abort);
      resolve();
    });
    socket.on('message', (data) => listener.message(data));
    socket.on('pong', () => listener.pong());
    socket.on('error', (error) => (reason = `event socket: ${error.message}`));
    socket.on('close', (code) => {
      signal.removeEventListener('abort', abort);
      socket.removeAllListeners();
      // An error may still follow the close of a socket that was never open.
      socket.on('error', silence);
      if (isOpen) listener.closed(`${reason} (${code})`);
      else reject(down(reason));
    });
    if (signal.aborted) abort();
  });
}

/** How long the closing handshake may take, and Asterisk to wind its side up, in milliseconds. */
const CLOSING_MS = 500;
const WINDING_UP_MS = 150;

/**
 * Closes the event socket in good order and gives Asterisk a moment to wind it up, so that the next one is
 * not taken for a second program on the same application.
 */
export function closeSocket(socket: EventSocket, timers: Timers): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState === CLOSED) {
      resolve();
      return;
    }
    const hurry = timers.setTimeout(() => socket.terminate(), CLOSING_MS);
    socket.on('close', () => {
      timers.clearTimeout(hurry);
      timers.setTimeout(resolve, WINDING_UP_MS);
    });
    socket.close();
  });
}

/** Reads every document that ari-client is going to read, as it will. */
async function checkDescription(address: AriAddress, signal: AbortSignal): Promise<void> {
  setMaxListeners(64, signal);
  const base = `${address.url.replace(/\/+$/, '')}/ari/api-docs`;
  const list = await readDocument(`${base}/resources.json`, address, signal);
  const apis = (list as { apis?: unknown }).apis;
  if (!Array.isArray(apis)) throw down('what answers at the ARI address is not ARI');
  const paths = apis.map((api: { path?: unknown }) => String(api.path));
  await Promise.all(
    paths.map((path) =>
      readDocument(
        `${base}${path.replace('/api-docs', '').replace('{format}', 'json')}`,
        address,
        signal,
      ),
    ),
  );
}

function readDocument(url: string, address: AriAddress, signal: AbortSignal): Promise<object> {
  const get = url.startsWith('https:') ? httpsGet : httpGet;
  const auth = `${address.username}:${address.password}`;
  return new Promise((resolve, reject) => {
    const request = get(url, { auth, agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > DOCUMENT_LIMIT) response.destroy(down('an ARI document is too large'));
        else chunks.push(chunk);
      });
      response.on('error', (error) => reject(down(`ARI: ${error.message}`, error)));
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        if (status === 401) reject(down('ARI refuses the user name or the password'));
        else if (status !== 200) reject(down(`ARI answers ${status}`));
        else resolveJson(Buffer.concat(chunks), resolve, reject);
      });
    });
    request.on('error', (error) => reject(down(`ARI: ${error.message}`, error)));
  });
}

function resolveJson(
  bytes: Buffer,
  resolve: (value: object) => void,
  reject: (error: SegyError) => void,
): void {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null) resolve(value);
    else reject(down('an ARI document is not an object'));
  } catch (error) {
    reject(down('an ARI document is no JSON', error));
  }
}
