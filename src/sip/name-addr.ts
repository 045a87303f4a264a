/** name-addr and addr-spec with header parameters: From, To, Contact, Route, P-Asserted-Identity. */
import { formatParams, parseParams, type Params } from './params.js';
import { isToken, quoteString, splitOutside, syntaxError, unquoteString } from './text.js';

export interface NameAddr {
  /** display name without quotes; absent when there is none */
  display?: string;
  /** the URI as spelled, of any scheme */
  uri: string;
  /** header parameters (not those of the URI) */
  params: Params;
}

const ANY_URI = /^[A-Za-z][A-Za-z0-9+.-]*:[!-;=?-~]+$/;

/**
 * @throws SegyError SEGY_E_SIP_SYNTAX; also when a URI with `,`, `;` or `?` stands without brackets
 *   (RFC 3261 clause 20)
 */
export function parseNameAddr(text: string): NameAddr {
  const [head = '', ...rest] = splitOutside(text, ';');
  const params = parseParams(rest);
  const open = bracketIndex(head);
  if (open < 0) {
    if (!ANY_URI.test(head) || /[,?]/.test(head)) throw syntaxError('an address is malformed');
    return { uri: head, params };
  }
  if (!head.endsWith('>')) throw syntaxError('text follows an address in brackets');
  const uri = head.slice(open + 1, -1);
  if (!ANY_URI.test(uri)) throw syntaxError('an address is malformed');
  const display = readDisplay(head.slice(0, open).trim());
  return display === undefined ? { uri, params } : { display, uri, params };
}

/** Index of the bracket that opens the address, outside the quoted display name. */
function bracketIndex(text: string): number {
  const quoted = /^"(?:[^"\\]|\\[^])*"/.exec(text);
  return text.indexOf('<', quoted === null ? 0 : quoted[0].length);
}

function readDisplay(text: string): string | undefined {
  if (text === '') return undefined;
  if (text.startsWith('"')) return unquoteString(text);
  if (/["<>,;:@()[\]{}\\]/.test(text)) throw syntaxError('a display name is malformed');
  return text.replace(/\s+/g, ' ');
}

/** Always in the bracketed form, so that parameters cannot move between URI and header. */
export function formatNameAddr(value: NameAddr): string {
  const display = value.display ?? '';
  const shown = display === '' ? '' : `${isToken(display) ? display : quoteString(display)} `;
  return `${shown}<${value.uri}>${formatParams(value.params)}`;
}

/** The tag of a From or To value; undefined without one. */
export function tagOf(text: string): string | undefined {
  return parseNameAddr(text).params.get('tag') ?? undefined;
}
