/**
 * The radio's end of floor control, as the PBX carries it: its key comes in as digits, talk
 * detection or a variable, and what became of the floor goes out as an event and variables.
 */
import type { FloorConfig, KeyingSource } from '../../config/index.js';
import type { FloorCommand, FloorNews } from '../../media/index.js';
import { PRIORITY, PTT, readLevel, readSwitch } from './floor-wishes.js';
import { isSafeText } from '../messages/identity.js';
import type { PbxSignal, PbxVariables } from '../ports/pbx-port.js';

/** Digits of the last key presses that may become those of `on` or `off`. */
const DIGITS_KEPT = 4;

export class RadioKey {
  readonly #keying: FloorConfig['keying'];
  readonly #source: KeyingSource;
  #digits = '';
  #on = false;

  constructor(keying: FloorConfig['keying'], source: KeyingSource) {
    this.#keying = keying;
    this.#source = source;
  }

  /** What a signal of the PBX says to floor control; null for nothing. A level counts with any source. */
  commandOf(signal: PbxSignal): FloorCommand | null {
    if (signal.kind === 'variable') return this.#variable(signal.name, signal.value);
    if (signal.kind === 'talk') {
      return this.#source === 'talk' ? this.#key(signal.talking) : null;
    }
    return this.#source === 'dtmf' ? this.#digit(signal.digit) : null;
  }

  #variable(name: string, value: string): FloorCommand | null {
    if (name === PRIORITY) {
      const level = readLevel(value);
      return level === null ? null : { type: 'level', level };
    }
    if (name !== PTT || this.#source !== 'variable') return null;
    const on = readSwitch(value);
    return on === null ? null : this.#key(on);
  }

  #digit(digit: string): FloorCommand | null {
    const { on, off } = this.#keying;
    this.#digits = (this.#digits + digit).slice(-DIGITS_KEPT);
    const isOn = this.#digits.endsWith(on);
    const isOff = this.#digits.endsWith(off);
    if (!isOn && !isOff) return null;
    this.#digits = '';
    return this.#key(isOn && isOff ? !this.#on : isOn);
  }

  #key(on: boolean): FloorCommand {
    this.#on = on;
    return { type: 'key', on };
  }
}

/** The variables that tell of one piece of news; nobody talks where SEGY_TALKER is empty. */
export function floorVariables(news: FloorNews): PbxVariables {
  const reason = 'reason' in news ? { SEGY_FLOOR_REASON: news.reason } : {};
  const talker = news.event === 'taken' ? (news.talkers[0]?.userId ?? '') : '';
  return {
    SEGY_FLOOR: news.event === 'released' ? 'idle' : news.event,
    SEGY_TALKER: isSafeText(talker) ? talker : '',
    ...(news.event === 'queued' && news.position !== null
      ? { SEGY_FLOOR_POSITION: String(news.position) }
      : {}),
    ...(news.event === 'taken' ? { SEGY_FLOOR_LEVEL: news.level } : {}),
    ...reason,
  };
}
