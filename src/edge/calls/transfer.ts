/**
 * Transfers within the dialog of a private call: REFER from either side to the other, and the NOTIFY
 * and SUBSCRIBE of the subscription it leaves (RFC 3515, RFC 4488). The gateway follows no Refer-To
 * itself. Media, keys and the PBX channel of the call stay as they are: whoever is called next is a
 * call of its own, checked, keyed and bound to a channel of its own, or stays within its side.
 */
import { utf8 } from '../../base/bytes.js';
import { SegyError } from '../../base/errors.js';
import { leafParts, type SipRequest, type SipResponse } from '../../sip/index.js';
import { bodyOf, contentOf } from '../messages/bodies.js';
import type { Call } from './call.js';
import { mapDialogReference } from '../messages/call-id-map.js';
import type { Composer } from './compose.js';
import { ownHost } from '../messages/contact.js';
import { otherSide, type Side } from '../dependencies.js';
import type { Dialog } from '../messages/dialog.js';
import { readMcIdentity } from '../messages/identity.js';
import {
  MCPTT_INFO_TYPE,
  readMcpttInfo,
  readSingleEntry,
  RESOURCE_LISTS_TYPE,
} from '../messages/mcptt-info.js';
import type { Pair } from './pair.js';
import { takesTransfers, TRANSFER_METHODS } from '../messages/methods.js';
import {
  partyOf,
  readReferTo,
  targetAtMc,
  targetAtPbx,
  type DialogReference,
  type ReferTarget,
} from './refer-to.js';
import {
  readReportState,
  reduceSipfrag,
  SIPFRAG_TYPE,
  writeEvent,
  type Referral,
} from './referrals.js';

/** Bodies that a REFER of the MC side may have; they are compared with what is known, and end here. */
const REFER_BODIES = new Set([MCPTT_INFO_TYPE, RESOURCE_LISTS_TYPE]);

/** A REFER, NOTIFY or SUBSCRIBE on its way. */
interface Passage {
  readonly call: Call;
  readonly pair: Pair;
  /** side it came from */
  readonly side: Side;
  readonly request: SipRequest;
}

export function isTransfer({ method }: SipRequest): boolean {
  return TRANSFER_METHODS.includes(method);
}

/**
 * Whether calls like this one may be transferred at all.
 * @throws SegyError SEGY_E_SIP_METHOD, SEGY_E_REFER_REFUSED
 */
export function admitTransfer({ call, request }: Pick<Passage, 'call' | 'request'>): void {
  if (takesTransfers(call)) return;
  if (request.method !== 'REFER') {
    throw new SegyError('SEGY_E_SIP_METHOD', 'the method is not passed within a dialog');
  }
  const why = call.group === null ? 'the profile of the partner passes no REFER' : 'a group call';
  throw new SegyError('SEGY_E_REFER_REFUSED', `not transferred: ${why}`);
}

/**
 * Fills `passed`, whose dialog headers stand, with what of the request may pass.
 * @returns the transfer that it belongs to
 * @throws SegyError SEGY_E_REFER_REFUSED, SEGY_E_REFER_TO, SEGY_E_REFER_TARGET, SEGY_E_SIP_NO_DIALOG,
 *   SEGY_E_SIP_BODY, SEGY_E_IDENTITY_MISMATCH, SEGY_E_BUSY
 */
export function composeTransfer(composer: Composer, at: Passage, passed: SipRequest): Referral {
  const { call, pair } = at;
  const { method } = at.request;
  // who has answered may refer before the ACK has come
  const isUp = call.state === 'accepted' || call.state === 'confirmed';
  if (!isUp || pair !== call.answered) {
    throw new SegyError('SEGY_E_REFER_REFUSED', 'the call is not up');
  }
  if (method === 'REFER') return composeRefer(composer, at, passed);
  return method === 'NOTIFY' ? composeReport(at, passed) : composeSubscribe(at, passed);
}

function composeRefer(composer: Composer, at: Passage, passed: SipRequest): Referral {
  const { call, pair, side, request } = at;
  const { uri, replaces } = readReferTo(request);
  const target = targetOf(at, uri);
  requireKnownBody(at, target);
  const dialog = pair.on(otherSide(side));
  requireKnownDialogs(composer, at, dialog);
  const named = replaces === null ? null : replacedBy(composer, at, dialog, target, replaces);
  const { settings, protection } = call.deps;
  const written =
    side === 'inner'
      ? (protection?.sealUri(call.partner, target.uri, passed) ?? target.uri)
      : target.uri;
  const headers = named === null ? '' : `?Replaces=${encodeURIComponent(named)}`;
  passed.headers.set('Refer-To', `<${written}${headers}>`);
  passed.headers.remove('Referred-By');
  if (request.headers.has('Referred-By')) {
    passed.headers.set(
      'Referred-By',
      referrer(call, side, ownHost(settings, dialog.side, dialog.target)),
    );
  }
  const cseq = composer.cseqOf(request);
  const referral = pair.referrals.open(side, cseq, settings.limits.transfers);
  const { id: session, partner } = call;
  call.deps.env.log.info('call.referred', {
    session,
    partner: partner.name,
    side,
    target: target.mc,
  });
  return referral;
}

function targetOf({ call, side, request }: Passage, uri: string): ReferTarget {
  const { partner, deps } = call;
  if (side === 'inner') return targetAtMc(uri, partner, deps);
  const clear = deps.protection?.openUri(partner, uri, request) ?? uri;
  return targetAtPbx(clear, partner, deps);
}

/** Who refers, as the call knows it, whatever Referred-By says. */
function referrer(call: Call, side: Side, host: string): string {
  if (side === 'inner') return `<${call.deps.settings.outer.identity}>`;
  return `<sip:${readMcIdentity(partyOf(call, 'outer'), 'the referrer').user}@${host}>`;
}

/** The user is who the body says, and nothing in it may say otherwise. */
function requireKnownBody({ call, side, request }: Passage, target: ReferTarget): void {
  const body = bodyOf(request);
  if (body === null) return;
  const isKnown = leafParts(body).every(({ contentType }) => REFER_BODIES.has(contentType.type));
  if (side === 'inner' || !isKnown) {
    throw new SegyError('SEGY_E_SIP_BODY', 'a REFER with a body of this type is not passed');
  }
  const xml = contentOf(body, MCPTT_INFO_TYPE);
  const list = contentOf(body, RESOURCE_LISTS_TYPE);
  const info = xml === null ? null : readMcpttInfo(xml);
  const caller = info?.callingUserId ?? null;
  const radio = partyOf(call, 'inner');
  const targets = [info?.requestUri ?? null, list === null ? null : readSingleEntry(list)];
  const isForeign = targets.some((uri) => uri !== null && uri !== target.mc && uri !== radio);
  if (isForeign || (caller !== null && caller !== partyOf(call, 'outer'))) {
    throw new SegyError('SEGY_E_IDENTITY_MISMATCH', 'the body of the REFER names somebody else');
  }
}

/** A Target-Dialog or Replaces of the REFER itself names a dialog of this partner, or nothing is passed. */
function requireKnownDialogs(
  composer: Composer,
  { call, side, request }: Passage,
  dialog: Dialog,
): void {
  const { map } = composer.wording(call, side, dialog);
  for (const name of ['Replaces', 'Target-Dialog']) {
    if (request.headers.getAll(name).some((value) => mapDialogReference(value, map) === null)) {
      throw new SegyError('SEGY_E_SIP_NO_DIALOG', `${name} names no dialog of this partner`);
    }
  }
}

/**
 * The Replaces of an attended transfer for the other side. The dialog is another private call that is
 * up: of the same MC user, where that is who refers, and with the target as its far party.
 */
function replacedBy(
  composer: Composer,
  { call, side }: Passage,
  dialog: Dialog,
  target: ReferTarget,
  { callId, tags, text }: DialogReference,
): string {
  const other = composer.callOf(side, callId, call.partner.name);
  const value = mapDialogReference(text, composer.wording(call, side, dialog).map);
  const pair = other?.findPair(side, ...tags) ?? other?.findPair(side, tags[1], tags[0]);
  if (other === undefined || value === null || pair === undefined || pair !== other.answered) {
    throw new SegyError('SEGY_E_SIP_NO_DIALOG', 'the Replaces names no call that is up');
  }
  const isOfReferrer = side === 'inner' || partyOf(other, 'outer') === partyOf(call, 'outer');
  const isWithTarget = partyOf(other, otherSide(side)) === target.mc;
  if (other === call || other.group !== null || !isOfReferrer || !isWithTarget) {
    throw new SegyError('SEGY_E_REFER_TARGET', 'the Replaces names a call of somebody else');
  }
  return value;
}

function composeReport({ pair, side, request }: Passage, passed: SipRequest): Referral {
  const event = request.headers.get('Event') ?? '';
  const referral = pair.referrals.find(otherSide(side), event);
  const state = readReportState(request.headers.get('Subscription-State') ?? '');
  const body = bodyOf(request);
  if (body !== null && body.contentType.type !== SIPFRAG_TYPE) {
    throw new SegyError('SEGY_E_SIP_BODY', 'a report on a transfer is no sipfrag');
  }
  const status = body === null ? null : reduceSipfrag(request.body);
  pair.referrals.reported(referral, state);
  passed.headers.set('Event', writeEvent(referral, event));
  passed.headers.set('Subscription-State', state.text);
  if (status !== null) {
    passed.headers.set('Content-Type', `${SIPFRAG_TYPE};version=2.0`);
    passed.body = utf8(status);
  }
  return referral;
}

/** The side that referred asks for another time, or for no more reports. */
function composeSubscribe({ pair, side, request }: Passage, passed: SipRequest): Referral {
  const event = request.headers.get('Event') ?? '';
  const referral = pair.referrals.find(side, event);
  if (request.body.length > 0) {
    throw new SegyError('SEGY_E_SIP_BODY', 'a SUBSCRIBE to a transfer has no body');
  }
  passed.headers.set('Event', writeEvent(referral, event));
  return referral;
}

/** What the final response to a REFER, NOTIFY or SUBSCRIBE means for the transfer. */
export function settleTransfer(
  pair: Pair,
  referral: Referral,
  request: SipRequest,
  response: Pick<SipResponse, 'status' | 'headers'> | null,
): void {
  const status = response?.status ?? 408;
  const isGone = status === 481 || status === 408;
  const isUnwatched =
    request.method === 'REFER' &&
    refusesReports(request) &&
    response !== null &&
    refusesReports(response);
  if (isGone || isUnwatched || (request.method === 'REFER' && status >= 300)) {
    pair.referrals.close(referral);
  }
}

/** RFC 4488: both sides said that there are no reports. */
function refusesReports({ headers }: Pick<SipResponse, 'headers'>): boolean {
  return headers.get('Refer-Sub')?.trim().toLowerCase() === 'false';
}
