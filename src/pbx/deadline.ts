/**
 * Waiting that ends: a promise with a deadline, a pause that a signal cuts short.
 */
import type { Timers } from '../base/environment.js';
import { SegyError } from '../base/errors.js';

/**
 * The outcome of `work`, or a rejection with SEGY_E_TIMEOUT after `ms` milliseconds or SEGY_E_CANCELLED
 * on `signal`. What `work` does after that is ignored, a rejection included.
 */
export function withDeadline<T>(
  work: Promise<T>,
  ms: number,
  timers: Timers,
  what: string,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const settle = (): void => {
      timers.clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    };
    const timer = timers.setTimeout(() => {
      settle();
      reject(new SegyError('SEGY_E_TIMEOUT', `${what} did not finish within ${ms} ms`));
    }, ms);
    const cancel = (): void => {
      settle();
      reject(new SegyError('SEGY_E_CANCELLED', `${what} was cancelled`));
    };
    signal?.addEventListener('abort', cancel);
    work.then(
      (value) => {
        settle();
        resolve(value);
      },
      (error: unknown) => {
        settle();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
    if (signal?.aborted === true) cancel();
  });
}

/** Resolves after `ms` milliseconds, or at once when `signal` is or becomes aborted. */
export function pause(ms: number, timers: Timers, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      timers.clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = timers.setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
