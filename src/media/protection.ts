/**
 * Keys of one session: whether it is armed, and with what.
 *
 * | state | arm | rekey, dropKeys, addKeys | disarm |
 * |---|---|---|---|
 * | disarmed | protected, group or clear | refused | stays |
 * | protected | keeps the state of keys it has | changes keys | wiped |
 * | group | keeps the state of talkers it has | refused, but `group` changes keys | wiped |
 * | clear | protected, group or clear | refused | disarmed |
 */
import { SegyError } from '../base/errors.js';
import { toHex } from '../base/bytes.js';
import {
  copyKeyMaterial,
  sameKeyMaterial,
  SrtpReceiver,
  SrtpSender,
  wipeKeyMaterial,
  type SrtpFraming,
  type SrtpKeyMaterial,
  type UnprotectResult,
} from '../srtp/index.js';
import type { MediaLimits } from './options.js';
import type { WireReceive, WireSend } from './protocol.js';
import { Talkers } from './talkers.js';
import type { DropReason, GroupKey } from './types.js';

type Unprotected =
  Extract<UnprotectResult, { ok: true }> | { readonly ok: false; readonly reason: DropReason };

const REPORTED_MKIS = 256;

/** Says once for each MKI that it is unknown, within a rate. */
class UnknownMkis {
  readonly #perSecond: number;
  readonly #report: (mki: string) => void;
  readonly #said = new Set<string>();
  #second = -1;
  #left = 0;

  constructor(perSecond: number, report: (mki: string) => void) {
    this.#perSecond = perSecond;
    this.#report = report;
  }

  note(mki: Uint8Array, now: number): void {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#left = this.#perSecond;
      this.#said.clear();
    }
    if (this.#left <= 0 || this.#said.size >= REPORTED_MKIS) return;
    const text = toHex(mki);
    if (this.#said.has(text)) return;
    this.#said.add(text);
    this.#left -= 1;
    this.#report(text);
  }
}

export interface ProtectionHooks {
  now(): number;
  unknownMki(mki: string): void;
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
  #framing: SrtpFraming | null = null;
  #talkers: Talkers | null = null;

  constructor(limits: MediaLimits, hooks: ProtectionHooks) {
    this.#limits = limits;
    this.#hooks = hooks;
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
    const framing = receive.reportUnknown;
    if (this.receiver && sameFraming(framing, this.#framing)) {
      this.receiver.replaceKeys(receive.keys);
    } else {
      this.receiver?.wipe();
      this.receiver = this.#createReceiver(receive.keys, framing);
    }
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
  unprotect(packet: Uint8Array): Unprotected {
    if (this.#talkers) this.#talkers.refusal = null;
    const result = this.#expectProtected().unprotect(packet);
    if (result.ok || result.reason !== 'unknown-mki') return result;
    return { ok: false, reason: this.#talkers?.refusal ?? result.reason };
  }

  addKeys(keys: readonly SrtpKeyMaterial[]): void {
    this.#expectProtected().addKeys(keys);
    this.#current.push(...keys.map(copyKeyMaterial));
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
    this.#framing = null;
    this.#talkers?.wipe();
    this.#talkers = null;
  }

  #armGroup(keys: readonly GroupKey[], send: WireSend): boolean {
    if ('clear' in send) throw new SegyError('SEGY_E_ARGUMENT', 'a group call is never clear');
    if (!this.#talkers || !this.receiver) {
      this.disarm();
      const talkers = new Talkers(this.#limits.talkersPerSecond, () => this.#hooks.now());
      this.#talkers = talkers;
      const { streams, replayWindow } = this.#limits;
      this.receiver = new SrtpReceiver({ limits: { streams, replayWindow }, resolver: talkers });
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

  #createReceiver(keys: readonly SrtpKeyMaterial[], framing: SrtpFraming | null): SrtpReceiver {
    this.#framing = framing;
    const unknown = new UnknownMkis(this.#limits.mkiReportsPerSecond, (mki) =>
      this.#hooks.unknownMki(mki),
    );
    const resolve = (mki: Uint8Array): readonly SrtpKeyMaterial[] => {
      unknown.note(mki, this.#hooks.now());
      return [];
    };
    return new SrtpReceiver({
      keys,
      limits: { streams: this.#limits.streams, replayWindow: this.#limits.replayWindow },
      ...(framing ? { resolver: { framings: [framing], resolve } } : {}),
    });
  }

  #expectProtected(): SrtpReceiver {
    if (!this.armed || !this.receiver) {
      throw new SegyError('SEGY_E_MEDIA', 'the media session is not armed with keys');
    }
    return this.receiver;
  }
}

function sameFraming(a: SrtpFraming | null, b: SrtpFraming | null): boolean {
  return a?.suite === b?.suite && a?.mkiLength === b?.mkiLength && a?.rocRate === b?.rocRate;
}
