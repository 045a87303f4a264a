/**
 * Control side of one session's floor control: its port, and the SSRC of its messages. Used within the
 * session's queue, one command after the other.
 */
import type { RandomBytes } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import {
  checkKeyMaterial,
  copyKeyMaterial,
  sameKeyMaterial,
  wipeKeyMaterial,
  type SrtpKeyMaterial,
} from '../srtp/index.js';
import type { FloorAddress, FloorCommand, FloorSetup } from './floor-types.js';
import { normaliseAddress } from './options.js';
import type { SessionCommand } from './protocol.js';
import { drawSsrc, type SendingMemory } from './sending-memory.js';

/** What a session gives its floor control. */
export interface FloorOwner {
  readonly random: RandomBytes;
  readonly sending: SendingMemory;
  command(command: SessionCommand): Promise<unknown>;
  /** binds a free port of the outer side. @throws SegyError SEGY_E_MEDIA_PORTS */
  bindFloor(): Promise<FloorAddress>;
  releaseFloor(): void;
}

export class SessionFloor {
  readonly #owner: FloorOwner;
  #local: FloorAddress | null = null;
  #sending: { readonly key: SrtpKeyMaterial; readonly ssrc: number } | null = null;
  /** of clear floor control */
  #clearSsrc: number | null = null;

  constructor(owner: FloorOwner) {
    this.#owner = owner;
  }

  async open(): Promise<FloorAddress> {
    this.#local ??= await this.#owner.bindFloor();
    return this.#local;
  }

  async set(setup: FloorSetup | null): Promise<void> {
    if (setup === null) {
      await this.#owner.command({ type: 'floor', setup: null });
      this.forget();
      return;
    }
    if (this.#local === null) throw new SegyError('SEGY_E_MEDIA', 'no floor port is open');
    const { keys, remote, forwardTo } = setup;
    for (const key of keys === null ? [] : [keys.send, ...keys.receive]) checkKeyMaterial(key);
    const ssrc = await this.#ssrcOf(keys?.send ?? null);
    const copies = keys && {
      send: copyKeyMaterial(keys.send),
      receive: keys.receive.map(copyKeyMaterial),
    };
    try {
      await this.#owner.command({
        type: 'floor',
        setup: {
          ...setup,
          keys: copies,
          ssrc,
          remote: checked(remote),
          forwardTo: forwardTo && checked(forwardTo),
        },
      });
    } finally {
      // What reached the worker was transferred: its memory is no longer here.
      const left = copies ? [copies.send, ...copies.receive] : [];
      wipeKeyMaterial(...left.filter((key) => key.masterKey.length > 0));
    }
  }

  async command(command: FloorCommand): Promise<void> {
    await this.#owner.command({ type: 'floorCommand', command });
  }

  async close(): Promise<void> {
    if (this.#local === null) return;
    this.forget();
    this.#local = null;
    try {
      await this.#owner.command({ type: 'closeFloor' });
    } finally {
      this.#owner.releaseFloor();
    }
  }

  /** The worker is gone or the session ends: the port goes with it. */
  drop(): void {
    this.forget();
    if (this.#local !== null) this.#owner.releaseFloor();
    this.#local = null;
  }

  /** From here on no pair of key and SSRC is taken up again. */
  forget(): void {
    if (this.#sending) wipeKeyMaterial(this.#sending.key);
    this.#sending = null;
  }

  /** The held SSRC for the held key, else one never used under it. */
  async #ssrcOf(key: SrtpKeyMaterial | null): Promise<number> {
    const { random, sending } = this.#owner;
    if (key === null) {
      this.#clearSsrc ??= Buffer.from(random(4)).readUInt32BE();
      return this.#clearSsrc;
    }
    const held = this.#sending;
    if (held && sameKeyMaterial(held.key, key)) return held.ssrc;
    const ssrc = await drawSsrc(sending, key, random);
    this.forget();
    this.#sending = { key: copyKeyMaterial(key), ssrc };
    return ssrc;
  }
}

function checked({ address, port }: FloorAddress): FloorAddress {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new SegyError('SEGY_E_ARGUMENT', 'a floor control port is not in 1..65535');
  }
  return { address: normaliseAddress(address), port };
}
