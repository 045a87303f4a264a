/**
 * Control side of one media worker: commands with deadlines, and its end noticed.
 */
import { Worker } from 'node:worker_threads';
import type { TimerHandle, Timers } from '../base/environment.js';
import { SegyError, type SegyErrorCode } from '../base/errors.js';
import {
  keyBuffers,
  type SessionCommand,
  type WireError,
  type WorkerConfig,
  type WorkerMessage,
  type WorkerTotals,
} from './protocol.js';
import type { FloorStats } from './floor-types.js';
import type { MediaEvent, MediaStats } from './types.js';

export interface WorkerLinkHandlers {
  event(session: string, event: MediaEvent): void;
  totals(totals: WorkerTotals): void;
  floorTotals(totals: FloorStats): void;
  /** the thread is gone; called once, not after `close` */
  gone(error: Error | null): void;
}

/** A command that its worker refused, with what the worker said. */
export class WorkerRefusal extends SegyError {
  readonly portBusy: 'outer' | 'inner' | null;

  constructor(error: WireError) {
    super(error.code, error.message);
    this.portBusy = error.portBusy ?? null;
  }
}

interface Pending {
  readonly resolve: (stats: MediaStats | null) => void;
  readonly reject: (error: Error) => void;
  readonly timer: TimerHandle;
}

export class WorkerLink {
  readonly #worker: Worker;
  readonly #timers: Timers;
  readonly #commandMs: number;
  readonly #handlers: WorkerLinkHandlers;
  readonly #pending = new Map<number, Pending>();
  readonly #ready: Promise<boolean>;
  #nextId = 1;
  #state: 'running' | 'gone' | 'closed' = 'running';
  #error: Error | null = null;

  constructor(config: WorkerConfig, timers: Timers, handlers: WorkerLinkHandlers) {
    this.#timers = timers;
    this.#commandMs = config.limits.commandMs;
    this.#handlers = handlers;
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: config });
    this.#ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (message: WorkerMessage) => {
        if (message.type === 'ready') resolve(message.prioritised);
        else this.#onMessage(message);
      });
      this.#worker.on('exit', () => {
        reject(ended());
        this.#onExit();
      });
    });
    this.#ready.catch(() => undefined);
    this.#worker.on('error', (error) => (this.#error = error));
  }

  get running(): boolean {
    return this.#state === 'running';
  }

  /**
   * Resolves when the thread takes commands, with whether it runs at the niceness asked for.
   * @throws SegyError SEGY_E_MEDIA_ENDED when it ended first
   */
  get ready(): Promise<boolean> {
    return this.#ready;
  }

  /**
   * Sends one command. Key material in it is transferred: it must be the sender's own copy.
   * @throws WorkerRefusal; SegyError SEGY_E_MEDIA_ENDED when the worker is gone or does not answer
   */
  command(session: string, command: SessionCommand): Promise<MediaStats | null> {
    if (this.#state !== 'running') return Promise.reject(ended());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = this.#timers.setTimeout(() => {
        void this.#worker.terminate();
      }, this.#commandMs);
      this.#pending.set(id, { resolve, reject, timer });
      this.#worker.postMessage({ id, session, command }, keyBuffers(command));
    });
  }

  /** Ends the thread; pending commands fail. */
  async close(): Promise<void> {
    if (this.#state === 'running') this.#state = 'closed';
    await this.#worker.terminate();
    this.#failPending();
  }

  #onMessage(message: Exclude<WorkerMessage, { type: 'ready' }>): void {
    if (message.type === 'event') {
      this.#handlers.event(message.session, message.event);
      return;
    }
    if (message.type === 'floorTotals') {
      this.#handlers.floorTotals(message.totals);
      return;
    }
    if (message.type === 'totals') {
      this.#handlers.totals(message.totals);
      return;
    }
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    this.#pending.delete(message.id);
    this.#timers.clearTimeout(pending.timer);
    if (message.error) pending.reject(new WorkerRefusal(message.error));
    else pending.resolve(message.stats);
  }

  #onExit(): void {
    const wasRunning = this.#state === 'running';
    this.#state = this.#state === 'closed' ? 'closed' : 'gone';
    this.#failPending();
    if (wasRunning) this.#handlers.gone(this.#error);
  }

  #failPending(): void {
    for (const pending of this.#pending.values()) {
      this.#timers.clearTimeout(pending.timer);
      pending.reject(ended());
    }
    this.#pending.clear();
  }
}

function ended(code: SegyErrorCode = 'SEGY_E_MEDIA_ENDED'): SegyError {
  return new SegyError(code, 'the media worker has ended');
}
