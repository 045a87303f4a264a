/**
 * The port over any driver: keeps one link up for ever, matches channels, hands them out, tells when
 * they end.
 *
 * Link states:
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
import type {
  InboundChannelRequest,
  OutboundChannelRequest,
  PbxChannel,
  PbxPort,
} from '../edge/ports/pbx-port.js';
import { type ChannelOwner, PortChannel } from './channel.js';
import { pause, withDeadline } from './deadline.js';
import type { ChannelFacts, LinkListener, PbxDriver, PbxEvent, PbxLink } from './driver.js';
import { resync } from './resync.js';
import { ChannelTable } from './table.js';

/** Limits of a port; milliseconds unless said otherwise. */
export interface PortOptions {
  /** for the answer to one command; default 2000 */
  readonly commandMs?: number;
  /** for opening a link, log-in included; default 5000 */
  readonly connectMs?: number;
  /** between two probes of an idle link; default 5000 */
  readonly probeEveryMs?: number;
  /** back-off after the first failure, doubled after each further one; default 250 */
  readonly backOffMs?: number;
  /** the longest back-off; default 10000 */
  readonly backOffLimitMs?: number;
  /** unclaimed channels remembered, a count; default 20000 */
  readonly rememberedChannels?: number;
}

const DEFAULTS: Required<PortOptions> = {
  commandMs: 2000,
  connectMs: 5000,
  probeEveryMs: 5000,
  backOffMs: 250,
  backOffLimitMs: 10_000,
  rememberedChannels: 20_000,
};

/** Orphans are looked at this many at a time. */
const ORPHAN_BATCH = 8;

const downError = (): SegyError => new SegyError('SEGY_E_PBX_DOWN', 'the PBX link is down');

export function createPort(
  driver: PbxDriver,
  environment: Environment,
  options: PortOptions = {},
): PbxPort {
  return new SupervisedPort(driver, environment, { ...DEFAULTS, ...options });
}

class SupervisedPort implements PbxPort, ChannelOwner {
  onLink?: (up: boolean) => void;
  onResync?: (live: ReadonlySet<string>) => void;

  readonly #driver: PbxDriver;
  readonly #env: Environment;
  readonly #options: Required<PortOptions>;
  readonly #table: ChannelTable;
  #link: PbxLink | undefined;
  #running: { stop: AbortController; ended: Promise<void> } | undefined;
  /** channels that were there when this run first saw the PBX */
  #found: ReadonlySet<string> | undefined;
  /** Call-IDs of those who want to be looked for; null while nobody is asked */
  #wanted: Set<string> | null = null;
  /** what to call when the link is lost */
  readonly #onLost = new Set<() => void>();

  constructor(driver: PbxDriver, env: Environment, options: Required<PortOptions>) {
    this.#driver = driver;
    this.#env = env;
    this.#options = options;
    this.#table = new ChannelTable(options.rememberedChannels);
  }

  get linked(): boolean {
    return this.#link !== undefined;
  }

  start(): Promise<void> {
    if (this.#running === undefined) {
      const stop = new AbortController();
      this.#running = { stop, ended: this.#supervise(stop.signal) };
    }
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.stop.abort();
    await running?.ended;
    this.#table.clear();
    this.#found = undefined;
  }

  async inboundChannel(request: InboundChannelRequest): Promise<PbxChannel> {
    const facts = await this.#awaitChannel(request, true);
    const session = await this.#sessionOf(facts);
    if (session !== request.sessionId) {
      this.#env.log.warn('pbx.channel.session', { channel: facts.name, callId: request.callId });
      await this.command('refuse', (link) => link.refuse(facts.id, 403)).catch(() => undefined);
      throw new SegyError('SEGY_E_PBX_NO_CHANNEL', 'the PBX channel carries another session');
    }
    return this.#claim(facts);
  }

  async outboundChannel(request: OutboundChannelRequest): Promise<PbxChannel> {
    return this.#claim(await this.#awaitChannel(request, false));
  }

  async hangUpOrphans(): Promise<number> {
    const list = await this.command('list the channels', (link) => link.listChannels());
    const old = list.filter(
      ({ id }) => this.#found?.has(id) === true && !this.#table.isClaimed(id),
    );
    let count = 0;
    for (let at = 0; at < old.length; at += ORPHAN_BATCH) {
      const batch = old.slice(at, at + ORPHAN_BATCH);
      const ended = await Promise.all(batch.map((facts) => this.#hangUpIfOrphan(facts)));
      count += ended.filter(Boolean).length;
    }
    return count;
  }

  /** Runs one command on the link. @throws SegyError SEGY_E_PBX_DOWN, SEGY_E_TIMEOUT, or its own */
  async command<T>(what: string, send: (link: PbxLink) => Promise<T>): Promise<T> {
    const link = this.#link;
    if (link === undefined) throw downError();
    try {
      const answer = withDeadline(
        send(link),
        this.#options.commandMs,
        this.#env.timers,
        `the PBX command to ${what}`,
      );
      return await this.#untilLost(answer);
    } catch (error) {
      this.#env.metrics.count('segy_pbx_command_failures_total', { pbx: this.#driver.name });
      throw toSegyError(error);
    }
  }

  channelGone(id: string): void {
    this.#table.gone(id);
  }

  async #sessionOf(facts: ChannelFacts): Promise<string> {
    try {
      return await this.command('read the session', (link) => link.sessionHeader(facts.id));
    } catch (error) {
      if (toSegyError(error).code !== 'SEGY_E_NOT_FOUND') throw error;
      this.#table.gone(facts.id);
      throw new SegyError('SEGY_E_PBX_NO_CHANNEL', 'the PBX channel has ended', { cause: error });
    }
  }

  async #hangUpIfOrphan(facts: ChannelFacts): Promise<boolean> {
    try {
      const session = facts.handedOver
        ? 'waiting'
        : await this.command('read a variable', (link) =>
            link.getVariable(facts.id, 'SEGY_SESSION'),
          );
      if (session === '') return false;
      await this.command('hang up', (link) => link.hangup(facts.id));
      this.#env.log.info('pbx.orphan.ended', { channel: facts.name });
      return true;
    } catch (error) {
      const { code } = toSegyError(error);
      if (code === 'SEGY_E_PBX_DOWN') throw error;
      return false;
    }
  }

  #claim(facts: ChannelFacts): PbxChannel {
    const channel = new PortChannel(this, facts);
    const failed = (error: unknown): void =>
      this.#env.log.error('pbx.channel.callback', { reason: toSegyError(error).message });
    const claimed = this.#table.claim(facts.id, {
      gone: () => channel.end(failed),
      signal: (signal) => channel.signalled(signal, failed),
    });
    if (!claimed)
      throw new SegyError('SEGY_E_PBX_NO_CHANNEL', 'the PBX channel has ended or is taken');
    return channel;
  }

  /** The one unclaimed channel of the Call-ID, from what is known, from events, from one list. */
  #awaitChannel(request: OutboundChannelRequest, handedOver: boolean): Promise<ChannelFacts> {
    const { callId, timeoutMs, signal } = request;
    return new Promise<ChannelFacts>((resolve, reject) => {
      if (this.#link === undefined) {
        reject(downError());
        return;
      }
      const { timers } = this.#env;
      const settle = (): void => {
        stopWaiting();
        this.#onLost.delete(lost);
        signal?.removeEventListener('abort', cancelled);
        timers.clearTimeout(late);
        if (relist !== undefined) timers.clearTimeout(relist);
      };
      const fail = (error: SegyError): void => {
        settle();
        reject(error);
      };
      const look = (): void => {
        const found = this.#table.find(callId, handedOver);
        if (found.length > 1) {
          fail(new SegyError('SEGY_E_PBX_NO_CHANNEL', 'two PBX channels have this Call-ID'));
        } else if (found[0] !== undefined) {
          settle();
          resolve(found[0]);
        }
      };
      const lost = (): void => fail(downError());
      const cancelled = (): void =>
        fail(new SegyError('SEGY_E_CANCELLED', 'the wait for a PBX channel was cancelled'));
      const late = timers.setTimeout(() => {
        const none = `no PBX channel of this call within ${timeoutMs} ms`;
        fail(new SegyError('SEGY_E_PBX_NO_CHANNEL', none));
      }, timeoutMs);
      const relist = handedOver
        ? undefined
        : timers.setTimeout(() => void this.#lookFor(callId), Math.min(100, timeoutMs / 3));
      const stopWaiting = this.#table.wait(callId, handedOver, look);
      this.#onLost.add(lost);
      signal?.addEventListener('abort', cancelled);
      if (signal?.aborted === true) cancelled();
      else look();
    });
  }

  /**
   * Asks for a dialled channel whose event is missing; a failure is left to the deadline of who waits.
   * However many wait, one question is out at a time: whoever comes meanwhile is in the next one.
   */
  async #lookFor(callId: string): Promise<void> {
    if (this.#wanted !== null) {
      this.#wanted.add(callId);
      return;
    }
    for (let asked = new Set([callId]); asked.size > 0; asked = this.#wanted) {
      this.#wanted = new Set();
      try {
        const found = await this.command('look for channels', (link) =>
          link.dialledChannels([...asked]),
        );
        for (const facts of found) if (facts.callId !== '') this.#table.heard(facts);
      } catch (error) {
        this.#env.log.debug('pbx.list.failed', { reason: toSegyError(error).message });
      }
    }
    this.#wanted = null;
  }

  /** `work`, or a rejection with SEGY_E_PBX_DOWN as soon as the link is lost. */
  #untilLost<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const lost = (): void => reject(downError());
      this.#onLost.add(lost);
      void work.then(resolve, reject).finally(() => this.#onLost.delete(lost));
    });
  }

  async #supervise(stop: AbortSignal): Promise<void> {
    const { clock, log, timers, random } = this.#env;
    const { backOffMs, backOffLimitMs } = this.#options;
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
    const { connectMs, commandMs } = this.#options;
    const attempt = new AbortController();
    let reason = '';
    const listener: LinkListener = {
      event: (event) => {
        if (!attempt.signal.aborted) this.#take(event);
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
      const live = await resync(link, this.#table, (work) =>
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
    const { probeEveryMs, commandMs } = this.#options;
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
    this.#found ??= live;
    this.#env.metrics.gauge('segy_pbx_link', 1, { pbx: this.#driver.name });
    this.#env.log.info('pbx.link.up', { pbx: this.#driver.name, channels: live.size });
    this.#tell(() => this.onLink?.(true));
    this.#tell(() => this.onResync?.(live));
  }

  #down(): void {
    if (this.#link === undefined) return;
    this.#link = undefined;
    this.#env.metrics.gauge('segy_pbx_link', 0, { pbx: this.#driver.name });
    for (const lost of [...this.#onLost]) lost();
    this.#tell(() => this.onLink?.(false));
  }

  #take(event: PbxEvent): void {
    if (event.kind === 'gone') this.#table.gone(event.id);
    else if (event.kind === 'released') this.#table.released(event.id);
    else if (event.kind === 'signal') this.#table.signalled(event.id, event.signal);
    else {
      this.#table.heard(event.channel);
      if (event.dialledBy !== undefined) this.#table.joined(event.channel.id, event.dialledBy);
    }
  }

  /** A listener that throws must not end the link. */
  #tell(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#env.log.error('pbx.link.callback', { reason: toSegyError(error).message });
    }
  }
}
