/**
 * Free text of one side (Warning, Reason, Retry-After comments) with everything that could name a
 * host or user of that side taken out: IP literals, dotted names, and what stands around an @.
 */

const BRACKETED_IPV6 = /\[[0-9A-Fa-f:.]{2,}\]/g;
const BARE_IPV6 = /(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![0-9A-Za-z])/g;
const DOTTED = /[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+(?::[0-9]+)?/g;
/** A user at a host, whatever the host is called. */
const USER_AT = /[^\s@]{1,128}@[^\s@]{1,128}/g;
const UNPRINTABLE = /[^\x20-\x7e]|["\\]/g;
const MAX_LENGTH = 256;
/** A quoted string longer than this is not read. */
const MAX_QUOTED = 2048;

/** `text` without host names, addresses, users at hosts, quotes and control characters, at most 256 characters. */
export function hideHosts(text: string): string {
  return text
    .slice(0, MAX_LENGTH)
    .replace(UNPRINTABLE, ' ')
    .replace(USER_AT, '...')
    .replace(BRACKETED_IPV6, '...')
    .replace(BARE_IPV6, '...')
    .replace(DOTTED, '...')
    .slice(0, MAX_LENGTH)
    .trim();
}

/** The quoted string at the end of a header value, unescaped; null when there is none. */
function quotedText(value: string): string | null {
  const start = value.indexOf('"');
  if (start < 0) return null;
  const match = /^"((?:[^"\\]|\\.)*)"/.exec(value.slice(start, start + MAX_QUOTED));
  return match?.[1] === undefined ? null : match[1].replace(/\\(.)/g, '$1');
}

/**
 * A Warning value of the other side as ours: its number and text, our name as agent.
 * @returns null when it is no Warning
 */
export function rewriteWarning(value: string, agent: string): string | null {
  const code = /^\s*([1-9][0-9]{2})\s/.exec(value)?.[1];
  if (code === undefined) return null;
  return `${code} ${agent} "${hideHosts(quotedText(value) ?? '')}"`;
}

/** A Reason value (RFC 3326) with its protocol, cause and a text that names no host. */
export function rewriteReason(value: string): string | null {
  const protocol = /^\s*(Q\.850|[A-Za-z0-9_-]{1,32})\s*(?:;|$)/i.exec(value)?.[1];
  if (protocol === undefined) return null;
  const cause = /;\s*cause\s*=\s*([0-9]{1,4})/i.exec(value)?.[1];
  const text = /;\s*text\s*=/i.test(value) ? quotedText(value) : null;
  return (
    protocol +
    (cause === undefined ? '' : `;cause=${cause}`) +
    (text === null ? '' : `;text="${hideHosts(text)}"`)
  );
}
