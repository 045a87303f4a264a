/** The clear body of a partner's answer to a call: SDP and mcptt-info. */
import { utf8 } from '../../src/base/bytes.js';
import { systemRandom } from '../../src/base/environment.js';
import type { SipBody } from '../../src/sim/index.js';
import { makeMultipart, SipHeaders } from '../../src/sip/index.js';
import type { PolicyPartner } from './policies.js';
import { RADIO_1 } from './scene-config.js';

export type CallKind = 'private' | 'group';

/** @param port where the partner wants its media */
export function clearAnswer(
  { alice, group, peer }: PolicyPartner,
  kind: CallKind,
  port: number,
): SipBody {
  const target =
    kind === 'private'
      ? `<mcptt-called-party-id type="Normal"><mcpttURI>${alice}</mcpttURI></mcptt-called-party-id>`
      : `<mcptt-calling-group-id type="Normal"><mcpttURI>${group}</mcpttURI></mcptt-calling-group-id>`;
  const sdp = [
    'v=0',
    `o=- 1 1 IN IP4 ${peer.address}`,
    's=-',
    `c=IN IP4 ${peer.address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    '',
  ].join('\r\n');
  const info =
    '<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params>' +
    `<session-type>${kind === 'private' ? 'private' : 'prearranged'}</session-type>` +
    `<mcptt-calling-user-id type="Normal"><mcpttURI>${RADIO_1.uri}</mcpttURI></mcptt-calling-user-id>` +
    `${target}</mcptt-Params></mcpttinfo>`;
  const part = (type: string, text: string) => ({
    headers: new SipHeaders([['Content-Type', type]]),
    body: utf8(text),
  });
  const { contentType, body } = makeMultipart(
    [part('application/sdp', sdp), part('application/vnd.3gpp.mcptt-info+xml', info)],
    systemRandom,
  );
  return { type: contentType, bytes: body };
}
