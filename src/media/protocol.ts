/**
 * All that the control thread and a media worker say to each other. Plain data that structured
 * clone can carry; key octets travel in buffers of their own that are transferred, so that no copy
 * stays behind. Every command is answered by one reply of its number; events come unasked.
 */
import type { SegyErrorCode } from '../base/errors.js';
import type { LagCell } from '../base/loop-lag.js';
import type { SrtpKeyMaterial } from '../srtp/index.js';
import type { FloorCommand, FloorSetup, FloorStats } from './floor-types.js';
import type { MediaLimits } from './options.js';
import type {
  DropReason,
  GroupKey,
  MediaAddress,
  MediaDirection,
  MediaEvent,
  MediaStats,
} from './types.js';

/** Given to a worker at its start. */
export interface WorkerConfig {
  readonly outerAddress: string;
  readonly innerAddress: string;
  readonly innerAllowed: readonly string[];
  readonly limits: MediaLimits;
  /** of the thread, as of nice(1) */
  readonly nice: number;
  /** where the worker tells that its event loop is late */
  readonly lag: LagCell;
}

export type WireReceive =
  | { readonly keys: readonly SrtpKeyMaterial[] }
  | { readonly group: readonly GroupKey[] }
  | { readonly clear: true };
export type WireSend =
  | { readonly key: SrtpKeyMaterial; readonly ssrc: number }
  | { readonly none: true }
  | { readonly clear: true };

/** `FloorSetup` with the SSRC of our floor messages. */
export interface WireFloor extends FloorSetup {
  readonly ssrc: number;
}

export type ClockRates = Readonly<Record<number, number>>;

/** What a session can be told. */
export type SessionCommand =
  | {
      readonly type: 'open';
      /** one of this host's; default that of the worker's configuration */
      readonly outerAddress?: string;
      readonly outerRtpPort: number;
      readonly innerRtpPort: number;
      readonly markTalkSpurts: boolean;
    }
  | {
      readonly type: 'arm';
      readonly receive: WireReceive;
      readonly send: WireSend;
      readonly clockRates: ClockRates;
    }
  | { readonly type: 'disarm' }
  | {
      readonly type: 'rekey';
      readonly receive: { readonly keys: readonly SrtpKeyMaterial[] } | null;
      readonly send: { readonly key: SrtpKeyMaterial; readonly ssrc: number } | null;
    }
  | { readonly type: 'clockRates'; readonly clockRates: ClockRates }
  | {
      readonly type: 'group';
      readonly keys: readonly GroupKey[] | null;
      readonly send: Exclude<WireSend, { clear: true }> | null;
    }
  | { readonly type: 'dropKeys'; readonly which: 'old' | 'new' }
  | {
      readonly type: 'remote';
      readonly side: 'outer' | 'inner';
      readonly leg: string;
      readonly address: MediaAddress | null;
    }
  | { readonly type: 'direction'; readonly direction: MediaDirection }
  | { readonly type: 'selectLeg'; readonly leg: string }
  | { readonly type: 'dropLeg'; readonly leg: string }
  /** binds one more port */
  | { readonly type: 'openFloor'; readonly port: number }
  | { readonly type: 'closeFloor' }
  | { readonly type: 'floor'; readonly setup: WireFloor | null }
  | { readonly type: 'floorCommand'; readonly command: FloorCommand }
  | { readonly type: 'stats' }
  | { readonly type: 'close' };

/** What the packet path carries out; the others are its host's. */
export type PathCommand = Exclude<
  SessionCommand,
  { type: 'open' | 'close' | 'stats' | 'openFloor' | 'closeFloor' }
>;

export interface ControlMessage {
  readonly id: number;
  readonly session: string;
  readonly command: SessionCommand;
}

/** `portBusy`: one of the four ports is taken by another program; another pair may be tried. */
export interface WireError {
  readonly code: SegyErrorCode;
  readonly message: string;
  readonly portBusy?: 'outer' | 'inner';
}

/** Packets since the last totals of this worker, all sessions together. */
export interface WorkerTotals {
  readonly toInner: number;
  readonly toOuter: number;
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  /** sessions whose counts changed, each with `TOTALS_FIELDS` numbers since its start */
  readonly sessions: readonly string[];
  readonly rows: Float64Array;
}

/** Columns of `WorkerTotals.rows`: packets each way, drops, authentication failures, lost, jitter. */
export const TOTALS_FIELDS = 6;

export type WorkerMessage =
  | {
      readonly type: 'ready';
      /** whether the thread runs at the niceness that it was told */
      readonly prioritised: boolean;
    }
  /** floor messages since the last such message, all sessions together */
  | { readonly type: 'floorTotals'; readonly totals: FloorStats }
  | {
      readonly type: 'reply';
      readonly id: number;
      readonly error: WireError | null;
      readonly stats: MediaStats | null;
    }
  | { readonly type: 'event'; readonly session: string; readonly event: MediaEvent }
  | { readonly type: 'totals'; readonly totals: WorkerTotals };

/** The key material in a command. */
export function keysOf(command: SessionCommand): readonly SrtpKeyMaterial[] {
  const keys: SrtpKeyMaterial[] = [];
  if (command.type === 'group' && command.send && 'key' in command.send) {
    keys.push(command.send.key);
  }
  if (command.type === 'floor' && command.setup?.keys) {
    keys.push(...command.setup.keys.receive, command.setup.keys.send);
  }
  if (command.type === 'arm' || command.type === 'rekey') {
    if (command.receive && 'keys' in command.receive) keys.push(...command.receive.keys);
    if (command.send && 'key' in command.send) keys.push(command.send.key);
  }
  return keys;
}

/** Every secret octet string in a command. */
export function secretsOf(command: SessionCommand): readonly Uint8Array[] {
  const srtp = keysOf(command).flatMap((key) => [key.masterKey, key.masterSalt]);
  return [...srtp, ...groupKeysOf(command).map((key) => key.gmk)];
}

function groupKeysOf(command: SessionCommand): readonly GroupKey[] {
  if (command.type === 'group') return command.keys ?? [];
  return command.type === 'arm' && 'group' in command.receive ? command.receive.group : [];
}

/** The buffers of key octets in a command, to be transferred with it. */
export function keyBuffers(command: SessionCommand): ArrayBuffer[] {
  const buffers = secretsOf(command).map((secret) => secret.buffer);
  return buffers.filter((buffer): buffer is ArrayBuffer => buffer instanceof ArrayBuffer);
}
