/** One HTTP exchange: the request as handlers see it, its body, and the answer on its way back. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpRequestHead, HttpResponse, HttpRoute } from './message.js';
import { certificateOf } from './tls.js';

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

/** What a route answers, its body read within its limit where the route wants it. */
export async function answer(
  incoming: IncomingMessage,
  head: HttpRequestHead,
  route: HttpRoute,
  invite: () => void,
): Promise<HttpResponse> {
  const begun =
    'begin' in route
      ? await route.begin(head)
      : (body: Uint8Array) => route.handle({ ...head, body });
  if (typeof begun !== 'function') return begun;
  const body = await readBody(incoming, route.maxBodyOctets, invite);
  if (body === 'too large') {
    return { status: 413, refused: { code: 'SEGY_E_HTTP', message: 'the body is too large' } };
  }
  return body === 'broken' ? { status: 400 } : begun(body);
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

async function readBody(
  incoming: IncomingMessage,
  most: number,
  invite: () => void,
): Promise<Uint8Array | 'too large' | 'broken'> {
  if (Number(incoming.headers['content-length'] ?? 0) > most) return 'too large';
  invite();
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > most) return 'too large';
      chunks.push(chunk);
    }
  } catch {
    return 'broken';
  }
  return new Uint8Array(Buffer.concat(chunks));
}

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
  if (!incoming.complete) outgoing.setHeader('Connection', 'close');
  if (status !== 304 && status !== 204) outgoing.setHeader('Content-Length', octets.length);
  if (incoming.method === 'HEAD' || status === 304 || status === 204) outgoing.end();
  else outgoing.end(octets);
  // what is left of a body that was refused is not read
  if (!incoming.complete) outgoing.once('finish', () => incoming.destroy());
}
