/**
 * The ARI driver: one link is one event socket, subscribed to all channels and filtered by event type, and
 * the REST operations beside it.
 */
import type { Timers } from '../../base/environment.js';
import { SegyError } from '../../base/errors.js';
import type {
  ChannelFacts,
  DriverOptions,
  LinkListener,
  PbxDriver,
  PbxEvent,
  PbxLink,
} from '../driver.js';
import type { PbxVariables } from '../../edge/ports/pbx-port.js';
import { checkChannelId } from '../values.js';
import { causeOfSipStatus } from './causes.js';
import { EVENT_TYPES, SIGNAL_TYPES, readChannels, readEvent, readValue } from './events.js';
import { GlobalVariables } from './global-variables.js';
import { type AriAddress, type AriConnection, closeSocket, openAri } from './library.js';

/**
 * Events of every channel. Not subscribeAll, which adds device states: Asterisk 22.10 then locks up its
 * ARI for good, within a few tries, when one is sent while an application's socket is being replaced.
 */
const ALL_CHANNELS = 'channel:';

const SESSION_HEADER = 'PJSIP_HEADER(read,X-SeGy-Session)';

/** @throws SegyError SEGY_E_CONFIG for an address that can never work */
export function createAriDriver(
  address: AriAddress,
  timers: Timers,
  { signals = false }: DriverOptions = {},
): PbxDriver {
  if (!URL.canParse(address.url) || !/^https?:$/.test(new URL(address.url).protocol)) {
    throw new SegyError('SEGY_E_CONFIG', 'the ARI address is not an http or https URL');
  }
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(address.app)) {
    throw new SegyError('SEGY_E_CONFIG', 'the Stasis application has an unusable name');
  }
  const copy = { ...address };
  const types = signals ? [...EVENT_TYPES, ...SIGNAL_TYPES] : EVENT_TYPES;
  return {
    name: 'ari',
    connect: (listener, signal) => connect(copy, types, timers, listener, signal),
  };
}

async function connect(
  address: AriAddress,
  eventTypes: readonly string[],
  timers: Timers,
  listener: LinkListener,
  signal: AbortSignal,
): Promise<PbxLink> {
  let alive: (() => void) | undefined;
  let link: AriLink | null = null;
  const connection = await openAri(
    address,
    {
      message: (data) => take(data, address.app, listener, (event) => link?.heard(event)),
      pong: () => alive?.(),
      closed: (reason) => listener.down(reason),
    },
    signal,
  );
  link = new AriLink(connection, address.app, timers, (callback) => (alive = callback));
  try {
    await link.filterEvents(eventTypes);
  } catch (error) {
    await link.close();
    throw error;
  }
  return link;
}

function take(
  data: Uint8Array,
  app: string,
  listener: LinkListener,
  heard: (event: PbxEvent) => void,
): void {
  const news = readEvent(data, app);
  if (news === null) listener.down('an event is no JSON');
  else if (news.kind === 'replaced') listener.down('another program has taken the application');
  else if (news.kind !== 'other') {
    heard(news);
    listener.event(news);
  }
}

class AriLink implements PbxLink {
  readonly #connection: AriConnection;
  readonly #app: string;
  readonly #timers: Timers;
  readonly #onPong: (callback: () => void) => void;
  readonly #globals: GlobalVariables;
  /** channels that are in our application, as far as this link was told */
  readonly #inStasis = new Set<string>();

  constructor(
    connection: AriConnection,
    app: string,
    timers: Timers,
    onPong: (callback: () => void) => void,
  ) {
    this.#connection = connection;
    this.#app = app;
    this.#timers = timers;
    this.#onPong = onPong;
    this.#globals = new GlobalVariables((variable, value) =>
      answer(
        // without a value Asterisk removes the variable; with an empty one it would keep its name for ever
        connection.client.asterisk.setGlobalVar(
          value === null ? { variable } : { variable, value },
        ),
      ),
    );
  }

  /** Of all events of the PBX, lets through what the port needs. */
  async filterEvents(types: readonly string[]): Promise<void> {
    const allowed = types.map((type) => ({ type }));
    await answer(
      this.#connection.client.applications.filter({
        applicationName: this.#app,
        filter: { allowed },
      }),
    );
    await answer(
      this.#connection.client.applications.subscribe({
        applicationName: this.#app,
        eventSource: ALL_CHANNELS,
      }),
    );
  }

  async listChannels(): Promise<ChannelFacts[]> {
    const list = await answer(this.#connection.client.channels.list());
    return readChannels(list, this.#app);
  }

  dialledChannels(): Promise<ChannelFacts[]> {
    return this.listChannels();
  }

  async exists(id: string): Promise<boolean> {
    try {
      await answer(this.#connection.client.channels.get(target(id)));
      return true;
    } catch (error) {
      if (error instanceof SegyError && error.code === 'SEGY_E_NOT_FOUND') return false;
      throw error;
    }
  }

  sessionHeader(id: string): Promise<string> {
    return this.getVariable(id, SESSION_HEADER);
  }

  async getVariable(id: string, variable: string): Promise<string> {
    const { channels } = this.#connection.client;
    try {
      return readValue(await answer(channels.getChannelVar({ ...target(id), variable })));
    } catch (error) {
      if (error instanceof SegyError && /variable was not found/i.test(error.message)) return '';
      throw error;
    }
  }

  /**
   * ARI sets variables only on a channel in Stasis; on one that is being dialled this does nothing, and
   * asks but once: each request costs a connection.
   */
  async setVariables(id: string, variables: PbxVariables): Promise<void> {
    const { channels } = this.#connection.client;
    const set = ([variable, value]: [string, string]): Promise<unknown> =>
      answer(channels.setChannelVar({ ...target(id), variable, value }));
    const all = Object.entries(variables);
    const first = this.#inStasis.has(id) ? [] : all.splice(0, 1);
    try {
      for (const one of first) await set(one);
      await Promise.all(all.map(set));
    } catch (error) {
      if (!(error instanceof SegyError && /not in stasis/i.test(error.message))) throw error;
    }
  }

  /** News of a channel, before the port has it. */
  heard(event: PbxEvent): void {
    if (event.kind === 'channel' && event.channel.handedOver) this.#inStasis.add(event.channel.id);
    else if (event.kind === 'released' || event.kind === 'gone') this.#inStasis.delete(event.id);
    if (event.kind === 'gone') void this.#globals.forget(event.id);
  }

  /**
   * A user event, which AMI hears too, and global variables: outside Stasis no variable of a channel
   * can be set over ARI.
   */
  async tell(id: string, eventName: string, variables: PbxVariables): Promise<void> {
    const { channelId } = target(id);
    await answer(
      this.#connection.client.events.userEvent({
        eventName,
        application: this.#app,
        source: `channel:${channelId}`,
        variables: { variables },
      }),
    );
    await this.#globals.set(channelId, variables);
  }

  async proceed(id: string): Promise<void> {
    await answer(this.#connection.client.channels.continueInDialplan(target(id)));
  }

  async refuse(id: string, sipStatus: number): Promise<void> {
    const reason_code = String(causeOfSipStatus(sipStatus));
    await answer(this.#connection.client.channels.hangup({ ...target(id), reason_code }));
  }

  async hangup(id: string): Promise<void> {
    await answer(this.#connection.client.channels.hangup(target(id)));
  }

  probe(): Promise<void> {
    return new Promise((resolve) => {
      this.#onPong(resolve);
      this.#connection.socket.ping();
    });
  }

  close(): Promise<void> {
    return closeSocket(this.#connection.socket, this.#timers);
  }
}

const target = (id: string): { channelId: string } => ({ channelId: checkChannelId(id) });

/** What an operation answers, with its refusal as a SegyError. */
async function answer(operation: PromiseLike<unknown>): Promise<unknown> {
  try {
    return await operation;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const missing = /channel not found|channel does not exist/i.test(said);
    const code = missing ? 'SEGY_E_NOT_FOUND' : 'SEGY_E_PBX';
    throw new SegyError(code, `ARI: ${said.slice(0, 200)}`, { cause: error });
  }
}
