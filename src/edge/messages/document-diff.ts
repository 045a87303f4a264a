/**
 * xcap-diff documents (RFC 5874) that say which group documents changed, one entry a document, with
 * the entity tags under which they are served; what a partner's says; and the way back from a resource
 * list's entry to the group that it names.
 */
import { encodeSegment } from '../../base/uri-segment.js';
import type { CodePoints } from '../../config/index.js';
import { decodedContent, leafParts, type BodyPart } from '../../sip/index.js';
import { attribute, escapeXml, parseXml } from '../../xml/index.js';

const XCAP_DIFF_NAMESPACE = 'urn:ietf:params:xml:ns:xcap-diff';

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

const DIFF_LIMITS = { maxBytes: 262_144, maxDepth: 12, maxElements: 500, maxAttributes: 16 };
const MAX_SELECTOR = 1024;

/** A document that a partner says has changed. */
export interface DocumentNotice {
  /** as it came: relative to the XCAP root, or whole; what lies within a document names the document */
  readonly selector: string;
  /** its new entity tag without quotes; null where it is not told */
  readonly etag: string | null;
}

/**
 * What the xcap-diff documents of a body name; none where there is no such document.
 * @throws SegyError SEGY_E_XML
 */
export function readNotices(body: BodyPart | null, names: CodePoints): DocumentNotice[] {
  const parts = body === null ? [] : leafParts(body);
  return parts
    .filter(({ contentType }) => contentType.type === names.subscribeAccept)
    .flatMap((part) => {
      const root = parseXml(decodedContent(part), DIFF_LIMITS);
      if (root.localName !== 'xcap-diff' || root.namespace !== XCAP_DIFF_NAMESPACE) return [];
      return root.children.flatMap((child) => {
        const selector = attribute(child, 'sel') ?? '';
        if (selector === '' || selector.length > MAX_SELECTOR) return [];
        const etag = child.localName === 'document' ? attribute(child, 'new-etag') : undefined;
        return [{ selector, etag: etag ?? null }];
      });
    });
}
