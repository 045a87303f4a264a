/** The edge between a pretended MC system and a pretended PBX, on real loopback sockets. */
import type { Alarms } from '../../../src/base/alarms.js';
import type { LogFields } from '../../../src/base/environment.js';
import { DEFAULT_CODE_POINTS } from '../../../src/config/index.js';
import {
  DEFAULT_EDGE_LIMITS,
  Edge,
  type AccessTokens,
  type GroupDocumentsPort,
  type EdgeDependencies,
  type EdgeLimits,
  type FloorPort,
  type GroupsPort,
  type OuterInterface,
  type ProtectionPort,
  type RedirectBody,
} from '../../../src/edge/index.js';
import { listenOnFreePort } from '../../support/ports.js';
import { writePrivateCallInfo } from '../../../src/edge/messages/mcptt-info.js';
import {
  createResponse,
  SipEndpoint,
  tagOf,
  type ServerTransaction,
  type SipRequest,
  type SipResponse,
  type SipTarget,
} from '../../../src/sip/index.js';
import {
  FakeAddresses,
  FakeClients,
  FakeMedia,
  fakeMessage,
  FakePbx,
  FakeRecords,
  type Partner,
} from './fakes.js';
import {
  calleeDialog,
  callerDialog,
  invite,
  Peer,
  TEST_ENV,
  TEST_TIMING,
  type InviteParts,
  type Sent,
} from './peer.js';

export const ALICE = 'sip:alice@mc-a.example';
export const RADIO1 = 'sip:radio1@lmr.example';
const PSI = 'sip:mcptt-private@mc-a.example';

export function sdp(address: string, port: number, ...extra: string[]): string {
  return (
    [
      'v=0',
      `o=host.internal 7001 1 IN IP4 ${address}`,
      's=secret',
      `c=IN IP4 ${address}`,
      't=0 0',
      `m=audio ${port} RTP/AVP 0`,
      'a=rtpmap:0 PCMU/8000',
      ...extra,
    ].join('\r\n') + '\r\n'
  );
}

export function keyMgmt(keyId = '10000001', initiator = ALICE): string {
  return `a=key-mgmt:mikey ${Buffer.from(fakeMessage(keyId, initiator)).toString('base64')}`;
}

export interface HarnessOptions {
  partner?: (partner: Partner) => Partner;
  limits?: Partial<EdgeLimits>;
  /** clear MC bodies go to the PBX */
  mcBodies?: boolean;
  /** further partners, from the first one */
  others?: (partner: Partner) => Partner[];
  groups?: GroupsPort;
  redirectBody?: RedirectBody;
  interfaces?: readonly OuterInterface[];
  tokens?: AccessTokens;
  documents?: GroupDocumentsPort;
  protection?: (partners: readonly Partner[]) => ProtectionPort;
  floor?: FloorPort;
  alarms?: Alarms;
  notifier?: (deps: EdgeDependencies) => NonNullable<EdgeDependencies['notifier']>;
}

export class Harness {
  readonly mc = new Peer('127.0.2.1', 'mc');
  readonly pbx = new Peer('127.0.0.1', 'asterisk');
  readonly port = new FakePbx();
  readonly media = new FakeMedia();
  readonly clients = new FakeClients();
  readonly records = new FakeRecords();
  readonly addresses = new FakeAddresses();
  readonly logged: { level: string; event: string; fields: LogFields }[] = [];
  readonly counted: { name: string; labels: Readonly<Record<string, string>> }[] = [];
  outerAt: SipTarget = { protocol: 'udp', address: '127.0.1.1', port: 0 };
  innerAt: SipTarget = { protocol: 'udp', address: '127.0.0.2', port: 0 };
  deps!: EdgeDependencies;
  edge!: Edge;
  #outer!: SipEndpoint;
  #inner!: SipEndpoint;

  static async start(o: HarnessOptions = {}): Promise<Harness> {
    const harness = new Harness();
    await harness.mc.listen();
    await harness.begin(o);
    return harness;
  }

  /** Starts the rest, with `mc` listening already. */
  async begin(o: HarnessOptions): Promise<void> {
    await this.pbx.listen();
    const log =
      (level: string) =>
      (event: string, fields: LogFields = {}) => {
        this.logged.push({ level, event, fields });
      };
    const env = {
      ...TEST_ENV,
      log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
      metrics: {
        count: (name: string, labels: Readonly<Record<string, string>> = {}) => {
          this.counted.push({ name, labels });
        },
        gauge: () => undefined,
      },
    };
    this.#outer = new SipEndpoint({
      name: 'outer',
      env,
      timing: TEST_TIMING,
      userAgent: 'gateway',
    });
    this.#inner = new SipEndpoint({
      name: 'inner',
      env,
      timing: TEST_TIMING,
      userAgent: 'gateway',
    });
    for (const [endpoint, at] of [
      [this.#outer, this.outerAt],
      [this.#inner, this.innerAt],
    ] as const) {
      Object.assign(at, { port: await listenOnFreePort(endpoint, at.address) });
    }
    const partner = (o.partner ?? ((same: Partner) => same))(this.partner());
    const contacts = (at: SipTarget) => ({
      udp: { host: at.address, port: at.port },
      tcp: { host: at.address, port: at.port },
    });
    const partners = [partner, ...(o.others?.(partner) ?? [])];
    const protection = o.protection?.(partners);
    this.deps = {
      env,
      outer: this.#outer,
      inner: this.#inner,
      media: this.media,
      pbx: this.port,
      clients: this.clients,
      ...(o.groups && { groups: o.groups }),
      ...(o.redirectBody && { redirectBody: o.redirectBody }),
      ...(o.tokens && { tokens: o.tokens }),
      ...(o.documents && { documents: o.documents }),
      partners,
      ...(protection && { protection }),
      ...(o.floor && { floor: o.floor }),
      ...(o.alarms && { alarms: o.alarms }),
      addresses: this.addresses,
      records: this.records,
      settings: {
        outer: {
          interfaces: o.interfaces ?? interfaces(this.outerAt),
          identity: 'sip:segy@lmr.example',
        },
        inner: { contacts: contacts(this.innerAt), mcBodies: o.mcBodies ?? false },
        pbx: { address: this.pbx.address, port: this.pbx.port, transport: 'udp' },
        allowedMediaAddresses: ['127.0.0.1'],
        limits: { ...DEFAULT_EDGE_LIMITS, channelGoneMs: 50, stopMs: 30, ...o.limits },
      },
    };
    if (o.notifier) this.deps = { ...this.deps, notifier: o.notifier(this.deps) };
    this.edge = new Edge(this.deps);
    await this.edge.start();
  }

  async stop(): Promise<void> {
    await this.edge.stop();
    await Promise.all([this.mc, this.pbx].map((peer) => peer.endpoint.close()));
    await this.#outer.close();
    await this.#inner.close();
  }

  partner(): Partner {
    return {
      name: 'mc-a',
      domains: ['mc-a.example'],
      kmsUris: ['kms.mc-a.example'],
      gms: ['sip:gms@mc-a.example'],
      groups: [],
      distribution: { to: 'member', form: 'mikey', batch: 16, subscriptions: 100 },
      subscription: { enabled: false, seconds: 3600, per: 'user', accessToken: false },
      affiliation: { mode: 'configured', seconds: 3600, accessToken: false },
      codePoints: DEFAULT_CODE_POINTS,
      sip: {
        addresses: [{ host: this.mc.address, port: this.mc.port, transport: 'udp' }],
        probe: {
          ...{ enabled: false, intervalSeconds: 30, timeoutMs: 500 },
          ...{ retrySeconds: 2, maxRetrySeconds: 60 },
        },
        sources: [],
        tlsNames: [],
        requestUri: PSI,
      },
      media: { policy: 'protected' },
      outgoing: {
        answerMode: 'Auto',
        hideIdentities: false,
        repeatKeyWhenPeerMadeIt: false,
        keyMgmtLevel: 'media',
      },
      tolerances: {
        signatureWithoutHeader: true,
        strippedMask: true,
        shortHint: true,
        legacyKeyParameters: false,
      },
      limits: { requestsPerSecond: 50, burst: 200, calls: 500 },
      windows: { pckSeconds: 300, gmkAheadSeconds: 300 },
      refer: 'refuse',
      redirectResponse: { enabled: false, elements: {} },
    };
  }

  /** The INVITE of a protected private call of alice to radio1, changed by `parts`. */
  mcInvite(parts: Partial<InviteParts> = {}): SipRequest {
    return invite(this.mc, {
      uri: 'sip:mcptt-cntrl-private@segy.example',
      from: '<sip:cntrl-psi@mc-a.example>',
      sdp: sdp('127.0.2.1', 41000, keyMgmt()),
      info: writePrivateCallInfo(RADIO1, ALICE),
      ...parts,
    });
  }

  fromMc(parts: Partial<InviteParts> = {}): { request: SipRequest; sent: Sent } {
    const request = this.mcInvite(parts);
    return { request, sent: this.mc.send(request, this.outerAt) };
  }

  fromPbx(parts: Partial<InviteParts> = {}): { request: SipRequest; sent: Sent } {
    const request = invite(this.pbx, {
      uri: `sip:alice@${this.innerAt.address}:${this.innerAt.port}`,
      from: '"Radio" <sip:2001@127.0.0.1>',
      sdp: sdp('127.0.0.1', 12000),
      info: null,
      ...parts,
    });
    return { request, sent: this.pbx.send(request, this.innerAt) };
  }

  /** An established call from MC to the radio. */
  async establishIn(parts: Partial<InviteParts> = {}): Promise<Established> {
    const { request, sent } = this.fromMc(parts);
    const pbxTx = await this.pbx.expect('INVITE');
    this.pbx.answer(pbxTx, 200, { sdp: sdp('127.0.0.1', 12000) });
    const response = await sent.expect(200);
    const ack = this.#ack(this.mc, request, response);
    this.mc.endpoint.sendAck(ack, this.outerAt);
    await this.pbx.acks.next('the ACK at the PBX');
    return {
      offered: pbxTx.request,
      response,
      callerDialog: callerDialog(request, response),
      calleeDialog: calleeDialog(pbxTx),
    };
  }

  /** An established call from the radio to MC. */
  async establishOut(parts: Partial<InviteParts> = {}): Promise<Established> {
    const { request, sent } = this.fromPbx(parts);
    const mcTx = await this.mc.expect('INVITE');
    this.mc.answer(mcTx, 200, { sdp: sdp('127.0.2.1', 41000) });
    const response = await sent.expect(200);
    this.pbx.endpoint.sendAck(this.#ack(this.pbx, request, response), this.innerAt);
    await this.mc.acks.next('the ACK at the MC system');
    return {
      offered: mcTx.request,
      response,
      callerDialog: callerDialog(request, response),
      calleeDialog: calleeDialog(mcTx),
    };
  }

  ack(peer: Peer, request: SipRequest, response: SipResponse): void {
    peer.endpoint.sendAck(
      this.#ack(peer, request, response),
      peer === this.pbx ? this.innerAt : this.outerAt,
    );
  }

  #ack(_peer: Peer, request: SipRequest, response: SipResponse): SipRequest {
    const headers = request.headers.clone();
    for (const name of ['Via', 'Content-Type', 'Contact']) headers.remove(name);
    headers.set('To', response.headers.get('To') ?? '');
    headers.set('CSeq', (request.headers.get('CSeq') ?? '').replace('INVITE', 'ACK'));
    const uri = /<([^>]*)>/.exec(response.headers.get('Contact') ?? '')?.[1] ?? request.uri;
    return { kind: 'request', method: 'ACK', uri, headers, body: new Uint8Array() };
  }

  /** The error codes that were logged. */
  codes(): unknown[] {
    return this.logged.map((entry) => entry.fields.code);
  }
}

function interfaces({ address, port }: SipTarget): OuterInterface[] {
  return (['udp', 'tcp'] as const).map((protocol) => ({
    ...{ name: protocol, protocol, address },
    contact: { host: address, port },
    media: { address: '127.0.1.1' },
  }));
}

export interface Established {
  /** the INVITE as the called side got it */
  readonly offered: SipRequest;
  readonly response: SipResponse;
  readonly callerDialog: ReturnType<typeof callerDialog>;
  readonly calleeDialog: ReturnType<typeof calleeDialog>;
}

export function ok(transaction: ServerTransaction): void {
  transaction.respond(createResponse(transaction.request, 200));
}

export function bodyText(message: SipRequest | SipResponse): string {
  return Buffer.from(message.body).toString();
}

export function textOf(message: SipRequest | SipResponse): string {
  const head = message.headers.entries().map(([name, value]) => `${name}: ${value}`);
  return [message.kind === 'request' ? message.uri : '', ...head, bodyText(message)].join('\n');
}

export function warningOf(response: SipResponse): string {
  return /SEGY_E_[A-Z_0-9]+/.exec(response.headers.get('Warning') ?? '')?.[0] ?? '';
}

export { tagOf };
