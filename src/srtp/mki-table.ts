/**
 * Receive contexts by framing (suite, MKI length, ROC rate) and MKI. A look-up takes the MKI where
 * it stands in the packet and makes no string or copy of it.
 */
import type { SrtpFraming } from './framing.js';
import { readUint32 } from './octets.js';
import type { ReceiveContext } from './receive-context.js';

/** The contexts of one framing. */
export class MkiTable {
  readonly framing: SrtpFraming;
  readonly #byHigh = new Map<number, Map<number, ReceiveContext[]>>();

  constructor(framing: SrtpFraming) {
    this.framing = framing;
  }

  /** The contexts of the MKI at `at`; several when one MKI stands for several keys. */
  find(packet: Uint8Array, at: number): readonly ReceiveContext[] | undefined {
    return this.#byHigh.get(this.#high(packet, at))?.get(this.#low(packet, at));
  }

  add(context: ReceiveContext): void {
    const high = this.#high(context.mki, 0);
    const low = this.#low(context.mki, 0);
    let row = this.#byHigh.get(high);
    if (!row) this.#byHigh.set(high, (row = new Map<number, ReceiveContext[]>()));
    const list = row.get(low);
    if (list) list.push(context);
    else row.set(low, [context]);
  }

  remove(context: ReceiveContext): void {
    const high = this.#high(context.mki, 0);
    const low = this.#low(context.mki, 0);
    const row = this.#byHigh.get(high);
    const left = row?.get(low)?.filter((other) => other !== context) ?? [];
    if (left.length > 0) row?.set(low, left);
    else row?.delete(low);
    if (row?.size === 0) this.#byHigh.delete(high);
  }

  *all(): Iterable<ReceiveContext> {
    for (const row of this.#byHigh.values()) for (const list of row.values()) yield* list;
  }

  #high(bytes: Uint8Array, at: number): number {
    return this.framing.mkiLength >= 4 ? readUint32(bytes, at) : 0;
  }

  #low(bytes: Uint8Array, at: number): number {
    return this.framing.mkiLength >= 8 ? readUint32(bytes, at + 4) : 0;
  }
}
