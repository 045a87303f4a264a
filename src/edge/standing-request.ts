/**
 * A request that stands at a partner for as long as the gateway runs: a subscription or a
 * publication. It is sent, refreshed before it ends, sent again after a failure, and withdrawn.
 *
 * | state    | event                         | next |
 * |----------|-------------------------------|------|
 * | idle     | start                         | sending |
 * | sending  | 2xx                           | standing, refresh after nine tenths of its time |
 * | sending  | refusal, no answer            | waiting, longer after each failure |
 * | sending  | 412, 481 to a refresh         | sending, as if for the first time |
 * | standing | refresh is due, the peer ended it | sending |
 * | waiting  | the wait is over              | sending |
 * | any      | stop                          | ended; where it stood, it is withdrawn |
 */
import type { Log, TimerHandle, Timers } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import type { SipRequest, SipResponse, SipTarget } from '../sip/index.js';
import type { Outlet } from './protected.js';

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 300_000;
const LEAST_REFRESH_MS = 1_000;
const MAX_SECONDS = 604_800;

/** What is particular to the kind of request. */
export interface StandingKind {
  /** for the log: what stands, and where */
  readonly name: string;
  readonly seconds: number;
  readonly targets: readonly SipTarget[];
  /** the request, for the first time or as a refresh; 0 seconds withdraws it */
  build(seconds: number): SipRequest;
  /** puts into the request what says who sends it, where the partner asks for that */
  authenticate(request: SipRequest): Promise<void>;
  /** takes what later requests need from a 2xx */
  accepted(response: SipResponse): void;
  /** forgets what was taken: the peer knows nothing of it any more */
  forget(): void;
}

export class StandingRequest {
  readonly kind: StandingKind;
  readonly #outlet: Outlet;
  readonly #timers: Timers;
  readonly #log: Log;
  #timer: TimerHandle | undefined;
  #state: 'idle' | 'sending' | 'standing' | 'waiting' | 'ended' = 'idle';
  #failures = 0;
  #stands = false;

  constructor(kind: StandingKind, outlet: Outlet, timers: Timers, log: Log) {
    this.kind = kind;
    this.#outlet = outlet;
    this.#timers = timers;
    this.#log = log;
  }

  get stands(): boolean {
    return this.#stands;
  }

  start(): void {
    if (this.#state === 'idle') this.#send();
  }

  /** The peer ended it: it is asked for anew after `afterMs`. */
  lost(afterMs: number): void {
    if (this.#state === 'ended') return;
    this.#stands = false;
    this.kind.forget();
    if (this.#state !== 'sending') this.#wait(afterMs);
  }

  /** Withdraws it where it stands; resolves when the peer has answered or cannot be reached. */
  async stop(): Promise<void> {
    const stood = this.#stands;
    this.#state = 'ended';
    this.#stands = false;
    this.#clearTimer();
    if (!stood) return;
    await this.#exchange(0).catch((error: unknown) => this.#failed(toSegyError(error)));
  }

  #send(): void {
    this.#state = 'sending';
    const isRefresh = this.#stands;
    this.#exchange(this.kind.seconds)
      .then((response) => this.#answered(response, isRefresh))
      .catch((error: unknown) => {
        this.#failed(toSegyError(error));
        this.#retry(null);
      });
  }

  #answered(response: SipResponse, isRefresh: boolean): void {
    if (this.#state === 'ended') return;
    if (response.status < 300) {
      this.kind.accepted(response);
      this.#failures = 0;
      this.#stands = true;
      this.#state = 'standing';
      const refreshMs = 900 * grantedSeconds(response, this.kind.seconds);
      this.#after(Math.max(refreshMs, LEAST_REFRESH_MS), () => this.#send());
      this.#log.info('standing.accepted', { request: this.kind.name });
      return;
    }
    this.#stands = false;
    this.kind.forget();
    if (isRefresh && (response.status === 412 || response.status === 481)) {
      this.#send();
      return;
    }
    this.#log.warn('standing.refused', { request: this.kind.name, status: response.status });
    this.#retry(retryAfterMs(response));
  }

  #retry(askedMs: number | null): void {
    if (this.#state === 'ended') return;
    this.#stands = false;
    this.kind.forget();
    const ownMs = Math.min(FIRST_WAIT_MS * 2 ** this.#failures, LONGEST_WAIT_MS);
    this.#failures += 1;
    this.#wait(Math.max(ownMs, askedMs ?? 0));
  }

  #wait(ms: number): void {
    this.#state = 'waiting';
    this.#after(ms, () => this.#send());
  }

  /** Tries the partner's addresses in their order. */
  async #exchange(seconds: number): Promise<SipResponse> {
    let last = new SegyError('SEGY_E_SIP_TRANSPORT', 'no address of the partner is configured');
    for (const target of this.kind.targets) {
      try {
        const request = this.kind.build(seconds);
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
    this.#log.warn('standing.failed', { request: this.kind.name, code, message });
  }

  #after(ms: number, work: () => void): void {
    this.#clearTimer();
    this.#timer = this.#timers.setTimeout(work, ms);
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#timers.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** Expires of the response, never more than was asked for. */
function grantedSeconds(response: SipResponse, asked: number): number {
  const text = response.headers.get('Expires') ?? '';
  return /^[0-9]{1,10}$/.test(text) ? Math.min(Number(text), asked) : asked;
}

function retryAfterMs(response: SipResponse): number | null {
  const seconds = /^[0-9]{1,10}/.exec(response.headers.get('Retry-After') ?? '')?.[0];
  return seconds === undefined ? null : 1000 * Math.min(Number(seconds), MAX_SECONDS);
}
