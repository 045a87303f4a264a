/**
 * First pass of the strict reader: one linear walk over the markup that refuses every forbidden
 * construct, matches tags, and counts depth, elements and attributes before a tree is built.
 */
import { SegyError } from '../base/errors.js';

export interface ScanLimits {
  readonly maxDepth: number;
  readonly maxElements: number;
  readonly maxAttributes: number;
}

const NAME =
  /^[A-Za-z_\u0080-\uFFFF][\w.\-\u0080-\uFFFF]*(?::[A-Za-z_\u0080-\uFFFF][\w.\-\u0080-\uFFFF]*)?$/;
export const CDATA_OPEN = '<![CDATA[';
const DECLARATION = /^<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(?:"1\.0"|'1\.0')([^<>&]*?)\?>/;
const ENCODING = /encoding[ \t\n]*=[ \t\n]*["']([^"']*)["']/;
const REFERENCE = /^&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));/;
// Outside a tab, a line feed and the printable planes nothing is an XML 1.0 character.
const ILLEGAL_CHARACTER = /[^\t\n\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

export function refuseXml(what: string): never {
  throw new SegyError('SEGY_E_XML', what);
}

function isXmlCharacter(codePoint: number): boolean {
  return (
    codePoint <= 0x10ffff &&
    !(codePoint >= 0xd800 && codePoint <= 0xdfff) &&
    (codePoint === 0x0d || !ILLEGAL_CHARACTER.test(String.fromCodePoint(codePoint)))
  );
}

const PREDEFINED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

/** `text` with its references resolved. @throws SegyError SEGY_E_XML on any other entity */
export function resolveReferences(text: string): string {
  let out = '';
  let from = 0;
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', from)) {
    const match = REFERENCE.exec(text.slice(at, at + 12));
    if (match === null) return refuseXml('an entity that is not predefined');
    const [whole, name, decimal, hex] = match;
    out += text.slice(from, at);
    if (name !== undefined) {
      out += PREDEFINED[name] ?? '';
    } else {
      const codePoint = decimal === undefined ? parseInt(hex ?? '', 16) : parseInt(decimal, 10);
      if (!isXmlCharacter(codePoint)) refuseXml('a reference to a character XML does not have');
      out += String.fromCodePoint(codePoint);
    }
    from = at + whole.length;
  }
  return out + text.slice(from);
}

/** Length of the XML declaration at `at`; a declared encoding other than UTF-8 is refused. */
function declarationLength(xml: string, at: number): number {
  const match = DECLARATION.exec(xml.slice(at, at + 200));
  if (match === null) return refuseXml('a processing instruction');
  const encoding = ENCODING.exec(match[1] ?? '')?.[1];
  if (encoding !== undefined && !/^(?:utf-8|us-ascii)$/i.test(encoding)) {
    refuseXml('an encoding that is not UTF-8');
  }
  return match[0].length;
}

/** End (exclusive) of the tag that starts at `at`, quotes respected. */
export function tagEnd(xml: string, at: number): number {
  let quote = '';
  for (let i = at + 1; i < xml.length; i++) {
    const c = xml.charAt(i);
    if (quote !== '') {
      if (c === quote) quote = '';
      else if (c === '<') refuseXml('a "<" in an attribute value');
    } else if (c === '"' || c === "'") {
      quote = c;
    } else if (c === '<') {
      refuseXml('a "<" inside a tag');
    } else if (c === '>') {
      return i + 1;
    }
  }
  return refuseXml('a tag that does not end');
}

const ATTRIBUTE = /[ \t\n]+([^\s=<>"'/]+)[ \t\n]*=[ \t\n]*("[^"<]*"|'[^'<]*')/gy;

/** Checks the inside of a start tag and returns the element's name. */
function checkStartTag(body: string, limits: ScanLimits): string {
  const name = /^[^\s/]+/.exec(body)?.[0] ?? '';
  checkName(name);
  let at = name.length;
  const seen = new Set<string>();
  for (;;) {
    ATTRIBUTE.lastIndex = at;
    const match = ATTRIBUTE.exec(body);
    if (match === null) break;
    const attributeName = match[1] ?? '';
    checkName(attributeName);
    if (seen.has(attributeName)) refuseXml('an attribute given twice');
    seen.add(attributeName);
    if (seen.size > limits.maxAttributes) refuseXml('too many attributes');
    resolveReferences(match[2] ?? '');
    at = ATTRIBUTE.lastIndex;
  }
  if (!/^[ \t\n]*\/?$/.test(body.slice(at))) refuseXml('a malformed start tag');
  return name;
}

function checkName(name: string): void {
  if (!NAME.test(name) || name === '__proto__') refuseXml('a name that is not a qualified name');
}

/**
 * Walks `xml` (line ends already normalised) and returns the extent of each root element.
 * @throws SegyError SEGY_E_XML
 */
export function scanRoots(xml: string, limits: ScanLimits): { start: number; end: number }[] {
  if (ILLEGAL_CHARACTER.test(xml)) refuseXml('a character XML does not have');
  const roots: { start: number; end: number }[] = [];
  const open: string[] = [];
  let elements = 0;
  let start = 0;
  for (let at = 0; at < xml.length;) {
    if (!xml.startsWith('<', at)) {
      const next = xml.indexOf('<', at);
      const text = xml.slice(at, next === -1 ? undefined : next);
      if (open.length === 0 && /[^ \t\n]/.test(text)) refuseXml('text outside the root element');
      if (text.includes(']]>')) refuseXml('a "]]>" in character data');
      resolveReferences(text);
      at += text.length;
    } else if (xml.startsWith(CDATA_OPEN, at)) {
      const end = xml.indexOf(']]>', at);
      if (open.length === 0 || end === -1) refuseXml('a misplaced or open CDATA section');
      at = end + 3;
    } else if (xml.startsWith('<!', at)) {
      return refuseXml('a comment, DOCTYPE or other declaration');
    } else if (xml.startsWith('<?', at)) {
      if (open.length !== 0) refuseXml('a processing instruction');
      const length = declarationLength(xml, at);
      // A declaration stands at the very start, or between the documents of a sequence.
      if (roots.length === 0 && at !== 0) refuseXml('an XML declaration not at the start');
      at += length;
    } else {
      const end = tagEnd(xml, at);
      if (xml.startsWith('</', at)) {
        const name = xml.slice(at + 2, end - 1).trimEnd();
        if (open.pop() !== name) refuseXml('an end tag without its start tag');
        if (open.length === 0) roots.push({ start, end });
      } else {
        const empty = xml.charAt(end - 2) === '/';
        const name = checkStartTag(xml.slice(at + 1, end - 1), limits);
        if (open.length === 0) start = at;
        if (++elements > limits.maxElements) refuseXml('too many elements');
        if (open.length + 1 > limits.maxDepth) refuseXml('elements nested too deep');
        if (!empty) open.push(name);
        else if (open.length === 0) roots.push({ start, end });
      }
      at = end;
    }
  }
  if (open.length !== 0) refuseXml('an element that does not end');
  return roots;
}
