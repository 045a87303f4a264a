/**
 * A partner MC system as a gateway sees it: one SIP peer that plays the controlling function, and
 * behind it the clients of its users with their keys and their audio.
 */
import type { Environment } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import type { FloorLevel } from '../floor/index.js';
import { formatHostPort, type SipRequest, type SipTarget } from '../sip/index.js';
import { SimAgent } from './agent.js';
import type { AgentOptions } from './agent.js';
import type { SimCall } from './call.js';
import type { HeaderList } from './call-model.js';
import type { SipBody } from './call-media.js';
import type { AudioOptions } from './audio.js';
import { CODECS } from './codec.js';
import type { CodecName } from './codec.js';
import type { SimDomain } from './domain.js';
import { GroupExchange } from './group-protection.js';
import { McGroups } from './mc-groups.js';
import type { McpttInfo } from './mcptt-info.js';
import { mcpttInfoOf, sdpOf, writeMcBody } from './mc-body.js';
import { PartyMedia } from './party-media.js';
import type { PartyMediaOptions } from './party-media.js';
import { PckExchange } from './pck-exchange.js';
import type { KeyMisbehaviour } from './pck-exchange.js';
import type { SimSignalling } from './signalling.js';
import { SimFloor, type FloorParties, type SimFloorOptions } from './sim-floor.js';

export interface McSystemOptions {
  readonly domain: SimDomain;
  /** MCPTT IDs of our users */
  readonly users: readonly string[];
  /** address of SIP and media */
  readonly address: string;
  readonly port?: number;
  readonly protocol?: AgentOptions['protocol'];
  /** with `udp`: takes what is too large for it over TCP */
  readonly large?: boolean;
  /** our certificate and whom we trust; required for `tls` */
  readonly tls?: AgentOptions['tls'];
  /** SIP peer of our calls: the gateway's outer address */
  readonly gateway: SipTarget;
  /** public service identity of the peer's controlling function, the Request-URI of our calls */
  readonly requestUri: string;
  readonly codec?: CodecName;
  /** tone sent, in Hz; default 1000 */
  readonly toneHz?: number;
  /** takes calls without a key too */
  readonly allowClear?: boolean;
  /** identity of the GMS that keys our users' talkgroups; without it there are no group calls */
  readonly gms?: string;
  /** serves the floor of its calls; without it calls have no floor control */
  readonly floor?: Omit<SimFloorOptions, 'address'>;
  /** protects the signalling with the gateway; clear without it */
  readonly signalling?: SimSignalling;
  /** makes a relay between one call of ours and the peer's media */
  readonly relay?: () => Pick<PartyMediaOptions, 'advertise' | 'route'>;
  /** SIP port that Contact names, where a relay stands before ours */
  readonly advertisedPort?: number;
}

export interface GroupCallOptions {
  /** the member that calls */
  readonly from: string;
  /** MC group ID */
  readonly group: string;
  readonly level?: FloorLevel;
}

export interface McCallOptions {
  readonly from: string;
  readonly to: string;
  readonly codec?: CodecName;
  /** tone sent, in Hz; default the system's */
  readonly toneHz?: number;
  readonly hideIdentities?: boolean;
  readonly answerMode?: 'Auto' | 'Manual';
  readonly headers?: HeaderList;
  /** how urgent it is, for mcptt-info */
  readonly level?: FloorLevel;
  readonly onWire?: AudioOptions['onWire'];
  /** what to do wrong, for tests */
  readonly misbehave?: KeyMisbehaviour & {
    /** another calling user in mcptt-info than the one whose call it is */
    readonly callingUserId?: string;
    /** another body of the INVITE than the one made */
    readonly body?: (body: SipBody) => SipBody;
  };
}

/** The media of a call with its key exchange at hand. */
export class McMedia extends PartyMedia {
  constructor(
    options: PartyMediaOptions,
    env: Environment,
    readonly exchange: PckExchange | GroupExchange,
    /** the floor of the call; undefined without floor control */
    readonly floor?: SimFloor,
  ) {
    super({ ...options, keys: exchange, ...(floor === undefined ? {} : { floor }) }, env);
  }

  /** The PCKs of a private call. @throws SegyError SEGY_E_ARGUMENT for a group call */
  get keys(): PckExchange {
    if (this.exchange instanceof PckExchange) return this.exchange;
    throw new SegyError('SEGY_E_ARGUMENT', 'a group call has no PCK');
  }

  /** The membership by which a group call is protected; null for a private call. */
  get group(): GroupExchange | null {
    return this.exchange instanceof GroupExchange ? this.exchange : null;
  }
}

const ICSI = 'urn:urn-7:3gpp-service.ims.icsi.mcptt';
const ICSI_TAG = '+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mcptt"';
const DEFAULT_TONE_HZ = 1000;
const GROUP_SESSIONS: ReadonlySet<string> = new Set(['prearranged', 'chat']);

interface Placement {
  readonly call: McCallOptions;
  readonly info: McpttInfo;
  readonly keys: PckExchange | GroupExchange;
  readonly requestUri: string;
}

export class McSystem {
  readonly agent: SimAgent<McMedia>;
  /** codec of the calls from here on */
  codec: CodecName;
  /** the refusals of incoming calls, latest last */
  readonly refusals: SegyError[] = [];
  /** talkgroups of our users; undefined where they have no GMS */
  readonly groups: McGroups | undefined;
  readonly #options: McSystemOptions;

  constructor(
    options: McSystemOptions,
    readonly env: Environment,
  ) {
    this.#options = options;
    this.codec = options.codec ?? 'PCMU';
    const { address, port = 0, protocol = 'udp', large = false } = options;
    this.agent = new SimAgent(
      {
        name: 'mc',
        address,
        port,
        protocol,
        large,
        ...(options.tls === undefined ? {} : { tls: options.tls }),
        ...(options.advertisedPort === undefined ? {} : { advertisedPort: options.advertisedPort }),
        contactParameters: `;+g.3gpp.mcptt;${ICSI_TAG};isfocus`,
      },
      env,
    );
    this.agent.onInvite = (request) => this.#incoming(request);
    const { gms } = options;
    this.groups = gms === undefined ? undefined : new McGroups(this.agent, { ...options, gms });
  }

  /** @returns the SIP port */
  open(): Promise<number> {
    return this.agent.open();
  }

  async close(): Promise<void> {
    await this.groups?.close();
    await this.agent.close();
  }

  /** Places a private call. Resolves when the INVITE is sent. */
  call(call: McCallOptions): Promise<SimCall<McMedia>> {
    const { domain, requestUri } = this.#options;
    const keys = new PckExchange({
      domain,
      user: call.from,
      peer: call.to,
      ...(call.hideIdentities === undefined ? {} : { hideIdentities: call.hideIdentities }),
      ...(call.misbehave === undefined ? {} : { misbehave: call.misbehave }),
    });
    const info = {
      sessionType: 'private',
      requestUri: call.to,
      callingUserId: call.misbehave?.callingUserId ?? call.from,
      level: call.level ?? 'normal',
    };
    return this.#place({ call, info, keys, requestUri });
  }

  /**
   * Calls into a group as one of its members. Resolves when the INVITE is sent.
   * @throws SegyError SEGY_E_NO_GROUP_KEY while the member has no active GMK
   */
  async groupCall({ from, group, level }: GroupCallOptions): Promise<SimCall<McMedia>> {
    const keys = this.#membership(group, from);
    const info = {
      sessionType: 'prearranged',
      requestUri: group,
      callingUserId: from,
      level: level ?? ('normal' as const),
    };
    return await this.#place({ call: { from, to: group }, info, keys, requestUri: group });
  }

  async #place({ call, info, keys, requestUri }: Placement): Promise<SimCall<McMedia>> {
    const { domain, gateway, signalling } = this.#options;
    const address = formatHostPort({ host: this.#options.address });
    const ear = (await signalling?.ear(domain, call.from, call.to)) ?? null;
    const floor = this.#floor({ own: call.from, peer: call.to });
    const media = this.#media(keys, call, floor, (sdp) => {
      const body = writeMcBody(sdp, info, this.env.random);
      const made = call.misbehave?.body?.(body) ?? body;
      return signalling?.seal(made, ear, `sip:controlling@${address}`) ?? made;
    });
    const asksForSession = call.headers?.some(([name]) => name === 'Session-Expires') ?? false;
    return this.agent.call(
      {
        target: gateway,
        requestUri,
        from: `sip:controlling@${address}`,
        to: requestUri,
        headers: [
          ['P-Asserted-Identity', `<sip:controlling@${address}>`],
          ['P-Asserted-Service', ICSI],
          ['Accept-Contact', '*;+g.3gpp.mcptt;require;explicit'],
          ['Accept-Contact', `*;${ICSI_TAG};require;explicit`],
          ['Answer-Mode', call.answerMode ?? 'Auto'],
          ...(asksForSession ? [] : [['Session-Expires', '1800;refresher=uac'] as const]),
          ...(call.headers ?? []),
        ],
      },
      media,
    );
  }

  /** The client of the called user, or the status that refuses the call. */
  #incoming(request: SipRequest): McMedia | number {
    try {
      this.#options.signalling?.open(request);
      const body = { type: request.headers.get('Content-Type') ?? '', bytes: request.body };
      const info = mcpttInfoOf(body);
      if (info !== undefined && GROUP_SESSIONS.has(info.sessionType)) return this.#invited(info);
      if (info?.sessionType !== 'private') {
        throw new SegyError('SEGY_E_SIP_SYNTAX', 'neither a private call nor one of a group');
      }
      if (!this.#options.users.includes(info.requestUri)) {
        throw new SegyError('SEGY_E_UNKNOWN_CALLEE', 'the called user is not ours');
      }
      const keys = new PckExchange({
        domain: this.#options.domain,
        user: info.requestUri,
        peer: info.callingUserId,
        allowClear: this.#options.allowClear ?? false,
      });
      const floor = this.#floor({ own: info.requestUri, peer: info.callingUserId });
      return this.#media(keys, {}, floor);
    } catch (error) {
      const refusal = toSegyError(error);
      this.refusals.push(refusal);
      return refusal.sipStatus;
    }
  }

  /** The client of the invited member of a group, or of the first of ours that can talk in it. */
  #invited({ callingGroupId, requestUri, callingUserId }: McpttInfo): McMedia {
    const group = callingGroupId ?? requestUri;
    const user = callingGroupId === undefined ? this.groups?.memberOf(group) : requestUri;
    if (user === undefined || !this.#options.users.includes(user)) {
      throw new SegyError('SEGY_E_NO_GROUP_KEY', `nobody here has a GMK of ${group}`);
    }
    const floor = this.#floor({ own: user, peer: callingUserId });
    return this.#media(this.#membership(group, user), {}, floor);
  }

  #membership(group: string, user: string): GroupExchange {
    if (this.groups === undefined) {
      throw new SegyError('SEGY_E_NO_GROUP_KEY', 'our users have no GMS');
    }
    return new GroupExchange({ keys: this.groups.keys, group, user });
  }

  #media(
    keys: PckExchange | GroupExchange,
    call: Pick<McCallOptions, 'codec' | 'toneHz' | 'onWire'>,
    floor?: SimFloor,
    wrapOffer?: PartyMediaOptions['wrapOffer'],
  ): McMedia {
    return new McMedia(
      {
        audio: {
          address: this.#options.address,
          codec: CODECS[call.codec ?? this.codec],
          toneHz: call.toneHz ?? this.#options.toneHz ?? DEFAULT_TONE_HZ,
          ...(call.onWire === undefined ? {} : { onWire: call.onWire }),
        },
        ...this.#options.relay?.(),
        unwrap: sdpOf,
        ...(wrapOffer === undefined ? {} : { wrapOffer }),
      },
      this.env,
      keys,
      floor,
    );
  }

  #floor(parties: FloorParties): SimFloor | undefined {
    const { floor, address } = this.#options;
    return floor && new SimFloor({ ...floor, address }, parties, this.env);
  }
}
