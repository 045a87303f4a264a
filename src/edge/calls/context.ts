/** What every call is made with, and the edge keeps for all of them. */
import type { EdgeDependencies } from '../dependencies.js';
import type { Refusals } from '../messages/refusal.js';
import type { Attempts } from './attempts.js';
import type { Call } from './call.js';
import type { CallRegistry } from './call-registry.js';
import type { Composer } from './compose.js';
import type { RetryKeys } from './retry-keys.js';

export interface EdgeContext {
  readonly deps: EdgeDependencies;
  readonly refusals: Refusals;
  readonly registry: CallRegistry;
  readonly composer: Composer;
  readonly retryKeys: RetryKeys;
  readonly attempts: Attempts;
  /** called when a call has ended */
  readonly onEnded: (call: Call) => void;
}
