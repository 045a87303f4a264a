/**
 * Message bodies: what is found in one that came, and the ones the edge makes.
 */
import { utf8 } from '../../base/bytes.js';
import type { RandomBytes } from '../../base/environment.js';
import { SegyError } from '../../base/errors.js';
import { REDIRECT_CONTENT_TYPE } from '../../kms/index.js';
import {
  decodedContent,
  findPart,
  leafParts,
  makeMultipart,
  parseBody,
  SipHeaders,
  type BodyPart,
  type SipMessage,
} from '../../sip/index.js';
import { MCPTT_INFO_TYPE, RESOURCE_LISTS_TYPE } from './mcptt-info.js';

export const SDP_TYPE = 'application/sdp';

/** Bodies of INFO that are passed as they are: DTMF and media control, which name no host. */
const PASSED_TYPES = new Set([
  'application/dtmf-relay',
  'application/dtmf',
  'application/media_control+xml',
  'text/plain',
]);

/**
 * The body of a message as a tree of parts; null when it has none.
 * @throws SegyError SEGY_E_SIP_SYNTAX, SEGY_E_SIP_TOO_LARGE
 */
export function bodyOf(message: SipMessage): BodyPart | null {
  if (message.body.length === 0) return null;
  const type = message.headers.get('Content-Type');
  if (type === undefined) {
    throw new SegyError('SEGY_E_SIP_SYNTAX', 'a body has no Content-Type');
  }
  if (message.headers.has('Content-Encoding')) {
    throw new SegyError('SEGY_E_SIP_BODY', 'a body with a Content-Encoding is not taken');
  }
  const body = parseBody(type, message.body);
  const encoding = message.headers.get('Content-Transfer-Encoding');
  if (encoding !== undefined) body.headers.set('Content-Transfer-Encoding', encoding);
  return body;
}

/**
 * Content of the one part of `type`; null when there is none.
 * @throws SegyError SEGY_E_SIP_SYNTAX when there are several: two readers could take different ones
 */
export function contentOf(body: BodyPart | null, type: string): Uint8Array | null {
  if (body === null) return null;
  const part = findPart(body, type);
  if (part === undefined) return null;
  if (leafParts(body).filter((leaf) => leaf.contentType.type === type).length > 1) {
    throw new SegyError('SEGY_E_SIP_SYNTAX', 'a body holds two parts of one type');
  }
  return decodedContent(part);
}

/** SDP of a message; null when it has none. @throws SegyError as `bodyOf` and `contentOf` */
export function sdpOf(message: SipMessage): Uint8Array | null {
  return contentOf(bodyOf(message), SDP_TYPE);
}

/** Puts an SDP body into `message`. */
export function setSdp(message: SipMessage, text: string): void {
  message.headers.set('Content-Type', SDP_TYPE);
  message.body = utf8(text);
}

/** Puts SDP first and mcptt-info second into `message`, as TS 24.379 clause 6.5 orders them. */
export function setSdpAndInfo(
  message: SipMessage,
  sdp: string,
  info: string,
  random: RandomBytes,
): void {
  const parts = [
    { headers: new SipHeaders([['Content-Type', SDP_TYPE]]), body: utf8(sdp) },
    { headers: new SipHeaders([['Content-Type', MCPTT_INFO_TYPE]]), body: utf8(info) },
  ];
  const { contentType, body } = makeMultipart(parts, random);
  message.headers.set('MIME-Version', '1.0');
  message.headers.set('Content-Type', contentType);
  message.body = body;
}

/** Bodies of an INVITE that an MC application behind the PBX can use; they name users and no hosts. */
const MC_TYPES = new Set([MCPTT_INFO_TYPE, RESOURCE_LISTS_TYPE]);

/**
 * Puts SDP first and the clear MC bodies of `from` behind it into `message`, octet for octet. A body
 * with an access token stays behind: it is for the partner's own servers.
 */
export function setSdpAndMcBodies(
  message: SipMessage,
  sdp: string,
  from: SipMessage,
  random: RandomBytes,
): void {
  const body = bodyOf(from);
  const kept = (body === null ? [] : leafParts(body)).filter(
    (part) =>
      MC_TYPES.has(part.contentType.type) &&
      !Buffer.from(decodedContent(part)).includes('-access-token'),
  );
  if (kept.length === 0) {
    setSdp(message, sdp);
    return;
  }
  const parts = [
    { headers: new SipHeaders([['Content-Type', SDP_TYPE]]), body: utf8(sdp) },
    ...kept.map((part) => ({
      headers: new SipHeaders([['Content-Type', part.contentType.type]]),
      body: decodedContent(part),
    })),
  ];
  const { contentType, body: octets } = makeMultipart(parts, random);
  message.headers.set('MIME-Version', '1.0');
  message.headers.set('Content-Type', contentType);
  message.body = octets;
}

/**
 * Copies a KMS Redirect Response from further in, with what is nested in it, octet for octet: it is
 * signed by whoever made it.
 * @returns false where there is none
 */
export function passRedirect(from: SipMessage, to: SipMessage): boolean {
  const redirect = contentOf(bodyOf(from), REDIRECT_CONTENT_TYPE);
  if (redirect === null) return false;
  to.headers.set('Content-Type', REDIRECT_CONTENT_TYPE);
  to.body = redirect;
  return true;
}

/**
 * Copies a body that is no SDP where its type may pass.
 * @throws SegyError SEGY_E_SIP_BODY for any other type
 */
export function passPlainBody(from: SipMessage, to: SipMessage): void {
  const body = bodyOf(from);
  if (body === null) return;
  if (!PASSED_TYPES.has(body.contentType.type)) {
    throw new SegyError('SEGY_E_SIP_BODY', 'a body of this type is not passed');
  }
  to.headers.set('Content-Type', body.contentType.type);
  to.body = from.body;
}
