/**
 * The conformance suite's rig on the fake FreeSWITCH: SIP calls are function calls here, the control link
 * is real TCP.
 */
import { randomUUID } from 'node:crypto';
import { createEslPort } from '../../src/pbx/index.js';
import { quietEnvironment } from './quiet-environment.js';
import { type FakeChannel, FakeFreeSwitch } from './esl-fake.js';
import type { PbxRig, RigArrival, RigCall } from './pbx-rig.js';

/** SIP status that mod_sofia sends for a cause that ends an unanswered call. */
const STATUS_OF_CAUSE: Readonly<Record<string, number>> = {
  UNALLOCATED_NUMBER: 404,
  USER_BUSY: 486,
  NO_ANSWER: 480,
  NORMAL_CLEARING: 480,
  CALL_REJECTED: 603,
  INCOMING_CALL_BARRED: 403,
  INCOMPATIBLE_DESTINATION: 488,
  NORMAL_TEMPORARY_FAILURE: 503,
  ORIGINATOR_CANCEL: 487,
  SYSTEM_SHUTDOWN: 500,
};

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}

export class EslRig implements PbxRig {
  readonly isOwn = true;
  readonly setsVariablesOnDialled = true;
  readonly fake: FakeFreeSwitch;
  readonly #atRadio: RigArrival[] = [];
  readonly #awaiting: ((arrival: RigArrival) => void)[] = [];

  private constructor(fake: FakeFreeSwitch) {
    this.fake = fake;
  }

  static async start(): Promise<EslRig> {
    return new EslRig(await FakeFreeSwitch.start());
  }

  makePort: PbxRig['makePort'] = (options) => {
    const { port, password } = this.fake;
    return createEslPort({ host: '127.0.0.1', port, password }, quietEnvironment, {
      backOffMs: 20,
      backOffLimitMs: 100,
      ...options,
    });
  };

  callIn(callId: string, sessionId: string): RigCall {
    const { call, channel } = this.#inbound(callId);
    channel.variables.set('sip_h_X-SeGy-Session', sessionId);
    this.fake.emit('CHANNEL_CREATE', channel);
    channel.variables.set('SEGY_CONTEXT', 'segy-checked');
    channel.variables.set('SEGY_TARGET', 'radio7');
    channel.variables.set('current_application', 'park');
    this.fake.emit('CHANNEL_PARK', channel);
    return call;
  }

  callPast(callId: string, sessionId: string): RigCall {
    const { call, channel, answer } = this.#inbound(callId);
    channel.variables.set('sip_h_X-SeGy-Session', sessionId);
    this.fake.emit('CHANNEL_CREATE', channel);
    answer();
    return call;
  }

  nextAtRadio(): Promise<RigArrival> {
    const arrival = this.#atRadio.shift();
    if (arrival !== undefined) return Promise.resolve(arrival);
    return new Promise((resolve) => this.#awaiting.push(resolve));
  }

  callOut(): Promise<RigArrival> {
    const { channel, answer } = this.#inbound(`radio-${randomUUID()}`);
    return Promise.resolve(this.#dial(channel, 'sip:alice.mc@127.0.0.2', answer, 'to-mc'));
  }

  variable(channelId: string, name: string): Promise<string> {
    return Promise.resolve(this.fake.channels.get(channelId)?.variables.get(name) ?? '');
  }

  channelCount(): Promise<number> {
    return Promise.resolve(this.fake.channels.size);
  }

  endAll(): Promise<void> {
    for (const uuid of [...this.fake.channels.keys()]) this.fake.hangUp(uuid, 'NORMAL_CLEARING');
    return Promise.resolve();
  }

  cutLink(): void {
    this.fake.cut();
  }

  mendLink(): void {
    this.fake.mend();
  }

  controlConnections(): number {
    return this.fake.connections;
  }

  crash(): Promise<void> {
    return this.fake.crash();
  }

  restore(): Promise<void> {
    return this.fake.listen();
  }

  /** A call that comes in, before the dialplan has done anything with it. */
  #inbound(callId: string): { call: RigCall; channel: FakeChannel; answer: () => void } {
    const final = deferred<number>();
    const channel = this.fake.addChannel({
      direction: 'inbound',
      name: 'sofia/segy/alice@127.0.0.2',
      callId,
      callState: 'RINGING',
      ended: (cause) => final.resolve(STATUS_OF_CAUSE[cause] ?? 500),
      transferred: (extension, context) => this.#dialplan(channel, extension, context, answer),
    });
    const answer = (): void => {
      channel.callState = 'ACTIVE';
      final.resolve(200);
    };
    const end = (): void => {
      const cause = channel.callState === 'ACTIVE' ? 'NORMAL_CLEARING' : 'ORIGINATOR_CANCEL';
      this.fake.hangUp(channel.uuid, cause);
    };
    return { call: { callId, final: final.promise, end }, channel, answer };
  }

  /** What dialplan/freeswitch/segy.xml does with a call that the gateway lets go on. */
  #dialplan(channel: FakeChannel, extension: string, context: string, answer: () => void): void {
    const status = channel.variables.get('SEGY_STATUS');
    if (context !== 'segy-checked' || (status !== 'SECURE' && status !== 'CLEAR')) {
      setImmediate(() => this.fake.hangUp(channel.uuid, 'INCOMING_CALL_BARRED'));
      return;
    }
    const arrival = this.#dial(channel, `sip:${extension}@127.0.0.3`, answer);
    const waiting = this.#awaiting.shift();
    if (waiting === undefined) this.#atRadio.push(arrival);
    else waiting(arrival);
  }

  /** A leg that the dialplan dials for `caller`; each ends with the other. */
  #dial(caller: FakeChannel, uri: string, answer: () => void, session?: string): RigArrival {
    const ended = deferred<undefined>();
    const uuid = randomUUID();
    const leg = this.fake.addChannel({
      uuid,
      direction: 'outbound',
      name: `sofia/segy/${uri.slice(4)}`,
      // outbound-use-uuid-as-callid=true
      callId: uuid,
      callState: 'RINGING',
      ended: (cause) => {
        ended.resolve(undefined);
        this.fake.hangUp(caller.uuid, cause);
      },
    });
    if (session !== undefined) leg.variables.set('SEGY_SESSION', session);
    const previous = caller.ended;
    Object.assign(caller, {
      ended: (cause: string) => {
        previous(cause);
        this.fake.hangUp(uuid, cause);
      },
    });
    this.fake.emit('CHANNEL_ORIGINATE', leg);
    const respond = (status: number): void => {
      if (status < 200) this.fake.emit('CHANNEL_PROGRESS', leg);
      else if (status < 300) {
        leg.callState = 'ACTIVE';
        answer();
      } else this.fake.hangUp(uuid, 'USER_BUSY');
    };
    return { callId: uuid, requestUri: uri, respond, ended: ended.promise };
  }

  async stop(): Promise<void> {
    await this.fake.stop();
  }
}
