/**
 * What a partner of a scene does for its groups: its GMS gives keys in MESSAGE and NOTIFY, its
 * controlling function calls into groups and takes calls of the radio side.
 */
import { fromHex } from '../../src/base/bytes.js';
import { systemRandom } from '../../src/base/environment.js';
import type { NewKeyParameters } from '../../src/mikey/index.js';
import type { McMedia, McSystem, SimCall, SimDomain, SimFloor } from '../../src/sim/index.js';
import type { SipResponse } from '../../src/sip/index.js';
import { nextCall } from './call-pair.js';
import { groupKeyMessage, requestOutside } from './group-key-message.js';
import { GroupSide, memberKey, type TestGmk } from './group-side.js';
import type { Peer } from './pcap.js';
import { RADIO_1 } from './scene-config.js';
import { MC_ADDRESS } from './scene.js';
import { within } from './waiting.js';

/** A GMK of its own with the identifier 0a00000`n`. */
export const newGmk = (n: number): TestGmk => ({
  id: fromHex(`0a00000${n}`),
  octets: systemRandom(16),
  rand: systemRandom(16),
});

export interface GroupSystemOptions {
  readonly mc: McSystem;
  readonly domain: SimDomain;
  /** address of the MC system's SIP and media */
  readonly address: string;
  /** the gateway's outer SIP address */
  readonly outer: Peer;
  /** transport of SIP; default tcp */
  readonly protocol?: 'tcp' | 'tls';
  /** who signs the group's keys */
  readonly gms: string;
  /** group ID of calls and keys where no other is named */
  readonly group: string;
}

/** The GMS and the controlling function of a scene's first partner. */
export const groupSystemOf = (
  { mc, domain, outer }: Pick<GroupSystemOptions, 'mc' | 'domain' | 'outer'>,
  gms: string,
  group: string,
): GroupSystem => new GroupSystem({ mc, domain, outer, address: MC_ADDRESS, gms, group });

export interface Delivery {
  readonly method?: 'MESSAGE' | 'NOTIFY';
  readonly type?: string;
}

/** Of an I_MESSAGE: whom it is for, default the radio user, and its T, default now. */
export interface Addressing {
  readonly to?: string;
  readonly at?: Date;
}

/** null: of the GMS */
const NOTIFY_HEADERS = [
  ['Contact', null],
  ['Event', 'xcap-diff'],
  ['Subscription-State', 'active'],
] as const;

export class GroupSystem {
  readonly #options: GroupSystemOptions;
  #sequence = 0;

  constructor(options: GroupSystemOptions) {
    this.#options = options;
  }

  /** An I_MESSAGE of the GMS. */
  async message(
    key: TestGmk,
    keyParameters: NewKeyParameters = {},
    { to = RADIO_1.uri, at = new Date() }: Addressing = {},
  ): Promise<Uint8Array> {
    const { domain, gms, group } = this.#options;
    return groupKeyMessage({ domain, gms, group, to, key, parameters: keyParameters, at });
  }

  /** Sends a body to the radio user. @returns the final response */
  deliver(
    body: Uint8Array,
    { method = 'MESSAGE', type = 'application/mikey' }: Delivery = {},
  ): Promise<SipResponse> {
    const { mc, outer, gms } = this.#options;
    this.#sequence += 1;
    const uri = `sip:radio1@${outer.address}:${outer.port}`;
    const headers = NOTIFY_HEADERS.map(([name, value]) => [name, value ?? `<${gms}>`] as const);
    const request = requestOutside({
      ...{ method, from: gms, uri, name: `keys-${this.#sequence}` },
      ...(method === 'NOTIFY' && { headers }),
      body: { type, bytes: body },
    });
    const transaction = mc.agent.send(request, {
      ...outer,
      protocol: this.#options.protocol ?? 'tcp',
    });
    return within(
      `the ${method} is answered`,
      new Promise<SipResponse>((resolve, reject) => {
        transaction.onFinal = resolve;
        transaction.onError = reject;
      }),
    );
  }

  /** Gives the radio user a key, or its new parameters. @returns the status of the answer */
  async give(key: TestGmk, parameters: NewKeyParameters = {}): Promise<number> {
    return (await this.deliver(await this.message(key, parameters))).status;
  }

  /** The MC side of a call that `caller` opens, which hears the radio user under `hears`, and may serve its floor. */
  side(
    caller: string,
    hears: readonly TestGmk[],
    group = this.#options.group,
    floor?: SimFloor,
  ): GroupSide {
    return new GroupSide({
      ...(floor !== undefined && { floor }),
      address: this.#options.address,
      hears: hears.map((key) => memberKey(key, RADIO_1.uri)),
      info:
        '<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params>' +
        '<session-type>prearranged</session-type>' +
        `<mcptt-calling-user-id><mcpttURI>${caller}</mcpttURI></mcptt-calling-user-id>` +
        `<mcptt-calling-group-id><mcpttURI>${group}</mcpttURI></mcptt-calling-group-id>` +
        '</mcptt-Params></mcpttinfo>',
    });
  }

  /** Opens a call into the group that `side` names. */
  call(side: GroupSide): Promise<SimCall<McMedia>> {
    const { mc, outer, address } = this.#options;
    return mc.agent.call(
      {
        target: { ...outer, protocol: this.#options.protocol ?? 'tcp' },
        requestUri: 'sip:mcptt-group@lmr.example',
        from: `sip:controlling@${address}`,
        to: 'sip:mcptt-group@lmr.example',
      },
      side as unknown as McMedia,
    );
  }

  /** Takes calls of the radio side with `side` until `end`. */
  takeCalls(side: GroupSide): { next: Promise<SimCall<McMedia>>; end(): void } {
    const { agent } = this.#options.mc;
    const before = agent.onInvite;
    agent.onInvite = () => side as unknown as McMedia;
    const end = (): void => {
      if (before) agent.onInvite = before;
    };
    return { next: nextCall(agent), end };
  }
}
