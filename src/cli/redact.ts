/** What is taken out of a trace before it leaves the house. */
import { isIP } from 'node:net';
import { isLoopback } from '../base/address.js';

export interface Redaction {
  /** IP addresses outside loopback become `address-1`, `address-2`, …, the same for the same one */
  readonly addresses: boolean;
  /** user parts of SIP URIs and telephone numbers become `user-1`, … */
  readonly identities: boolean;
}

const SECRET_NAME = /password|passphrase|secret|token|authorization/i;
/** Names of files may be told, what is in them not. */
const FILE_NAME = /file$/i;
const IPV6 = /(?<![\w.:])[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*/gi;
const IPV4 = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)/g;
const USER = /(?<=\bsips?:)[^@\s<>"';]+(?=@)|(?<=\btel:)[+\d().-]+/gi;
const URL_SECRETS = /(?<=\bhttps?:\/\/)[^/@\s]+@|(?<=\bhttps?:\/\/[^\s?#]+)\?[^\s#"]*/gi;

/** A copy of a JSON value with secrets left out, and what `redaction` names made anonymous. */
export function redact(value: unknown, redaction: Redaction): unknown {
  const seen = { address: new Map<string, string>(), user: new Map<string, string>() };
  const alias = (kind: keyof typeof seen, text: string): string => {
    const known = seen[kind].get(text) ?? `${kind}-${seen[kind].size + 1}`;
    seen[kind].set(text, known);
    return known;
  };
  const text = (given: string): string => {
    let out = given.replace(URL_SECRETS, '');
    if (redaction.identities) out = out.replace(USER, (user) => alias('user', user));
    if (redaction.addresses) {
      const hide = (address: string): string =>
        isIP(address) === 0 || isLoopback(address) || address === '0.0.0.0'
          ? address
          : alias('address', address);
      out = out.replace(IPV6, hide).replace(IPV4, hide);
    }
    return out;
  };
  const walk = (given: unknown): unknown => {
    if (typeof given === 'string') return text(given);
    if (Array.isArray(given)) return given.map(walk);
    if (typeof given !== 'object' || given === null) return given;
    return Object.fromEntries(
      Object.entries(given).map(([name, inner]) => [
        text(name),
        SECRET_NAME.test(name) && !FILE_NAME.test(name) && typeof inner === 'string'
          ? '(redacted)'
          : walk(inner),
      ]),
    );
  };
  return walk(value);
}
