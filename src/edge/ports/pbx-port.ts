/**
 * What the edge needs from the PBX: find the channel that carries a call, say how it goes on, and
 * tell when it is gone. An adapter under src/pbx implements this; the edge knows no PBX by name.
 *
 * Rule that both sides rely on: no packet of a call is decrypted or encrypted before the channel of
 * that call is known, and the security contexts end when `onGone` is called.
 */

/** Variables an adapter sets on a channel; every name begins with `SEGY_`. */
export type PbxVariables = Readonly<Record<string, string>>;

/**
 * What a PBX reports of a channel or of the one it is bridged to: a digit, the beginning or the end of
 * speech, a `SEGY_` variable that the dialplan set. Which of them a PBX can tell, docs/floor.md says.
 */
export type PbxSignal =
  | { readonly kind: 'digit'; readonly digit: string }
  | { readonly kind: 'talk'; readonly talking: boolean }
  | { readonly kind: 'variable'; readonly name: string; readonly value: string };

/** Asks for the channel of a call that the edge has sent to the PBX (MC to LMR). */
export interface InboundChannelRequest {
  /** Call-ID of the INVITE on the inner side; the key of the search */
  readonly callId: string;
  /** value of that INVITE's `X-SeGy-Session` header; a channel that carries another one is refused */
  readonly sessionId: string;
  /** how long the dialplan may take to hand the channel over, in milliseconds */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Asks for the channel of a call that the PBX has sent to the edge (LMR to MC). */
export interface OutboundChannelRequest {
  /** Call-ID of the INVITE received on the inner side */
  readonly callId: string;
  /** how long to look for it, in milliseconds */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** One PBX channel that carries one session. Its methods reject with SEGY_E_PBX once it is gone. */
export interface PbxChannel {
  /** identifier of the channel in the PBX, as `PbxPort.onResync` reports it */
  readonly id: string;
  /** name of the channel as the PBX's operator sees it */
  readonly name: string;
  /** true from the moment the channel ended */
  readonly gone: boolean;
  /**
   * Called once, at once, when the channel ends. Never called after it; a channel that was gone before
   * the callback was set does not call it, so look at `gone` after setting it.
   */
  onGone?: () => void;
  /** Called with what is reported of the channel while it lives. */
  onSignal?: (signal: PbxSignal) => void;
  /** A channel variable's value; empty when it is not set. @throws SegyError as `setVariables` */
  getVariable(name: string): Promise<string>;
  /**
   * Sets variables where the PBX lets it, and raises an event of this name with them, so that what
   * watches the PBX knows also while the channel is in a bridge.
   * @throws SegyError as `setVariables`
   */
  tell(event: string, variables: PbxVariables): Promise<void>;
  /**
   * Sets channel variables for the dialplan to read. On a channel of `outboundChannel` not every PBX
   * can: there it may resolve without effect, so nothing may depend on it.
   * @throws SegyError SEGY_E_BAD_IDENTITY when a value holds a character outside `[A-Za-z0-9+._@:-]`,
   *   SEGY_E_ARGUMENT when a name does not begin with `SEGY_` (nothing is set then); SEGY_E_PBX,
   *   SEGY_E_PBX_DOWN, SEGY_E_TIMEOUT
   */
  setVariables(variables: PbxVariables): Promise<void>;
  /** Lets the dialplan go on after the hand-over. Only for a channel of `inboundChannel`. */
  proceed(): Promise<void>;
  /** Ends the channel so that its caller gets `sipStatus`, or the nearest the PBX can send. */
  refuse(sipStatus: number): Promise<void>;
  /** Ends the channel. Resolves also when it is already gone. */
  hangup(): Promise<void>;
  /**
   * Gives a channel of `outboundChannel` back while it lives: a PBX that follows a redirection dials
   * again on the same channel, with the same Call-ID. From then on this object is that of a channel that
   * is gone, but `onGone` is not called.
   */
  release(): void;
}

/** The control link to one PBX. */
export interface PbxPort {
  /** true while commands can be sent and events arrive */
  readonly linked: boolean;
  /** the link came up or went down; calls in progress live on while it is down */
  onLink?: (up: boolean) => void;
  /**
   * After each (re)connection: identifiers of all live channels. Channels handed out before that are
   * not among them have had their `onGone` called already.
   */
  onResync?: (live: ReadonlySet<string>) => void;
  /**
   * Begins to keep the link up, for ever, and resolves at once: a PBX that is down is no error.
   * @throws SegyError SEGY_E_CONFIG when the options can never work
   */
  start(): Promise<void>;
  /** Ends the link and leaves no timer, listener or pending promise behind. */
  stop(): Promise<void>;
  /**
   * The channel that the dialplan has handed over for this Call-ID.
   * @throws SegyError SEGY_E_PBX_NO_CHANNEL when none came in time or it carries another session,
   *   SEGY_E_PBX_DOWN when there is no link, SEGY_E_CANCELLED on `signal`
   */
  inboundChannel(request: InboundChannelRequest): Promise<PbxChannel>;
  /**
   * The channel that dials us with this Call-ID: from the events, then once from the channel list.
   * @throws SegyError as `inboundChannel`
   */
  outboundChannel(request: OutboundChannelRequest): Promise<PbxChannel>;
  /**
   * Hangs up the channels that still carry `SEGY_SESSION` from an earlier run of the gateway.
   * @returns how many were told to end
   */
  hangUpOrphans(): Promise<number>;
}
