/**
 * The ESL driver: one link is one inbound event-socket connection with JSON events.
 */
import { SegyError } from '../../base/errors.js';
import type { PbxVariables } from '../../edge/ports/pbx-port.js';
import type { ChannelFacts, DriverOptions, LinkListener, PbxDriver, PbxLink } from '../driver.js';
import { checkChannelId } from '../values.js';
import { causeOfSipStatus } from './causes.js';
import {
  CONTEXT_VARIABLE,
  type ChannelRow,
  EVENT_TYPES,
  SIGNAL_TYPES,
  TARGET_VARIABLE,
  readDump,
  readEvent,
  readRows,
} from './events.js';
import { type EslAddress, type EslConnection, openEsl } from './library.js';

/** Identifiers of FreeSWITCH's own making; only what looks like one is put into a command. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const SESSION_VARIABLE = 'sip_h_X-SeGy-Session';

/** @throws SegyError SEGY_E_CONFIG for an address or password that can never work */
export function createEslDriver(
  address: EslAddress,
  { signals = false }: DriverOptions = {},
): PbxDriver {
  if (address.host === '' || !Number.isInteger(address.port) || address.port < 1) {
    throw new SegyError('SEGY_E_CONFIG', 'the event socket has no usable address');
  }
  if (!/^[\x21-\x7e]+$/.test(address.password)) {
    throw new SegyError('SEGY_E_CONFIG', 'the event-socket password is empty or not plain text');
  }
  const copy = { ...address };
  const types = signals ? [...EVENT_TYPES, ...SIGNAL_TYPES] : EVENT_TYPES;
  return { name: 'esl', connect: (listener, signal) => connect(copy, types, listener, signal) };
}

async function connect(
  address: EslAddress,
  eventTypes: readonly string[],
  listener: LinkListener,
  signal: AbortSignal,
): Promise<PbxLink> {
  const connection = await openEsl(
    address,
    eventTypes,
    {
      event: (event) => {
        const news = readEvent(event);
        if (news !== null) listener.event(news);
      },
      closed: (reason) => listener.down(reason),
    },
    signal,
  );
  return new EslLink(connection);
}

class EslLink implements PbxLink {
  readonly #connection: EslConnection;

  constructor(connection: EslConnection) {
    this.#connection = connection;
  }

  async listChannels(): Promise<ChannelFacts[]> {
    const rows = readRows(await this.#connection.api('show channels as json'));
    if (rows === null) throw new SegyError('SEGY_E_PBX', 'the channel list cannot be read');
    const facts = await Promise.all(rows.map((row) => this.#describe(row)));
    return facts.filter((channel) => channel !== null);
  }

  /** With outbound-use-uuid-as-callid the Call-ID is the identifier, so no list has to be read. */
  async dialledChannels(callIds: readonly string[]): Promise<ChannelFacts[]> {
    const facts = await Promise.all(
      callIds.filter((id) => UUID.test(id)).map((id) => this.#dialled(id)),
    );
    return facts.filter((channel) => channel !== null);
  }

  /** The list comes from the core database, which is written behind the calls; this looks at the sessions. */
  async exists(id: string): Promise<boolean> {
    const answer = await this.#send(`uuid_exists ${checkChannelId(id)}`);
    if (answer === 'true' || answer === 'false') return answer === 'true';
    throw new SegyError('SEGY_E_PBX', 'whether a channel exists cannot be read');
  }

  sessionHeader(id: string): Promise<string> {
    return this.getVariable(id, SESSION_VARIABLE);
  }

  async getVariable(id: string, name: string): Promise<string> {
    const value = await this.#send(`uuid_getvar ${checkChannelId(id)} ${name}`);
    return value === '_undef_' ? '' : value;
  }

  /**
   * All in one command: the event socket sends no event while commands wait in it. Names and values are
   * checked ones, so that neither holds the `=` or `;` of this command.
   */
  async setVariables(id: string, variables: PbxVariables): Promise<void> {
    const pairs = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    if (pairs.length === 0) return;
    await this.#send(`uuid_setvar_multi ${checkChannelId(id)} ${pairs.join(';')}`);
  }

  /** Variables can be set at any time, and scripts read them; FreeSWITCH then needs no event. */
  tell(id: string, _event: string, variables: PbxVariables): Promise<void> {
    return this.setVariables(id, variables);
  }

  /** Goes on at the extension and context that the dialplan left in variables before it parked. */
  async proceed(id: string): Promise<void> {
    const [extension, context] = await Promise.all([
      this.getVariable(id, TARGET_VARIABLE),
      this.getVariable(id, CONTEXT_VARIABLE),
    ]);
    if (!/^[A-Za-z0-9+._-]+$/.test(extension) || !/^[A-Za-z0-9._-]+$/.test(context)) {
      throw new SegyError('SEGY_E_PBX', 'the dialplan does not say where the call goes on');
    }
    await this.#send(`uuid_transfer ${checkChannelId(id)} ${extension} XML ${context}`);
  }

  async refuse(id: string, sipStatus: number): Promise<void> {
    await this.#send(`uuid_kill ${checkChannelId(id)} ${causeOfSipStatus(sipStatus)}`);
  }

  async hangup(id: string): Promise<void> {
    await this.#send(`uuid_kill ${checkChannelId(id)} NORMAL_CLEARING`);
  }

  async probe(): Promise<void> {
    await this.#connection.api('status');
  }

  close(): Promise<void> {
    this.#connection.close();
    return Promise.resolve();
  }

  async #dialled(id: string): Promise<ChannelFacts | null> {
    if (!(await this.exists(id))) return null;
    try {
      const name = await this.getVariable(id, 'channel_name');
      if ((await this.getVariable(id, 'direction')) !== 'outbound') return null;
      return { id, name, callId: id, handedOver: false };
    } catch (error) {
      if (error instanceof SegyError && error.code === 'SEGY_E_NOT_FOUND') return null;
      throw error;
    }
  }

  /** A channel of the list; null when it has ended since. Only one that may be parked is asked for more. */
  async #describe(row: ChannelRow): Promise<ChannelFacts | null> {
    const { id, name } = row;
    if (row.isOutbound) return { id, name, callId: id, handedOver: false };
    if (row.isAnswered) return { id, name, callId: '', handedOver: false };
    const body = await this.#connection.api(`uuid_dump ${checkChannelId(id)} json`);
    return body.startsWith('-ERR') ? null : readDump(row, body);
  }

  /** One command. @returns its answer without the end of line */
  async #send(command: string): Promise<string> {
    const answer = (await this.#connection.api(command)).replace(/\n+$/, '');
    if (!/^-(ERR|USAGE)/.test(answer)) return answer;
    const missing = /no such channel/i.test(answer);
    throw new SegyError(
      missing ? 'SEGY_E_NOT_FOUND' : 'SEGY_E_PBX',
      `event socket: ${answer.slice(0, 200)}`,
    );
  }
}
