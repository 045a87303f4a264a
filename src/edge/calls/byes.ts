/**
 * The edge's own BYEs in one call, and the ACKs that go before them. A caller gets none before it has
 * acknowledged our 2xx (RFC 3261 clause 15); one to the MC side that was not answered is owed.
 */
import { toSegyError } from '../../base/errors.js';
import type { CallDependencies, Side } from '../dependencies.js';
import type { Dialog } from '../messages/dialog.js';
import type { Pair } from './pair.js';

/** What is known of the call that is hung up. */
export interface HungUpCall {
  readonly id: string;
  readonly deps: CallDependencies;
  /** the pair whose 2xx counts; its outer dialog is the one on record */
  readonly answered: Pair | null;
}

export class Byes {
  readonly #call: HungUpCall;
  readonly #onAnswered: () => void;
  #unanswered = 0;
  /** in the dialog on record */
  #toMc: 'none' | 'sent' | 'answered' = 'none';
  #onAck: Dialog | null = null;

  /** @param onAnswered called when a BYE was answered, or never will be */
  constructor(call: HungUpCall, onAnswered: () => void) {
    this.#call = call;
    this.#onAnswered = onAnswered;
  }

  /** True while a BYE waits for its answer, or for the ACK that it comes after. */
  get pending(): boolean {
    return this.#unanswered > 0 || this.#onAck !== null;
  }

  /** True where the MC side should have had a BYE that it has not answered. */
  get owed(): boolean {
    return this.#toMc === 'sent' || this.#onAck?.side === 'outer';
  }

  /** Acknowledges a 2xx of `side` whose ACK is still owed, and hangs up there. */
  hangUp(pair: Pair, side: Side): void {
    const dialog = pair.on(side);
    const { invite } = pair;
    if (invite !== null && invite.from !== side && invite.state === 'answered') {
      invite.state = 'acked';
      try {
        this.#call.deps[side].sendAck(dialog.request('ACK', invite.cseq), dialog.target);
      } catch (error) {
        this.#unsent('ACK', error);
      }
    }
    this.send(dialog);
  }

  /** Hangs up when the ACK of our 2xx has come, or will not come. */
  sendOnAck(dialog: Dialog): void {
    this.#onAck = dialog;
  }

  /** The ACK came, or will not come. @returns true where a BYE waited for that */
  acked(): boolean {
    const dialog = this.#onAck;
    this.#onAck = null;
    if (dialog === null) return false;
    this.send(dialog);
    return true;
  }

  /** Says BYE; one that cannot be sent is logged. */
  send(dialog: Dialog): void {
    const { answered, deps } = this.#call;
    const onRecord = dialog === answered?.outer;
    if (onRecord) this.#toMc = 'sent';
    try {
      const transaction = deps[dialog.side].request(dialog.bye(), dialog.target);
      this.#unanswered += 1;
      let over = false;
      const done = (): void => {
        if (over) return;
        over = true;
        this.#unanswered -= 1;
        this.#onAnswered();
      };
      transaction.onFinal = () => {
        if (onRecord) this.#toMc = 'answered';
        done();
      };
      transaction.onError = done;
    } catch (error) {
      this.#unsent('BYE', error);
    }
  }

  #unsent(method: string, error: unknown): void {
    const { code, message } = toSegyError(error);
    const { id, deps } = this.#call;
    deps.env.log.warn('call.unsent', { session: id, method, code, message });
  }
}
