/** Hosts and ports: names, IPv4, IPv6 with and without brackets (RFC 3261 clause 25.1, RFC 5118). */
import { isIPv4, isIPv6 } from 'node:net';
import { parseUint, syntaxError } from './text.js';

export interface HostPort {
  /** name or address in the spelling received, IPv6 without brackets */
  host: string;
  port?: number;
}

const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]*)(?:\.[A-Za-z0-9_-]+)*\.?$/;

/**
 * `host [":" port]`, blanks allowed around the colon (as Via has them).
 * @throws SegyError SEGY_E_SIP_SYNTAX
 */
export function parseHostPort(text: string): HostPort {
  const bracketed = /^\[([^\]]*)\]\s*(?::\s*([0-9]+))?$/.exec(text);
  const plain = bracketed ?? /^([^:[\]\s]+)\s*(?::\s*([0-9]+))?$/.exec(text);
  const host = plain?.[1];
  if (plain === null || host === undefined) throw syntaxError('a host is malformed');
  const good = bracketed === null ? isHost(host) : isIPv6(host) && !host.includes('%');
  if (!good) throw syntaxError('a host is malformed');
  const port = plain[2];
  return port === undefined ? { host } : { host, port: parsePort(port) };
}

/** A port of 1 to 65535. @throws SegyError SEGY_E_SIP_SYNTAX */
function parsePort(text: string): number {
  const port = parseUint(text, 65_535, 'a port');
  if (port === 0) throw syntaxError('a port is zero');
  return port;
}

function isHost(text: string): boolean {
  return /^[0-9.]+$/.test(text) ? isIPv4(text) : HOST_NAME.test(text);
}

/** `host` with brackets where it is an IPv6 address, and the port if any. */
export function formatHostPort(value: HostPort): string {
  const host = value.host.includes(':') ? `[${value.host}]` : value.host;
  return value.port === undefined ? host : `${host}:${value.port}`;
}

/** One spelling for hosts that are the same: lower case, no brackets, IPv6 compressed, IPv4-mapped as IPv4. */
export function normaliseHost(host: string): string {
  const lower = host
    .replace(/^\[|\]$/g, '')
    .toLowerCase()
    .replace(/\.$/, '');
  if (!isIPv6(lower)) return lower;
  const compressed = new URL(`http://[${lower.replace(/%.*$/, '')}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(compressed);
  if (mapped === null) return compressed;
  const high = Number.parseInt(mapped[1] ?? '0', 16);
  const low = Number.parseInt(mapped[2] ?? '0', 16);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** Do both name the same host, whatever the spelling? */
export function sameHost(a: string, b: string): boolean {
  return a === b || normaliseHost(a) === normaliseHost(b);
}
