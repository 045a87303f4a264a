/** The messages of a simulated floor control server. */
import {
  FLOOR_INDICATOR,
  FLOOR_MESSAGE_TYPES,
  FLOOR_SOURCE,
  type FloorFields,
  type FloorLevel,
  type FloorMessage,
  type FloorMessageType,
  type QueueInfo,
} from '../floor/index.js';
import type { FloorServerOptions, FloorServerParticipant } from './floor-model.js';

const LEVEL_BIT: Readonly<Record<FloorLevel, number>> = {
  normal: FLOOR_INDICATOR.normalCall,
  'imminent-peril': FLOOR_INDICATOR.imminentPerilCall,
  emergency: FLOOR_INDICATOR.emergencyCall,
};

/** One who has the floor, as far as messages tell of it. */
export interface Announced {
  readonly participant: FloorServerParticipant;
  readonly level: FloorLevel;
  /** granted beside another */
  readonly overriding: boolean;
}

export class FloorAnnouncer {
  readonly #options: FloorServerOptions;
  #sequence = 0;

  constructor(options: FloorServerOptions) {
    this.#options = options;
  }

  /** The next Floor Taken or Floor Idle tells of something new. */
  renew(): void {
    this.#sequence = (this.#sequence + 1) & 0xffff;
  }

  granted({ participant, level, overriding }: Announced): void {
    const { duration, ackGrants } = this.#options;
    const fields = {
      ...(duration > 0 ? { duration } : {}),
      ...mediaSsrc(participant),
      userId: participant.userId,
      indicator: this.#indicator(level, overriding),
    };
    this.#send(participant, 'granted', fields, ackGrants);
  }

  taken(to: FloorServerParticipant, { participant, level, overriding }: Announced): void {
    this.#send(to, 'taken', {
      grantedParty: participant.userId,
      permissionToRequest: to.receiveOnly !== true,
      sequenceNumber: this.#sequence,
      indicator: this.#indicator(level, overriding),
      ...mediaSsrc(participant),
    });
  }

  /** @param dual only the sharing of the floor ended */
  idle(to: FloorServerParticipant, dual: boolean): void {
    const indicator = this.#indicator('normal', dual);
    this.#send(to, 'idle', { sequenceNumber: this.#sequence, indicator });
  }

  deny(to: FloorServerParticipant, cause: number, phrase?: string): void {
    this.#send(to, 'deny', { rejectCause: phrase === undefined ? { cause } : { cause, phrase } });
  }

  revoke(to: FloorServerParticipant, cause: number): void {
    this.#send(to, 'revoke', { rejectCause: { cause } });
  }

  place(to: FloorServerParticipant, queueInfo: QueueInfo): void {
    this.#send(to, 'queuePositionInfo', { queueInfo });
  }

  acknowledge(to: FloorServerParticipant, message: FloorMessage): void {
    this.#send(to, 'ack', {
      source: FLOOR_SOURCE.controllingFunction,
      acknowledged: FLOOR_MESSAGE_TYPES[message.type],
    });
  }

  #indicator(level: FloorLevel, dual: boolean): number {
    return (
      LEVEL_BIT[level] |
      (dual ? FLOOR_INDICATOR.dualFloor : 0) |
      (this.#options.queueLimit > 0 ? FLOOR_INDICATOR.queueingSupported : 0)
    );
  }

  #send(
    to: FloorServerParticipant,
    type: FloorMessageType,
    fields: FloorFields,
    ackRequired = false,
  ): void {
    to.send({ ...fields, type, ackRequired, ssrc: this.#options.ssrc, others: [] });
  }
}

function mediaSsrc({ mediaSsrc }: FloorServerParticipant): Pick<FloorFields, 'mediaSsrc'> {
  return mediaSsrc === undefined ? {} : { mediaSsrc };
}
