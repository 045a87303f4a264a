/** The body of a private call's INVITE in an MC system: SDP first, then mcptt-info (TS 24.379). */
import type { RandomBytes } from '../base/environment.js';
import { utf8 } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { findPart, makeMultipart, parseBody, SipHeaders } from '../sip/index.js';
import type { SipBody } from './call-media.js';
import { MCPTT_INFO_TYPE, readMcpttInfo, writeMcpttInfo } from './mcptt-info.js';
import type { McpttInfo } from './mcptt-info.js';
import { SDP_TYPE } from './session-description.js';

export function writeMcBody(sdp: string, info: McpttInfo, random: RandomBytes): SipBody {
  const part = (type: string, text: string) => ({
    headers: new SipHeaders([['Content-Type', type]]),
    body: utf8(text),
  });
  const { contentType, body } = makeMultipart(
    [part(SDP_TYPE, sdp), part(MCPTT_INFO_TYPE, writeMcpttInfo(info))],
    random,
  );
  return { type: contentType, bytes: body };
}

/** The SDP of a body, alone or as a part. @throws SegyError SEGY_E_MEDIA when there is none */
export function sdpOf(body: SipBody): Uint8Array {
  const part = findPart(parseBody(body.type, body.bytes), SDP_TYPE);
  if (!part) throw new SegyError('SEGY_E_MEDIA', 'the body holds no session description');
  return part.body;
}

/** The mcptt-info of a body; undefined when there is none. @throws SegyError SEGY_E_XML */
export function mcpttInfoOf(body: SipBody): McpttInfo | undefined {
  const part = findPart(parseBody(body.type, body.bytes), MCPTT_INFO_TYPE);
  return part && readMcpttInfo(part.body);
}
