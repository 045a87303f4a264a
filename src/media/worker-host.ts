/**
 * What a media worker runs: its sessions, their sockets and one timer for all of them.
 */
import type { Environment } from '../base/environment.js';
import { wipe } from '../base/bytes.js';
import { SegyError, toSegyError } from '../base/errors.js';
import type { DropCounts } from './counters.js';
import type { FloorDrop, FloorStats } from './floor-types.js';
import { MediaPath } from './path.js';
import { secretsOf, type ControlMessage, type SessionCommand } from './protocol.js';
import type { WireError, WorkerConfig, WorkerMessage } from './protocol.js';
import { FloorSocket, PortBusyError, SocketQuad } from './sockets.js';
import type { DropReason, MediaEvent, MediaStats } from './types.js';

const TICK_MS = 250;
const TOTALS_EVERY_TICKS = 4;

interface Entry {
  readonly outerAddress: string;
  readonly path: MediaPath;
  readonly sockets: SocketQuad;
  /** of floor control; null while it is not open */
  floor: FloorSocket | null;
  /** what the last totals said of this session */
  toInner: number;
  toOuter: number;
  dropped: DropCounts;
}

export interface HostEnvironment extends Pick<Environment, 'clock' | 'timers' | 'random'> {
  /** milliseconds that never go back */
  monotonic(): number;
}

export class MediaWorkerHost {
  readonly #config: WorkerConfig;
  readonly #env: HostEnvironment;
  readonly #post: (message: WorkerMessage) => void;
  readonly #innerAllowed: ReadonlySet<string>;
  readonly #entries = new Map<string, Entry>();
  #ticks = 0;

  constructor(config: WorkerConfig, env: HostEnvironment, post: (message: WorkerMessage) => void) {
    this.#config = config;
    this.#env = env;
    this.#post = post;
    this.#innerAllowed = new Set(config.innerAllowed);
    this.#schedule();
  }

  /** Carries out one command and posts its reply. */
  async handle(message: ControlMessage): Promise<void> {
    let error: WireError | null = null;
    let stats: MediaStats | null = null;
    try {
      stats = await this.#run(message.session, message.command);
    } catch (cause) {
      error = wireError(cause);
    } finally {
      wipe(...secretsOf(message.command));
    }
    this.#post({ type: 'reply', id: message.id, error, stats });
  }

  async #run(session: string, command: SessionCommand): Promise<MediaStats | null> {
    if (command.type === 'open') {
      await this.#open(session, command);
      return null;
    }
    const entry = this.#entries.get(session);
    if (command.type === 'close') {
      this.#close(session, entry);
      return null;
    }
    if (!entry) throw new SegyError('SEGY_E_MEDIA_ENDED', 'no such media session');
    if (command.type === 'stats') return entry.path.stats();
    if (command.type === 'openFloor') await this.#openFloor(entry, command.port);
    else if (command.type === 'closeFloor') closeFloor(entry);
    else entry.path.command(command);
    return null;
  }

  async #open(session: string, command: Extract<SessionCommand, { type: 'open' }>): Promise<void> {
    const config = this.#config;
    const addresses = {
      outerAddress: command.outerAddress ?? config.outerAddress,
      outerRtpPort: command.outerRtpPort,
      innerAddress: config.innerAddress,
      innerRtpPort: command.innerRtpPort,
      receiveBuffer: config.limits.receiveBuffer,
    };
    const sockets = await SocketQuad.open(addresses, (side, protocol, packet, address, port) => {
      if (protocol === 'rtp') {
        if (side === 'outer') path.onOuterRtp(packet, address, port);
        else path.onInnerRtp(packet, address, port);
      } else if (side === 'outer') path.onOuterRtcp(packet, address, port);
      else path.onInnerRtcp(packet, address);
    });
    const path = new MediaPath(
      session,
      {
        limits: config.limits,
        innerAllowed: this.#innerAllowed,
        random: this.#env.random,
        timers: this.#env.timers,
        monotonic: () => this.#env.monotonic(),
        unixMs: () => this.#env.clock.now(),
        sendRtp: (side, packet, port, address) => sockets.send(side, 'rtp', packet, port, address),
        sendRtcp: (side, packet, port, address) =>
          sockets.send(side, 'rtcp', packet, port, address),
        sendFloor: (packet, port, address) => entry.floor?.send(packet, port, address),
        emit: (event: MediaEvent) => this.#post({ type: 'event', session, event }),
      },
      command.markTalkSpurts,
    );
    const { outerAddress } = addresses;
    const entry: Entry = {
      path,
      sockets,
      outerAddress,
      floor: null,
      toInner: 0,
      toOuter: 0,
      dropped: {},
    };
    this.#entries.set(session, entry);
  }

  async #openFloor(entry: Entry, port: number): Promise<void> {
    const { limits } = this.#config;
    const at = { address: entry.outerAddress, port, receiveBuffer: limits.receiveBuffer };
    entry.floor = await FloorSocket.open(at, (packet, from) => entry.path.onFloor(packet, from));
  }

  #close(session: string, entry: Entry | undefined): void {
    if (!entry) return;
    entry.path.disarm();
    this.#postTotals();
    this.#entries.delete(session);
    entry.floor?.close();
    entry.sockets.close();
  }

  #postFloorTotals(): void {
    const counts = [...this.#entries.values()].map(({ path }) => path.floorCounters.since());
    const changed = counts.filter((more) => more !== null);
    if (changed.length > 0) this.#post({ type: 'floorTotals', totals: sumOfFloor(changed) });
  }

  #schedule(): void {
    this.#env.timers.setTimeout(() => {
      for (const entry of this.#entries.values()) entry.path.tick();
      this.#ticks += 1;
      if (this.#ticks % TOTALS_EVERY_TICKS === 0) this.#postTotals();
      this.#schedule();
    }, TICK_MS);
  }

  #postTotals(): void {
    this.#postFloorTotals();
    let toInner = 0;
    let toOuter = 0;
    const dropped: DropCounts = {};
    const sessions: string[] = [];
    const rows: number[] = [];
    for (const [session, entry] of this.#entries) {
      const { path } = entry;
      const counts = sumOf(path.toInner.dropped, path.toOuter.dropped);
      const all = total(counts);
      const moved = path.toInner.packets - entry.toInner + path.toOuter.packets - entry.toOuter;
      if (moved === 0 && all === total(entry.dropped)) continue;
      toInner += path.toInner.packets - entry.toInner;
      toOuter += path.toOuter.packets - entry.toOuter;
      for (const [key, count] of Object.entries(counts)) {
        const reason = key as DropReason;
        const more = count - (entry.dropped[reason] ?? 0);
        if (more > 0) dropped[reason] = (dropped[reason] ?? 0) + more;
      }
      entry.toInner = path.toInner.packets;
      entry.toOuter = path.toOuter.packets;
      entry.dropped = counts;
      sessions.push(session);
      const { lost, jitterMs } = path.reception;
      const authFailures = path.toInner.dropped.auth ?? 0;
      rows.push(entry.toInner, entry.toOuter, all, authFailures, lost, jitterMs);
    }
    if (sessions.length === 0) return;
    const totals = { toInner, toOuter, dropped, sessions, rows: Float64Array.from(rows) };
    this.#post({ type: 'totals', totals });
  }
}

function sumOf(...several: readonly Readonly<DropCounts>[]): DropCounts {
  const sum: DropCounts = {};
  for (const counts of several) {
    for (const [key, count] of Object.entries(counts)) {
      const reason = key as DropReason;
      sum[reason] = (sum[reason] ?? 0) + count;
    }
  }
  return sum;
}

function total(counts: Readonly<DropCounts>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function closeFloor(entry: Entry): void {
  entry.path.command({ type: 'floor', setup: null });
  entry.floor?.close();
  entry.floor = null;
}

function sumOfFloor(several: readonly FloorStats[]): FloorStats {
  const dropped: Partial<Record<FloorDrop, number>> = {};
  let [received, sent] = [0, 0];
  for (const more of several) {
    received += more.received;
    sent += more.sent;
    for (const reason of Object.keys(more.dropped) as FloorDrop[]) {
      dropped[reason] = (dropped[reason] ?? 0) + (more.dropped[reason] ?? 0);
    }
  }
  return { received, sent, dropped };
}

function wireError(cause: unknown): WireError {
  if (cause instanceof PortBusyError) {
    return { code: 'SEGY_E_MEDIA_PORTS', message: cause.message, portBusy: cause.side };
  }
  const error = toSegyError(cause);
  return { code: error.code, message: error.message };
}
