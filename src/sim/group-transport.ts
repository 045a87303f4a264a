/**
 * I_MESSAGEs in the body of a MESSAGE or NOTIFY, as a member's client finds them: `application/mikey`
 * parts, and `GKTP` elements of any XML part (TS 24.481).
 */
import { decodeMikeyInput, decodeMikeyText } from '../mikey/index.js';
import { decodedContent, leafParts, parseBody } from '../sip/index.js';
import { parseXml } from '../xml/index.js';
import type { XmlElement } from '../xml/index.js';
import type { SipBody } from './call-media.js';

const MIKEY_TYPE = 'application/mikey';
const GKTP_NAMESPACE = 'urn:3gpp:ns:mcpttGKTP:1.0';

/**
 * Every I_MESSAGE of a body, in its order.
 * @throws SegyError SEGY_E_SIP_SYNTAX, SEGY_E_XML, SEGY_E_MIKEY_SYNTAX
 */
export function groupKeyMessages(body: SipBody): Uint8Array[] {
  if (body.bytes.length === 0) return [];
  return leafParts(parseBody(body.type, body.bytes)).flatMap((part) => {
    const { type } = part.contentType;
    if (type === MIKEY_TYPE) return [decodeMikeyInput(decodedContent(part))];
    return type.endsWith('+xml') ? entriesOf(parseXml(decodedContent(part))) : [];
  });
}

function entriesOf(element: XmlElement): Uint8Array[] {
  if (element.localName === 'GKTP' && element.namespace === GKTP_NAMESPACE) {
    return [decodeMikeyText(element.text)];
  }
  return element.children.flatMap(entriesOf);
}
