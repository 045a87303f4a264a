/** XCAP URIs (RFC 4825 clause 6): which document, and which node of it. */
import { SegyError } from '../base/errors.js';
import { encodeSegment } from '../base/uri-segment.js';

export interface DocumentSelector {
  readonly auid: string;
  /** XCAP user identifier; null in the global tree */
  readonly xui: string | null;
  /** segments below the tree, decoded */
  readonly path: readonly string[];
}

export interface XcapUri {
  readonly document: DocumentSelector;
  /** decoded; null for the whole document */
  readonly nodeSelector: string | null;
}

const MAX_SEGMENTS = 16;

/**
 * What a path below the XCAP root names.
 * @param path begins behind the root's last slash, percent-encoded
 * @returns undefined where it can name nothing
 */
export function parseXcapPath(path: string): XcapUri | undefined {
  const separator = /\/(?:~|%7e){2}\//i.exec(path);
  const node =
    separator === null ? null : decode(path.slice(separator.index + separator[0].length));
  const segments = path
    .slice(0, separator?.index)
    .split('/', MAX_SEGMENTS + 1)
    .map(decode);
  if (segments.length > MAX_SEGMENTS || node === undefined) return undefined;
  if (!segments.every((segment) => segment !== undefined && segment !== '')) return undefined;
  const [auid, tree, ...rest] = segments as string[];
  if (auid === undefined) return undefined;
  if (tree === 'global' && rest.length > 0) {
    return { document: { auid, xui: null, path: rest }, nodeSelector: node };
  }
  const [xui, ...below] = rest;
  if (tree !== 'users' || xui === undefined || below.length === 0) return undefined;
  return { document: { auid, xui, path: below }, nodeSelector: node };
}

/** Path of a document below the XCAP root, percent-encoded: what xcap-diff calls `sel`. */
export function documentPath({ auid, xui, path }: DocumentSelector): string {
  const tree = xui === null ? ['global'] : ['users', xui];
  return [auid, ...tree, ...path].map(encodeSegment).join('/');
}

/**
 * Bindings of prefixes in the query: `xmlns(p=urn:x)xmlns(q=urn:y)` (RFC 4825 clause 6.4).
 * @throws SegyError SEGY_E_HTTP where the query is anything else
 */
export function parseBindings(query: string): ReadonlyMap<string, string> {
  const bindings = new Map<string, string>();
  let rest = decode(query);
  while (rest !== undefined && rest !== '') {
    const match = /^xmlns\(([A-Za-z_][\w.-]{0,63})=([^()\s]{1,255})\)/.exec(rest);
    if (match === null || bindings.size >= MAX_SEGMENTS) {
      throw new SegyError('SEGY_E_HTTP', 'the query binds no prefixes');
    }
    bindings.set(match[1] ?? '', match[2] ?? '');
    rest = rest.slice(match[0].length);
  }
  if (rest === undefined) throw new SegyError('SEGY_E_HTTP', 'the query is not UTF-8');
  return bindings;
}

function decode(text: string): string | undefined {
  try {
    const plain = decodeURIComponent(text);
    return /\p{Cc}/u.test(plain) ? undefined : plain;
  } catch {
    return undefined;
  }
}
