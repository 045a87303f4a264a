/**
 * One fork of a call: the dialog with the caller and the dialog with the callee that belong
 * together, the offer/answer state between them, and the INVITE transaction that runs or ran last.
 */
import type { SipResponse } from '../../sip/index.js';
import type { Side } from '../dependencies.js';
import type { Dialog } from '../messages/dialog.js';
import type { Negotiation } from './negotiation.js';
import type { Referrals } from './referrals.js';

/** An INVITE or re-INVITE that passes through a pair. */
export interface InviteExchange {
  /** side the INVITE came from */
  readonly from: Side;
  readonly cseq: number;
  /** pending: no final response yet; answered: a 2xx came; acked: its ACK was passed */
  state: 'pending' | 'answered' | 'acked';
  /** true while an offer of its response waits for the answer in PRACK or ACK */
  awaitsAnswer?: boolean;
}

export class Pair {
  readonly outer: Dialog;
  readonly inner: Dialog;
  readonly negotiation: Negotiation;
  readonly referrals: Referrals;
  invite: InviteExchange | null;
  /** last reliable provisional response passed, for one that comes again (RFC 3262) */
  lastReliable: { readonly rseq: string; readonly response: SipResponse } | null = null;

  constructor(
    dialogs: { readonly outer: Dialog; readonly inner: Dialog },
    negotiation: Negotiation,
    referrals: Referrals,
    invite: InviteExchange | null,
  ) {
    this.outer = dialogs.outer;
    this.inner = dialogs.inner;
    this.negotiation = negotiation;
    this.referrals = referrals;
    this.invite = invite;
  }

  on(side: Side): Dialog {
    return side === 'outer' ? this.outer : this.inner;
  }

  /** True when the dialog of `side` has these tags. */
  matches(side: Side, localTag: string, remoteTag: string): boolean {
    const dialog = this.on(side);
    return dialog.localTag === localTag && dialog.remoteTag === remoteTag;
  }

  /** True while an INVITE waits for its final response or its ACK. */
  get inviteOpen(): boolean {
    return this.invite !== null && this.invite.state !== 'acked';
  }
}
