/**
 * The port over any driver: matches channels to calls, hands them out, tells when they end, and hangs up
 * what an earlier run of the gateway left.
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
import { ChannelSearch } from './channel-search.js';
import type { ChannelFacts, PbxDriver, PbxEvent, PbxLink } from './driver.js';
import { resync } from './resync.js';
import { type LinkLimits, SupervisedLink } from './supervision.js';
import { ChannelTable } from './table.js';

/** Limits of a port; what is left out is as in `DEFAULTS`. */
export interface PortOptions extends Partial<LinkLimits> {
  /** unclaimed channels remembered, a count */
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

  readonly #env: Environment;
  readonly #table: ChannelTable;
  readonly #link: SupervisedLink;
  readonly #search: ChannelSearch;
  /** channels that were there when this run first saw the PBX */
  #found: ReadonlySet<string> | undefined;

  constructor(driver: PbxDriver, env: Environment, options: Required<PortOptions>) {
    this.#env = env;
    this.#table = new ChannelTable(options.rememberedChannels);
    this.#link = new SupervisedLink(driver, env, options, {
      event: (event) => this.#take(event),
      resync: (link, inTime) => resync(link, this.#table, inTime),
      up: (live) => this.#up(live),
      down: () => this.#tell(() => this.onLink?.(false)),
    });
    this.#search = new ChannelSearch(this.#link, this.#table, env);
  }

  get linked(): boolean {
    return this.#link.isUp;
  }

  start(): Promise<void> {
    this.#link.start();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    await this.#link.stop();
    this.#table.clear();
    this.#found = undefined;
  }

  async inboundChannel(request: InboundChannelRequest): Promise<PbxChannel> {
    const facts = await this.#search.find(request, true);
    const session = await this.#sessionOf(facts);
    if (session !== request.sessionId) {
      this.#env.log.warn('pbx.channel.session', { channel: facts.name, callId: request.callId });
      await this.command('refuse', (link) => link.refuse(facts.id, 403)).catch(() => undefined);
      throw new SegyError('SEGY_E_PBX_NO_CHANNEL', 'the PBX channel carries another session');
    }
    return this.#claim(facts);
  }

  async outboundChannel(request: OutboundChannelRequest): Promise<PbxChannel> {
    return this.#claim(await this.#search.find(request, false));
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

  command<T>(what: string, send: (link: PbxLink) => Promise<T>): Promise<T> {
    return this.#link.command(what, send);
  }

  channelGone(id: string): void {
    this.#table.gone(id);
  }

  channelReleased(id: string): void {
    this.#table.release(id);
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

  #up(live: ReadonlySet<string>): void {
    this.#found ??= live;
    this.#tell(() => this.onLink?.(true));
    this.#tell(() => this.onResync?.(live));
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
