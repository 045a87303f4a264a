/**
 * A small UDP SIP user agent for tests of the PBX side: it sends and answers single INVITEs, with no
 * part of the product in it.
 */
import { type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

interface Message {
  readonly start: string;
  readonly headers: ReadonlyMap<string, string[]>;
  readonly body: string;
}

function parse(data: Buffer): Message {
  const [head = '', body = ''] = data.toString('latin1').split('\r\n\r\n', 2);
  const [start = '', ...lines] = head.split('\r\n');
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  return { start, headers, body };
}

const one = (message: Message, name: string): string => message.headers.get(name)?.[0] ?? '';

const sdp = (address: string): string =>
  [
    'v=0',
    `o=- 1 1 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    'm=audio 40000 RTP/AVP 0',
    'a=rtpmap:0 PCMU/8000',
    '',
  ].join('\r\n');

/** A call that this user agent has sent. */
export interface SentCall {
  readonly callId: string;
  /** status of the first final response */
  readonly final: Promise<number>;
  /** sends CANCEL, or BYE once answered */
  end(): void;
}

/** An INVITE that this user agent has received. */
export interface ReceivedCall {
  readonly callId: string;
  readonly requestUri: string;
  header(name: string): string;
  /** answers it; 180 and others below 200 may be followed by another */
  respond(status: number): void;
  /** resolves when the other side sends CANCEL or BYE */
  readonly ended: Promise<void>;
}

export class RawSip {
  readonly #socket: Socket;
  readonly #self: Endpoint;
  readonly #peer: Endpoint;
  readonly #sent = new Map<string, { call: Call; request: (method: string) => string }>();
  readonly #received = new Map<string, { end: () => void }>();
  readonly #arrived: ReceivedCall[] = [];
  readonly #awaiting: ((call: ReceivedCall) => void)[] = [];
  #branch = 0;

  private constructor(socket: Socket, self: Endpoint, peer: Endpoint) {
    this.#socket = socket;
    this.#self = self;
    this.#peer = peer;
    socket.on('message', (data) => this.#message(parse(data), data));
  }

  static async open(self: Endpoint, peer: Endpoint): Promise<RawSip> {
    const socket = createSocket('udp4');
    socket.bind(self.port, self.address);
    await once(socket, 'listening');
    return new RawSip(socket, self, peer);
  }

  close(): void {
    this.#socket.close();
  }

  /** Sends an INVITE with an SDP offer. */
  invite(user: string, callId: string, headers: Readonly<Record<string, string>> = {}): SentCall {
    const branch = `z9hG4bK-${process.pid}-${++this.#branch}-${callId}`;
    const { address, port } = this.#self;
    let toTag = '';
    const request = (method: string): string =>
      [
        `${method} sip:${user}@${this.#peer.address}:${this.#peer.port} SIP/2.0`,
        `Via: SIP/2.0/UDP ${address}:${port};branch=${branch}${method === 'BYE' ? 'b' : ''}`,
        `From: <sip:alice@${address}>;tag=t${this.#branch}`,
        `To: <sip:${user}@${this.#peer.address}>${method === 'CANCEL' || method === 'INVITE' ? '' : toTag}`,
        `Call-ID: ${callId}`,
        `CSeq: ${method === 'BYE' ? 2 : 1} ${method}`,
        `Contact: <sip:edge@${address}:${port}>`,
        'Max-Forwards: 70',
        ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
        '',
      ].join('\r\n');
    const call = new Call(callId, (method) =>
      this.#send(`${request(method)}Content-Length: 0\r\n\r\n`),
    );
    this.#sent.set(callId, { call, request });
    call.onTag = (tag) => (toTag = tag);
    const body = sdp(address);
    this.#send(
      `${request('INVITE')}Content-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    return call;
  }

  /** The next INVITE that arrives, or has arrived and was not taken yet. */
  nextInvite(): Promise<ReceivedCall> {
    const arrived = this.#arrived.shift();
    if (arrived !== undefined) return Promise.resolve(arrived);
    return new Promise((resolve) => this.#awaiting.push(resolve));
  }

  #send(text: string): void {
    this.#socket.send(Buffer.from(text, 'latin1'), this.#peer.port, this.#peer.address);
  }

  #message(message: Message, raw: Buffer): void {
    const callId = one(message, 'call-id');
    if (message.start.startsWith('SIP/2.0')) {
      const sent = this.#sent.get(callId);
      if (!one(message, 'cseq').endsWith('INVITE')) return;
      const status = Number(message.start.split(' ')[1]);
      sent?.call.response(status, /;tag=[^;>\s]+/.exec(one(message, 'to'))?.[0] ?? '');
      return;
    }
    const method = message.start.split(' ')[0] ?? '';
    if (method === 'INVITE') this.#invited(message, callId, raw);
    else if (method !== 'ACK') {
      this.#reply(message, 200, '');
      this.#received.get(callId)?.end();
      if (method === 'BYE') this.#sent.get(callId)?.call.byeReceived();
    }
  }

  #invited(message: Message, callId: string, raw: Buffer): void {
    if (this.#received.has(callId)) return;
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = () => {
        this.#reply(message, 487, '');
        resolve();
      };
    });
    this.#received.set(callId, { end });
    const call: ReceivedCall = {
      callId,
      requestUri: message.start.split(' ')[1] ?? '',
      header: (name) => one(parse(raw), name.toLowerCase()),
      respond: (status) => this.#reply(message, status, status < 300 && status > 180 ? 'sdp' : ''),
      ended,
    };
    const waiting = this.#awaiting.shift();
    if (waiting === undefined) this.#arrived.push(call);
    else waiting(call);
  }

  #reply(request: Message, status: number, body: 'sdp' | ''): void {
    const copy = (name: string, field: string): string[] =>
      (request.headers.get(name) ?? []).map((value) => `${field}: ${value}`);
    const content = body === 'sdp' ? sdp(this.#self.address) : '';
    const to = one(request, 'to');
    this.#send(
      [
        `SIP/2.0 ${status} Test`,
        ...copy('via', 'Via'),
        ...copy('from', 'From'),
        `To: ${to}${to.includes(';tag=') ? '' : ';tag=raw'}`,
        ...copy('call-id', 'Call-ID'),
        ...copy('cseq', 'CSeq'),
        `Contact: <sip:raw@${this.#self.address}:${this.#self.port}>`,
        ...(content === '' ? [] : ['Content-Type: application/sdp']),
        `Content-Length: ${content.length}`,
        '',
        content,
      ].join('\r\n'),
    );
  }
}

class Call implements SentCall {
  readonly callId: string;
  readonly final: Promise<number>;
  onTag: (tag: string) => void = () => undefined;
  readonly #send: (method: string) => void;
  #resolve: (status: number) => void = () => undefined;
  #status = 0;

  constructor(callId: string, send: (method: string) => void) {
    this.callId = callId;
    this.#send = send;
    this.final = new Promise((resolve) => (this.#resolve = resolve));
  }

  response(status: number, toTag: string): void {
    if (status < 200) return;
    this.#status = status;
    this.onTag(toTag);
    this.#send('ACK');
    this.#resolve(status);
  }

  byeReceived(): void {
    this.#status = 999;
  }

  end(): void {
    if (this.#status === 0) this.#send('CANCEL');
    else if (this.#status < 300) this.#send('BYE');
  }
}
