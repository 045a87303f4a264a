/**
 * Offer and answer of one dialog pair (RFC 3264), carried across the edge: an offer of one side
 * becomes our offer to the other, the answer comes back the other way, and the media session learns
 * both addresses when the answer is there. Until then it keeps what was agreed before.
 */
import { SegyError } from '../../base/errors.js';
import type { CallMedia } from './call-media.js';
import { otherSide, type Side } from '../dependencies.js';
import type { FloorAgreement } from '../push-to-talk/call-floor.js';
import { clockRatesOf } from '../sdp/clock-rates.js';
import type { FloorLine } from '../sdp/floor-sdp.js';
import type {
  AudioDescription,
  FloorDescription,
  FloorParameters,
  SessionModel,
} from '../sdp/sdp-model.js';
import type { PreferredLines } from '../sdp/sdp-read.js';
import { requireAudio } from '../sdp/sdp-rules.js';
import type { KeyAttribute, SdpSide } from '../sdp/sdp-side.js';

interface Pending {
  readonly offerer: Side;
  readonly audio: AudioDescription;
  /** the partner's floor line, in its offer */
  readonly floor: FloorDescription | null;
  /** of the floor line in our offer to the partner */
  readonly ownFloor: FloorParameters | null;
}

/** What both sides last agreed on, for going back to it. */
interface Agreement {
  readonly offer: Pending;
  readonly answer: AudioDescription | null;
  readonly floor: FloorAgreement | null;
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

  /** Places of the lines that are carried on `side`, for reading its descriptions. */
  places(side: Side): PreferredLines {
    return this.#sides[side].places;
  }

  /**
   * Takes an offer of `side`. @returns our offer to the other side
   * @throws SegyError SEGY_E_MEDIA without an audio stream
   */
  offer(side: Side, model: SessionModel): string {
    const audio = requireAudio(model);
    const receiver = otherSide(side);
    this.#sides[side].offered(model);
    if (receiver === 'inner') {
      this.#pending = { offerer: side, audio, floor: model.floor, ownFloor: null };
      return this.#sides.inner.offer(audio, null);
    }
    const line = this.#media.floor?.offerLine() ?? null;
    this.#pending = { offerer: side, audio, floor: null, ownFloor: line?.parameters ?? null };
    return this.#sides.outer.offer(audio, this.#keyForOffer(), line);
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
    const declined = model.audio === null || model.audio.port === 0;
    const line = declined ? null : await this.#floorLine(pending);
    const floor = declined ? null : this.#floorAgreement(pending, model, line);
    const agreement = { offer: pending, answer: model.audio, floor, leg: o.leg };
    await this.#apply(agreement);
    this.#tentative = !o.final;
    this.#sides[side].answered();
    const text = this.#sides[pending.offerer].answer(model.audio, line);
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

  /** The floor line of our answer to the partner; null declines what it offered. */
  async #floorLine({ floor }: Pending): Promise<FloorLine | null> {
    return (await this.#media.floor?.answerLine(floor)) ?? null;
  }

  #floorAgreement(
    pending: Pending,
    answer: SessionModel,
    line: FloorLine | null,
  ): FloorAgreement | null {
    const { floor, ownFloor } = pending;
    if (floor !== null && line !== null) {
      const { address, port } = floor;
      return { remote: { address, port }, parameters: line.parameters };
    }
    if (ownFloor === null) return null;
    return this.#media.floor?.accepted(answer.floor, ownFloor) ?? null;
  }

  async #apply({ offer, answer, floor, leg }: Agreement): Promise<void> {
    await this.#media.setRemote(offer.offerer, offer.audio);
    if (answer === null) return;
    const answerer = otherSide(offer.offerer);
    await this.#media.setRemote(answerer, answer, leg);
    await this.#media.setClockRates({ ...clockRatesOf(offer.audio), ...clockRatesOf(answer) });
    await this.#media.setDirection(answerer, answer);
    await this.#media.floor?.agree(floor, [offer.audio, answer], leg);
  }

  /** A description of `side` that neither offers nor answers, as the other side may see it. */
  capabilities(side: Side, model: SessionModel): string {
    return this.#sides[otherSide(side)].capabilities(model);
  }
}
