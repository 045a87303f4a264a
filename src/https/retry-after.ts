/** How long a server asks to be left alone (RFC 9110 clause 10.2.3). */
import type { IncomingResponse } from './client.js';

/** No server is left alone for longer, in seconds. */
const MOST = 3600;

/** `{ retryAfterSeconds }` for the details of an error; empty where the server asks for nothing. */
export function retryAfter(response: IncomingResponse): Readonly<Record<string, string>> {
  const seconds = /^\d{1,6}$/.exec(response.header('retry-after') ?? '')?.[0];
  return seconds === undefined
    ? {}
    : { retryAfterSeconds: String(Math.min(Number(seconds), MOST)) };
}
