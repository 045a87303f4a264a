/**
 * A request that stands at a partner for as long as the gateway runs: a subscription or a
 * publication. It is sent, refreshed before it ends, sent again after a failure, and withdrawn.
 *
 * | state    | event                         | next |
 * |----------|-------------------------------|------|
 * | idle     | start                         | waiting, or sending at once |
 * | sending  | 2xx                           | standing, refresh after nine tenths of its time |
 * | sending  | 423 with a longer time        | sending, for that time |
 * | sending  | 412, 481 to a refresh         | sending, as if for the first time |
 * | sending  | 408, 5xx, no answer           | waiting, longer after each failure; what stood stands until its time is over |
 * | sending  | another refusal               | waiting, longer after each failure; nothing stands |
 * | sending  | 2xx whose protection is broken | waiting, longer after each failure, as if no answer had come |
 * | standing | refresh is due, the peer ended it | sending, waiting |
 * | waiting  | the wait is over              | sending |
 * | any      | stop                          | ended; where it stood, it is withdrawn |
 *
 * Waits are drawn from a range, so that many requests do not come back together.
 */
import type { Environment, TimerHandle } from '../../base/environment.js';
import { SegyError, toSegyError } from '../../base/errors.js';
import type { SipRequest, SipResponse, SipTarget } from '../../sip/index.js';
import { openedBody, type Outlet } from '../partners/protected.js';

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 300_000;
const LEAST_REFRESH_MS = 1_000;
const MAX_SECONDS = 604_800;
/** a wait is lengthened by up to this share of it */
const SPREAD = 0.25;

/** What a standing request takes from outside. */
export type StandingEnvironment = Pick<Environment, 'clock' | 'timers' | 'random' | 'log'>;

/** What is particular to the kind of request. */
export interface StandingKind {
  /** for the log: what stands, and where */
  readonly name: string;
  readonly seconds: number;
  readonly targets: readonly SipTarget[];
  /** the request, for the first time or as a refresh; 0 seconds withdraws it. @throws SegyError */
  build(seconds: number): SipRequest | Promise<SipRequest>;
  /** puts into the request what says who sends it, where the partner asks for that */
  authenticate(request: SipRequest): Promise<void>;
  /** takes what a refusal says of the request; what stands is not the kind's */
  refused?(status: number): void;
  /** takes what later requests need from a 2xx */
  accepted(response: SipResponse): void;
  /** forgets what was taken: the peer knows nothing of it any more */
  forget(): void;
}

export class StandingRequest {
  readonly kind: StandingKind;
  readonly #outlet: Outlet;
  readonly #env: StandingEnvironment;
  #timer: TimerHandle | undefined;
  #state: 'idle' | 'sending' | 'standing' | 'waiting' | 'ended' = 'idle';
  #failures = 0;
  #stands = false;
  /** asked for: what the profile says, or the least that the peer takes */
  #seconds: number;
  /** when what stands ends without a refresh, in milliseconds since 1970 */
  #endsAt = 0;
  /** the exchange under way is about something the peer has ended since */
  #overtaken: { readonly waitMs: number } | null = null;
  #exchanged: Promise<void> = Promise.resolve();

  constructor(kind: StandingKind, outlet: Outlet, env: StandingEnvironment) {
    this.kind = kind;
    this.#outlet = outlet;
    this.#env = env;
    this.#seconds = kind.seconds;
  }

  get stands(): boolean {
    return this.#stands;
  }

  /** Asks for it after `afterMs`. */
  start(afterMs = 0): void {
    if (this.#state !== 'idle') return;
    if (afterMs > 0) this.#wait(afterMs);
    else this.#send();
  }

  /** The peer ended it: it is asked for anew after `afterMs`. */
  lost(afterMs: number): void {
    if (this.#state === 'ended') return;
    this.#stands = false;
    if (this.#state === 'sending') {
      this.#overtaken = { waitMs: afterMs };
      return;
    }
    this.kind.forget();
    this.#wait(this.#spread(afterMs));
  }

  /** The peer shortened its time to `seconds` from now. */
  shortened(seconds: number): void {
    const endsAt = this.#env.clock.now() + 1000 * seconds;
    if (this.#state === 'standing' && endsAt < this.#endsAt) this.#refreshIn(seconds);
  }

  /** Withdraws it where it stands; resolves when the peer has answered or cannot be reached. */
  async stop(): Promise<void> {
    const wasSending = this.#state === 'sending';
    this.#state = 'ended';
    this.#clearTimer();
    if (wasSending) await this.#exchanged;
    if (!this.#stands) return;
    this.#stands = false;
    await this.#exchange(0).catch((error: unknown) => this.#failed(toSegyError(error)));
  }

  #send(): void {
    this.#state = 'sending';
    this.#overtaken = null;
    if (this.#stands && this.#env.clock.now() >= this.#endsAt) this.#forget();
    const isRefresh = this.#stands;
    this.#exchanged = this.#exchange(this.#seconds)
      .then((response) => this.#answered(response, isRefresh))
      .catch((error: unknown) => {
        this.#failed(toSegyError(error));
        this.#retry(null);
      });
  }

  #answered(response: SipResponse, isRefresh: boolean): void {
    const { status } = response;
    if (status < 300) {
      this.#accepted(response);
      return;
    }
    if (this.#state === 'ended') {
      if (!keepsStanding(status)) this.#stands = false;
      return;
    }
    const least = headerSeconds(response, 'Min-Expires') ?? 0;
    if (status === 423 && least > this.#seconds) {
      this.#seconds = Math.min(least, MAX_SECONDS);
      this.#send();
      return;
    }
    this.kind.refused?.(status);
    if (!keepsStanding(status)) this.#stands = false;
    if (isRefresh && (status === 412 || status === 481)) {
      this.#forget();
      this.#send();
      return;
    }
    this.#env.log.warn('standing.refused', { request: this.kind.name, status });
    const afterSeconds = headerSeconds(response, 'Retry-After');
    this.#retry(afterSeconds === null ? null : 1000 * afterSeconds);
  }

  /** @throws SegyError when the body did not open: what cannot be verified is no answer */
  #accepted(response: SipResponse): void {
    openedBody(response);
    const overtaken = this.#overtaken;
    if (overtaken !== null) {
      this.#forget();
      if (this.#state !== 'ended') this.#wait(this.#spread(overtaken.waitMs));
      return;
    }
    this.kind.accepted(response);
    this.#failures = 0;
    this.#stands = true;
    if (this.#state === 'ended') return;
    this.#state = 'standing';
    // never more than was asked for
    this.#refreshIn(Math.min(headerSeconds(response, 'Expires') ?? Infinity, this.#seconds));
    this.#env.log.info('standing.accepted', { request: this.kind.name });
  }

  #refreshIn(seconds: number): void {
    this.#endsAt = this.#env.clock.now() + 1000 * seconds;
    const earlier = 1 - 0.1 * SPREAD * this.#draw();
    this.#after(Math.max(900 * seconds * earlier, LEAST_REFRESH_MS), () => this.#send());
  }

  #retry(askedMs: number | null): void {
    if (this.#state === 'ended') return;
    if (!this.#stands || this.#overtaken !== null) this.#forget();
    const ownMs = Math.min(FIRST_WAIT_MS * 2 ** this.#failures, LONGEST_WAIT_MS);
    this.#failures += 1;
    this.#wait(this.#spread(Math.max(ownMs, askedMs ?? 0, this.#overtaken?.waitMs ?? 0)));
  }

  #forget(): void {
    this.#stands = false;
    this.kind.forget();
  }

  #wait(ms: number): void {
    this.#state = 'waiting';
    this.#after(ms, () => this.#send());
  }

  #spread(ms: number): number {
    return Math.round(ms * (1 + SPREAD * this.#draw()));
  }

  /** from 0 to 1 */
  #draw(): number {
    return (this.#env.random(1)[0] ?? 0) / 255;
  }

  /** Tries the partner's addresses in their order. */
  async #exchange(seconds: number): Promise<SipResponse> {
    let last = new SegyError('SEGY_E_SIP_TRANSPORT', 'no address of the partner is configured');
    for (const target of this.kind.targets) {
      try {
        const request = await this.kind.build(seconds);
        await this.kind.authenticate(request);
        return await this.#ask(request, target);
      } catch (error) {
        last = toSegyError(error);
        if (last.code !== 'SEGY_E_SIP_TRANSPORT') break;
      }
    }
    throw last;
  }

  #ask(request: SipRequest, target: SipTarget): Promise<SipResponse> {
    return new Promise((resolve, reject) => {
      const transaction = this.#outlet.request(request, target);
      transaction.onFinal = resolve;
      transaction.onError = reject;
    });
  }

  #failed({ code, message }: SegyError): void {
    this.#env.log.warn('standing.failed', { request: this.kind.name, code, message });
  }

  #after(ms: number, work: () => void): void {
    this.#clearTimer();
    this.#timer = this.#env.timers.setTimeout(work, ms);
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#env.timers.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** What stood before a refresh that ended so still stands (RFC 6665 clause 4.1.2.2). */
function keepsStanding(status: number): boolean {
  return status === 408 || status === 423 || status === 429 || (status >= 500 && status < 600);
}

/** Leading seconds of a header; null where there are none. */
function headerSeconds(response: SipResponse, name: string): number | null {
  const seconds = /^\s*([0-9]{1,10})(?![0-9])/.exec(response.headers.get(name) ?? '')?.[1];
  return seconds === undefined ? null : Math.min(Number(seconds), MAX_SECONDS);
}
