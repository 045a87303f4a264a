/**
 * What one kind of PBX provides to the port: a driver that opens links, and a link that carries
 * commands one way and events the other. Everything that must be the same on every PBX (matching,
 * claims, resync, supervision) is in port.ts and beside it, and knows only this.
 */
import type { PbxSignal, PbxVariables } from '../edge/ports/pbx-port.js';

/** A channel as an event or a list shows it. */
export interface ChannelFacts {
  readonly id: string;
  readonly name: string;
  /** SIP Call-ID of the channel's leg; empty while the PBX does not tell it */
  readonly callId: string;
  /** true when the dialplan has handed the channel over to the gateway and waits */
  readonly handedOver: boolean;
}

/** What a link reports. Events may come late, twice or for channels of no interest. */
export type PbxEvent =
  | {
      readonly kind: 'channel';
      readonly channel: ChannelFacts;
      /** identifier of the channel that dials it, where the event tells */
      readonly dialledBy?: string;
    }
  /** something reported of a channel; only where the driver was made with `signals` */
  | { readonly kind: 'signal'; readonly id: string; readonly signal: PbxSignal }
  | { readonly kind: 'released'; readonly id: string }
  | { readonly kind: 'gone'; readonly id: string };

/** Where a link reports to. Both may be called until `PbxLink.close` returned. */
export interface LinkListener {
  event(event: PbxEvent): void;
  /** the link is dead; called at most once, and no event follows */
  down(reason: string): void;
}

/**
 * One live control link. Each command rejects with a SegyError: SEGY_E_NOT_FOUND when the channel does
 * not exist any more, SEGY_E_PBX when the PBX refuses. A command may also stay unanswered for ever: the
 * port sets the deadline.
 */
export interface PbxLink {
  listChannels(): Promise<ChannelFacts[]>;
  /** channels that the PBX dialled, those with these Call-IDs at least; asked where an event is missing */
  dialledChannels(callIds: readonly string[]): Promise<ChannelFacts[]>;
  /**
   * Is this channel there now? The list may be a snapshot that lags behind, in both directions; this
   * is asked of the channel itself.
   */
  exists(id: string): Promise<boolean>;
  /** value of the `X-SeGy-Session` header of the INVITE that made the channel; empty when there is none */
  sessionHeader(id: string): Promise<string>;
  /** a channel variable's value; empty when it is not set */
  getVariable(id: string, name: string): Promise<string>;
  setVariables(id: string, variables: PbxVariables): Promise<void>;
  /** raises an event about the channel, and sets the variables where that works at any time */
  tell(id: string, event: string, variables: PbxVariables): Promise<void>;
  /** gives a handed-over channel back to the dialplan */
  proceed(id: string): Promise<void>;
  /** ends the channel with the cause that gives its caller `sipStatus`, or the nearest there is */
  refuse(id: string, sipStatus: number): Promise<void>;
  hangup(id: string): Promise<void>;
  /** asks for a sign of life; the port takes a missed deadline for a dead link */
  probe(): Promise<void>;
  /**
   * Ends the link; what it still reports is ignored. Resolves when no listener, timer or socket is left
   * and the PBX can take the next link; never rejects.
   */
  close(): Promise<void>;
}

export interface DriverOptions {
  /** report digits, talk detection and variables of channels; default false */
  readonly signals?: boolean;
}

export interface PbxDriver {
  /** what log lines call it, such as `ari` */
  readonly name: string;
  /**
   * Opens a link; events may be reported before it resolves.
   * @throws SegyError SEGY_E_PBX_DOWN, with a message that tells a refused password from a dead PBX
   */
  connect(listener: LinkListener, signal: AbortSignal): Promise<PbxLink>;
}
