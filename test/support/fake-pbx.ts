/**
 * The fake FreeSWITCH as the PBX of a scene: the event socket is the fake's, and the scene's radio trunk
 * stands where FreeSWITCH takes SIP, so that the gateway speaks to it directly.
 */
import type { SimCall, PartyMedia } from '../../src/sim/index.js';
import { FakeFreeSwitch } from './esl-fake.js';
import type { FakeChannel } from './esl-fake.js';
import type { PbxInstance } from './pbx-instance.js';
import type { Peer } from './pcap.js';
import { freePort } from './ports.js';

export class FakePbx implements PbxInstance {
  readonly version = 'a fake';
  readonly isOwn = true;
  readonly password: string;
  readonly control: Peer;

  private constructor(
    readonly fake: FakeFreeSwitch,
    readonly edge: Peer,
    readonly sip: Peer,
  ) {
    this.password = fake.password;
    this.control = { address: '127.0.0.1', port: fake.port };
  }

  /** @param edge where the gateway's inner side is; default a free port */
  static async start(edge?: Peer): Promise<FakePbx> {
    const inner = edge ?? { address: '127.0.0.2', port: await freePort('127.0.0.2') };
    const sip = { address: '127.0.0.1', port: await freePort() };
    return new FakePbx(await FakeFreeSwitch.start(), inner, sip);
  }

  /** The trunk stands for the PBX itself. */
  get radio(): Peer {
    return this.sip;
  }

  get trunk(): Peer {
    return this.edge;
  }

  settings({ address, port }: Peer, passwordFile: string): Readonly<Record<string, unknown>> {
    return { type: 'freeswitch', esl: { host: address, port, passwordFile } };
  }

  /**
   * Parks the call whose INVITE the gateway sent, as the context from-segy does.
   * @param transferred what the dialplan does when the gateway lets it go on
   */
  park(
    call: SimCall<PartyMedia>,
    transferred: (extension: string, context: string) => void,
  ): FakeChannel {
    const channel = this.fake.addChannel({
      direction: 'inbound',
      name: 'sofia/segy/alice@127.0.0.2',
      callId: call.dialog.callId,
      callState: 'RINGING',
      ended: () => call.bye(),
      transferred,
    });
    const session = call.invite?.headers.get('X-SeGy-Session') ?? '';
    channel.variables.set('sip_h_X-SeGy-Session', session);
    this.fake.emit('CHANNEL_CREATE', channel);
    channel.variables.set('SEGY_TARGET', '1001');
    channel.variables.set('SEGY_CONTEXT', 'segy-checked');
    channel.variables.set('current_application', 'park');
    this.fake.emit('CHANNEL_PARK', channel);
    this.#endWith(call, channel);
    return channel;
  }

  /** The channel by which FreeSWITCH sent `call` to the gateway: its identifier is the Call-ID. */
  dialled(call: SimCall<PartyMedia>): FakeChannel {
    const { callId } = call.dialog;
    const channel = this.fake.addChannel({
      uuid: callId,
      direction: 'outbound',
      name: 'sofia/segy/alice@127.0.0.2',
      callId,
      callState: 'RINGING',
      ended: () => call.bye(),
    });
    this.fake.emit('CHANNEL_ORIGINATE', channel);
    this.#endWith(call, channel);
    return channel;
  }

  #endWith(call: SimCall<PartyMedia>, { uuid }: FakeChannel): void {
    void call.ended.then(() => this.fake.hangUp(uuid, 'NORMAL_CLEARING'));
  }

  channelCount(): Promise<number> {
    return Promise.resolve(this.fake.channels.size);
  }

  hangUpAll(): Promise<void> {
    for (const uuid of [...this.fake.channels.keys()]) this.fake.hangUp(uuid, 'NORMAL_CLEARING');
    return Promise.resolve();
  }

  log(): string {
    return this.fake.commands.join('\n');
  }

  kill(): Promise<void> {
    return this.fake.crash();
  }

  run(): Promise<void> {
    return this.fake.listen();
  }

  stop(): Promise<void> {
    return this.fake.stop();
  }
}
