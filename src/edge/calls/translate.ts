/**
 * SDP of one message put into the words of the other side: which of offer, answer and plain
 * description it is, the checks of its side, and the key rules of offers from the MC side.
 */
import { SegyError } from '../../base/errors.js';
import { normaliseHost } from '../../sip/index.js';
import type { Call } from './call.js';
import { CallKey } from './call-key.js';
import type { CallMedia } from './call-media.js';
import type { Side } from '../dependencies.js';
import type { Negotiation } from './negotiation.js';
import type { SessionModel } from '../sdp/sdp-model.js';
import { checkInner, checkOuter, demandsKey } from '../sdp/sdp-rules.js';
import { readSdp, type PreferredLines } from '../sdp/sdp-read.js';

/** Reads a description of `side` and checks it as that side's must be. */
function readChecked(
  call: Call,
  media: CallMedia | null,
  side: Side,
  body: Uint8Array,
  preferred: PreferredLines,
): SessionModel {
  const model = readSdp(body, preferred);
  if (side === 'outer') checkOuter(model, media?.at('outer').address ?? null);
  else checkInner(model, new Set(call.deps.settings.allowedMediaAddresses.map(normaliseHost)));
  return model;
}

/**
 * An offer within a dialog. A new key of the peer is opened first: it must be the same user's, and
 * is used beside the old one until the offer is answered.
 * @returns our offer to the other side
 */
export async function translateOffer(
  call: Call,
  negotiation: Negotiation,
  side: Side,
  body: Uint8Array,
): Promise<string> {
  const media = mediaOf(call);
  const model = readChecked(call, media, side, body, negotiation.places(side));
  if (side === 'outer') await takeKey(call, media, model);
  return negotiation.offer(side, model);
}

/** An answer. @returns our answer to the side that offered */
export async function translateAnswer(
  call: Call,
  negotiation: Negotiation,
  side: Side,
  body: Uint8Array,
  o: { leg?: string; final: boolean },
): Promise<string> {
  const model = readChecked(call, mediaOf(call), side, body, negotiation.places(side));
  return negotiation.answer(side, model, o);
}

/** A description in a 488, an OPTIONS or its response: what could be done, with every port 0. */
export function translateCapabilities(
  negotiation: Negotiation,
  side: Side,
  body: Uint8Array,
): string {
  return negotiation.capabilities(side, readSdp(body, negotiation.places(side)));
}

function mediaOf(call: Call): CallMedia {
  if (call.media === null) throw new SegyError('SEGY_E_MEDIA_ENDED', 'the call has no media');
  return call.media;
}

/** The key in a re-offer of the MC side: none and the known one change nothing. */
async function takeKey(call: Call, media: CallMedia, model: SessionModel): Promise<void> {
  const message = model.keyMessage;
  if (message === null) {
    if (media.isClear && demandsKey(model)) {
      throw new SegyError('SEGY_E_KEY_REQUIRED', 'a secure profile came without key-mgmt');
    }
    return;
  }
  if (media.key?.isFrom(message) === true || media.nextKey?.isFrom(message) === true) return;
  const peerCalls = call.callerSide === 'outer';
  const { caller, callee } = call.names;
  const opened = await call.deps.clients.openPck({
    message,
    partner: call.partner,
    dialogKey: call.dialogKey,
    callee: peerCalls ? callee : caller,
    caller: peerCalls ? caller : callee,
    signal: call.stop.signal,
  });
  const next = CallKey.fromPeer(opened, message);
  if (media.key?.sameAs(next) === true) {
    next.wipe();
    return;
  }
  await media.adopt(next);
}
