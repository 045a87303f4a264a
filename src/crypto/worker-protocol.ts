/** What the pool and its workers say to each other. */
import type { SegyErrorCode } from '../base/errors.js';
import type { LagCell } from '../base/loop-lag.js';
import type { SakkeTableLimits } from './sakke.js';
import type { SlowRequest, SlowResult } from './slow-crypto.js';

/** workerData of a worker thread. */
export interface WorkerSettings {
  readonly tables: SakkeTableLimits;
  /** where the worker tells that its event loop is late */
  readonly lag: LagCell;
}

/** Pool to worker. One at a time: the next follows the answer to the last. */
export interface WorkerJob {
  readonly id: number;
  readonly request: SlowRequest;
}

/** Worker to pool. */
export type WorkerAnswer =
  | { readonly id: number; readonly ok: true; readonly result: SlowResult }
  | {
      readonly id: number;
      readonly ok: false;
      readonly code: SegyErrorCode;
      readonly message: string;
    };
