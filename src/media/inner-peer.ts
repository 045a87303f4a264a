/**
 * The PBX end of a session. Inner RTP is not authenticated, so nothing is learned from it: packets
 * go to the signalled address and are taken from it alone. Their port may differ
 * from the signalled one until a packet came from exactly there; from then on no other port is taken.
 */
import { SegyError } from '../base/errors.js';
import type { MediaAddress } from './types.js';

export class InnerPeer {
  readonly #allowed: ReadonlySet<string>;
  #signalled: MediaAddress | null = null;
  #latched = false;

  constructor(allowed: ReadonlySet<string>) {
    this.#allowed = allowed;
  }

  get remote(): MediaAddress | null {
    return this.#signalled;
  }

  get rtcpPort(): number {
    return this.#signalled?.rtcpPort ?? (this.#signalled?.port ?? 0) + 1;
  }

  /** @throws SegyError SEGY_E_MEDIA_ADDRESS when the address is not an allowed one */
  setRemote(address: MediaAddress | null): void {
    if (address && !this.#allowed.has(address.address)) {
      throw new SegyError('SEGY_E_MEDIA_ADDRESS', 'inner media address is not allowed');
    }
    const same =
      address?.address === this.#signalled?.address && address?.port === this.#signalled?.port;
    if (!same) this.#latched = false;
    this.#signalled = address;
  }

  /** True for an RTP packet that the PBX may have sent. */
  accepts(address: string, port: number): boolean {
    const signalled = this.#signalled;
    if (signalled?.address !== address) return false;
    if (port === signalled.port) {
      this.#latched = true;
      return true;
    }
    return !this.#latched;
  }

  /** True for an RTCP packet that the PBX may have sent. */
  acceptsRtcp(address: string): boolean {
    return this.#signalled?.address === address;
  }
}
