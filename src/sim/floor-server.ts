/**
 * The floor control server of a simulated MC domain: one floor, the participants of one call, and the
 * rules of TS 24.380 6.3.4 and 6.3.5 as far as tests and a demo need them. It grants, denies, queues,
 * revokes, pre-empts for an emergency or shares the floor with one, and it takes the floor back by its
 * timers. What it does against the rules it does because a script asks for it.
 *
 * It gives the floor to another only when the talker gave it back, or the time it was granted for is
 * over at both ends: however many messages are lost, two never have it but by a dual floor.
 */
import type { Timers } from '../base/environment.js';
import type { FloorLevel, FloorMessage } from '../floor/index.js';
import { type Announced, FloorAnnouncer } from './floor-announcer.js';
import {
  DEFAULT_FLOOR_SERVER,
  type FloorScript,
  type FloorServerOptions,
  type FloorServerParticipant,
  levelOf,
  RANK,
} from './floor-model.js';
import { FloorQueue } from './floor-queue.js';
import { NamedTimers } from '../base/named-timers.js';

interface Holder extends Announced {
  overriding: boolean;
  revoking: boolean;
  cause: number;
  /** of the Floor Granted or Floor Revoke that a timer repeats */
  sendings: number;
}

/** Those of the options; `over` ends a grant whose Duration is over at both ends. */
type ServerTimer = 't1' | 't2' | 't7' | 't8' | 't20' | 'over';

const DENIED = { another: 1, receiveOnly: 5, queueFull: 7 } as const;
const REVOKED = { tooLong: 2, preEmpted: 4, other: 255 } as const;

const HOLDER_TIMERS = ['t1', 't2', 't8', 't20', 'over'] as const;

export class FloorServer {
  /** asked for every request of one who does not have the floor, when set */
  script: FloorScript | undefined;
  readonly #options: FloorServerOptions;
  readonly #participants = new Map<string, FloorServerParticipant>();
  readonly #holders: Holder[] = [];
  readonly #queue: FloorQueue;
  readonly #timers: NamedTimers<ServerTimer>;
  readonly #announce: FloorAnnouncer;
  readonly #indexes = new Map<string, number>();
  #idles = 0;

  constructor(options: Partial<FloorServerOptions>, timers: Timers) {
    this.#options = { ...DEFAULT_FLOOR_SERVER, ...options };
    this.#queue = new FloorQueue(this.#options.queueLimit);
    this.#timers = new NamedTimers(timers, (timer, userId) => this.#fire(timer, userId));
    this.#announce = new FloorAnnouncer(this.#options);
  }

  /** Those who have the floor, revoked or not; the second one of two shares it. */
  get holders(): readonly string[] {
    return this.#holders.map(({ participant }) => participant.userId);
  }

  get queued(): readonly string[] {
    return this.#queue.users;
  }

  /** @param implicitRequest its INVITE asked for the floor; the answer is a message, not the SDP */
  join(participant: FloorServerParticipant, implicitRequest = false): void {
    this.#participants.set(participant.userId, participant);
    if (implicitRequest) this.#request(participant, 'normal', 0);
    else this.#status(participant);
  }

  leave(userId: string): void {
    this.#participants.delete(userId);
    this.#indexes.delete(userId);
    this.#queue.remove(userId);
    this.#free(userId);
  }

  /** Ends every timer. */
  close(): void {
    this.#timers.stopAll();
  }

  /**
   * A message of a participant.
   * @param index SRTCP index it came under: an older one than the last is dropped
   */
  receive(userId: string, message: FloorMessage, index?: number): void {
    const participant = this.#participants.get(userId);
    if (!participant) return;
    if (index !== undefined) {
      if (index <= (this.#indexes.get(userId) ?? -1)) return;
      this.#indexes.set(userId, index);
    }
    if (message.ackRequired) this.#announce.acknowledge(participant, message);
    switch (message.type) {
      case 'request':
        this.#request(participant, levelOf(message), message.priority ?? 0);
        break;
      case 'release':
        this.#queue.remove(userId);
        if (!this.#free(userId)) this.#status(participant);
        break;
      case 'queuePositionRequest':
        this.#announce.place(participant, this.#queue.placeOf(userId));
        break;
      case 'ack':
        this.#timers.stop('t20', userId);
        break;
      default:
    }
  }

  /** One packet of a participant's speech. True: it has the floor, the others may hear it. */
  media(userId: string): boolean {
    const holder = this.#holderOf(userId);
    if (!holder || holder.revoking) return false;
    this.#timers.start('t1', this.#options.t1, userId);
    return true;
  }

  /** Takes the floor from one who has it, as a dispatcher would. */
  revoke(userId: string, cause: number = REVOKED.other): void {
    const holder = this.#holderOf(userId);
    if (!holder || holder.revoking) return;
    holder.revoking = true;
    holder.cause = cause;
    holder.sendings = 0;
    for (const timer of ['t1', 't2', 't20'] as const) this.#timers.stop(timer, userId);
    this.#sendRevoke(holder);
  }

  #request(participant: FloorServerParticipant, level: FloorLevel, priority: number): void {
    const { userId } = participant;
    const holder = this.#holderOf(userId);
    if (holder) {
      if (holder.revoking) this.#sendRevoke(holder);
      else this.#sendGrant(holder);
      return;
    }
    const verdict = this.script?.({ userId, level, priority }) ?? 'by-the-rules';
    if (verdict === 'ignore') return;
    if (typeof verdict === 'object') {
      this.#announce.deny(participant, verdict.deny, verdict.phrase);
    } else if (verdict === 'queue' || (verdict === 'grant' && this.#holders.length > 0)) {
      this.#enqueue(participant, level);
    } else if (verdict === 'grant') {
      this.#grant(participant, level, false);
    } else {
      this.#judge(participant, level);
    }
  }

  #judge(participant: FloorServerParticipant, level: FloorLevel): void {
    const { dualFloor, preempts } = this.#options;
    const outranks = this.#holders.every((holder) => RANK[level] > RANK[holder.level]);
    if (participant.receiveOnly === true) {
      this.#announce.deny(participant, DENIED.receiveOnly);
    } else if (this.#holders.length === 0) {
      this.#grant(participant, level, false);
    } else if (outranks && dualFloor && level === 'emergency' && this.#holders.length === 1) {
      this.#grant(participant, level, true);
    } else if (outranks && preempts) {
      this.#preempt(participant, level);
    } else if (participant.queueing && this.#options.queueLimit > 0) {
      this.#enqueue(participant, level);
    } else {
      this.#announce.deny(participant, DENIED.another);
    }
  }

  /** The floor is taken from whoever has it; the new talker waits in front, queue or no queue. */
  #preempt(participant: FloorServerParticipant, level: FloorLevel): void {
    const { userId } = participant;
    this.#queue.add(userId, level, true);
    if (participant.queueing) this.#announce.place(participant, this.#queue.placeOf(userId));
    for (const talker of this.holders) this.revoke(talker, REVOKED.preEmpted);
  }

  #enqueue(participant: FloorServerParticipant, level: FloorLevel): void {
    const { userId } = participant;
    if (this.#queue.add(userId, level)) {
      this.#announce.place(participant, this.#queue.placeOf(userId));
    } else {
      this.#announce.deny(participant, DENIED.queueFull);
    }
  }

  #grant(participant: FloorServerParticipant, level: FloorLevel, overriding: boolean): void {
    this.#queue.remove(participant.userId);
    this.#timers.stop('t7');
    const holder = { participant, level, overriding, revoking: false, cause: 0, sendings: 0 };
    this.#holders.push(holder);
    this.#sendGrant(holder);
    this.#announce.renew();
    for (const other of this.#participants.values()) {
      if (other !== participant) this.#announce.taken(other, holder);
    }
  }

  #sendGrant(holder: Holder): void {
    const { userId } = holder.participant;
    const { duration, ackGrants, t1, t2, t3, t20 } = this.#options;
    holder.sendings++;
    this.#announce.granted(holder);
    this.#timers.start('t1', t1, userId);
    this.#timers.start('t2', t2, userId);
    if (duration > 0) this.#timers.start('over', 1000 * duration + t3, userId);
    if (ackGrants) this.#timers.start('t20', t20, userId);
  }

  #sendRevoke(holder: Holder): void {
    holder.sendings++;
    this.#announce.revoke(holder.participant, holder.cause);
    this.#timers.start('t8', this.#options.t8, holder.participant.userId);
  }

  /** Ends a grant and gives the floor on. False where there was none. */
  #free(userId: string): boolean {
    const at = this.#holders.findIndex(({ participant }) => participant.userId === userId);
    if (at < 0) return false;
    this.#holders.splice(at, 1);
    for (const timer of HOLDER_TIMERS) this.#timers.stop(timer, userId);
    const [remaining] = this.#holders;
    if (remaining) this.#endSharing(remaining);
    else this.#next();
    return true;
  }

  /** One of two gave the floor back: the other has it alone. */
  #endSharing(remaining: Holder): void {
    remaining.overriding = false;
    this.#announce.renew();
    for (const participant of this.#participants.values()) {
      if (participant === remaining.participant) this.#announce.idle(participant, true);
      else this.#announce.taken(participant, remaining);
    }
  }

  #next(): void {
    const next = this.#queue.next();
    const participant = next && this.#participants.get(next.userId);
    if (participant) {
      this.#grant(participant, next.level, false);
      return;
    }
    this.#idles = 0;
    this.#announce.renew();
    this.#idle();
  }

  #idle(): void {
    this.#idles++;
    for (const participant of this.#participants.values()) {
      this.#announce.idle(participant, false);
    }
    if (this.#idles < this.#options.c7) this.#timers.start('t7', this.#options.t7);
  }

  /** What the floor is now, for one who does not know. */
  #status(participant: FloorServerParticipant): void {
    const others = this.#holders.filter((holder) => holder.participant !== participant);
    if (others.length === 0) this.#announce.idle(participant, false);
    for (const holder of others) this.#announce.taken(participant, holder);
  }

  #holderOf(userId: string): Holder | undefined {
    return this.#holders.find(({ participant }) => participant.userId === userId);
  }

  #fire(timer: ServerTimer, userId: string): void {
    const holder = this.#holderOf(userId);
    if (timer === 't7') this.#idle();
    else if (timer === 't1') this.revoke(userId, REVOKED.other);
    else if (timer === 't2') this.revoke(userId, REVOKED.tooLong);
    else if (timer === 'over') this.#free(userId);
    else if (holder && timer === 't20') this.#grantAgain(holder);
    else if (holder) this.#revokeAgain(holder);
  }

  #grantAgain(holder: Holder): void {
    if (holder.sendings < this.#options.c20) this.#sendGrant(holder);
  }

  /** A talker that answers no Floor Revoke keeps the floor, unheard, until its time is over. */
  #revokeAgain(holder: Holder): void {
    if (holder.sendings < this.#options.c8) this.#sendRevoke(holder);
    else if (this.#options.duration === 0) this.#free(holder.participant.userId);
  }
}
