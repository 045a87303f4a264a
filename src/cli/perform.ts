/**
 * Carries an action out: in the running gateway where one listens, else here, on the state itself.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { adminCall } from '../admin/client.js';
import { toSegyError } from '../base/errors.js';
import type { SegyError } from '../base/errors.js';
import type { SegyConfig } from '../config/index.js';
import type { ActionName, BodyOf, ResultOf } from './actions/index.js';
import { socketOf } from './state-options.js';
import type { TargetOptions } from './state-options.js';

/** A gateway that starts has the store open before it takes commands. */
const START_PATIENCE_MS = 5000;
const TRY_AGAIN_MS = 200;

export interface PerformOptions {
  /** of the file that the command was given; the running gateway has its own */
  readonly config?: SegyConfig;
  readonly onEvent?: (value: unknown) => void;
}

/**
 * @throws SegyError SEGY_E_STORE_LOCKED when another process has the store open that takes no
 *   commands, and whatever the action throws
 */
export async function perform<N extends ActionName>(
  name: N,
  body: BodyOf<N>,
  target: TargetOptions,
  options: PerformOptions = {},
): Promise<ResultOf<N>> {
  const giveUp = performance.now() + START_PATIENCE_MS;
  for (;;) {
    try {
      // What the running gateway sends is what the same action returns here.
      return (await adminCall(socketOf(target), name, body, options.onEvent)) as ResultOf<N>;
    } catch (error) {
      if (codeOf(error) !== 'SEGY_E_NOT_RUNNING') throw error;
    }
    try {
      const { performAlone } = await import('./perform-alone.js');
      return (await performAlone(name, body, target, options)) as ResultOf<N>;
    } catch (error) {
      if (codeOf(error) !== 'SEGY_E_STORE_LOCKED' || performance.now() > giveUp) throw error;
    }
    await sleep(TRY_AGAIN_MS);
  }
}

function codeOf(error: unknown): SegyError['code'] {
  return toSegyError(error).code;
}
