/**
 * One control link, kept up for ever: opened, resynchronised, probed, and opened anew when it is lost.
 *
 * | state      | commands                | left by                                                   |
 * |------------|-------------------------|-----------------------------------------------------------|
 * | connecting | SEGY_E_PBX_DOWN         | link open and resync done → up; any failure → waiting       |
 * | up         | sent, with a deadline   | link reported down, a probe unanswered → waiting            |
 * | waiting    | SEGY_E_PBX_DOWN         | back-off with jitter over → connecting                      |
 * | stopped    | SEGY_E_PBX_DOWN         | `start`                                                   |
 */
import type { Environment } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import { pause, withDeadline } from './deadline.js';
import type { LinkListener, PbxDriver, PbxEvent, PbxLink } from './driver.js';

/** Limits of a link, in milliseconds. */
export interface LinkLimits {
  /** for the answer to one command */
  readonly commandMs: number;
  /** for opening a link, log-in included */
  readonly connectMs: number;
  /** between two probes of an idle link */
  readonly probeEveryMs: number;
  /** back-off after the first failure, doubled after each further one */
  readonly backOffMs: number;
  /** the longest back-off */
  readonly backOffLimitMs: number;
}

/** What a supervised link tells; a link is up only between `up` and `down`. */
export interface LinkUser {
  /** may come from the moment a link is being opened */
  event(event: PbxEvent): void;
  /**
   * A link is open: puts what is known of the channels in line with the PBX.
   * @param inTime puts the deadline of one command on a wait
   * @returns identifiers of all channels that live now
   */
  resync(link: PbxLink, inTime: <T>(work: Promise<T>) => Promise<T>): Promise<ReadonlySet<string>>;
  up(live: ReadonlySet<string>): void;
  down(): void;
}

export const downError = (): SegyError => new SegyError('SEGY_E_PBX_DOWN', 'the PBX link is down');

export class SupervisedLink {
  readonly #driver: PbxDriver;
  readonly #env: Environment;
  readonly #limits: LinkLimits;
  readonly #user: LinkUser;
  #link: PbxLink | undefined;
  #running: { stop: AbortController; ended: Promise<void> } | undefined;
  /** what to call when the link is lost */
  readonly #onLost = new Set<() => void>();

  constructor(driver: PbxDriver, env: Environment, limits: LinkLimits, user: LinkUser) {
    this.#driver = driver;
    this.#env = env;
    this.#limits = limits;
    this.#user = user;
  }

  get isUp(): boolean {
    return this.#link !== undefined;
  }

  start(): void {
    if (this.#running !== undefined) return;
    const stop = new AbortController();
    this.#running = { stop, ended: this.#supervise(stop.signal) };
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.stop.abort();
    await running?.ended;
  }

  /** Calls `lost` when the link is lost, until the returned function is called. */
  whenLost(lost: () => void): () => void {
    this.#onLost.add(lost);
    return () => this.#onLost.delete(lost);
  }

  /** Runs one command on the link. @throws SegyError SEGY_E_PBX_DOWN, SEGY_E_TIMEOUT, or its own */
  async command<T>(what: string, send: (link: PbxLink) => Promise<T>): Promise<T> {
    const link = this.#link;
    if (link === undefined) throw downError();
    try {
      const answer = withDeadline(
        send(link),
        this.#limits.commandMs,
        this.#env.timers,
        `the PBX command to ${what}`,
      );
      return await this.#untilLost(answer);
    } catch (error) {
      this.#env.metrics.count('segy_pbx_command_failures_total', { pbx: this.#driver.name });
      throw toSegyError(error);
    }
  }

  /** `work`, or a rejection with SEGY_E_PBX_DOWN as soon as the link is lost. */
  #untilLost<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const forget = this.whenLost(() => reject(downError()));
      void work.then(resolve, reject).finally(forget);
    });
  }

  async #supervise(stop: AbortSignal): Promise<void> {
    const { clock, log, timers, random } = this.#env;
    const { backOffMs, backOffLimitMs } = this.#limits;
    const pbx = this.#driver.name;
    const stopped = (): boolean => stop.aborted;
    let failures = 0;
    while (!stopped()) {
      const begun = clock.now();
      try {
        const reason = await this.#liveOnce(stop);
        // Two gateways on one PBX take the link from each other: a short life is a failure too.
        if (clock.now() - begun > backOffLimitMs) failures = 0;
        if (!stopped()) log.warn('pbx.link.down', { pbx, reason });
      } catch (error) {
        const level = failures === 0 ? 'warn' : 'debug';
        if (!stopped()) log[level]('pbx.link.failed', { pbx, reason: toSegyError(error).message });
      }
      const ceiling = Math.min(backOffLimitMs, backOffMs * 2 ** Math.min(failures, 20));
      failures++;
      await pause((ceiling * (256 + (random(1)[0] ?? 0))) / 512, timers, stop);
    }
  }

  /** One link from opening to loss. @returns why it ended. @throws when it never came up */
  async #liveOnce(stop: AbortSignal): Promise<string> {
    const { timers } = this.#env;
    const { connectMs, commandMs } = this.#limits;
    const attempt = new AbortController();
    let reason = '';
    const listener: LinkListener = {
      event: (event) => {
        if (!attempt.signal.aborted) this.#user.event(event);
      },
      down: (why) => {
        if (reason === '') reason = why;
        attempt.abort();
      },
    };
    const stopped = (): void => listener.down('stopped');
    stop.addEventListener('abort', stopped);
    const opening = this.#driver.connect(listener, attempt.signal);
    let link: PbxLink | undefined;
    try {
      link = await withDeadline(opening, connectMs, timers, 'log-in', attempt.signal);
      const live = await this.#user.resync(link, (work) =>
        withDeadline(work, commandMs, timers, 'resync', attempt.signal),
      );
      this.#up(link, live);
      await this.#probe(link, attempt.signal, (why) => listener.down(why));
      return reason;
    } finally {
      stop.removeEventListener('abort', stopped);
      attempt.abort();
      this.#down();
      if (link !== undefined) await link.close();
      else void opening.then((late) => late.close()).catch(() => undefined);
    }
  }

  async #probe(link: PbxLink, ended: AbortSignal, dead: (why: string) => void): Promise<void> {
    const { timers } = this.#env;
    const { probeEveryMs, commandMs } = this.#limits;
    const isOver = (): boolean => ended.aborted;
    while (!isOver()) {
      await pause(probeEveryMs, timers, ended);
      if (isOver()) return;
      try {
        await withDeadline(link.probe(), commandMs, timers, 'probe', ended);
      } catch (error) {
        dead(toSegyError(error).message);
      }
    }
  }

  #up(link: PbxLink, live: ReadonlySet<string>): void {
    this.#link = link;
    this.#env.metrics.gauge('segy_pbx_link', 1, { pbx: this.#driver.name });
    this.#env.log.info('pbx.link.up', { pbx: this.#driver.name, channels: live.size });
    this.#user.up(live);
  }

  #down(): void {
    if (this.#link === undefined) return;
    this.#link = undefined;
    this.#env.metrics.gauge('segy_pbx_link', 0, { pbx: this.#driver.name });
    for (const lost of [...this.#onLost]) lost();
    this.#user.down();
  }
}
