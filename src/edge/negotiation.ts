/**
 * Offer and answer of one dialog pair (RFC 3264), carried across the edge: an offer of one side
 * becomes our offer to the other, the answer comes back the other way, and the media session learns
 * both addresses when the answer is there. Until then it keeps what was agreed before.
 */
import { SegyError } from '../base/errors.js';
import type { CallMedia } from './call-media.js';
import { otherSide, type Side } from './dependencies.js';
import type { AudioDescription, SessionModel } from './sdp-model.js';
import { requireAudio } from './sdp-rules.js';
import type { KeyAttribute, SdpSide } from './sdp-side.js';

interface Pending {
  readonly offerer: Side;
  readonly audio: AudioDescription;
}

/** What both sides last agreed on, for going back to it. */
interface Agreement {
  readonly offer: Pending;
  readonly answer: AudioDescription | null;
  readonly leg: string | undefined;
}

/** Key attribute of our offers towards MC; null where they carry none. */
export type KeyForOffer = () => KeyAttribute | null;

export class Negotiation {
  readonly #media: CallMedia;
  readonly #sides: Readonly<Record<Side, SdpSide>>;
  readonly #keyForOffer: KeyForOffer;
  #pending: Pending | null = null;
  #agreed: Agreement | null = null;
  /** true when an answer that may be taken back was applied */
  #tentative = false;

  constructor(media: CallMedia, sides: Readonly<Record<Side, SdpSide>>, keyForOffer: KeyForOffer) {
    this.#media = media;
    this.#sides = sides;
    this.#keyForOffer = keyForOffer;
  }

  /** A copy for one early dialog of a fork, with the same offer open. */
  fork(): Negotiation {
    const sides = { outer: this.#sides.outer.fork(), inner: this.#sides.inner.fork() };
    const copy = new Negotiation(this.#media, sides, this.#keyForOffer);
    copy.#pending = this.#pending;
    copy.#agreed = this.#agreed;
    return copy;
  }

  /** Side whose offer waits for an answer. */
  get offerer(): Side | null {
    return this.#pending?.offerer ?? null;
  }

  /** Place of the audio line on `side`, for reading its descriptions. */
  audioIndex(side: Side): number {
    return this.#sides[side].audioIndex;
  }

  /**
   * Takes an offer of `side`. @returns our offer to the other side
   * @throws SegyError SEGY_E_MEDIA without an audio stream
   */
  offer(side: Side, model: SessionModel): string {
    const audio = requireAudio(model);
    const receiver = otherSide(side);
    this.#sides[side].offered(model);
    this.#pending = { offerer: side, audio };
    return this.#sides[receiver].offer(audio, receiver === 'outer' ? this.#keyForOffer() : null);
  }

  /**
   * Takes the answer of `side` and applies what was agreed. @returns our answer to the offerer.
   * An answer may come again, in a 2xx after a reliable provisional response, and is taken again.
   * @param leg early dialog of the answerer, where it is the called side
   * @param final false for an answer that may still change or be taken back (a provisional response)
   * @throws SegyError SEGY_E_SIP_SYNTAX when nothing was offered to that side
   */
  async answer(
    side: Side,
    model: SessionModel,
    o: { leg?: string; final: boolean },
  ): Promise<string> {
    const pending = this.#pending ?? this.#agreed?.offer ?? null;
    if (pending === null || pending.offerer === side) {
      throw new SegyError('SEGY_E_SIP_SYNTAX', 'an SDP answer came to no offer');
    }
    const agreement = { offer: pending, answer: model.audio, leg: o.leg };
    await this.#apply(agreement);
    this.#tentative = !o.final;
    const text = this.#sides[pending.offerer].answer(model.audio);
    if (o.final) {
      this.#pending = null;
      this.#agreed = agreement;
      await this.#media.switchToNext();
    }
    return text;
  }

  /** The open offer was refused, or its transaction ended without an answer: all is as before. */
  async refused(): Promise<void> {
    this.#pending = null;
    if (this.#tentative && this.#agreed !== null) await this.#apply(this.#agreed);
    this.#tentative = false;
    await this.#media.dropNext();
  }

  async #apply({ offer, answer, leg }: Agreement): Promise<void> {
    await this.#media.setRemote(offer.offerer, offer.audio);
    if (answer === null) return;
    const answerer = otherSide(offer.offerer);
    await this.#media.setRemote(answerer, answer, leg);
    await this.#media.setDirection(answerer, answer);
  }

  /** A description of `side` that neither offers nor answers, as the other side may see it. */
  capabilities(side: Side, model: SessionModel): string {
    return this.#sides[otherSide(side)].capabilities(model);
  }
}
