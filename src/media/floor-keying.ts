/**
 * The radio's key in the RTP that comes from the PBX: speech that begins and ends, or digits as
 * telephone-events (RFC 4733). Works on every PBX, and whatever bridges the call.
 */
import { levelMeter, TalkDetector, type LevelMeter } from '../floor/index.js';
import { rtpHeaderLength, rtpPayloadEnd, rtpPayloadType, rtpTimestamp } from '../srtp/index.js';
import type { FloorKeying } from './floor-types.js';

export interface KeyingSeen {
  /** the key went on or off with this packet; null: as before */
  readonly key: boolean | null;
  /** the packet says nothing but that */
  readonly swallow: boolean;
}

const NOTHING: KeyingSeen = { key: null, swallow: false };
const KEY_ON: KeyingSeen = { key: true, swallow: false };
const KEY_OFF: KeyingSeen = { key: false, swallow: false };
const DIGITS = '0123456789*#ABCD';
const EVENT_OCTETS = 4;
const DIGITS_KEPT = 4;
/** Speech ends somewhat below the level at which it begins, dB. */
const HYSTERESIS_DB = 6;
/** Duration of a packet of speech, ms. */
const PACKET_MS = 20;

export class RtpKeying {
  readonly #keying: FloorKeying;
  readonly #talk: TalkDetector;
  readonly #meters = new Map<number, LevelMeter>();
  #digits = '';
  #eventAt = -1;
  #on = false;

  constructor(keying: FloorKeying) {
    this.#keying = keying;
    const { thresholdDb, attackMs, hangMs } = keying;
    this.#talk = new TalkDetector({
      onDbov: thresholdDb,
      offDbov: thresholdDb - HYSTERESIS_DB,
      attackMs,
      hangMs,
    });
  }

  /** RTP payload type of telephone-events; null where there are none. */
  get eventType(): number | null {
    const types = Object.entries(this.#keying.codecs).filter(([, { name }]) => isEvents(name));
    return types.length === 0 ? null : Number(types[0]?.[0]);
  }

  /** Looks at one well-formed packet. @param now monotonic milliseconds */
  observe(packet: Uint8Array, now: number): KeyingSeen {
    const { source, codecs, swallowDigits } = this.#keying;
    if (source === 'commands' && !swallowDigits) return NOTHING;
    const at = rtpHeaderLength(packet);
    const payload = packet.subarray(at, rtpPayloadEnd(packet, at));
    const type = rtpPayloadType(packet);
    if (source === 'level') {
      return seen(this.#talk.packet(this.#meter(type)(payload), PACKET_MS, now));
    }
    const isEvent = isEvents(codecs[type]?.name ?? '');
    if (!isEvent) return NOTHING;
    const { key, swallow } = this.#event(payload, rtpTimestamp(packet));
    return { key: source === 'events' ? key : null, swallow };
  }

  /** The radio keys by other means: from here on it is looked for the end of it. */
  pressed(now: number): void {
    this.#on = true;
    this.#talk.packet(0, this.#keying.attackMs, now);
  }

  /** What follows when no packet came for a while. */
  tick(now: number): KeyingSeen {
    return this.#keying.source === 'level' ? seen(this.#talk.tick(now)) : NOTHING;
  }

  #meter(type: number): LevelMeter {
    const held = this.#meters.get(type);
    if (held) return held;
    const meter = levelMeter(this.#keying.codecs[type] ?? { name: '' });
    this.#meters.set(type, meter);
    return meter;
  }

  /** Each event counts once, at its first packet: its timestamp stays the same until it ends. */
  #event(payload: Uint8Array, timestamp: number): KeyingSeen {
    const digit = DIGITS[payload[0] ?? 0xff];
    const { on, off } = this.#keying;
    if (payload.length < EVENT_OCTETS || digit === undefined) return NOTHING;
    const swallow = on.includes(digit) || off.includes(digit);
    if (timestamp === this.#eventAt) return { key: null, swallow };
    this.#eventAt = timestamp;
    this.#digits = (this.#digits + digit).slice(-DIGITS_KEPT);
    const isOn = this.#digits.endsWith(on);
    const isOff = this.#digits.endsWith(off);
    if (!isOn && !isOff) return { key: null, swallow };
    this.#digits = '';
    this.#on = isOn && isOff ? !this.#on : isOn;
    return { key: this.#on, swallow };
  }
}

function isEvents(name: string): boolean {
  return name.toLowerCase() === 'telephone-event';
}

function seen(key: ReturnType<TalkDetector['tick']>): KeyingSeen {
  if (key === null) return NOTHING;
  return key.kind === 'key-on' ? KEY_ON : KEY_OFF;
}
