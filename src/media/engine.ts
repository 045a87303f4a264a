/**
 * Control side of all media: workers, ports, and the sessions on them.
 *
 * A worker that dies takes its sessions with it: each says `ended`, and the worker is started again,
 * after a pause that grows while it keeps dying.
 */
import type { Environment } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { isLoopback } from '../base/address.js';
import { toHex } from '../base/bytes.js';
import { LagBoard } from '../base/loop-lag.js';
import {
  DEFAULT_MEDIA_LIMITS,
  normaliseAddress,
  type MediaEngineOptions,
  type MediaLimits,
} from './options.js';
import { DEFAULT_MEDIA_NICE } from './priority.js';
import { PortPool } from './port-pool.js';
import type { SessionCommand, WorkerConfig } from './protocol.js';
import { createSendingMemory, type SendingMemory } from './sending-memory.js';
import { EngineSession, type SessionOwner } from './session.js';
import { Totals } from './totals.js';
import type {
  AllocateRequest,
  DropReason,
  EngineStats,
  MediaEngine,
  MediaEvent,
  MediaSession,
  MediaStats,
  SessionTotals,
} from './types.js';
import { WorkerLink, WorkerRefusal } from './worker-link.js';

const RESTART_MIN_MS = 100;
const RESTART_MAX_MS = 10_000;
/** drops that ordinary calls have, too; not worth a warning */
const ORDINARY_DROPS: ReadonlySet<DropReason> = new Set([
  'disarmed',
  'held',
  'duplicate',
  'late',
  'other-source',
  'no-remote',
  'leg',
  'no-floor',
  'keying',
]);

interface Slot {
  link: WorkerLink;
  readonly sessions: Map<string, EngineSession>;
  restartMs: number;
}

/** Ports of a session, and its outer address. */
interface Bound {
  readonly outer: number;
  readonly inner: number;
  readonly outerAddress: string;
}

class Engine implements MediaEngine {
  readonly #env: Environment;
  readonly #limits: MediaLimits;
  readonly #config: Omit<WorkerConfig, 'lag'>;
  readonly #lags: LagBoard;
  readonly #totals: Totals;
  readonly #sending: SendingMemory;
  readonly #outerPorts: PortPool;
  readonly #outerAddresses: readonly string[];
  readonly #innerPorts: PortPool;
  readonly #slots: Slot[] = [];
  #restarts = 0;
  #closed = false;

  constructor(options: MediaEngineOptions, env: Environment, sending: SendingMemory) {
    const { outer, inner, workers } = options;
    if (!Number.isInteger(workers) || workers < 1) {
      throw new SegyError('SEGY_E_ARGUMENT', 'at least one media worker is needed');
    }
    this.#env = env;
    this.#sending = sending;
    this.#totals = new Totals(env, (id) => this.#slots.some((slot) => slot.sessions.has(id)));
    this.#limits = { ...DEFAULT_MEDIA_LIMITS, ...options.limits };
    this.#lags = options.lags ?? new LagBoard();
    this.#outerAddresses = [outer.address, ...(outer.otherAddresses ?? [])].map(normaliseAddress);
    this.#outerPorts = new PortPool(outer, 'outer', env.random);
    this.#innerPorts = new PortPool(inner, 'inner', env.random);
    this.#config = {
      outerAddress: outer.address,
      innerAddress: inner.address,
      innerAllowed: allowedInner(options),
      limits: this.#limits,
      nice: options.nice ?? DEFAULT_MEDIA_NICE,
    };
    for (let i = 0; i < workers; i++) {
      const slot: Slot = { link: this.#link(i), sessions: new Map(), restartMs: RESTART_MIN_MS };
      this.#slots.push(slot);
    }
  }

  async ready(): Promise<void> {
    const prioritised = await Promise.all(this.#slots.map((slot) => slot.link.ready));
    if (prioritised.includes(false)) {
      this.#env.log.info('media.priority.refused', { nice: this.#config.nice });
    }
  }

  async allocate(request: AllocateRequest = {}): Promise<MediaSession> {
    const id = request.id ?? toHex(this.#env.random(8));
    if (this.#slots.some((slot) => slot.sessions.has(id))) {
      throw new SegyError('SEGY_E_ARGUMENT', 'a media session of this name exists');
    }
    const outerAddress = normaliseAddress(request.outerAddress ?? this.#config.outerAddress);
    if (!this.#outerAddresses.includes(outerAddress)) {
      throw new SegyError('SEGY_E_ARGUMENT', 'no media can be bound to this outer address');
    }
    const slot = this.#leastLoaded();
    const attempts = this.#outerPorts.size + this.#innerPorts.size;
    for (let i = 0; i <= attempts; i++) {
      const outer = this.#outerPorts.take();
      const inner = this.#innerPorts.take();
      if (outer === undefined || inner === undefined) {
        if (outer !== undefined) this.#outerPorts.release(outer);
        if (inner !== undefined) this.#innerPorts.release(inner);
        break;
      }
      const session = this.#session(id, slot, { outer, inner, outerAddress });
      slot.sessions.set(id, session);
      try {
        await slot.link.command(id, {
          type: 'open',
          outerAddress,
          outerRtpPort: outer,
          innerRtpPort: inner,
          markTalkSpurts: request.markTalkSpurts ?? true,
        });
        return session;
      } catch (error) {
        this.#release(slot, id, session, outer, inner);
        if (!(error instanceof WorkerRefusal && error.portBusy)) throw error;
        this.#env.log.warn('media.port.busy', { side: error.portBusy });
      }
    }
    throw new SegyError('SEGY_E_MEDIA_PORTS', 'no media port pair is free');
  }

  stats(): Promise<EngineStats> {
    return Promise.resolve({
      workers: this.#slots.filter((slot) => slot.link.running).length,
      workerRestarts: this.#restarts,
      sessions: this.#slots.reduce((sum, slot) => sum + slot.sessions.size, 0),
      freePorts: { outer: this.#outerPorts.size, inner: this.#innerPorts.size },
    });
  }

  totals(session: string): SessionTotals | undefined {
    return this.#totals.of(session);
  }

  async sessionStats(id: string): Promise<MediaStats> {
    const session = this.#slots.map((slot) => slot.sessions.get(id)).find((each) => each);
    if (!session) throw new SegyError('SEGY_E_NOT_FOUND', 'there is no media session of this name');
    return session.stats();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const sessions = this.#slots.flatMap((slot) => [...slot.sessions.values()]);
    await Promise.all(sessions.map((session) => session.close()));
    await Promise.all(this.#slots.map((slot) => slot.link.close()));
  }

  #session(id: string, slot: Slot, { outer, inner, outerAddress }: Bound): EngineSession {
    const { log, random } = this.#env;
    const session: EngineSession = new EngineSession(
      id,
      { address: outerAddress, rtpPort: outer, rtcpPort: outer + 1 },
      { address: this.#config.innerAddress, rtpPort: inner, rtcpPort: inner + 1 },
      {
        log,
        random,
        sending: this.#sending,
        command: (command: SessionCommand) => slot.link.command(id, command),
        released: () => this.#release(slot, id, session, outer, inner),
        ...this.#floorPorts(slot, id, outerAddress),
      },
    );
    return session;
  }

  /** The one more port of a session with floor control. */
  #floorPorts(
    slot: Slot,
    id: string,
    address: string,
  ): Pick<SessionOwner, 'bindFloor' | 'releaseFloor'> {
    let held: number | null = null;
    const release = (): void => {
      if (held !== null) this.#outerPorts.release(held);
      held = null;
    };
    return {
      bindFloor: async () => {
        for (let attempts = this.#outerPorts.size; attempts > 0; attempts--) {
          const port = this.#outerPorts.take();
          if (port === undefined) break;
          held = port;
          try {
            await slot.link.command(id, { type: 'openFloor', port });
            return { address, port };
          } catch (error) {
            release();
            if (!(error instanceof WorkerRefusal && error.portBusy)) throw error;
          }
        }
        throw new SegyError('SEGY_E_MEDIA_PORTS', 'no port is free for floor control');
      },
      releaseFloor: release,
    };
  }

  #release(slot: Slot, id: string, session: EngineSession, outer: number, inner: number): void {
    if (slot.sessions.get(id) !== session) return;
    slot.sessions.delete(id);
    this.#totals.forget(id);
    this.#outerPorts.release(outer);
    this.#innerPorts.release(inner);
  }

  #leastLoaded(): Slot {
    const usable = this.#slots.filter((slot) => slot.link.running && !this.#closed);
    const [slot] = usable.sort((a, b) => a.sessions.size - b.sessions.size);
    if (!slot) throw new SegyError('SEGY_E_MEDIA_ENDED', 'no media worker is running');
    if (slot.sessions.size >= this.#limits.sessionsPerWorker) {
      throw new SegyError(
        'SEGY_E_MEDIA_PORTS',
        'the media workers carry as many sessions as allowed',
      );
    }
    return slot;
  }

  #link(index: number): WorkerLink {
    const config = { ...this.#config, lag: this.#lags.cell('media', index) };
    return new WorkerLink(config, this.#env.timers, {
      event: (session, event) => this.#onEvent(index, session, event),
      totals: (totals) => this.#totals.take(totals),
      floorTotals: (totals) => this.#totals.takeFloor(totals),
      gone: (error) => this.#onGone(index, error),
    });
  }

  #onEvent(index: number, id: string, event: MediaEvent): void {
    if (event.type === 'dropped') {
      const reasons = Object.keys(event.counts) as DropReason[];
      const level = reasons.every((reason) => ORDINARY_DROPS.has(reason)) ? 'debug' : 'warn';
      this.#env.log[level]('media.dropped', {
        session: id,
        direction: event.direction,
        ...event.counts,
      });
    }
    this.#slots[index]?.sessions.get(id)?.emit(event);
  }

  #onGone(index: number, error: Error | null): void {
    const slot = this.#slots[index];
    if (!slot) return;
    const sessions = [...slot.sessions.values()];
    this.#env.log.error('media.worker.gone', {
      worker: index,
      sessions: sessions.length,
      error: error ? error.message : 'ended',
    });
    this.#env.metrics.count('segy_media_worker_restarts_total');
    for (const session of sessions) session.lost();
    if (this.#closed) return;
    this.#restarts += 1;
    const pause = slot.restartMs;
    slot.restartMs = Math.min(pause * 2, RESTART_MAX_MS);
    this.#env.timers.setTimeout(() => {
      if (this.#closed) return;
      slot.link = this.#link(index);
      slot.link.ready.then(
        () => this.#env.log.info('media.worker.up', { worker: index }),
        () => undefined,
      );
    }, pause);
  }
}

function allowedInner(options: MediaEngineOptions): readonly string[] {
  const { address, allowedAddresses } = options.inner;
  const allowed = allowedAddresses ?? [
    address,
    ...(isLoopback(address) ? ['127.0.0.1', '::1'] : []),
  ];
  return allowed.map(normaliseAddress);
}

/**
 * Starts the workers.
 * @param sending default: a memory that lasts as long as the engine
 * @throws SegyError SEGY_E_ARGUMENT for unusable options
 */
export async function createMediaEngine(
  options: MediaEngineOptions,
  env: Environment,
  sending: SendingMemory = createSendingMemory(),
): Promise<MediaEngine> {
  const engine = new Engine(options, env, sending);
  try {
    await engine.ready();
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine;
}
