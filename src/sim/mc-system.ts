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
  /** serves the floor of its calls; without it calls have no floor control */
  readonly floor?: Omit<SimFloorOptions, 'address'>;
  /** protects the signalling with the gateway; clear without it */
  readonly signalling?: SimSignalling;
  /** makes a relay between one call of ours and the peer's media */
  readonly relay?: () => Pick<PartyMediaOptions, 'advertise' | 'route'>;
  /** SIP port that Contact names, where a relay stands before ours */
  readonly advertisedPort?: number;
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
    readonly keys: PckExchange,
    /** the floor of the call; undefined without floor control */
    readonly floor?: SimFloor,
  ) {
    super({ ...options, keys, ...(floor === undefined ? {} : { floor }) }, env);
  }
}

const ICSI = 'urn:urn-7:3gpp-service.ims.icsi.mcptt';
const ICSI_TAG = '+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mcptt"';
const DEFAULT_TONE_HZ = 1000;

export class McSystem {
  readonly agent: SimAgent<McMedia>;
  /** codec of the calls from here on */
  codec: CodecName;
  /** the refusals of incoming calls, latest last */
  readonly refusals: SegyError[] = [];
  readonly #options: McSystemOptions;

  constructor(
    options: McSystemOptions,
    readonly env: Environment,
  ) {
    this.#options = options;
    this.codec = options.codec ?? 'PCMU';
    const { address, port = 0, protocol = 'udp' } = options;
    this.agent = new SimAgent(
      {
        name: 'mc',
        address,
        port,
        protocol,
        ...(options.tls === undefined ? {} : { tls: options.tls }),
        ...(options.advertisedPort === undefined ? {} : { advertisedPort: options.advertisedPort }),
        contactParameters: `;+g.3gpp.mcptt;${ICSI_TAG};isfocus`,
      },
      env,
    );
    this.agent.onInvite = (request) => this.#incoming(request);
  }

  /** @returns the SIP port */
  open(): Promise<number> {
    return this.agent.open();
  }

  close(): Promise<void> {
    return this.agent.close();
  }

  /** Places a private call. Resolves when the INVITE is sent. */
  async call(call: McCallOptions): Promise<SimCall<McMedia>> {
    const { domain, gateway, requestUri, signalling } = this.#options;
    const address = formatHostPort({ host: this.#options.address });
    const ear = (await signalling?.ear(domain, call.from, call.to)) ?? null;
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
    const floor = this.#floor({ own: call.from, peer: call.to });
    const media = this.#media(keys, call, floor, (sdp) => {
      const body = writeMcBody(sdp, info, this.env.random);
      const made = call.misbehave?.body?.(body) ?? body;
      return signalling?.seal(made, ear, `sip:controlling@${address}`) ?? made;
    });
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
          ['Session-Expires', '1800;refresher=uac'],
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
      if (info?.sessionType !== 'private') {
        throw new SegyError('SEGY_E_SIP_SYNTAX', 'not a private call');
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

  #media(
    keys: PckExchange,
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
