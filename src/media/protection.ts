/**
 * Keys of one session: whether it is armed, and with what.
 *
 * | state | arm | rekey, dropKeys | disarm |
 * |---|---|---|---|
 * | disarmed | protected, group or clear | refused | stays |
 * | protected | keeps the state of keys it has | changes keys | wiped |
 * | group | keeps the state of talkers it has | refused, but `group` changes keys | wiped |
 * | clear | protected, group or clear | refused | disarmed |
 */
import type { Clock, RandomBytes } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import {
  copyKeyMaterial,
  rtpSequenceNumber,
  sameKeyMaterial,
  SrtpReceiver,
  SrtpSender,
  wipeKeyMaterial,
  type SrtpKeyMaterial,
  type SrtpReceiverOptions,
  type UnprotectResult,
} from '../srtp/index.js';
import type { MediaLimits } from './options.js';
import type { WireReceive, WireSend } from './protocol.js';
import { TalkerAdmission } from './talker-admission.js';
import { Talkers } from './talkers.js';
import type { DropReason, GroupKey } from './types.js';
import { WaitingPackets, type Began, type WaitingPacket } from './waiting-packets.js';

type Unprotected =
  | Extract<UnprotectResult, { ok: true }>
  /** null: not dropped yet, it waits for its talker's keys */
  | { readonly ok: false; readonly reason: DropReason | null };

/** where in an MKI of a group the GUK-ID stands */
const GUK_ID_AT = 4;
const NONE: readonly WaitingPacket[] = [];
const WAITS = Object.freeze({ ok: false, reason: null });

export interface ProtectionHooks {
  /** time that never goes back */
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** whether the peer signalled this address or has authenticated from it */
  isKnownSource(address: string, port: number): boolean;
  /** packets waited for their talker's keys in vain */
  waitedInVain(count: number): void;
}

export class Protection {
  /** null while disarmed and in clear */
  receiver: SrtpReceiver | null = null;
  sender: SrtpSender | null = null;
  /** packets may pass */
  armed = false;
  readonly #limits: MediaLimits;
  readonly #hooks: ProtectionHooks;
  #sendKey: SrtpKeyMaterial | null = null;
  #before: SrtpKeyMaterial[] = [];
  #current: SrtpKeyMaterial[] = [];
  #talkers: Talkers | null = null;
  readonly #waiting: WaitingPackets;
  /** whose first packet has just authenticated */
  #began: Began | null = null;

  constructor(limits: MediaLimits, hooks: ProtectionHooks) {
    this.#limits = limits;
    this.#hooks = hooks;
    this.#waiting = new WaitingPackets((count) => hooks.waitedInVain(count));
  }

  /** True when a new sender was made, so that the outgoing stream begins anew. */
  arm(receive: WireReceive, send: WireSend): boolean {
    if ('clear' in receive !== 'clear' in send) {
      throw new SegyError('SEGY_E_ARGUMENT', 'media is clear in both directions or in none');
    }
    if ('clear' in receive || 'clear' in send) {
      const anew = !this.armed || this.sender !== null;
      if (this.sender) this.disarm();
      this.armed = true;
      return anew;
    }
    if ('group' in receive) return this.#armGroup(receive.group, send);
    if ('none' in send) throw new SegyError('SEGY_E_ARGUMENT', 'only a group may have no key yet');
    if (this.#talkers) this.disarm();
    if (this.receiver) this.receiver.replaceKeys(receive.keys);
    else this.receiver = this.#createReceiver({ keys: receive.keys });
    wipeKeyMaterial(...this.#before, ...this.#current);
    this.#before = [];
    this.#current = receive.keys.map(copyKeyMaterial);
    const anew = this.#send(send.key, send.ssrc);
    this.armed = true;
    return anew;
  }

  /** True when a new sender was made. */
  rekey(
    receive: readonly SrtpKeyMaterial[] | null,
    send: { key: SrtpKeyMaterial; ssrc: number } | null,
  ): boolean {
    const receiver = this.#expectProtected();
    if (this.#talkers) throw new SegyError('SEGY_E_MEDIA', 'a group changes its keys by group');
    if (receive) {
      receiver.addKeys(receive);
      this.#before = [...this.#before, ...this.#current];
      this.#current = receive.map(copyKeyMaterial);
    }
    return send ? this.#send(send.key, send.ssrc) : false;
  }

  /** True when a new sender was made. */
  changeGroup(
    keys: readonly GroupKey[] | null,
    send: Exclude<WireSend, { clear: true }> | null,
  ): boolean {
    const receiver = this.#expectProtected();
    const talkers = this.#talkers;
    if (!talkers) throw new SegyError('SEGY_E_MEDIA', 'the session is not armed for a group');
    if (keys) {
      for (const gmkId of talkers.hold(keys)) receiver.forgetMki(gmkId);
      receiver.framingsChanged();
    }
    return send ? this.#sendOrNot(send) : false;
  }

  /** Opens a packet of the outer side; only while it is protected. */
  unprotect(packet: Uint8Array, address: string, port: number): Unprotected {
    this.#talkers?.from(address, port);
    const result = this.#judged(this.#expectProtected().unprotect(packet));
    if (result.ok && result.first && this.#talkers) this.#began = beganWith(result, port);
    const deferred = this.#talkers?.deferred;
    if (result.ok || !deferred) return result;
    const waits = this.#waiting.push(deferred, packet, address, this.#hooks.clock.now());
    return waits ? WAITS : result;
  }

  /** As `unprotect`, for RTCP, which never waits. */
  unprotectRtcp(packet: Uint8Array, address: string, port: number): Unprotected {
    this.#talkers?.from(address, port);
    return this.#judged(this.#expectProtected().unprotectRtcp(packet));
  }

  /** Earlier packets of the talker whose first one has just authenticated; they come from here again. */
  takeWaiting(): readonly WaitingPacket[] {
    const began = this.#began;
    if (began === null) return NONE;
    this.#began = null;
    return this.#waiting.take(began, this.#hooks.clock.now());
  }

  tick(): void {
    this.#waiting.tick(this.#hooks.clock.now());
  }

  dropKeys(which: 'old' | 'new'): void {
    const receiver = this.#expectProtected();
    const [dropped, kept] =
      which === 'old' ? [this.#before, this.#current] : [this.#current, this.#before];
    if (which === 'new' && kept.length === 0) return;
    receiver.dropKeys(dropped.filter((key) => !kept.some((other) => sameKeyMaterial(key, other))));
    wipeKeyMaterial(...dropped);
    this.#current = kept;
    this.#before = [];
  }

  /** Wipes every key. */
  disarm(): void {
    this.armed = false;
    this.receiver?.wipe();
    this.sender?.wipe();
    this.receiver = null;
    this.sender = null;
    wipeKeyMaterial(...this.#before, ...this.#current);
    if (this.#sendKey) wipeKeyMaterial(this.#sendKey);
    this.#before = [];
    this.#current = [];
    this.#sendKey = null;
    this.#talkers?.wipe();
    this.#talkers = null;
    this.#began = null;
    this.#waiting.drop();
  }

  #armGroup(keys: readonly GroupKey[], send: WireSend): boolean {
    if ('clear' in send) throw new SegyError('SEGY_E_ARGUMENT', 'a group call is never clear');
    if (!this.#talkers || !this.receiver) {
      this.disarm();
      const { clock, random } = this.#hooks;
      const admission = new TalkerAdmission(this.#limits, clock, random);
      this.#talkers = new Talkers(admission, (...source) => this.#hooks.isKnownSource(...source));
      this.receiver = this.#createReceiver({ resolver: this.#talkers });
    }
    this.armed = true;
    return this.changeGroup(keys, send);
  }

  #sendOrNot(send: Exclude<WireSend, { clear: true }>): boolean {
    if ('key' in send) return this.#send(send.key, send.ssrc);
    this.sender?.wipe();
    this.sender = null;
    if (this.#sendKey) wipeKeyMaterial(this.#sendKey);
    this.#sendKey = null;
    return false;
  }

  #send(key: SrtpKeyMaterial, ssrc: number): boolean {
    if (this.sender?.ssrc === ssrc && this.#sendKey && sameKeyMaterial(this.#sendKey, key)) {
      return false;
    }
    this.sender?.wipe();
    if (this.#sendKey) wipeKeyMaterial(this.#sendKey);
    this.#sendKey = copyKeyMaterial(key);
    this.sender = new SrtpSender(key, { ssrc });
    return true;
  }

  #createReceiver(keys: Pick<SrtpReceiverOptions, 'keys' | 'resolver'>): SrtpReceiver {
    const { streams, replayWindow } = this.#limits;
    return new SrtpReceiver({ ...keys, limits: { streams, replayWindow } });
  }

  #judged(result: UnprotectResult): Unprotected {
    if (result.ok || result.reason !== 'unknown-mki') return result;
    return { ok: false, reason: this.#talkers?.refusal ?? result.reason };
  }

  #expectProtected(): SrtpReceiver {
    if (!this.armed || !this.receiver) {
      throw new SegyError('SEGY_E_MEDIA', 'the media session is not armed with keys');
    }
    return this.receiver;
  }
}

function beganWith(
  { mki, ssrc, packet }: Extract<UnprotectResult, { ok: true }>,
  port: number,
): Began {
  const gukId = new DataView(mki.buffer, mki.byteOffset).getUint32(GUK_ID_AT);
  return { gukId, ssrc, port, sequence: rtpSequenceNumber(packet) };
}
