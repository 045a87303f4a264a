/**
 * A partner that is called: it checks what comes against the policy of what the gateway sends, and
 * answers with what the test hands it.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { systemRandom } from '../../src/base/environment.js';
import type { EccsiVerifier } from '../../src/crypto/index.js';
import { periodAt, uidOf, type KmsCertificate } from '../../src/kms/index.js';
import { decodeEar, openMessage, SpkSet } from '../../src/protect/index.js';
import { SimAgent, type CallMedia, type SimCall, type SipBody } from '../../src/sim/index.js';
import { parseNameAddr, type ServerTransaction, type SipRequest } from '../../src/sip/index.js';
import { clearAnswer, type CallKind } from './clear-answer.js';
import { EAR_POINTS, type PolicyPartner } from './policies.js';
import { casesOf, type ProtectionCase } from './protection-cases.js';
import { RADIO_1, sceneEnvironment } from './scene.js';

/** The key of the radio user or our GMS, to verify what it signed. */
export interface Signer {
  readonly certificate: KmsCertificate;
  readonly verifier: Pick<EccsiVerifier, 'verify'>;
}

export class AnsweringPartner {
  /** requests that the gateway sent */
  readonly requests: SipRequest[] = [];
  /** calls that were answered, in their order */
  readonly answered: SimCall[] = [];
  acks = 0;
  /** packets that came where the answers want their media */
  mediaPackets = 0;
  /** the body of the next answer */
  next: SipBody | null = null;
  /** the bodies that answer MESSAGEs, by the user they are for; none: no body */
  readonly toMessages = new Map<string, SipBody>();
  /** number of the broken case that answers the first SUBSCRIBE and the first PUBLISH */
  readonly #brokenAt: Map<string, number>;
  /** what those were */
  readonly brokenStanding = new Map<string, ProtectionCase>();
  readonly #agent: SimAgent<CallMedia>;
  readonly #media: Socket = createSocket('udp4');

  /** @param first number of the broken case that answers the first SUBSCRIBE; the next one PUBLISH */
  constructor(
    readonly partner: PolicyPartner,
    first: number,
  ) {
    const { peer, policy } = partner;
    this.#brokenAt = new Map([
      ['SUBSCRIBE', first],
      ['PUBLISH', first + 1],
    ]);
    this.#agent = new SimAgent({ name: policy.name, ...peer, protocol: 'udp' }, sceneEnvironment);
    this.#agent.onInvite = (request) => this.#mediaFor(request);
    this.#agent.onCall = (call) => {
      this.answered.push(call);
      void call.answer();
    };
    this.#agent.endpoint.onAck = () => (this.acks += 1);
    this.#agent.onOther = (transaction) => void this.#takeStanding(transaction);
    this.#media.on('message', () => (this.mediaPackets += 1));
  }

  async open(): Promise<void> {
    await this.#agent.open();
    this.#media.bind(0, this.partner.peer.address);
    await once(this.#media, 'listening');
  }

  async close(): Promise<void> {
    await this.#agent.close();
    this.#media.close();
  }

  send(request: SipRequest, to: { address: string; port: number }): Promise<number> {
    const transaction = this.#agent.send(request, { ...to, protocol: 'udp' });
    return new Promise((resolve, reject) => {
      transaction.onFinal = ({ status }) => resolve(status);
      transaction.onError = reject;
    });
  }

  /**
   * What may answer the gateway, right and broken, and the code of its refusal.
   * @param identity of the gateway in the request that is answered
   */
  answers(kind: CallKind, identity = this.#identityOfFirst()): Promise<ProtectionCase[]> {
    const { partner } = this;
    // a response is protected under the identity of its request, and carries no EAR
    const policy = { ...partner.policy, ear: 'none' } as const;
    const recorded = () => Promise.resolve(clearAnswer(partner, kind, this.#media.address().port));
    return casesOf({
      partner: { ...partner, policy, identity },
      domain: null,
      recorded,
      usedEar: null,
    });
  }

  #identityOfFirst(): string {
    const [request] = this.requests;
    if (request === undefined) throw new Error('the gateway has sent nothing');
    return p0Of(request);
  }

  /** Whom a request of the gateway is for, as its body says once it is open. */
  memberOf(request: SipRequest): string | null {
    const { spk, policy } = this.partner;
    const clear: SipRequest = { ...request, headers: request.headers.clone() };
    const keys = { spks: new SpkSet([spk]), p0: p0Of(request), now: Date.now() };
    openMessage(clear, keys, policy.send, systemRandom);
    const text = Buffer.from(clear.body).toString('latin1');
    return /<mcptt-request-uri[^>]*><mcpttURI>([^<]*)/.exec(text)?.[1] ?? null;
  }

  /** What in a request of the gateway is not as the policy says; empty where all is. */
  faultsOf(
    request: SipRequest,
    { certificate, verifier }: Signer,
    source: string = RADIO_1.uri,
  ): string[] {
    const { policy, spk, alice } = this.partner;
    const { send } = policy;
    const text = Buffer.from(request.body).toString('latin1');
    const faults: string[] = [];
    const expect = (what: string, is: boolean, should: boolean): void => {
      if (is !== should) faults.push(`${request.method} ${policy.name}: ${what} is ${is}`);
    };
    expect('encrypted', text.includes('EncryptedData'), send.confidentiality);
    expect('signed', text.includes('-signed+xml'), send.integrity);
    const withoutEar = text.replace(/signalling-ear[\s\S]{0,400}/g, '');
    const isNamed = withoutEar.includes(`>${source}<`) || withoutEar.includes(`>${alice}<`);
    expect('an identity shown', isNamed, !send.confidentiality);
    const clear: SipRequest = { ...request, headers: request.headers.clone() };
    const keys = { spks: new SpkSet([spk]), p0: p0Of(request), now: Date.now() };
    const octets = openMessage(clear, keys, send, systemRandom);
    expect('authenticated', octets !== null, send.ear);
    expect('opened', Buffer.from(clear.body).includes(`>${source}<`), true);
    if (octets === null) return faults;
    const { ear, payload, signature } = decodeEar(octets, EAR_POINTS);
    const id = uidOf(certificate, source, periodAt(certificate, ear.time * 1000));
    const kpak = certificate.pubAuthKey;
    expect('of who asks', ear.sourceId === source, true);
    expect('signed by it', verifier.verify({ kpak, id, message: payload, signature }), true);
    return faults;
  }

  #mediaFor(request: SipRequest): CallMedia | number {
    const body = this.next;
    this.requests.push(request);
    this.next = null;
    if (body === null) return 480;
    return {
      offer: () => Promise.reject(new Error('this partner only answers')),
      answer: () => Promise.resolve(body),
      takeAnswer: () => Promise.resolve(),
      start: () => undefined,
      close: () => undefined,
    };
  }

  async #takeStanding(transaction: ServerTransaction): Promise<void> {
    const { request } = transaction;
    const { method, headers } = request;
    this.requests.push(request);
    if (method === 'MESSAGE') {
      const body = this.toMessages.get(this.memberOf(request) ?? '');
      this.#agent.respond(transaction, 200, 'OK', transaction.localTag, body);
      return;
    }
    const at = this.#brokenAt.get(method);
    this.#brokenAt.delete(method);
    let body: SipBody | undefined;
    if (at !== undefined) {
      const broken = (await this.answers('private')).filter(({ code }) => code !== null);
      const picked = broken[at % broken.length]!;
      this.brokenStanding.set(method, picked);
      ({ body } = picked);
    }
    this.#agent.respond(transaction, 200, 'OK', transaction.localTag, body, [
      ['Expires', headers.get('Expires') ?? '0'],
      ['SIP-ETag', 'standing'],
    ]);
  }
}

function p0Of({ headers }: SipRequest): string {
  const [asserted] = headers.list('P-Asserted-Identity');
  return parseNameAddr(asserted ?? headers.get('From') ?? '').uri;
}
