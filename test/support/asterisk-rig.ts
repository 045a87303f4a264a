/**
 * The conformance suite's rig on a real Asterisk.
 */
import { createAriPort } from '../../src/pbx/index.js';
import { AsteriskInstance } from './asterisk.js';
import type { PbxRig } from './pbx-rig.js';
import { quietEnvironment } from './quiet-environment.js';
import type { SentCall } from './raw-sip.js';
import { openSides, realRig } from './real-rig.js';
import type { RigSides } from './real-rig.js';

/** A dialplan route past the gateway, for the call that never enters Stasis. */
const PAST = ['[from-segy]', 'exten => past-gateway,1,Answer()', ' same => n,Wait(30)', ''].join(
  '\n',
);

export class AsteriskRig {
  private constructor(
    readonly rig: PbxRig,
    readonly asterisk: AsteriskInstance,
    readonly sides: RigSides,
  ) {}

  static async start(): Promise<AsteriskRig> {
    const asterisk = await AsteriskInstance.start({ dialplan: PAST });
    const sides = await openSides(asterisk);
    const address = { ...asterisk.ari, url: `http://127.0.0.1:${sides.proxy.port}` };
    const rig = realRig(asterisk, sides, {
      makePort: (options) =>
        createAriPort(address, quietEnvironment, {
          backOffMs: 40,
          backOffLimitMs: 200,
          ...options,
        }),
      variable: async (channelId, name) => {
        const query = `channelId=${channelId}&variable=${encodeURIComponent(name)}`;
        const url = `${asterisk.ari.url}/ari/channels/${channelId}/variable?${query}`;
        const { username, password } = asterisk.ari;
        const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
        const answer = await fetch(url, { headers: { authorization, connection: 'close' } });
        const { value } = (await answer.json()) as { value?: string };
        return value ?? '';
      },
      setsVariablesOnDialled: false,
    });
    return new AsteriskRig(rig, asterisk, sides);
  }

  /** A call from the gateway's address to any user part. */
  fromGateway(user: string, callId: string): SentCall {
    return this.sides.edge.invite(user, callId);
  }

  /** A call from the radio trunk to any user part. */
  fromRadio(user: string, callId: string): SentCall {
    return this.sides.radio.invite(user, callId);
  }

  async stop(): Promise<void> {
    await this.sides.close();
  }
}
