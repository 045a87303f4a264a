/** What the SIP side of a simulated party asks of its media side. */

export interface SipBody {
  /** value of Content-Type */
  readonly type: string;
  readonly bytes: Uint8Array;
}

export interface CallMedia {
  /** body of an INVITE or re-INVITE that we send */
  offer(): Promise<SipBody>;
  /** our answer to the peer's offer; a SegyError refuses the call with the status of its code */
  answer(offer: SipBody): Promise<SipBody>;
  /** takes the peer's answer to our offer; a SegyError ends the call */
  takeAnswer(answer: SipBody): Promise<void>;
  /** audio may flow: the dialog is confirmed */
  start(): void;
  /** ends audio and wipes keys; sockets close */
  close(): void;
}
