/** What every INVITE of an MC system has, whatever call it asks for. */
import { SegyError, toSegyError } from '../../base/errors.js';
import type { PartnerConfig } from '../../config/index.js';
import { tagOf, type ServerTransaction, type SipRequest } from '../../sip/index.js';
import { bodyOf, contentOf, SDP_TYPE } from '../messages/bodies.js';
import type { Call } from './call.js';
import type { EdgeContext } from './context.js';
import { openCall } from './open-call.js';
import {
  MCPTT_INFO_TYPE,
  NO_MCPTT_INFO,
  readMcpttInfo,
  readSingleEntry,
  RESOURCE_LISTS_TYPE,
  type McpttInfo,
} from '../messages/mcptt-info.js';
import type { SessionModel } from '../sdp/sdp-model.js';
import { checkOuter, requireAudio } from '../sdp/sdp-rules.js';
import { readSdp } from '../sdp/sdp-read.js';

export interface McInvite {
  readonly offer: SessionModel;
  readonly info: McpttInfo;
  /** the one entry of its resource list; null where there is none or more than one */
  readonly entry: string | null;
}

/**
 * Syntax of an INVITE from outside.
 * @throws SegyError SEGY_E_SIP_SYNTAX, SEGY_E_XML, SEGY_E_XML_PROTECTED, SEGY_E_OFFER_REQUIRED,
 *   SEGY_E_MEDIA
 */
export function readInvite(invite: SipRequest): McInvite {
  const body = bodyOf(invite);
  const sdp = contentOf(body, SDP_TYPE);
  if (sdp === null) throw new SegyError('SEGY_E_OFFER_REQUIRED', 'the INVITE has no SDP offer');
  const offer = readSdp(sdp);
  checkOuter(offer, null);
  if (requireAudio(offer).port === 0) {
    throw new SegyError('SEGY_E_MEDIA', 'the offered audio stream has port 0');
  }
  const xml = contentOf(body, MCPTT_INFO_TYPE);
  const list = contentOf(body, RESOURCE_LISTS_TYPE);
  return {
    offer,
    info: xml === null ? NO_MCPTT_INFO : readMcpttInfo(xml),
    entry: list === null ? null : readSingleEntry(list),
  };
}

/** A new call for an INVITE of `partner`, named for the replay and audit records. */
export function openCallFromMc(
  context: EdgeContext,
  uas: ServerTransaction,
  partner: PartnerConfig,
): Call {
  const call = openCall(context, uas, 'outer', partner);
  call.dialogKey = context.attempts.begin(partner.name, identifiersOf(call));
  return call;
}

/** Call-ID and From tag of a call's INVITE: what its caller calls the dialog before it is answered. */
export function identifiersOf(call: Call): string {
  return `${call.callerCallId};${tagOf(call.invite.headers.get('From') ?? '') ?? ''}`;
}

/** A command to a channel that has ended says less than the PBX's own response, which follows. */
export function failFromMc(call: Call, error: unknown): void {
  if (call.channel?.gone !== true) call.abort(toSegyError(error));
}
