/** Comments (XML 1.0 clause 2.5) taken out of a document, for a reader that is told to pass them over. */
import { CDATA_OPEN, refuseXml, tagEnd } from './scan.js';

const OPEN = '<!--';
const LONGEST_REFERENCE = 12;
const OPEN_REFERENCE = /&[^;]*$/;

/**
 * What stands around a comment is joined, as in the string value of XPath.
 * @throws SegyError SEGY_E_XML for a comment that is malformed or does not end
 */
export function withoutComments(xml: string): string {
  let out = '';
  let from = 0;
  for (let at = xml.indexOf('<'); at !== -1; at = xml.indexOf('<', at)) {
    if (xml.startsWith(OPEN, at)) {
      const end = xml.indexOf('--', at + OPEN.length);
      if (end === -1 || xml.charAt(end + 2) !== '>') refuseXml('a malformed comment');
      const before = xml.slice(from, at);
      if (OPEN_REFERENCE.test(before.slice(-LONGEST_REFERENCE)))
        refuseXml('a comment in a reference');
      out += before;
      from = at = end + 3;
    } else if (xml.startsWith(CDATA_OPEN, at)) {
      const end = xml.indexOf(']]>', at);
      at = end === -1 ? xml.length : end;
    } else {
      at = tagEnd(xml, at);
    }
  }
  return out + xml.slice(from);
}
