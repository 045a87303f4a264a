/** What a scene asks of the PBX in it, whichever it is. */
import type { Peer } from './pcap.js';

export type PbxKind = 'asterisk' | 'freeswitch';

export interface PbxInstance {
  readonly version: string;
  /** false for one that was running before the tests: it is neither configured nor killed by them */
  readonly isOwn: boolean;
  /** where it takes the gateway's inner side to be */
  readonly edge: Peer;
  /** where it takes the radio trunk to be */
  readonly radio: Peer;
  /** where it takes SIP from the gateway */
  readonly sip: Peer;
  /** where it takes SIP from the radio trunk */
  readonly trunk: Peer;
  /** where it takes the control link */
  readonly control: Peer;
  /** password of the control link */
  readonly password: string;
  /** section `pbx` of the gateway's configuration but for `sip`, with the link reached at `control` */
  settings(control: Peer, passwordFile: string): Readonly<Record<string, unknown>>;
  /** how many channels there are now */
  channelCount(): Promise<number>;
  hangUpAll(): Promise<void>;
  /** everything it logged and printed since the first start */
  log(): string;
  /** ends it as a crash would and waits until it is gone */
  kill(): Promise<void>;
  /** starts it again after `kill`, on the same ports */
  run(): Promise<void>;
  /** kills it and removes what is temporary */
  stop(): Promise<void>;
}
