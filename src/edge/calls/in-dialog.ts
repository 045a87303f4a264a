/**
 * Requests within a dialog, from either side to the other: which of them pass (re-INVITE, UPDATE, PRACK,
 * INFO, OPTIONS, and what transfers are made of) and in what order; BYE is answered here and told to the
 * other side; the ACK of a 2xx is passed on.
 */
import { SegyError } from '../../base/errors.js';
import {
  createResponse,
  parseCSeq,
  type ServerTransaction,
  type SipRequest,
} from '../../sip/index.js';
import { otherSide, type Side } from '../dependencies.js';
import { sdpOf, setSdp } from '../messages/bodies.js';
import type { Call } from './call.js';
import type { Composer } from './compose.js';
import type { InviteExchange, Pair } from './pair.js';
import { RequestRelay, type Passage } from './request-relay.js';
import { admitTransfer, isTransfer } from './transfer.js';
import { translateAnswer } from './translate.js';

const RELAYED = new Set(['INVITE', 'UPDATE', 'PRACK', 'INFO', 'OPTIONS']);

export class InDialog {
  readonly #composer: Composer;

  constructor(composer: Composer) {
    this.#composer = composer;
  }

  /**
   * Takes a request of `pair`'s dialog on `side`.
   * @throws SegyError SEGY_E_SIP_METHOD, SEGY_E_REFER_REFUSED, SEGY_E_BUSY
   */
  request(call: Call, pair: Pair, side: Side, uas: ServerTransaction): void {
    const { request } = uas;
    const from = pair.on(side);
    const cseq = parseCSeq(request.headers.get('CSeq') ?? '').number;
    if (cseq <= from.highestReceived) {
      uas.respond(call.refusals.plain(request, 500));
      return;
    }
    from.highestReceived = cseq;
    if (request.method === 'BYE') {
      uas.respond(createResponse(request, 200));
      call.hungUp(pair, side);
      return;
    }
    if (isTransfer(request)) admitTransfer({ call, request });
    else if (!RELAYED.has(request.method)) {
      throw new SegyError('SEGY_E_SIP_METHOD', 'the method is not passed within a dialog');
    }
    if (call.relays.size >= call.deps.settings.limits.transactions) {
      throw new SegyError('SEGY_E_BUSY', 'the call has too many transactions in progress');
    }
    const passage = { call, pair, side, uas, cseq };
    const relay = new RequestRelay(this.#composer, passage);
    // in its turn: an ACK that came just before has to be passed before it counts
    call.enqueue(async () => {
      const glare = glareStatus(passage);
      if (glare !== null) {
        relay.giveUp(glare);
        return;
      }
      if (request.method === 'INVITE') {
        pair.invite = { from: side, cseq, state: 'pending' };
        pair.lastReliable = null;
      }
      await relay.forward();
    });
  }

  /** Takes the ACK of a 2xx that came from `side`. */
  ack(call: Call, pair: Pair, side: Side, ack: SipRequest): void {
    call.enqueue(async () => {
      const exchange = pair.invite;
      const cseq = parseCSeq(ack.headers.get('CSeq') ?? '').number;
      if (pair === call.answered && side === call.callerSide && !call.acked()) return;
      if (exchange?.from !== side || exchange.cseq !== cseq) return;
      if (!owesAck(exchange)) return;
      const far = otherSide(side);
      const passed = pair.on(far).request('ACK', cseq);
      const sdp = sdpOf(ack);
      if (exchange.awaitsAnswer === true) {
        if (sdp === null) throw new SegyError('SEGY_E_MEDIA', 'the ACK has no SDP answer');
        exchange.awaitsAnswer = false;
        setSdp(passed, await translateAnswer(call, pair.negotiation, side, sdp, { final: true }));
      }
      if (!owesAck(exchange)) return;
      exchange.state = 'acked';
      call.deps[far].sendAck(passed, pair.on(far).target);
    });
  }
}

function owesAck(exchange: InviteExchange): boolean {
  return exchange.state === 'answered';
}

/** RFC 3261 clause 14.2, RFC 3311 clause 5.2: two INVITEs or offers at a time. */
function glareStatus({ pair, side, uas }: Passage): number | null {
  const { method } = uas.request;
  if (method === 'INVITE' && pair.inviteOpen) return pair.invite?.from === side ? 500 : 491;
  if (method !== 'INVITE' && method !== 'UPDATE') return null;
  if (uas.request.body.length === 0 || pair.negotiation.offerer === null) return null;
  return pair.negotiation.offerer === side ? 500 : 491;
}
