/** What every transaction is given, and the interfaces a transaction user sees. */
import type { Environment } from '../../base/environment.js';
import type { SegyError } from '../../base/errors.js';
import type { SipRequest, SipResponse } from '../message.js';
import type { Outlet, SipSource } from '../peers.js';
import type { SipTiming } from '../timing.js';

export interface TransactionContext {
  readonly env: Environment;
  readonly timing: SipTiming;
  /** the transaction is over and may be forgotten */
  ended(): void;
}

/** Why a server transaction ended. */
export type ServerEnd = 'done' | 'timeout' | 'transport';

export interface ServerTransaction {
  /** as received, its top Via completed with received and rport */
  readonly request: SipRequest;
  readonly source: SipSource;
  /** the To tag put into responses that come without one */
  readonly localTag: string;
  /**
   * Sends a response. Via, From, Call-ID and CSeq are always those of the request; a To without a tag
   * gets `localTag`, but for a 100. A 2xx to an INVITE is retransmitted until its ACK, one for each
   * To tag. False when the state does not allow it any more.
   */
  respond(response: SipResponse): boolean;
  /** the request is cancelled; 200 to the CANCEL has been sent, 487 is for the user to send */
  onCancel?: ((cancel: SipRequest) => void) | undefined;
  /** this 2xx was not acknowledged within 64*T1 */
  onAckTimeout?: ((response: SipResponse) => void) | undefined;
  onEnd?: ((why: ServerEnd) => void) | undefined;
}

export interface ClientTransaction {
  /** as sent, with its Via */
  readonly request: SipRequest;
  /** every 1xx, 100 too */
  onProvisional?: ((response: SipResponse) => void) | undefined;
  /**
   * The final response. For an INVITE every 2xx with another To tag (forks); repeated ones are answered
   * with the ACK given to `sendAck`. Other final responses to an INVITE are acknowledged already.
   */
  onFinal?: ((response: SipResponse) => void) | undefined;
  /** SEGY_E_TIMEOUT or SEGY_E_SIP_TRANSPORT, and no final response will come */
  onError?: ((error: SegyError) => void) | undefined;
  /**
   * Cancels an INVITE: at once, or as soon as a provisional response is there; nothing after a final
   * one. The outcome comes by `onFinal` or `onError`.
   * @param reason value of a Reason header (RFC 3326)
   */
  cancel(reason?: string): void;
}

/** One way to send a client's request; the next is tried when it fails. */
export interface Sending {
  readonly outlet: Outlet;
  readonly request: SipRequest;
}

/** Calls into the user: what it throws is logged and goes no further. True when it threw nothing. */
export function guarded(env: Environment, event: string, call: () => void): boolean {
  try {
    call();
    return true;
  } catch (error) {
    const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
    env.log.error('sip.handler.failed', { event, cause });
    return false;
  }
}
