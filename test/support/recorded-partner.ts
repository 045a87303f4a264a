/**
 * A partner of one policy whose MC system is simulated and sends to a recorder: the octets of its
 * calls, group calls, MESSAGEs with a group key and REFERs, and each of them broken in every way.
 */
import { join } from 'node:path';
import { utf8 } from '../../src/base/bytes.js';
import { systemRandom } from '../../src/base/environment.js';
import type { SlowCrypto } from '../../src/crypto/index.js';
import { McSystem, openDomainFiles, type SimDomain, type SipBody } from '../../src/sim/index.js';
import { makeMultipart, SipHeaders, type SipRequest } from '../../src/sip/index.js';
import { groupKeyMessage, requestOutside } from './group-key-message.js';
import { GroupSide } from './group-side.js';
import type { Peer } from './pcap.js';
import type { PolicyPartner } from './policies.js';
import { casesOf, earOf, sealed, type ProtectionCase } from './protection-cases.js';
import { Recorder } from './recorder.js';
import { RADIO_1 } from './scene-config.js';
import { sceneEnvironment } from './scene.js';
import { within } from './waiting.js';

/** What a partner sends. */
export type RecordedKind = 'private' | 'group' | 'message' | 'refer';

const infoOf = (
  sessionType: string,
  ...parameters: readonly (readonly [name: string, uri: string])[]
): string =>
  '<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params>' +
  `<session-type>${sessionType}</session-type>` +
  parameters
    .map(([name, uri]) => `<${name} type="Normal"><mcpttURI>${uri}</mcpttURI></${name}>`)
    .join('') +
  '</mcptt-Params></mcpttinfo>';

const groupInfo = ({ alice, group }: PolicyPartner): string =>
  infoOf(
    'prearranged',
    ['mcptt-request-uri', RADIO_1.uri],
    ['mcptt-calling-user-id', alice],
    ['mcptt-calling-group-id', group],
  );

const part = (type: string, body: Uint8Array) => ({
  headers: new SipHeaders([['Content-Type', type]]),
  body,
});

export class RecordedPartner {
  readonly domain: SimDomain;
  readonly #hop = new Recorder();
  readonly #system: McSystem;
  readonly #gateway: { address: string; port: number; protocol: 'tcp' };
  readonly #side: GroupSide;
  readonly #gmk = {
    id: Uint8Array.of(0x0a, 0, 0, 1),
    octets: systemRandom(16),
    rand: systemRandom(16),
  };
  #sequence = 0;

  private constructor(
    readonly partner: PolicyPartner,
    domain: SimDomain,
    users: readonly string[],
    hop: { recorder: Recorder; port: number },
  ) {
    const { address } = partner.peer;
    this.domain = domain;
    this.#hop = hop.recorder;
    this.#gateway = { address, port: hop.port, protocol: 'tcp' };
    this.#system = new McSystem(
      { domain, users, address, protocol: 'tcp', gateway: this.#gateway, requestUri: REQUEST_URI },
      sceneEnvironment,
    );
    this.#side = new GroupSide({ address, hears: [], info: groupInfo(partner) });
  }

  /** @param folder of the scene, where the domain's files are */
  static async open(
    partner: PolicyPartner,
    folder: string,
    slow: SlowCrypto,
  ): Promise<RecordedPartner> {
    const { domain, users } = openDomainFiles(
      join(folder, partner.plan.name),
      slow,
      sceneEnvironment,
    );
    const recorder = new Recorder();
    const { port } = await recorder.open(partner.peer.address);
    const recorded = new RecordedPartner(partner, domain, users, { recorder, port });
    await recorded.#system.open();
    return recorded;
  }

  async close(): Promise<void> {
    this.#side.close();
    await this.#system.close();
    this.#hop.close();
  }

  /** The clear body of a new request. */
  record(kind: RecordedKind): Promise<SipBody> {
    return this.#hop.record(() => this.#send(kind));
  }

  /** A MESSAGE that is taken, so that the group's key is held, and the EAR that it used up. */
  async givesKey(): Promise<{ body: SipBody; usedEar: Uint8Array | null }> {
    const { partner } = this;
    const isExplicit = partner.policy.ear === 'explicit';
    const usedEar = isExplicit ? await this.ear() : null;
    return { body: sealed(partner, await this.record('message'), { ear: usedEar }), usedEar };
  }

  /** Sends that MESSAGE to the gateway over TCP. @returns the status of the answer */
  async deliversKey(gateway: Peer): Promise<number> {
    const { body } = await this.givesKey();
    const request = this.#outside('MESSAGE', body);
    const transaction = this.#system.agent.send(request, { ...gateway, protocol: 'tcp' });
    return within(
      'the key is answered',
      new Promise<number>((resolve, reject) => {
        transaction.onFinal = ({ status }) => resolve(status);
        transaction.onError = reject;
      }),
    );
  }

  ear(): Promise<Uint8Array> {
    return earOf({ partner: this.partner, domain: this.domain });
  }

  /**
   * A request of `kind` in every way, and the code that each gets.
   * @param policy what is demanded of it, where not what its partner's profile demands
   */
  async cases(
    kind: RecordedKind,
    usedEar: Uint8Array | null,
    policy = this.partner.policy,
  ): Promise<ProtectionCase[]> {
    const partner = { ...this.partner, policy };
    const again = await this.record(kind);
    const recorded = (fresh: boolean): Promise<SipBody> =>
      fresh ? this.record(kind) : Promise.resolve(again);
    return casesOf({ partner, domain: this.domain, recorded, usedEar });
  }

  async #send(kind: RecordedKind): Promise<void> {
    const { agent } = this.#system;
    const { alice } = this.partner;
    if (kind === 'private') {
      await this.#system.call({ from: alice, to: RADIO_1.uri });
    } else if (kind === 'group') {
      await agent.call(
        { target: this.#gateway, requestUri: REQUEST_URI, from: this.#from, to: REQUEST_URI },
        this.#side as unknown as Parameters<typeof agent.call>[1],
      );
    } else {
      const body = kind === 'message' ? await this.#keyBody() : this.#referBody();
      agent.send(this.#outside(kind.toUpperCase(), body), this.#gateway);
    }
  }

  #outside(method: string, body: SipBody): SipRequest {
    this.#sequence += 1;
    const name = `recorded-${this.partner.policy.name}-${this.#sequence}`;
    return requestOutside({ method, from: this.#from, uri: REQUEST_URI, name, body });
  }

  get #from(): string {
    return `sip:controlling@${this.partner.peer.address}`;
  }

  async #keyBody(): Promise<SipBody> {
    const { gms, group } = this.partner;
    const to = RADIO_1.uri;
    const mikey = await groupKeyMessage({ domain: this.domain, gms, group, to, key: this.#gmk });
    const { contentType, body } = makeMultipart(
      [
        part('application/mikey', mikey),
        part('application/vnd.3gpp.mcptt-info+xml', utf8(groupInfo(this.partner))),
      ],
      systemRandom,
    );
    return { type: contentType, bytes: body };
  }

  /** The MC user refers radio 1 to somebody else. */
  #referBody(): SipBody {
    const info = infoOf(
      'private',
      ['mcptt-request-uri', RADIO_1.uri],
      ['mcptt-calling-user-id', this.partner.alice],
    );
    return { type: 'application/vnd.3gpp.mcptt-info+xml', bytes: utf8(info) };
  }
}

const REQUEST_URI = 'sip:mcptt-private@lmr.example';
