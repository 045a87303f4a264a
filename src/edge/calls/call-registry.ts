/**
 * The calls there are, found by the Call-ID of either side.
 */
import type { Call } from './call.js';
import type { CallIdMap } from '../messages/call-id-map.js';
import { otherSide, type Side } from '../dependencies.js';

export class CallRegistry {
  readonly #calls = new Set<Call>();
  readonly #byCallId = new Map<string, Call>();

  get size(): number {
    return this.#calls.size;
  }

  [Symbol.iterator](): IterableIterator<Call> {
    return this.#calls.values();
  }

  /** Live calls with one partner. */
  countOf(partner: string): number {
    let count = 0;
    for (const call of this.#calls) if (call.partner.name === partner) count += 1;
    return count;
  }

  /** Has the partner a call that began no later than `since`? */
  isOlder(partner: string, since: number): boolean {
    for (const call of this.#calls) {
      if (call.partner.name === partner && call.startedAt <= since) return true;
    }
    return false;
  }

  add(call: Call, callerCallId: string): void {
    this.#calls.add(call);
    this.#byCallId.set(keyOf(call.callerSide, callerCallId), call);
  }

  /** Makes the call known by the Call-ID it has on the called side. */
  addCallee(call: Call): void {
    this.#byCallId.set(keyOf(call.calleeSide, call.calleeCallId), call);
  }

  remove(call: Call): void {
    this.#calls.delete(call);
    for (const key of [
      keyOf(call.callerSide, call.callerCallId),
      keyOf(call.calleeSide, call.calleeCallId),
    ]) {
      if (this.#byCallId.get(key) === call) this.#byCallId.delete(key);
    }
  }

  find(side: Side, callId: string): Call | undefined {
    return this.#byCallId.get(keyOf(side, callId));
  }

  /**
   * Translates dialog identifiers that a message of `side` names.
   * @param partner whose calls alone may be named; absent only while the partner of a call that the
   *   PBX starts is not known
   */
  mapFrom(side: Side, partner?: string): CallIdMap {
    const far = otherSide(side);
    const find = (callId: string): Call | undefined => {
      const call = this.find(side, callId);
      return partner === undefined || call?.partner.name === partner ? call : undefined;
    };
    const callIdOn = (call: Call): string =>
      far === call.callerSide ? call.callerCallId : call.calleeCallId;
    return {
      callId: (callId) => {
        const call = find(callId);
        return call === undefined ? undefined : callIdOn(call);
      },
      dialog: (callId, tagA, tagB) => {
        const call = find(callId);
        const pair = call?.findPair(side, tagA, tagB) ?? call?.findPair(side, tagB, tagA);
        if (call === undefined || pair === undefined) return undefined;
        return { near: pair.on(side), far: pair.on(far) };
      },
    };
  }
}

function keyOf(side: Side, callId: string): string {
  return `${side} ${callId}`;
}
