/**
 * The conformance suite's rig on a real Asterisk.
 */
import { type Environment, silentMetrics, systemClock } from '../../src/base/environment.js';
import { silentLog, systemRandom, systemTimers } from '../../src/base/environment.js';
import { createAriPort } from '../../src/pbx/index.js';
import { AsteriskInstance } from './asterisk.js';
import type { PbxRig } from './pbx-rig.js';
import { RawSip, type SentCall } from './raw-sip.js';
import { TcpProxy } from './tcp-proxy.js';

export const quietEnvironment: Environment = {
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
  log: silentLog,
  metrics: silentMetrics,
};

/** A dialplan route past the gateway, for the call that never enters Stasis. */
const PAST = ['[from-segy]', 'exten => past-gateway,1,Answer()', ' same => n,Wait(30)', ''].join(
  '\n',
);

export class AsteriskRig {
  readonly rig: PbxRig;
  readonly asterisk: AsteriskInstance;
  readonly #edge: RawSip;
  readonly #radio: RawSip;
  readonly #proxy: TcpProxy;

  private constructor(
    rig: PbxRig,
    asterisk: AsteriskInstance,
    edge: RawSip,
    radio: RawSip,
    proxy: TcpProxy,
  ) {
    this.rig = rig;
    this.asterisk = asterisk;
    this.#edge = edge;
    this.#radio = radio;
    this.#proxy = proxy;
  }

  static async start(): Promise<AsteriskRig> {
    const asterisk = await AsteriskInstance.start({ dialplan: PAST });
    const edge = await RawSip.open(asterisk.edge, asterisk.sip);
    const radio = await RawSip.open(asterisk.radio, asterisk.sip);
    const { hostname, port } = new URL(asterisk.ari.url);
    const proxy = await TcpProxy.open({ host: hostname, port: Number(port) });
    const address = { ...asterisk.ari, url: `http://127.0.0.1:${proxy.port}` };
    let calls = 0;
    const rig: PbxRig = {
      makePort: (options) =>
        createAriPort(address, quietEnvironment, {
          backOffMs: 40,
          backOffLimitMs: 200,
          ...options,
        }),
      callIn: (callId, sessionId) => edge.invite('radio7', callId, { 'X-SeGy-Session': sessionId }),
      callPast: (callId, sessionId) =>
        edge.invite('past-gateway', callId, { 'X-SeGy-Session': sessionId }),
      nextAtRadio: () => radio.nextInvite(),
      callOut: async () => {
        radio.invite('alice.mc', `radio-${process.pid}-${++calls}`);
        return edge.nextInvite();
      },
      variable: async (channelId, name) => {
        const query = `channelId=${channelId}&variable=${encodeURIComponent(name)}`;
        const url = `${asterisk.ari.url}/ari/channels/${channelId}/variable?${query}`;
        const { username, password } = asterisk.ari;
        const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
        const answer = await fetch(url, { headers: { authorization, connection: 'close' } });
        const { value } = (await answer.json()) as { value?: string };
        return value ?? '';
      },
      channelCount: () => asterisk.channelCount(),
      setsVariablesOnDialled: false,
      endAll: async () => {
        await asterisk.cli('channel request hangup all');
      },
      cutLink: () => proxy.cut(),
      mendLink: () => proxy.mend(),
      controlConnections: () => proxy.connections,
      crash: () => asterisk.kill(),
      restore: () => asterisk.run(),
    };
    return new AsteriskRig(rig, asterisk, edge, radio, proxy);
  }

  /** A call from the gateway's address to any user part. */
  fromGateway(user: string, callId: string): SentCall {
    return this.#edge.invite(user, callId);
  }

  /** A call from the radio trunk to any user part. */
  fromRadio(user: string, callId: string): SentCall {
    return this.#radio.invite(user, callId);
  }

  async stop(): Promise<void> {
    this.#edge.close();
    this.#radio.close();
    await this.#proxy.close();
    await this.asterisk.stop();
  }
}
