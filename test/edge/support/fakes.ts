/** Small stand-ins for what the edge is given: PBX link, media engine, pseudo clients, records. */
import { isIP } from 'node:net';
import { fromHex, toHex } from '../../../src/base/bytes.js';
import { SegyError } from '../../../src/base/errors.js';
import type { HeldKey } from '../../../src/keys/index.js';
import type { FloorAddress, FloorCommand, FloorSetup } from '../../../src/media/index.js';
import type { SipTarget } from '../../../src/sip/index.js';
import type {
  ArmMedia,
  CallMediaEvent,
  CallMediaSession,
  ClientsPort,
  DialogRecord,
  DialogRecords,
  EdgeDependencies,
  GroupKeyToTake,
  GroupsPort,
  HostAddresses,
  LocalMedia,
  PbxChannel,
  PbxPort,
  PbxSignal,
  PbxVariables,
} from '../../../src/edge/index.js';

export class FakeChannel implements PbxChannel {
  readonly name = 'PJSIP/segy-00000001';
  gone = false;
  onGone?: () => void;
  variables: Record<string, string> = {};
  readonly log: string[] = [];

  constructor(readonly id: string) {}

  onSignal?: (signal: PbxSignal) => void;
  /** what was told: the event's name and its variables */
  readonly told: { event: string; variables: PbxVariables }[] = [];

  getVariable(name: string): Promise<string> {
    return Promise.resolve(this.variables[name] ?? '');
  }
  tell(event: string, variables: PbxVariables): Promise<void> {
    this.told.push({ event, variables });
    return Promise.resolve();
  }
  setVariables(variables: PbxVariables): Promise<void> {
    Object.assign(this.variables, variables);
    this.log.push('set');
    return Promise.resolve();
  }
  proceed(): Promise<void> {
    this.log.push('proceed');
    return Promise.resolve();
  }
  refuse(status: number): Promise<void> {
    this.log.push(`refuse ${status}`);
    return Promise.resolve();
  }
  hangup(): Promise<void> {
    this.log.push('hangup');
    return Promise.resolve();
  }
  release(): void {
    this.log.push('release');
  }
  end(): void {
    this.gone = true;
    this.onGone?.();
  }
}

interface Waiter {
  readonly callId: string;
  readonly resolve: (channel: FakeChannel) => void;
}

/** Hands channels out when the test says so, or at once with `auto`. */
export class FakePbx implements PbxPort {
  linked = true;
  onLink?: (up: boolean) => void;
  onResync?: (live: ReadonlySet<string>) => void;
  auto = true;
  orphans = 0;
  orphansEnded = 0;
  readonly channels: FakeChannel[] = [];
  readonly asked: { callId: string; sessionId?: string }[] = [];
  #waiters: Waiter[] = [];

  start(): Promise<void> {
    return Promise.resolve();
  }
  stop(): Promise<void> {
    return Promise.resolve();
  }
  inboundChannel(r: Parameters<PbxPort['inboundChannel']>[0]): Promise<FakeChannel> {
    this.asked.push(r);
    return this.#find(r.callId, r.timeoutMs, r.signal);
  }
  outboundChannel(r: Parameters<PbxPort['outboundChannel']>[0]): Promise<FakeChannel> {
    this.asked.push(r);
    return this.#find(r.callId, r.timeoutMs, r.signal);
  }
  hangUpOrphans(): Promise<number> {
    this.orphansEnded += this.orphans;
    return Promise.resolve(this.orphans);
  }
  /** The dialplan hands the channel of the oldest waiting call over. */
  handOver(variables: Record<string, string> = {}): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) throw new Error('no call waits for a channel');
    const channel = this.#create();
    channel.variables = { ...variables };
    waiter.resolve(channel);
  }
  #create(): FakeChannel {
    const channel = new FakeChannel(`channel-${this.channels.length}`);
    this.channels.push(channel);
    return channel;
  }
  #find(callId: string, timeoutMs: number, signal?: AbortSignal): Promise<FakeChannel> {
    if (this.auto) return Promise.resolve(this.#create());
    return new Promise((resolve, reject) => {
      const fail = (code: 'SEGY_E_PBX_NO_CHANNEL' | 'SEGY_E_CANCELLED') => (): void => {
        clearTimeout(timer);
        this.#waiters = this.#waiters.filter((waiter) => waiter.callId !== callId);
        reject(new SegyError(code, 'no channel'));
      };
      const timer = setTimeout(fail('SEGY_E_PBX_NO_CHANNEL'), timeoutMs);
      signal?.addEventListener('abort', fail('SEGY_E_CANCELLED'));
      this.#waiters.push({
        callId,
        resolve: (channel) => {
          clearTimeout(timer);
          resolve(channel);
        },
      });
    });
  }
}

export class FakeMediaSession implements CallMediaSession {
  readonly outer: LocalMedia;
  readonly inner: LocalMedia;
  armed: ArmMedia | null = null;
  closed = false;
  clockRates: Readonly<Record<number, number>> = {};
  readonly log: string[] = [];
  readonly rekeys: Parameters<CallMediaSession['rekey']>[0][] = [];
  readonly groupChanges: Parameters<CallMediaSession['changeGroup']>[0][] = [];
  readonly listeners: ((event: CallMediaEvent) => void)[] = [];
  readonly floorSetups: (FloorSetup | null)[] = [];
  readonly floorCommands: FloorCommand[] = [];

  constructor(
    readonly id: string,
    index: number,
    readonly whileArming?: () => Promise<void>,
  ) {
    this.outer = { address: '127.0.1.1', rtpPort: 40000 + 4 * index, rtcpPort: 40001 + 4 * index };
    this.inner = { address: '127.0.0.2', rtpPort: 30000 + 4 * index, rtcpPort: 30001 + 4 * index };
  }
  async arm(request: ArmMedia): Promise<void> {
    this.armed = structuredClone(request);
    await this.whileArming?.();
    await this.#did('arm');
  }
  disarm(): Promise<void> {
    this.armed = null;
    return this.#did('disarm');
  }
  rekey(request: Parameters<CallMediaSession['rekey']>[0]): Promise<void> {
    this.rekeys.push(structuredClone(request));
    return this.#did(`rekey${request.receive ? ' receive' : ''}${request.send ? ' send' : ''}`);
  }
  changeGroup(change: Parameters<CallMediaSession['changeGroup']>[0]): Promise<void> {
    this.groupChanges.push(structuredClone(change));
    return this.#did('group');
  }
  dropKeys(which: 'old' | 'new'): Promise<void> {
    return this.#did(`drop ${which}`);
  }
  setRemote(...[side, at, options]: Parameters<CallMediaSession['setRemote']>): Promise<void> {
    const where = at === null ? 'none' : `${at.address}:${at.port}`;
    return this.#did(
      `remote ${side} ${where}${options?.leg === undefined ? '' : ` of ${options.leg}`}`,
    );
  }
  setClockRates(clockRates: Readonly<Record<number, number>>): Promise<void> {
    this.clockRates = clockRates;
    return Promise.resolve();
  }
  setDirection(...[d]: Parameters<CallMediaSession['setDirection']>): Promise<void> {
    return this.#did(`direction ${d.toInner ? 'in' : '-'} ${d.toOuter ? 'out' : '-'}`);
  }
  selectLeg(leg: string): Promise<void> {
    return this.#did(`select ${leg}`);
  }
  close(): Promise<void> {
    this.closed = true;
    return this.#did('close');
  }
  openFloor(): Promise<FloorAddress> {
    this.log.push('open floor');
    return Promise.resolve({ address: this.outer.address, port: this.outer.rtpPort + 2 });
  }
  setFloor(setup: FloorSetup | null): Promise<void> {
    this.floorSetups.push(structuredClone(setup));
    return this.#did(setup === null ? 'no floor' : 'floor');
  }
  commandFloor(command: FloorCommand): Promise<void> {
    this.floorCommands.push(command);
    return this.#did(`floor ${command.type}`);
  }
  closeFloor(): Promise<void> {
    return this.#did('close floor');
  }
  on(_event: 'event', listener: (event: CallMediaEvent) => void): void {
    this.listeners.push(listener);
  }
  emit(event: CallMediaEvent): void {
    for (const listener of this.listeners) listener(event);
  }
  #did(what: string): Promise<void> {
    this.log.push(what);
    return Promise.resolve();
  }
}

export class FakeMedia {
  readonly sessions: FakeMediaSession[] = [];
  full = false;
  /** what happens before a session is armed */
  whileArming?: () => Promise<void>;

  allocate(request?: {
    readonly id?: string;
    readonly outerAddress?: string;
  }): Promise<FakeMediaSession> {
    if (this.full) return Promise.reject(new SegyError('SEGY_E_MEDIA_PORTS', 'no port is free'));
    const session = new FakeMediaSession(request?.id ?? '', this.sessions.length, this.whileArming);
    Object.assign(session.outer, { address: request?.outerAddress ?? session.outer.address });
    this.sessions.push(session);
    return Promise.resolve(session);
  }
}

const POLICY = {
  encryption: 'AES-GCM',
  keyLength: 16,
  saltLength: 12,
  tagLength: 16,
  authentication: 'none',
  roc: null,
} as const;

/** A pretended I_MESSAGE: its first four octets are the key identifier, the rest is an initiator. */
export function fakeMessage(keyId: string, initiator: string): Uint8Array {
  return new Uint8Array(Buffer.concat([fromHex(keyId), Buffer.from(initiator)]));
}

export class FakeClients implements ClientsPort {
  readonly users = [
    { uri: 'sip:radio1@lmr.example', pbx: '2001' },
    { uri: 'sip:radio2@lmr.example', pbx: '2002' },
  ];
  /** what the next openPck is refused with */
  refusal: SegyError | null = null;
  readonly opened: Parameters<ClientsPort['openPck']>[0][] = [];
  readonly made: Parameters<ClientsPort['makePck']>[0][] = [];
  /** keys handed out; every one must be wiped */
  readonly keys: Uint8Array[] = [];

  byUri(uri: string): { uri: string; pbx: string } | undefined {
    return this.users.find((user) => user.uri === uri);
  }
  byPbxUser(pbx: string): { uri: string; pbx: string } | undefined {
    return this.users.find((user) => user.pbx === pbx);
  }
  openPck(request: Parameters<ClientsPort['openPck']>[0]): ReturnType<ClientsPort['openPck']> {
    this.opened.push(request);
    if (this.refusal !== null) return Promise.reject(this.refusal);
    const keyId = request.message.slice(0, 4);
    const initiatorUri = Buffer.from(request.message.slice(4)).toString();
    if (request.caller !== null && request.caller !== initiatorUri) {
      return Promise.reject(new SegyError('SEGY_E_IDENTITY_MISMATCH', 'another initiator'));
    }
    const opened = { ...this.#key(keyId), csbId: keyId, keyType: 'PCK', initiatorUri };
    return Promise.resolve(opened as unknown as Awaited<ReturnType<ClientsPort['openPck']>>);
  }
  makePck(request: Parameters<ClientsPort['makePck']>[0]): ReturnType<ClientsPort['makePck']> {
    this.made.push(request);
    if (this.refusal !== null) return Promise.reject(this.refusal);
    const message = fakeMessage('1000000a', request.caller.uri);
    return Promise.resolve({ ...this.#key(message.slice(0, 4)), message });
  }
  #key(keyId: Uint8Array) {
    const key = new Uint8Array(16).fill(0xa5);
    this.keys.push(key);
    return { key, keyId, rand: new Uint8Array(16).fill(keyId[3] ?? 0), policy: POLICY };
  }
}

export const GROUP = 'sip:police@mc-a.example';

/** A GMK of `GROUP` that radio1 holds; its octets are all the last octet of its GMK-ID. */
export function heldGmk(keyId: string, more: Partial<HeldKey> = {}): HeldKey {
  return {
    keyType: 'GMK',
    keyId: fromHex(keyId),
    partner: 'mc-a',
    dialog: '',
    key: new Uint8Array(16).fill(Number.parseInt(keyId.slice(-2), 16)),
    rand: new Uint8Array(16).fill(7),
    otherRands: [],
    initiator: 'sip:gms@mc-a.example',
    holders: ['sip:radio1@lmr.example'],
    groups: [GROUP],
    status: 1,
    activation: new Date(0),
    expiry: null,
    stamp: new Date(0),
    source: 'received',
    text: '',
    policy: { ...POLICY, roc: { mode: 3, rate: 1 } },
    ...more,
  };
}

export class FakeGroups implements GroupsPort {
  /** the last one is sent with */
  keys: HeldKey[] = [];
  readonly taken: GroupKeyToTake[] = [];
  /** what messages are refused with, by their first octet */
  readonly refusals = new Map<number, SegyError>();
  onChange?: (partner: string, groups: readonly string[]) => void;

  take(request: GroupKeyToTake): ReturnType<GroupsPort['take']> {
    const refusal = this.refusals.get(request.message[0] ?? -1);
    if (refusal !== undefined) return Promise.reject(refusal);
    this.taken.push(request);
    return Promise.resolve({
      result: 'new',
      keyId: '0a000001',
      groups: request.group === null ? [] : [request.group],
    });
  }
  heldFor(partner: string, group: string): HeldKey[] {
    return this.keys.filter((key) => key.partner === partner && key.groups.includes(group));
  }
  temporaryGroupsOf(partner: string, group: string): string[] {
    return this.keys
      .filter((key) => key.partner === partner && key.constituents?.includes(group))
      .flatMap((key) => key.groups);
  }
  sendingKey(partner: string, group: string, user: string): HeldKey | undefined {
    return this.heldFor(partner, group)
      .filter((key) => key.status === 1 && key.holders.includes(user))
      .at(-1);
  }
  /** The ring has other keys from here on. */
  change(...keys: HeldKey[]): void {
    this.keys = keys;
    this.onChange?.('mc-a', [GROUP]);
  }
}

/** Names as a test sets them; every address stands for itself. */
export class FakeAddresses implements HostAddresses {
  readonly names = new Map<string, string[]>();
  /** addresses that were the partner's, and until when */
  readonly left = new Map<string, number>();
  /** partners that could not be reached */
  readonly lost: string[] = [];
  of(host: string): readonly string[] {
    return isIP(host) > 0 ? [host] : (this.names.get(host) ?? []);
  }
  located(): readonly SipTarget[] {
    return [];
  }
  ranked(_partner: Partner, targets: readonly SipTarget[]): readonly SipTarget[] {
    return targets;
  }
  leftAt(_partner: string, address: string): number | undefined {
    return this.left.get(address);
  }
  answered: HostAddresses['answered'] = () => undefined;
  unreached: HostAddresses['unreached'] = (partner) => {
    this.lost.push(partner.name);
  };
}

export class FakeRecords implements DialogRecords {
  readonly entries = new Map<string, DialogRecord>();
  put(record: DialogRecord): Promise<void> {
    this.entries.set(record.sessionId, record);
    return Promise.resolve();
  }
  remove(sessionId: string): Promise<void> {
    this.entries.delete(sessionId);
    return Promise.resolve();
  }
  all(): Promise<readonly DialogRecord[]> {
    return Promise.resolve([...this.entries.values()]);
  }
}

/** Hex of the receive master key of an armed session, for comparing keys. */
export function receiveKeyOf(session: FakeMediaSession): string {
  const receive = session.armed?.receive;
  return receive === undefined || !('keys' in receive) ? '' : toHex(receive.keys[0]!.masterKey);
}

export type Partner = EdgeDependencies['partners'][number];
