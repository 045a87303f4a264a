/**
 * Every request of either side, to what takes it: whose it is, whether it belongs to a dialog, and to
 * which; what is refused is answered, noted and counted here.
 */
import { SegyError, toSegyError } from '../base/errors.js';
import type { PartnerConfig } from '../config/index.js';
import {
  parseCSeq,
  parseMaxForwards,
  tagOf,
  type ServerTransaction,
  type SipRequest,
  type SipSource,
} from '../sip/index.js';
import { Arrivals } from './calls/arrivals.js';
import type { Call } from './calls/call.js';
import { countSetup } from './calls/call-view.js';
import type { Gate } from './calls/gate.js';
import { InDialog } from './calls/in-dialog.js';
import { callFromMc } from './calls/pipeline-in.js';
import { callFromPbx } from './calls/pipeline-out.js';
import { capabilities } from './capabilities.js';
import type { EdgeContext } from './calls/context.js';
import type { EdgeDependencies, Side } from './dependencies.js';
import { takeKeys } from './groups/group-messages.js';
import type { GroupStanding } from './groups/group-standing.js';
import { bodyOf } from './messages/bodies.js';
import { readNotices } from './messages/document-diff.js';
import { KEY_METHODS } from './messages/methods.js';
import { checkTakeover } from './messages/pass-headers.js';
import type { Refusals } from './messages/refusal.js';
import { methodsFor, methodsIn, refusalOutside } from './methods.js';

/** Highest CSeq taken, well below the 2^31 - 1 that RFC 3261 clause 8.1.1.5 ends at. */
const MAX_PASSED_CSEQ = 0x7fff_0000;

export class Dispatch {
  readonly #context: EdgeContext;
  readonly #deps: EdgeDependencies;
  readonly #refusals: Refusals;
  readonly #registry: EdgeContext['registry'];
  readonly #gate: Gate;
  readonly #standing: GroupStanding;
  readonly #arrivals: Arrivals;
  readonly #inDialog: InDialog;
  readonly #isDraining: () => boolean;

  /** @param isDraining whether no new call is taken */
  constructor(
    context: EdgeContext,
    gate: Gate,
    standing: GroupStanding,
    isDraining: () => boolean,
  ) {
    this.#context = context;
    this.#deps = context.deps;
    this.#refusals = context.refusals;
    this.#registry = context.registry;
    this.#gate = gate;
    this.#standing = standing;
    this.#isDraining = isDraining;
    this.#arrivals = new Arrivals(context.deps, context.refusals, {
      take: (uas, partner) => this.#outside('outer', uas, partner),
      refuse: (uas, error, partner) => this.#refuse('outer', uas, error, partner),
      callOf: (request) => this.#registry.find('outer', request.headers.get('Call-ID') ?? ''),
    });
    this.#inDialog = new InDialog(context.composer);
  }

  /** Before parsing: the source alone. */
  admit(side: Side, source: SipSource): boolean {
    if (this.#gate.admit(side, source)) return true;
    const error = new SegyError('SEGY_E_UNKNOWN_SOURCE', 'the source may not send here');
    this.#refusals.note(side, source.address, error, 'admission');
    return false;
  }

  /** A request of `side`: it is taken, or refused with a response. */
  request(side: Side, uas: ServerTransaction): void {
    let partner: PartnerConfig | undefined;
    try {
      partner = this.#gate.partnerOf(side, uas.source, uas.request);
      requireRoomAbove(uas.request);
      if (parseMaxForwards(uas.request.headers.get('Max-Forwards') ?? '70') === 0) {
        throw new SegyError('SEGY_E_SIP_TOO_MANY_HOPS', 'Max-Forwards is zero');
      }
      const toTag = tagOf(uas.request.headers.get('To') ?? '');
      if (toTag !== undefined)
        this.#within(side, this.#arrivals.open(uas, partner).uas, partner, toTag);
      else if (partner === undefined) this.#outside(side, uas, partner);
      else this.#arrivals.outside(uas, partner, this.#gate.takeRequest(partner));
    } catch (error) {
      this.#refuse(side, uas, toSegyError(error), partner);
    }
  }

  #refuse(
    side: Side,
    uas: ServerTransaction,
    refusal: SegyError,
    partner: PartnerConfig | undefined,
  ): void {
    const { request } = uas;
    if (request.method === 'INVITE' && tagOf(request.headers.get('To') ?? '') === undefined) {
      countSetup(this.#deps.env, side, { kind: 'refused', code: refusal.code });
    }
    this.#refusals.note(side, uas.source.address, refusal, request.method);
    const response = this.#refusals.response(request, side, refusal, partner);
    if (response.status === 405) {
      const call = this.#callOf(side, request, partner);
      const allowed = call ? methodsIn(call) : methodsFor(this.#deps, side, partner);
      response.headers.set('Allow', allowed.join(', '));
    }
    uas.respond(response);
  }

  /** A request of no dialog. */
  #outside(side: Side, uas: ServerTransaction, partner: PartnerConfig | undefined): void {
    const { request } = uas;
    this.#refuseLoop(side, request);
    if (this.#isDraining() && (request.method === 'OPTIONS' || request.method === 'INVITE')) {
      throw new SegyError('SEGY_E_DRAINING', 'the gateway is ending');
    }
    if (request.method === 'OPTIONS') {
      uas.respond(capabilities(this.#deps, this.#refusals, side, uas, partner));
      return;
    }
    if (KEY_METHODS.includes(request.method) && partner && this.#deps.groups) {
      takeKeys(this.#deps, this.#refusals, uas, partner);
      return;
    }
    const { notifier } = this.#deps;
    if (request.method === 'SUBSCRIBE' && partner && notifier) {
      notifier.subscribe(uas, partner);
      return;
    }
    if (request.method !== 'INVITE') {
      throw refusalOutside(request.method, methodsFor(this.#deps, side, partner));
    }
    const map = this.#registry.mapFrom(side, partner?.name);
    checkTakeover(request, partner !== undefined, map);
    if (partner === undefined) callFromPbx(this.#context, uas);
    else callFromMc(this.#context, uas, partner);
  }

  /** RFC 3261 clause 8.2.2.2, and our own INVITE come back. */
  #refuseLoop(side: Side, request: SipRequest): void {
    const endpoint = this.#deps[side];
    const known = this.#registry.find(side, request.headers.get('Call-ID') ?? '');
    if (endpoint.isLoop(request) || known?.calleeSide === side) {
      throw new SegyError('SEGY_E_SIP_LOOP', 'the request came from this gateway');
    }
    if (known?.isLive() === true) {
      throw new SegyError('SEGY_E_SIP_LOOP', 'a call with this Call-ID is in progress');
    }
  }

  #within(
    side: Side,
    uas: ServerTransaction,
    partner: PartnerConfig | undefined,
    toTag: string,
  ): void {
    const { request } = uas;
    if (request.method === 'NOTIFY' && partner && this.#standing.knows(request, partner)) {
      if (!this.#standing.isInOrder(request)) {
        uas.respond(this.#refusals.plain(request, 500));
        return;
      }
      const notices = readNotices(bodyOf(request), partner.codePoints);
      takeKeys(this.#deps, this.#refusals, uas, partner);
      this.#standing.notified(request);
      this.#deps.documents?.changed(partner, notices);
      return;
    }
    const subscription = partner && this.#deps.notifier?.find(request, partner);
    if (request.method === 'SUBSCRIBE' && subscription !== undefined) {
      this.#deps.notifier?.refresh(uas, subscription);
      return;
    }
    const call = this.#callOf(side, request, partner);
    const pair = call?.findPair(side, toTag, tagOf(request.headers.get('From') ?? '') ?? '');
    if (call === undefined || pair === undefined || !call.isLive()) {
      uas.respond(this.#refusals.plain(request, 481));
      return;
    }
    this.#inDialog.request(call, pair, side, uas);
  }

  /** An ACK of `side`, which nothing answers. */
  ack(side: Side, request: SipRequest, source: SipSource): void {
    try {
      const partner = this.#gate.partnerOf(side, source, request);
      if (partner !== undefined) this.#deps.protection?.open(partner, request, request);
      parseCSeq(request.headers.get('CSeq') ?? '');
      const call = this.#callOf(side, request, partner);
      const toTag = tagOf(request.headers.get('To') ?? '') ?? '';
      const fromTag = tagOf(request.headers.get('From') ?? '') ?? '';
      const pair = call?.findPair(side, toTag, fromTag);
      if (call !== undefined && pair !== undefined) this.#inDialog.ack(call, pair, side, request);
    } catch (error) {
      this.#refusals.note(side, source.address, toSegyError(error), 'ACK');
    }
  }

  /** A call is touched on its outer side only by its own partner. */
  #callOf(side: Side, request: SipRequest, partner: PartnerConfig | undefined): Call | undefined {
    const call = this.#registry.find(side, request.headers.get('Call-ID') ?? '');
    return side === 'outer' && call?.partner.name !== partner?.name ? undefined : call;
  }
}

/** The gateway's own BYE to the other side needs a number above every one that was passed there. */
function requireRoomAbove(request: SipRequest): void {
  if (parseCSeq(request.headers.get('CSeq') ?? '').number > MAX_PASSED_CSEQ) {
    throw new SegyError('SEGY_E_SIP_SYNTAX', 'the CSeq leaves no room for a later request');
  }
}
