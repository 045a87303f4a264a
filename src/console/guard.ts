/**
 * What every request has to be and every answer carries, so that no other page, name or frame reaches
 * the console through the browser of somebody who is logged in.
 */
import type { IncomingMessage } from 'node:http';

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** On every answer, also on refusals. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** Names of loopback; the port may be that of a tunnel. */
const LOOPBACK_HOST = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d{1,5})?$/i;

/** What is wrong with where a request says it goes to or comes from; null when nothing is. */
export function originFault({ method, headers, headersDistinct }: IncomingMessage): string | null {
  const { host, origin } = headers;
  // A name that an attacker's DNS points to loopback is still the attacker's name.
  if (host === undefined || headersDistinct.host?.length !== 1 || !LOOPBACK_HOST.test(host)) {
    return 'the Host is no name of loopback';
  }
  const isOwn = origin === `http://${host}`;
  if (origin !== undefined ? !isOwn : method === 'POST') return 'the Origin is another page';
  const site = headers['sec-fetch-site'];
  const isForeign = site === 'cross-site' || site === 'same-site';
  // A link from elsewhere may lead here; nothing else of another page may.
  if (isForeign && (method !== 'GET' || headers['sec-fetch-mode'] !== 'navigate')) {
    return 'the request is made by another page';
  }
  return null;
}
