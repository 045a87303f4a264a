/** What a simulated call is made of, and what it needs of the user agent it belongs to. */
import type { Environment } from '../base/environment.js';
import type { SegyError } from '../base/errors.js';
import type {
  ClientTransaction,
  ServerTransaction,
  SipHeaders,
  SipRequest,
  SipTarget,
} from '../sip/index.js';
import type { SipBody } from './call-media.js';

/** What a call needs of the user agent it belongs to. */
export interface CallHost {
  readonly env: Environment;
  /** value of our Contact header */
  contact(): string;
  send(request: SipRequest, target: SipTarget): ClientTransaction;
  sendAck(ack: SipRequest, target: SipTarget): void;
  /** sends a request whose answer matters to nobody, and does not close before there is one */
  sendLast(request: SipRequest, target: SipTarget): void;
  respond(
    transaction: ServerTransaction,
    status: number,
    reason: string,
    toTag: string,
    body?: SipBody,
    headers?: HeaderList,
  ): void;
  /** the call ended */
  forget(callId: string): void;
}

export type CallState = 'inviting' | 'ringing' | 'up' | 'ended';

export interface CallEnd {
  readonly by: 'us' | 'peer' | 'refused' | 'cancelled' | 'failed';
  /** final status of the INVITE where it was refused */
  readonly status?: number;
  /** Warning header of the refusal */
  readonly warning?: string;
  /** all headers of the refusal */
  readonly headers?: SipHeaders;
  /** what went wrong where it failed */
  readonly error?: SegyError;
}

/** Times by the environment's clock, in milliseconds. */
export interface CallTimes {
  invited: number;
  ringing?: number;
  answered?: number;
  ended?: number;
}

export interface DialogStart {
  readonly callId: string;
  readonly localTag: string;
  /** URIs of From and To as they appear in the dialog, with our own side first */
  readonly localUri: string;
  readonly remoteUri: string;
  readonly target: SipTarget;
}

/** Headers as name and value, in order. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

export interface Invitation {
  /** Request-URI */
  readonly requestUri: string;
  readonly headers: HeaderList;
}
