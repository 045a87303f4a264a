/**
 * Control side of one media session: checks what it is told, draws the sending SSRC, and passes on
 * to the worker that owns the sockets. Commands of one session take effect in the order of the calls.
 */
import type { Log, RandomBytes } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import {
  checkKeyMaterial,
  copyKeyMaterial,
  sameKeyMaterial,
  wipeKeyMaterial,
  type SrtpKeyMaterial,
} from '../srtp/index.js';
import type { FloorAddress, FloorCommand, FloorSetup } from './floor-types.js';
import { normaliseAddress } from './options.js';
import type { ClockRates, SessionCommand, WireSend } from './protocol.js';
import { drawSsrc, type SendingMemory } from './sending-memory.js';
import { SessionFloor, type FloorOwner } from './session-floor.js';
import { checkGroupKeys, copyGroupKey, wipeGroupKeys } from './talkers.js';
import type {
  ArmRequest,
  GroupChange,
  GroupKey,
  LocalMediaAddress,
  MediaAddress,
  MediaDirection,
  MediaEvent,
  MediaSession,
  MediaSide,
  MediaStats,
  RekeyRequest,
  SendProtection,
} from './types.js';

/** What the engine gives a session. */
export interface SessionOwner extends FloorOwner {
  readonly random: RandomBytes;
  readonly log: Log;
  readonly sending: SendingMemory;
  command(command: SessionCommand): Promise<MediaStats | null>;
  /** the session's ports may serve another */
  released(): void;
}

const MAX_LEG_NAME = 256;
const MAX_RECEIVE_KEYS = 64;
const DEFAULT_LEG = 'main';

export class EngineSession implements MediaSession {
  readonly id: string;
  readonly outer: LocalMediaAddress;
  readonly inner: LocalMediaAddress;
  readonly #owner: SessionOwner;
  readonly #floor: SessionFloor;
  readonly #listeners: ((event: MediaEvent) => void)[] = [];
  #sending: { key: SrtpKeyMaterial; ssrc: number } | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | null = null;
  #ended = false;

  constructor(id: string, outer: LocalMediaAddress, inner: LocalMediaAddress, owner: SessionOwner) {
    this.id = id;
    this.outer = outer;
    this.inner = inner;
    this.#owner = owner;
    this.#floor = new SessionFloor(owner);
  }

  get ended(): boolean {
    return this.#ended;
  }

  arm(request: ArmRequest): Promise<void> {
    const { receive, send, clockRates = {} } = request;
    if ('clear' in receive || 'clear' in send) {
      if (!('clear' in receive && 'clear' in send)) {
        return reject('media is clear in both directions or in none');
      }
      return this.#inOrder(async () => {
        this.#forgetSending();
        await this.#send({ type: 'arm', receive, send, clockRates });
      });
    }
    if ('group' in receive) {
      return this.#withGroup(receive.group, send, async (group, wireSend) => {
        if (!group || !wireSend) throw new SegyError('SEGY_E_INTERNAL', 'a group without keys');
        await this.#send({ type: 'arm', receive: { group }, send: wireSend, clockRates });
      });
    }
    if ('none' in send) return reject('only a group call may have nothing to send with');
    return this.#withKeys([...receive.keys, send.key], async (copies) => {
      const keys = copies.slice(0, -1);
      const wireSend = await this.#sendingOf(copies.slice(-1), send.ssrc);
      await this.#send({ type: 'arm', receive: { keys }, send: wireSend, clockRates });
    });
  }

  changeGroup(change: GroupChange): Promise<void> {
    const { send } = change;
    const wanted: SendProtection | null = send === null ? { none: true } : (send ?? null);
    return this.#withGroup(change.keys ?? null, wanted, async (keys, wireSend) => {
      await this.#send({ type: 'group', keys, send: wireSend });
      if (send === null) this.#forgetSending();
    });
  }

  disarm(): Promise<void> {
    return this.#inOrder(async () => {
      // First, so that even after a failure no pair of key and SSRC is taken up again.
      this.#forgetSending();
      this.#floor.forget();
      await this.#send({ type: 'disarm' });
    });
  }

  rekey(request: RekeyRequest): Promise<void> {
    const receive = request.receive?.keys ?? null;
    const { send = null } = request;
    return this.#withKeys([...(receive ?? []), ...(send ? [send.key] : [])], async (copies) => {
      if (!this.#sending) throw new SegyError('SEGY_E_MEDIA', 'the session is not armed with keys');
      const keys = copies.slice(0, receive?.length ?? 0);
      await this.#send({
        type: 'rekey',
        receive: receive ? { keys } : null,
        send: send ? await this.#sendingOf(copies.slice(-1), send.ssrc) : null,
      });
    });
  }

  dropKeys(which: 'old' | 'new'): Promise<void> {
    return this.#inOrder(() => this.#send({ type: 'dropKeys', which }));
  }

  setRemote(
    side: MediaSide,
    address: MediaAddress | null,
    options: { leg?: string } = {},
  ): Promise<void> {
    const leg = options.leg ?? DEFAULT_LEG;
    return this.#inOrder(async () => {
      const checked = address && checkAddress(address);
      await this.#send({ type: 'remote', side, leg: checkLeg(leg), address: checked });
    });
  }

  setClockRates(clockRates: ClockRates): Promise<void> {
    return this.#inOrder(() => this.#send({ type: 'clockRates', clockRates }));
  }

  setDirection(direction: MediaDirection): Promise<void> {
    return this.#inOrder(() => this.#send({ type: 'direction', direction: { ...direction } }));
  }

  selectLeg(leg: string): Promise<void> {
    return this.#inOrder(() => this.#send({ type: 'selectLeg', leg: checkLeg(leg) }));
  }

  dropLeg(leg: string): Promise<void> {
    return this.#inOrder(() => this.#send({ type: 'dropLeg', leg: checkLeg(leg) }));
  }

  openFloor(): Promise<FloorAddress> {
    return this.#inOrder(() => this.#floor.open());
  }

  setFloor(setup: FloorSetup | null): Promise<void> {
    return this.#inOrder(() => this.#floor.set(setup));
  }

  commandFloor(command: FloorCommand): Promise<void> {
    return this.#inOrder(() => this.#floor.command(command));
  }

  closeFloor(): Promise<void> {
    return this.#inOrder(() => this.#floor.close());
  }

  async stats(): Promise<MediaStats> {
    if (this.#ended) throw sessionEnded();
    const stats = await this.#owner.command({ type: 'stats' });
    if (!stats) throw new SegyError('SEGY_E_INTERNAL', 'the media worker gave no statistics');
    return stats;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  on(_event: 'event', listener: (event: MediaEvent) => void): void {
    this.#listeners.push(listener);
  }

  /** Tells the listeners; one that throws is logged and the others still hear. */
  emit(event: MediaEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#owner.log.error('media.listener', { session: this.id, error: String(error) });
      }
    }
  }

  /** The worker died: no command reaches it, and nothing passes any more. */
  lost(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#forgetSending();
    this.#floor.drop();
    this.#owner.released();
    this.emit({ type: 'ended', reason: 'worker' });
  }

  async #close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#queue;
    this.#forgetSending();
    try {
      await this.#owner.command({ type: 'close' });
    } catch (error) {
      this.#owner.log.warn('media.close', { session: this.id, error: String(error) });
    } finally {
      this.#floor.drop();
      this.#owner.released();
    }
  }

  /** As `#withKeys`, for the keys of a group and the one key to send with. */
  #withGroup(
    keys: readonly GroupKey[] | null,
    send: Exclude<SendProtection, { clear: true }> | null,
    work: (
      keys: readonly GroupKey[] | null,
      send: Exclude<WireSend, { clear: true }> | null,
    ) => Promise<void>,
  ): Promise<void> {
    try {
      checkGroupKeys(keys ?? []);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    const copies = keys?.map(copyGroupKey) ?? null;
    const sending = send && 'key' in send ? send : null;
    return this.#withKeys(sending ? [sending.key] : [], async (sendKeys) => {
      try {
        const made = sending ? await this.#sendingOf(sendKeys, sending.ssrc) : null;
        await work(copies, made ?? (send && { none: true }));
      } finally {
        wipeGroupKeys(...(copies ?? []).filter(({ gmk }) => gmk.length > 0));
      }
    });
  }

  /** Runs `work` on copies of the keys, which are the worker's afterwards or wiped. */
  #withKeys(
    keys: readonly SrtpKeyMaterial[],
    work: (copies: SrtpKeyMaterial[]) => Promise<void>,
  ): Promise<void> {
    try {
      if (keys.length > MAX_RECEIVE_KEYS) {
        throw new SegyError('SEGY_E_ARGUMENT', 'too many SRTP keys at once');
      }
      keys.forEach(checkKeyMaterial);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    const copies = keys.map(copyKeyMaterial);
    return this.#inOrder(async () => {
      try {
        await work(copies);
      } finally {
        // What reached the worker was transferred: its memory is no longer here.
        wipeKeyMaterial(...copies.filter((key) => key.masterKey.length > 0));
      }
    });
  }

  /** The key with the SSRC it is sent under: the held one for the held key, else a fresh one. */
  async #sendingOf(
    keys: readonly SrtpKeyMaterial[],
    wanted: number | undefined,
  ): Promise<Extract<WireSend, { key: SrtpKeyMaterial }>> {
    const key = keys[0];
    if (!key) throw new SegyError('SEGY_E_INTERNAL', 'no sending key');
    const held = this.#sending;
    if (held && sameKeyMaterial(held.key, key) && (wanted ?? held.ssrc) === held.ssrc) {
      return { key, ssrc: held.ssrc };
    }
    const { sending, random } = this.#owner;
    const ssrc = wanted ?? (await drawSsrc(sending, key, random));
    if (wanted !== undefined && !(await sending.claim(key, wanted))) {
      throw new SegyError('SEGY_E_MEDIA', 'the SSRC was used under this key before');
    }
    this.#forgetSending();
    this.#sending = { key: copyKeyMaterial(key), ssrc };
    return { key, ssrc };
  }

  #forgetSending(): void {
    if (this.#sending) wipeKeyMaterial(this.#sending.key);
    this.#sending = null;
  }

  async #send(command: SessionCommand): Promise<void> {
    await this.#owner.command(command);
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#queue.then(() => {
      if (this.#ended) throw sessionEnded();
      return work();
    });
    this.#queue = run.catch(() => undefined);
    return run;
  }
}

function sessionEnded(): SegyError {
  return new SegyError('SEGY_E_MEDIA_ENDED', 'the media session has ended');
}

function reject(message: string): Promise<never> {
  return Promise.reject(new SegyError('SEGY_E_ARGUMENT', message));
}

function checkLeg(leg: string): string {
  if (leg.length === 0 || leg.length > MAX_LEG_NAME) {
    throw new SegyError('SEGY_E_ARGUMENT', 'a leg needs a name of 1 to 256 characters');
  }
  return leg;
}

function checkAddress(a: MediaAddress): MediaAddress {
  const ports = [a.port, a.rtcpPort ?? a.port];
  if (!ports.every((port) => Number.isInteger(port) && port > 0 && port <= 65_535)) {
    throw new SegyError('SEGY_E_ARGUMENT', 'a media port is not in 1..65535');
  }
  const address = normaliseAddress(a.address);
  return a.rtcpPort === undefined
    ? { address, port: a.port }
    : { address, port: a.port, rtcpPort: a.rtcpPort };
}
