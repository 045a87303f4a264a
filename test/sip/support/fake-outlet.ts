import { parseSip, type SipMessage } from '../../../src/sip/index.js';
import type { Outlet } from '../../../src/sip/peers.js';

/** Records what is sent; fails every sending once `broken` is set. */
export class FakeOutlet implements Outlet {
  readonly sent: SipMessage[] = [];
  broken = false;

  constructor(readonly reliable: boolean) {}

  send(octets: Uint8Array, onFailure: (error: Error) => void): void {
    if (this.broken) queueMicrotask(() => onFailure(new Error('broken')));
    else this.sent.push(parseSip(octets));
  }

  /** Methods and statuses sent so far, in order. */
  get log(): string[] {
    return this.sent.map((one) => (one.kind === 'request' ? one.method : String(one.status)));
  }
}
