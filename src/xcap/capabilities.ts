/** The one document of the usage `xcap-caps` (RFC 4825 clause 12): what this server serves. */
import { createHash } from 'node:crypto';
import { utf8 } from '../base/bytes.js';
import { escapeXml } from '../xml/index.js';
import { documentPath } from './document-uri.js';
import type { XcapDocument, XcapUsage } from './usage.js';

const AUID = 'xcap-caps';
const NAMESPACE = 'urn:ietf:params:xml:ns:xcap-caps';
const SELECTOR = { auid: AUID, xui: null, path: ['index'] };

/** The document's path below the XCAP root. */
export const CAPABILITIES_PATH = documentPath(SELECTOR);

/** The usage that tells of `others` and of itself, to every caller that the guard admits. */
export function capabilities<Caller>(
  others: readonly Pick<XcapUsage<Caller>, 'auid' | 'namespaces'>[],
): XcapUsage<Caller> {
  const namespaces = [...new Set([NAMESPACE, ...others.flatMap((each) => each.namespaces)])];
  const list = (name: string, values: readonly string[]): string =>
    values.map((value) => `<${name}>${escapeXml(value)}</${name}>`).join('');
  const octets = utf8(
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
      `<xcap-caps xmlns="${NAMESPACE}">` +
      `<auids>${list('auid', [AUID, ...others.map(({ auid }) => auid)])}</auids>` +
      `<extensions/><namespaces>${list('namespace', namespaces)}</namespaces></xcap-caps>\n`,
  );
  const document: XcapDocument = { octets, etag: entityTag(octets) };
  return {
    auid: AUID,
    mediaType: 'application/xcap-caps+xml',
    namespace: NAMESPACE,
    namespaces: [NAMESPACE],
    mayRead: () => true,
    read: ({ xui, path }) => (xui === null && path.join('/') === 'index' ? document : undefined),
    writer: null,
  };
}

function entityTag(octets: Uint8Array): string {
  return `"${createHash('sha256').update(octets).digest('base64url').slice(0, 22)}"`;
}
