/**
 * A fake FreeSWITCH that speaks ESL over TCP as the recordings do. It keeps channels, runs the dialplan of
 * dialplan/freeswitch in its head, and can be as disorderly as a network and a busy PBX are.
 */
import { randomUUID } from 'node:crypto';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { once } from 'node:events';
import { type EventFields, eventLike } from './esl-templates.js';

export interface Disorder {
  /** a number in [0, 1) each call; the source of all disorder */
  readonly random: () => number;
  /** largest piece that is written at once, in octets */
  readonly pieceLimit?: number;
  /** longest delay of an answer or event, in milliseconds */
  readonly delayMs?: number;
  /** share of events that arrive after the one behind them */
  readonly reorder?: number;
  /** how far the channel list is behind the channels, both ways, in milliseconds */
  readonly listLagMs?: number;
}

export interface FakeChannel {
  readonly uuid: string;
  readonly direction: 'inbound' | 'outbound';
  readonly name: string;
  /** Call-ID of its SIP leg */
  readonly callId: string;
  readonly variables: Map<string, string>;
  /** as the channel list shows it; DOWN for a moment after the call has come in */
  callState: 'DOWN' | 'RINGING' | 'ACTIVE';
  /** told the cause when it ends */
  readonly ended: (cause: string) => void;
  /** what the dialplan does when the channel is transferred */
  readonly transferred?: (extension: string, context: string) => void;
}

const PASSWORD = 'ClueCon';
const SETVAR_USAGE = '-USAGE: <uuid> <var>=<value>;<var>=<value>...\n';

/** Modules that it has loaded. */
const MODULES = new Set(
  ['commands', 'conference', 'dialplan_xml', 'dptools', 'event_socket', 'hash', 'sofia'].map(
    (name) => `mod_${name}`,
  ),
);
const STATUS = [
  'UP 0 years, 0 days, 0 hours, 1 minute, 2 seconds, 3 milliseconds, 4 microseconds',
  'FreeSWITCH (Version 1.11.2 -release 64bit) is ready',
  '0 session(s) since startup',
  '0 session(s) - peak 0, last 5min 0 ',
  '0 session(s) per Sec out of max 200, peak 0, last 5min 0 ',
  '1000 session(s) max ',
  '',
].join('\n');

/** Writes octets in pieces of random size, one after the other. */
class PieceWriter {
  #pending = Buffer.alloc(0);
  #busy = false;
  readonly #socket: Socket;
  readonly #disorder: Disorder | undefined;

  constructor(socket: Socket, disorder: Disorder | undefined) {
    this.#socket = socket;
    this.#disorder = disorder;
    socket.setNoDelay(true);
  }

  write(text: string): void {
    this.#pending = Buffer.concat([this.#pending, Buffer.from(text, 'utf8')]);
    if (!this.#busy) this.#pump();
  }

  #pump(): void {
    this.#busy = this.#pending.length > 0 && !this.#socket.destroyed;
    if (!this.#busy) return;
    const { pieceLimit, random } = this.#disorder ?? {};
    const size =
      pieceLimit === undefined || random === undefined
        ? this.#pending.length
        : 1 + Math.floor(random() ** 3 * pieceLimit);
    this.#socket.write(this.#pending.subarray(0, size));
    this.#pending = this.#pending.subarray(size);
    setImmediate(() => this.#pump());
  }
}

interface Client {
  readonly socket: Socket;
  readonly writer: PieceWriter;
  events: ReadonlySet<string>;
  authorised: boolean;
  held: string | undefined;
}

export class FakeFreeSwitch {
  readonly channels = new Map<string, FakeChannel>();
  /** what the list says: when each channel came, and of the ended ones when they went */
  readonly #rows = new Map<string, { channel: FakeChannel; born: number; ended?: number }>();
  /** every command received, in order */
  readonly commands: string[] = [];
  /** answers to `api` commands about its configuration, by the whole command */
  readonly answers = new Map<string, string>();
  /** called before an `api` command is carried out, to let things happen just then */
  beforeCommand: (command: string) => void = () => undefined;
  readonly password = PASSWORD;
  disorder: Disorder | undefined;
  #server: Server | undefined;
  #port = 0;
  #refusing = false;
  readonly #clients = new Set<Client>();

  static async start(disorder?: Disorder): Promise<FakeFreeSwitch> {
    const fake = new FakeFreeSwitch();
    fake.disorder = disorder;
    await fake.listen();
    return fake;
  }

  get port(): number {
    return this.#port;
  }

  get connections(): number {
    return this.#clients.size;
  }

  /** What state the connections are in, for a failure message. */
  describeConnections(): string {
    const states = [...this.#clients].map(({ socket, authorised, events }) => ({
      state: socket.readyState,
      destroyed: socket.destroyed,
      unsent: socket.writableLength,
      authorised,
      subscribed: events.size,
    }));
    return JSON.stringify(states);
  }

  async listen(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Ends all connections, by a reset or an orderly end, and refuses new ones until `mend`. */
  cut(how: 'reset' | 'end' = 'reset'): void {
    this.#refusing = true;
    this.drop(how);
  }

  mend(): void {
    this.#refusing = false;
  }

  /** Ends all connections; new ones are taken. */
  drop(how: 'reset' | 'end' = 'reset'): void {
    for (const { socket } of [...this.#clients]) {
      // A socket that is being ended cannot be reset: Node would lose its close event.
      if (socket.writableEnded) socket.destroy();
      else if (how === 'reset') socket.resetAndDestroy();
      else socket.end();
    }
  }

  /** Dies: no event is sent, no channel is left. */
  async crash(): Promise<void> {
    for (const channel of [...this.channels.values()]) channel.ended('SYSTEM_SHUTDOWN');
    this.channels.clear();
    this.#rows.clear();
    await this.stop();
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.drop();
    if (server === undefined) return;
    server.close();
    await once(server, 'close');
  }

  /** A new channel; an inbound one is not parked yet. */
  addChannel(channel: Omit<FakeChannel, 'uuid' | 'variables'> & { uuid?: string }): FakeChannel {
    const uuid = channel.uuid ?? randomUUID();
    const added = { ...channel, uuid, variables: new Map<string, string>() };
    this.channels.set(uuid, added);
    this.#rows.set(uuid, { channel: added, born: Date.now() });
    return added;
  }

  /** Sends the event of a channel to whoever has subscribed to it. */
  emit(name: string, channel: FakeChannel, more: EventFields = {}): void {
    // As a real one does: the Call-ID of a leg that it starts is unknown before its first response.
    const knowsCallId = channel.direction === 'inbound' || name !== 'CHANNEL_ORIGINATE';
    const fields = eventLike(name, {
      'Unique-ID': channel.uuid,
      'Channel-Name': channel.name,
      'Call-Direction': channel.direction,
      ...(knowsCallId ? { variable_sip_call_id: channel.callId } : {}),
      ...Object.fromEntries(
        [...channel.variables].map(([key, value]) => [`variable_${key}`, value]),
      ),
      ...more,
    });
    const body = JSON.stringify(fields);
    const length = Buffer.byteLength(body);
    const message = `Content-Length: ${length}\nContent-Type: text/event-json\n\n${body}`;
    for (const client of this.#clients) {
      if (client.events.has(name) || client.events.has('ALL')) this.#sendEvent(client, message);
    }
  }

  /** Ends a channel as FreeSWITCH does, with its events. */
  hangUp(uuid: string, cause: string): boolean {
    const channel = this.channels.get(uuid);
    if (channel === undefined) return false;
    this.channels.delete(uuid);
    Object.assign(this.#rows.get(uuid) ?? {}, { ended: Date.now() });
    this.emit('CHANNEL_HANGUP', channel, { 'Hangup-Cause': cause });
    this.emit('CHANNEL_HANGUP_COMPLETE', channel, { variable_hangup_cause: cause });
    this.emit('CHANNEL_DESTROY', channel);
    channel.ended(cause);
    return true;
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined);
    if (this.#refusing) {
      socket.destroy();
      return;
    }
    const writer = new PieceWriter(socket, this.disorder);
    const client: Client = {
      socket,
      writer,
      events: new Set(),
      authorised: false,
      held: undefined,
    };
    this.#clients.add(client);
    socket.on('close', () => this.#clients.delete(client));
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('utf8');
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const command = text.slice(0, end);
        text = text.slice(end + 2);
        this.#command(client, command);
      }
    });
    writer.write('Content-Type: auth/request\n\n');
  }

  #sendEvent(client: Client, message: string): void {
    const { random, reorder } = this.disorder ?? {};
    if (client.held === undefined && random !== undefined && random() < (reorder ?? 0)) {
      client.held = message;
      setTimeout(() => this.#release(client), 15);
      return;
    }
    this.#later(() => client.writer.write(message));
    this.#release(client);
  }

  #release(client: Client): void {
    const { held } = client;
    client.held = undefined;
    if (held !== undefined) this.#later(() => client.writer.write(held));
  }

  /** Answers and events wait in one queue, so that a delay never changes their order. */
  #later(action: () => void): void {
    const { random, delayMs = 0 } = this.disorder ?? {};
    if (random === undefined || delayMs === 0) {
      this.#queue = undefined;
      action();
      return;
    }
    const before = this.#queue ?? Promise.resolve();
    this.#queue = before.then(async () => {
      // One in four is delayed, or the delays of a busy call would add up to a dead link.
      if (random() < 0.25) await new Promise((resolve) => setTimeout(resolve, random() * delayMs));
      action();
    });
  }

  #queue: Promise<void> | undefined;

  #command(client: Client, command: string): void {
    this.commands.push(command);
    const reply = (text: string): void =>
      this.#later(() =>
        client.writer.write(`Content-Type: command/reply\nReply-Text: ${text}\n\n`),
      );
    if (command.startsWith('auth ')) {
      client.authorised = command === `auth ${PASSWORD}`;
      if (client.authorised) reply('+OK accepted');
      else {
        client.writer.write(
          'Content-Type: command/reply\nReply-Text: -ERR invalid\n\n' +
            'Content-Type: text/disconnect-notice\nContent-Length: 67\n\nDisconnected, goodbye.\n' +
            'See you at ClueCon! http://www.cluecon.com/\n',
        );
        setTimeout(() => client.socket.end(), 5);
      }
    } else if (!client.authorised) reply('-ERR command not found');
    else if (command.startsWith('event json')) {
      client.events = new Set(command.split(' ').slice(2).filter(Boolean));
      if (client.events.size === 0) reply('-ERR no keywords supplied');
      else reply('+OK event listener enabled json');
    } else if (command.startsWith('api ')) {
      this.beforeCommand(command.slice(4));
      const body = this.#api(command.slice(4));
      const length = Buffer.byteLength(body);
      this.#later(() =>
        client.writer.write(`Content-Type: api/response\nContent-Length: ${length}\n\n${body}`),
      );
    } else reply('-ERR command not found');
  }

  #api(command: string): string {
    const [name = '', uuid = '', ...rest] = command.split(' ');
    const answer = this.answers.get(command);
    if (answer !== undefined) return answer;
    if (name === 'xml_locate') return "can't find anything\n";
    if (name === 'module_exists') return String(MODULES.has(uuid));
    if (name === 'acl') return 'true';
    if (name === 'sofia') return `Invalid ${rest[0] === 'gateway' ? 'Gateway' : 'Profile'}!\n`;
    if (command === 'show channels as json') return this.#list();
    if (name === 'status') return STATUS;
    if (name === 'uuid_exists') return String(this.channels.has(uuid));
    if (!name.startsWith('uuid_')) return `-ERR ${name} Command not found!\n`;
    const channel = this.channels.get(uuid);
    if (channel === undefined) {
      return `-ERR No such channel!\n${name === 'uuid_setvar_multi' ? SETVAR_USAGE : ''}`;
    }
    switch (name) {
      case 'uuid_getvar':
        return this.#variable(channel, rest[0] ?? '') ?? '_undef_';
      case 'uuid_setvar_multi':
        for (const pair of rest.join(' ').split(';')) {
          const at = pair.indexOf('=');
          const [key, value] = [pair.slice(0, at), pair.slice(at + 1)];
          if (at < 1 || value === '') channel.variables.delete(at < 1 ? pair : key);
          else channel.variables.set(key, value);
        }
        return rest.length === 0 ? SETVAR_USAGE : '+OK\n';
      case 'uuid_dump':
        return JSON.stringify({
          'Unique-ID': uuid,
          variable_sip_call_id: channel.callId,
          ...Object.fromEntries(
            [...channel.variables].map(([key, value]) => [`variable_${key}`, value]),
          ),
        });
      case 'uuid_kill':
        setImmediate(() => this.hangUp(uuid, rest[0] ?? 'NORMAL_CLEARING'));
        return '+OK\n';
      case 'uuid_transfer':
        this.emit('CHANNEL_UNPARK', channel);
        channel.variables.delete('current_application');
        channel.transferred?.(rest[0] ?? '', rest[2] ?? '');
        return '+OK\n';
      default:
        return `-ERR ${name} Command not found!\n`;
    }
  }

  #variable(channel: FakeChannel, name: string): string | undefined {
    if (name === 'sip_call_id') return channel.callId;
    if (name === 'channel_name') return channel.name;
    if (name === 'direction') return channel.direction;
    return channel.variables.get(name);
  }

  #list(): string {
    const asOf = Date.now() - (this.disorder?.listLagMs ?? 0);
    for (const [uuid, { ended = Infinity }] of this.#rows) {
      if (ended <= asOf) this.#rows.delete(uuid);
    }
    const shown = [...this.#rows.values()].filter(({ born }) => born <= asOf);
    const rows = shown.map(({ channel }) => ({
      uuid: channel.uuid,
      direction: channel.direction,
      name: channel.name,
      state: 'CS_EXECUTE',
      callstate: channel.callState,
    }));
    const list = rows.length === 0 ? { row_count: 0 } : { row_count: rows.length, rows };
    return `${JSON.stringify(list)}\n`;
  }
}
