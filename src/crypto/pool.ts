/**
 * SlowCrypto on worker threads.
 *
 * One bounded queue; callers take turns; each worker has one operation at a time. `prepare` goes to one worker
 * after the other, since each keeps tables of its own and the rest go on serving meanwhile. A worker that dies fails its operation alone and is replaced.
 *
 * | job state | event                | next    | effect                              |
 * |-----------|----------------------|---------|-------------------------------------|
 * | waiting   | a worker is free     | running | request posted, own copy wiped      |
 * | waiting   | abort, close         | done    | SEGY_E_CANCELLED                    |
 * | running   | answer               | done    | result or error                     |
 * | running   | abort, close         | done    | SEGY_E_CANCELLED, the answer dropped |
 * | running   | the worker dies      | done    | SEGY_E_INTERNAL                     |
 */
import { Worker } from 'node:worker_threads';
import { type Log, type Metrics, silentLog, silentMetrics } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { LagBoard } from '../base/loop-lag.js';
import { FairQueue } from './fair-queue.js';
import type { SakkeTableLimits } from './sakke.js';
import {
  type SlowCrypto,
  type SlowOptions,
  type SlowRequest,
  type SlowResult,
  checkRequest,
  copyRequest,
  slowCryptoOver,
  wipeRequest,
} from './slow-crypto.js';
import type { WorkerAnswer, WorkerJob, WorkerSettings } from './worker-protocol.js';

export interface CryptoPoolOptions {
  /** worker threads, 1 to 256 */
  readonly workers: number;
  /** operations that may wait, over all callers; beyond that SEGY_E_BUSY */
  readonly queueLimit: number;
  /** tables that each worker keeps */
  readonly tables?: SakkeTableLimits;
  readonly log?: Log;
  /** gets `segy_crypto_operations_total` by operation and outcome, and `segy_crypto_waiting` */
  readonly metrics?: Metrics;
  /** where the workers tell that their event loops are late */
  readonly lags?: LagBoard;
  /** the worker's program, for tests */
  readonly workerUrl?: URL;
}

interface Job {
  readonly id: number;
  readonly caller: string;
  readonly request: SlowRequest;
  /** settles the promise; only the first call counts */
  readonly settle: (outcome: SlowResult | SegyError) => void;
}

interface Slot {
  worker: Worker | null;
  running: Job | null;
  /** jobs for this worker alone */
  readonly pinned: FairQueue<Job>;
}

/** @throws SegyError SEGY_E_ARGUMENT on an option out of range */
export function createCryptoPool(options: CryptoPoolOptions): SlowCrypto {
  const pool = new CryptoPool(options);
  return slowCryptoOver(
    (request, slowOptions) => pool.run(request, slowOptions),
    () => pool.close(),
  );
}

class CryptoPool {
  readonly #slots: Slot[];
  readonly #queue: FairQueue<Job>;
  readonly #waiting = new Set<Job>();
  readonly #settings: Omit<WorkerSettings, 'lag'>;
  readonly #lags: LagBoard;
  readonly #workerUrl: URL;
  readonly #log: Log;
  readonly #metrics: Metrics;
  #nextId = 1;
  #closed = false;

  constructor(options: CryptoPoolOptions) {
    expectCount(options.workers, 256, 'workers');
    expectCount(options.queueLimit, 1_000_000, 'queueLimit');
    this.#queue = new FairQueue(options.queueLimit);
    this.#settings = { tables: { ...options.tables } };
    this.#workerUrl = options.workerUrl ?? new URL('./worker.js', import.meta.url);
    this.#lags = options.lags ?? new LagBoard();
    this.#log = options.log ?? silentLog;
    this.#metrics = options.metrics ?? silentMetrics;
    this.#slots = Array.from({ length: options.workers }, () => ({
      worker: null,
      running: null,
      pinned: new FairQueue<Job>(options.queueLimit),
    }));
  }

  async run(request: SlowRequest, options: SlowOptions): Promise<SlowResult> {
    checkRequest(request);
    if (request.op !== 'prepare') return this.#submit(request, options, this.#queue);
    for (const slot of this.#slots) await this.#submit(request, options, slot.pinned);
    return undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const closed = new SegyError('SEGY_E_CANCELLED', 'the crypto pool is closed');
    for (const job of [...this.#waiting]) this.#drop(job, closed);
    for (const slot of this.#slots) slot.running?.settle(closed);
    await Promise.all(this.#slots.map(async (slot) => slot.worker?.terminate()));
  }

  #submit(
    original: SlowRequest,
    { signal, caller = '' }: SlowOptions,
    queue: FairQueue<Job>,
  ): Promise<SlowResult> {
    return new Promise((resolve, reject) => {
      const cancelled = new SegyError('SEGY_E_CANCELLED', 'cancelled by its caller');
      if (this.#closed || signal?.aborted === true) {
        reject(
          this.#closed ? new SegyError('SEGY_E_CANCELLED', 'the crypto pool is closed') : cancelled,
        );
        return;
      }
      const onAbort = (): void => this.#drop(job, cancelled);
      let settled = false;
      const job: Job = {
        id: this.#nextId++,
        caller,
        request: copyRequest(original),
        settle: (outcome) => {
          if (settled) return;
          settled = true;
          signal?.removeEventListener('abort', onAbort);
          this.#count(original.op, outcome instanceof SegyError ? outcome.code : 'ok');
          if (outcome instanceof SegyError) reject(outcome);
          else resolve(outcome);
        },
      };
      if (!queue.push(caller, job)) {
        wipeRequest(job.request);
        job.settle(new SegyError('SEGY_E_BUSY', 'the crypto queue is full'));
        return;
      }
      this.#waiting.add(job);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#dispatch();
    });
  }

  /** Settles a job early: it leaves the queue, or its answer will find it settled. */
  #drop(job: Job, error: SegyError): void {
    if (this.#waiting.delete(job)) {
      const removed = this.#queue.remove(job.caller, job);
      if (!removed) for (const slot of this.#slots) slot.pinned.remove(job.caller, job);
      wipeRequest(job.request);
    }
    job.settle(error);
  }

  #count(operation: string, outcome: string): void {
    this.#metrics.count('segy_crypto_operations_total', { operation, outcome });
    this.#tellWaiting();
  }

  #tellWaiting(): void {
    this.#metrics.gauge('segy_crypto_waiting', this.#waiting.size);
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      if (this.#closed) return;
      if (slot.running !== null) continue;
      const job = slot.pinned.take() ?? this.#queue.take();
      if (job === undefined) continue;
      this.#waiting.delete(job);
      slot.running = job;
      slot.worker ??= this.#start(slot);
      slot.worker.ref();
      slot.worker.postMessage({ id: job.id, request: job.request } satisfies WorkerJob);
      wipeRequest(job.request);
    }
    this.#tellWaiting();
  }

  #start(slot: Slot): Worker {
    const lag = this.#lags.cell('crypto', this.#slots.indexOf(slot));
    const workerData: WorkerSettings = { ...this.#settings, lag };
    const worker = new Worker(this.#workerUrl, { workerData, name: 'segy-crypto' });
    let cause: unknown;
    worker.on('message', (answer: WorkerAnswer) => this.#answered(slot, answer));
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', (exitCode) => {
      const job = slot.running;
      slot.worker = null;
      slot.running = null;
      if (this.#closed) return;
      this.#log.error('crypto.worker.died', { exitCode });
      job?.settle(new SegyError('SEGY_E_INTERNAL', 'a crypto worker died', { cause }));
      this.#dispatch();
    });
    return worker;
  }

  #answered(slot: Slot, answer: WorkerAnswer): void {
    const job = slot.running;
    if (job?.id !== answer.id) return;
    slot.running = null;
    slot.worker?.unref();
    job.settle(answer.ok ? answer.result : new SegyError(answer.code, answer.message));
    this.#dispatch();
  }
}

function expectCount(value: number, max: number, name: string): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > max) {
    throw new SegyError('SEGY_E_ARGUMENT', `${name} is not an integer from 1 to ${max}`);
  }
}
