/**
 * The media session of one call and the gate before it. Nothing is decrypted or encrypted until
 * `arm`, which the call runs when the PBX channel is known; `close` shuts the gate for ever, at once.
 *
 * | gate   | meaning                                    | next |
 * |--------|--------------------------------------------|------|
 * | shut   | ports are bound, nothing is forwarded      | arm → arming; close → closed |
 * | arming | keys are on their way to the media engine  | armed when there; close → closed |
 * | armed  | media flows                                | close → closed |
 * | closed | disarmed, keys wiped, ports given back     | none |
 */
import type { Log } from '../../base/environment.js';
import { SegyError, toSegyError } from '../../base/errors.js';
import type { CallFloor } from '../push-to-talk/call-floor.js';
import type { CallKey } from './call-key.js';
import type { GroupMedia } from '../groups/group-media.js';
import type { Side } from '../dependencies.js';
import type { CallMediaSession, LocalMedia } from '../ports/media-port.js';
import { receives, sends, type AudioDescription } from '../sdp/sdp-model.js';

type Gate = 'shut' | 'arming' | 'armed' | 'closed';

export class CallMedia {
  readonly #session: CallMediaSession;
  readonly #log: Log;
  #gate: Gate = 'shut';
  #wasArmed = false;
  #key: CallKey | null;
  #next: CallKey | null = null;
  /** what protects a group call; null in every other */
  readonly group: GroupMedia | null;
  /** null where the partner's profile has no floor control */
  readonly floor: CallFloor | null;

  /** @param key null for a group call, and for a call that policy lets pass unprotected */
  constructor(
    session: CallMediaSession,
    key: CallKey | null,
    log: Log,
    group: GroupMedia | null = null,
    floor: CallFloor | null = null,
  ) {
    this.#session = session;
    this.#key = key;
    this.#log = log;
    this.group = group;
    this.floor = floor;
  }

  /**
   * Calls `ended` when the media engine gives the session up, and `talker` with an MKI in hex when
   * another member of a group is heard.
   */
  watch(ended: () => void, talker: (mki: string) => void): void {
    this.#session.on('event', (event) => {
      if (event.type === 'ended') ended();
      else if (event.type === 'talker') talker(event.mki);
    });
  }

  /** Hex of the identifier of the key in use; null where there is none. */
  get keyId(): string | null {
    return this.group === null ? (this.#key?.keyId ?? null) : this.group.keyId;
  }

  /** The call has no protection at all, by policy. */
  get isClear(): boolean {
    return this.#key === null && this.group === null;
  }

  get armed(): boolean {
    return this.#gate === 'armed';
  }

  /** True from the first attempt to arm on, also when the session is closed. */
  get wasArmed(): boolean {
    return this.#wasArmed;
  }

  isClosed(): boolean {
    return this.#gate === 'closed';
  }

  /** The key in use; null in an unprotected call. Its octets may be wiped already. */
  get key(): CallKey | null {
    return this.#key;
  }

  /** The key of an offer that is not answered yet. */
  get nextKey(): CallKey | null {
    return this.#next;
  }

  /** Addresses of one side. */
  at(side: Side): LocalMedia {
    return this.#session[side];
  }

  /**
   * Opens the gate; the keys are copied into the media engine and wiped here.
   * @param clockRates RTP clock of each payload type, in Hz
   * @returns false when the call ended meanwhile
   */
  async arm(clockRates: Readonly<Record<number, number>>): Promise<boolean> {
    if (this.#gate !== 'shut') return this.armed;
    this.#gate = 'arming';
    this.#wasArmed = true;
    const key = this.#key;
    if (this.group !== null) await this.group.arm(this.#session, clockRates);
    else
      await this.#session.arm(
        key === null
          ? { receive: { clear: true }, send: { clear: true }, clockRates }
          : { receive: { keys: [key.receive] }, send: { key: key.send }, clockRates },
      );
    key?.wipe();
    if (this.isClosed()) return false;
    this.#gate = 'armed';
    return true;
  }

  /**
   * Takes media under a new key of the peer as well, from its offer on; ours stays as it is.
   * @throws SegyError SEGY_E_MEDIA in a call without keys: protection cannot begin in its middle
   */
  async adopt(next: CallKey): Promise<void> {
    if (this.isClosed()) {
      next.wipe();
      throw new SegyError('SEGY_E_MEDIA_ENDED', 'the media of the call has ended');
    }
    if (this.#key === null) {
      next.wipe();
      throw new SegyError('SEGY_E_MEDIA', 'a key was offered within an unprotected call');
    }
    this.#next?.wipe();
    this.#next = next;
    await this.#session.rekey({ receive: { keys: [next.receive] } });
  }

  /** The offer with the new key was answered: it alone is used from here on. */
  async switchToNext(): Promise<void> {
    const next = this.#next;
    if (next === null) return;
    this.#next = null;
    this.#key = next;
    await this.#session.rekey({ receive: { keys: [next.receive] }, send: { key: next.send } });
    await this.#session.dropKeys('old');
    next.wipe();
  }

  /** The offer with the new key was refused: the old one stays. */
  async dropNext(): Promise<void> {
    const next = this.#next;
    if (next === null) return;
    this.#next = null;
    next.wipe();
    await this.#session.dropKeys('new');
  }

  /** Where to send on `side` until something authentic comes; `leg` names the early dialog there. */
  async setRemote(side: Side, audio: AudioDescription, leg?: string): Promise<void> {
    const { address, port, rtcpPort } = audio;
    const remote = address === null || port === 0 ? null : { address, port, rtcpPort };
    await this.#session.setRemote(side, remote, leg === undefined ? {} : { leg });
  }

  /** RTP clock of each payload type in Hz, as the latest offer and answer have it. */
  async setClockRates(clockRates: Readonly<Record<number, number>>): Promise<void> {
    await this.#session.setClockRates(clockRates);
  }

  /** Sets which way media may go, from the answer (RFC 3264 clause 6.1). */
  async setDirection(answerer: Side, answer: AudioDescription): Promise<void> {
    const live = answer.port !== 0;
    const gets = live && receives(answer.direction);
    const gives = live && sends(answer.direction);
    await this.#session.setDirection(
      answerer === 'inner' ? { toInner: gets, toOuter: gives } : { toInner: gives, toOuter: gets },
    );
  }

  /** The early dialog whose media counts from here on. */
  async selectLeg(leg: string): Promise<void> {
    await this.#session.selectLeg(leg);
    await this.floor?.selectLeg(leg);
  }

  /** Hands the key of a call that was never armed to the asker, who wipes it; null once armed. */
  releaseKey(): CallKey | null {
    if (this.#gate !== 'shut') return null;
    const key = this.#key;
    this.#key = null;
    this.#gate = 'closed';
    this.#free();
    return key;
  }

  /** Shuts the gate for ever and wipes the keys. Safe to call at any time, any number of times. */
  close(): void {
    if (this.#gate === 'closed') return;
    this.#gate = 'closed';
    this.#key?.wipe();
    this.#next?.wipe();
    this.group?.close();
    this.floor?.close();
    this.#free();
  }

  #free(): void {
    const session = this.#session;
    session
      .disarm()
      .catch((error: unknown) => this.#failed('disarm', error))
      .then(() => session.close())
      .catch((error: unknown) => this.#failed('close', error));
  }

  #failed(operation: string, error: unknown): void {
    const { code, message } = toSegyError(error);
    this.#log.error('media.failed', { operation, session: this.#session.id, code, message });
  }
}
