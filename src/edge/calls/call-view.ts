/** What an operator may see of a call. No key octet. */
import type { Environment } from '../../base/environment.js';
import { formatHostPort, type SipTarget } from '../../sip/index.js';
import type { Call } from './call.js';
import type { CallOutcome, CallState } from './call-state.js';
import { otherSide, type Side } from '../dependencies.js';

/** One of the two SIP sides of a call. */
export interface LegView {
  readonly side: Side;
  readonly role: 'caller' | 'called';
  readonly callId: string;
  /** `none`: no dialog yet; `early`: before the 2xx; `up`: it was answered */
  readonly state: 'none' | 'early' | 'up';
  /** early dialogs (forks) that were seen */
  readonly dialogs: number;
  /** transport, address and port of the SIP peer; null while there is no dialog */
  readonly peer: string | null;
}

export interface CallView {
  readonly session: string;
  readonly partner: string;
  readonly type: 'private' | 'group';
  /** MC group ID of a group call */
  readonly group: string | null;
  readonly direction: 'mc-to-lmr' | 'lmr-to-mc';
  readonly state: CallState;
  readonly caller: string;
  readonly called: string;
  /** milliseconds since 1970 */
  readonly startedAt: number;
  /** when the 2xx was passed; null before */
  readonly connectedAt: number | null;
  readonly armed: boolean;
  /** unprotected, as the partner's policy allows */
  readonly clear: boolean;
  /** hex of the identifier of the key in use; null where there is none */
  readonly keyId: string | null;
  /** how the floor stands: `idle`, `taken`, `granted`, `queued`, …; null in a call without floor control */
  readonly floor: string | null;
  /** who has the floor, else who was heard last in a group call: MC service ID, or GUK-ID in hex */
  readonly talker: string | null;
  /** names the dialog with the MC side in the audit log */
  readonly dialog: string;
  /** name of the PBX channel; null until it is known */
  readonly channel: string | null;
  readonly legs: readonly LegView[];
}

export function callView(call: Call): CallView {
  const { media } = call;
  const floor = media?.floor?.active === true ? media.floor.told : undefined;
  return {
    session: call.id,
    partner: call.partner.name,
    type: call.group === null ? 'private' : 'group',
    group: call.group,
    direction: directionOf(call),
    state: call.state,
    caller: call.names.caller,
    called: call.names.callee,
    startedAt: call.startedAt,
    connectedAt: call.connectedAt,
    armed: media?.armed ?? false,
    clear: media?.isClear ?? false,
    keyId: media?.keyId ?? null,
    floor: floor?.floor ?? null,
    talker: floor === undefined || floor.talker === '' ? call.talker : floor.talker,
    dialog: call.dialogKey,
    channel: call.channel?.name ?? null,
    legs: [legView(call, call.callerSide), legView(call, otherSide(call.callerSide))],
  };
}

export function directionOf({ callerSide }: Pick<Call, 'callerSide'>): CallView['direction'] {
  return callerSide === 'outer' ? 'mc-to-lmr' : 'lmr-to-mc';
}

/** Counts one set-up by how it came out. */
export function countSetup(
  { metrics }: Environment,
  callerSide: Side,
  { kind, code }: CallOutcome,
): void {
  const labels = { direction: directionOf({ callerSide }), outcome: kind, code };
  metrics.count('segy_call_setups_total', labels);
}

function legView(call: Call, side: Side): LegView {
  const isCaller = side === call.callerSide;
  const dialog = (call.answered ?? call.pairs.at(-1))?.on(side);
  return {
    side,
    role: isCaller ? 'caller' : 'called',
    callId: isCaller ? call.callerCallId : call.calleeCallId,
    state: call.answered !== null ? 'up' : dialog === undefined ? 'none' : 'early',
    dialogs: call.pairs.length,
    peer: dialog === undefined ? null : peerOf(dialog.target),
  };
}

function peerOf({ protocol, address, port }: SipTarget): string {
  return `${protocol} ${formatHostPort({ host: address, port })}`;
}
