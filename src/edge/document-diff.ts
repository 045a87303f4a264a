/**
 * xcap-diff documents (RFC 5874) that say which group documents changed, one entry a document, with
 * the entity tags under which they are served; and the way back from a resource list's entry to the
 * group that it names.
 */
import { encodeSegment } from '../base/uri-segment.js';
import type { CodePoints } from '../config/index.js';
import { escapeXml } from '../xml/index.js';

export const XCAP_DIFF_NAMESPACE = 'urn:ietf:params:xml:ns:xcap-diff';

export interface DocumentChange {
  readonly group: string;
  /** entity tags with their quotes; null: there was none, there is none any more */
  readonly before: string | null;
  readonly after: string | null;
}

/** @param xcapRoot https URL; a reader resolves the entries against it, so it ends with a slash here */
export function writeDocumentDiff(
  changes: readonly DocumentChange[],
  xcapRoot: string,
  names: CodePoints,
): string {
  const root = xcapRoot.endsWith('/') ? xcapRoot : `${xcapRoot}/`;
  const documents = changes.map(({ group, before, after }) => {
    const tag = (name: string, etag: string | null): string =>
      etag === null ? '' : ` ${name}="${escapeXml(etag.replace(/^"|"$/g, ''))}"`;
    const sel = escapeXml(names.groupDocumentPath + encodeSegment(group));
    return `<document sel="${sel}"${tag('new-etag', after)}${tag('previous-etag', before)}/>`;
  });
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
    `<xcap-diff xmlns="${XCAP_DIFF_NAMESPACE}" xcap-root="${escapeXml(root)}">` +
    `${documents.join('')}</xcap-diff>\r\n`
  );
}

/** The group whose document an entry names, with or without the XCAP root in front; null for any other. */
export function groupOfEntry(entry: string, names: CodePoints): string | null {
  const at = entry.indexOf(names.groupDocumentPath);
  if (at < 0) return null;
  const path = entry.slice(at + names.groupDocumentPath.length);
  try {
    const group = decodeURIComponent(path.split('/')[0] ?? '');
    return group === '' ? null : group;
  } catch {
    return null;
  }
}
