/**
 * What the conformance suite of the PBX port asks of a PBX under test, real or fake.
 */
import type { PbxPort } from '../../src/edge/ports/pbx-port.js';
import type { PortOptions } from '../../src/pbx/index.js';

/** A call towards the PBX, as the gateway's edge would send it. */
export interface RigCall {
  readonly callId: string;
  /** SIP status that ends its set-up */
  readonly final: Promise<number>;
  /** the caller gives up, or hangs up once answered */
  end(): void;
}

/** A call that the PBX sends, seen from where it arrives. */
export interface RigArrival {
  readonly callId: string;
  readonly requestUri: string;
  respond(status: number): void;
  readonly ended: Promise<void>;
}

export interface PbxRig {
  /** false for a PBX that ran before: no dialplan of the tests' own, and it is not crashed */
  readonly isOwn: boolean;
  /** a port to this PBX over a link that `cutLink` can cut; the caller stops it */
  makePort(options?: PortOptions): PbxPort;
  /** the dialplan hands such a call over to the gateway */
  callIn(callId: string, sessionId: string): RigCall;
  /** the dialplan answers such a call without any hand-over */
  callPast(callId: string, sessionId: string): RigCall;
  /** the next call that the dialplan sends on to the radio after the gateway let it proceed */
  nextAtRadio(): Promise<RigArrival>;
  /** a radio user calls an MC user; resolves with what arrives at the gateway's edge */
  callOut(): Promise<RigArrival>;
  /** value of a channel variable, asked of the PBX itself */
  variable(channelId: string, name: string): Promise<string>;
  channelCount(): Promise<number>;
  /** true where the PBX can set variables on a channel that it dials */
  readonly setsVariablesOnDialled: boolean;
  /** hangs up every channel, after a test that failed */
  endAll(): Promise<void>;
  /** breaks the control link only */
  cutLink(): void;
  mendLink(): void;
  /** how many control connections the PBX has */
  controlConnections(): number;
  /** the PBX dies with all its calls, and is started again */
  crash(): Promise<void>;
  restore(): Promise<void>;
}
