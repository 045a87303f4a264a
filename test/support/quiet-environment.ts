/** The platform's clock, timers and randomness, with a log and metrics that nobody reads. */
import {
  silentLog,
  silentMetrics,
  systemClock,
  systemRandom,
  systemTimers,
  type Environment,
} from '../../src/base/environment.js';

export const quietEnvironment: Environment = {
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
  log: silentLog,
  metrics: silentMetrics,
};
