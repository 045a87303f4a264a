/** One HTTP exchange: the request as handlers see it, its body, and the answer on its way back. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpRequestHead, HttpResponse, HttpRoute } from './message.js';
import { certificateOf } from './tls.js';

/** Octets of a refused body that are read after all. */
const MAX_DISCARDED = 262_144;
/** Fields whose meaning would depend on who reads them when they come twice. */
const SINGLE = new Set([
  'host',
  'authorization',
  'content-type',
  'content-encoding',
  'content-length',
  'if-match',
  'if-none-match',
]);

export interface AnswerSteps {
  /** asks a client that waits for it to send the body */
  readonly invite: () => void;
  /** runs what the route does of it. @throws SegyError SEGY_E_BUSY where too much is done already */
  readonly work: <T>(step: () => Promise<T>) => Promise<T>;
}

/** What a route answers, its body read within its limit where the route wants it. */
export async function answer(
  incoming: IncomingMessage,
  head: HttpRequestHead,
  route: HttpRoute,
  { invite, work }: AnswerSteps,
): Promise<HttpResponse> {
  const begun =
    'begin' in route
      ? await work(() => route.begin(head))
      : (body: Uint8Array) => route.handle({ ...head, body });
  if (typeof begun !== 'function') return begun;
  const body = await readBody(incoming, route.maxBodyOctets, invite);
  if (body === 'too large') {
    return { status: 413, refused: { code: 'SEGY_E_HTTP', message: 'the body is too large' } };
  }
  return body === 'broken' ? { status: 400 } : work(() => begun(body));
}

export function headOf(
  incoming: IncomingMessage,
  { address, path, query }: { address: string; path: string; query: string },
): HttpRequestHead {
  return {
    method: incoming.method ?? '',
    path,
    query,
    header: (name) => {
      const value = incoming.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    address,
    certificate: certificateOf(incoming.socket),
  };
}

/** Whether a field comes twice whose meaning would depend on who reads it then. */
export function comesTwice(rawHeaders: readonly string[]): boolean {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (!SINGLE.has(name)) continue;
    if (seen.has(name)) return true;
    seen.add(name);
  }
  return false;
}

function readBody(
  incoming: IncomingMessage,
  most: number,
  invite: () => void,
): Promise<Uint8Array | 'too large' | 'broken'> {
  if (declaredLength(incoming) > most) return Promise.resolve('too large');
  invite();
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      if (length <= most) chunks.push(chunk);
      else {
        incoming.off('data', take);
        incoming.pause();
        resolve('too large');
      }
    };
    incoming.on('data', take);
    incoming.once('end', () => resolve(new Uint8Array(Buffer.concat(chunks))));
    incoming.once('error', () => resolve('broken'));
    incoming.once('close', () => resolve('broken'));
  });
}

function declaredLength({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? 0);
}

/**
 * A refused body that is on its way is read and thrown away: to close on it would take the answer from
 * a client that is still sending. One that is long, or that the client has not begun to send, is not.
 */
function discardRest(incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (incoming.headers.expect !== undefined || declaredLength(incoming) > MAX_DISCARDED) {
    outgoing.setHeader('Connection', 'close');
    outgoing.once('finish', () => incoming.destroy());
    return;
  }
  let left = MAX_DISCARDED;
  incoming.on('error', () => undefined);
  incoming.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) incoming.destroy();
  });
  incoming.resume();
}

/** Sends the answer, and deals with what is still on its way of a body that was not wanted. */
export function send(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  response: HttpResponse,
): void {
  if (outgoing.destroyed || outgoing.headersSent) return;
  const { status, headers = {}, body = '' } = response;
  const octets = typeof body === 'string' ? Buffer.from(body, 'utf8') : Buffer.from(body);
  outgoing.statusCode = status;
  for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
  outgoing.setHeader('X-Content-Type-Options', 'nosniff');
  if (!incoming.complete) discardRest(incoming, outgoing);
  if (status !== 304 && status !== 204) outgoing.setHeader('Content-Length', octets.length);
  if (incoming.method === 'HEAD' || status === 304 || status === 204) outgoing.end();
  else outgoing.end(octets);
}
