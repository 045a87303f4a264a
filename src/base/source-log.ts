/**
 * Security events with a limit: the first of a kind from a source is logged at once, the rest of
 * that window are counted and told with the next one, so that a flood fills no disk. Counters
 * are never limited. At most `maxSources` pairs of kind and source are remembered.
 */
import type { Environment, LogFields } from './environment.js';
import type { SegyErrorCode } from './errors.js';

/** How long one kind from one source stays quiet, and how many are remembered. */
export interface SourceLogLimits {
  readonly windowMs: number;
  readonly maxSources: number;
  /** of one kind and source that are told one by one in each window */
  readonly told: number;
}

const DEFAULT_SOURCE_LOG_LIMITS: SourceLogLimits = {
  windowMs: 60_000,
  maxSources: 4096,
  told: 20,
};

export interface Refused {
  readonly code: SegyErrorCode;
  readonly side: string;
  /** address of the sender */
  readonly source: string;
  /** what was wrong, without octets from the wire */
  readonly message: string;
}

interface Quiet {
  until: number;
  suppressed: number;
}

export class SourceLog {
  readonly #env: Environment;
  readonly #limits: SourceLogLimits;
  readonly #quiet = new Map<string, Quiet>();

  constructor(env: Environment, limits: SourceLogLimits = DEFAULT_SOURCE_LOG_LIMITS) {
    this.#env = env;
    this.#limits = limits;
  }

  /**
   * Counts one refusal and logs it as `security.refused` unless its window is still open.
   * @param about what it belonged to, for the log
   */
  refused({ code, side, source, message }: Refused, about: LogFields = {}): void {
    this.#env.metrics.count('segy_refused_total', { code, side });
    const key = `${code} ${side} ${source}`;
    const now = this.#env.clock.now();
    const quiet = this.#quiet.get(key);
    if (quiet !== undefined && now < quiet.until) {
      quiet.suppressed += 1;
      // Whoever counts attempts by the security log needs the first few one by one.
      if (quiet.suppressed < this.#limits.told) {
        this.#env.log.debug('security.repeated', { code, side, source, ...about });
      }
      return;
    }
    this.#quiet.delete(key);
    this.#makeRoom(now);
    this.#quiet.set(key, { until: now + this.#limits.windowMs, suppressed: 0 });
    const repeated = quiet === undefined ? {} : { repeated: quiet.suppressed };
    this.#env.log.warn('security.refused', { code, side, source, message, ...about, ...repeated });
  }

  /** Entries are kept in order of their window, so the oldest go first. */
  #makeRoom(now: number): void {
    for (const [key, quiet] of this.#quiet) {
      const spent = quiet.until <= now && quiet.suppressed === 0;
      if (!spent && this.#quiet.size < this.#limits.maxSources) return;
      this.#quiet.delete(key);
    }
  }
}
