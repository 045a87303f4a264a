/**
 * The keys of one private call: our PCK or the peer's, in the offers of the dialog.
 *
 * Our own re-offers repeat our I_MESSAGE octet for octet; where the peer made the key they carry none.
 * A new message from the peer makes the peer the initiator.
 */
import { equalBytes, wipe } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { decodeMikeyText } from '../mikey/index.js';
import type { SimDomain } from './domain.js';
import type { KeyExchange } from './party-media.js';
import { directionKeys, makePck, openPck } from './pck.js';
import type { Pck } from './pck.js';
import { SrtpProtection } from './protection.js';

/** What a test makes a party do wrong. */
export interface KeyMisbehaviour {
  /** our user who signs instead of the caller */
  readonly signer?: string;
  /** whom the key is made for, instead of the callee */
  readonly addressee?: string;
  readonly timestamp?: Date;
  /** changes the octets of the I_MESSAGE, or puts others in their place */
  readonly message?: (made: Uint8Array) => Uint8Array;
  /** sends no key at all */
  readonly none?: boolean;
}

export interface PckExchangeOptions {
  readonly domain: SimDomain;
  /** our user */
  readonly user: string;
  /** the user on the other side */
  readonly peer: string;
  readonly hideIdentities?: boolean;
  /** takes an offer without a key as one of clear media */
  readonly allowClear?: boolean;
  readonly misbehave?: KeyMisbehaviour;
}

export class PckExchange implements KeyExchange {
  /** the key in use */
  pck: Pck | undefined;
  readonly #options: PckExchangeOptions;
  readonly #used: Pck[] = [];
  #protection: SrtpProtection | undefined;
  #applied: Pck | undefined;
  #renew = false;

  constructor(options: PckExchangeOptions) {
    this.#options = options;
  }

  /** Makes the next offer carry a new PCK of ours. */
  renew(): void {
    this.#renew = true;
  }

  async offer(): Promise<string | undefined> {
    const { domain, user, peer, hideIdentities, misbehave } = this.#options;
    if (misbehave?.none === true) return undefined;
    if (!this.pck || this.#renew) {
      this.#renew = false;
      this.#use(
        await makePck(domain, {
          caller: user,
          callee: misbehave?.addressee ?? peer,
          ...(misbehave?.signer === undefined ? {} : { signer: misbehave.signer }),
          ...(misbehave?.timestamp === undefined ? {} : { timestamp: misbehave.timestamp }),
          hideIdentities: hideIdentities ?? false,
        }),
      );
    }
    if (this.pck?.ours !== true) return undefined;
    const message = misbehave?.message?.(this.pck.message) ?? this.pck.message;
    return `mikey ${Buffer.from(message).toString('base64')}`;
  }

  async take(keyMgmt: string | undefined): Promise<void> {
    if (keyMgmt === undefined) {
      if (!this.pck && this.#options.allowClear !== true)
        throw new SegyError('SEGY_E_KEY_REQUIRED', 'the offer carries no key');
      return;
    }
    const message = decodeMikeyText(keyMgmt);
    if (this.pck && equalBytes(this.pck.message, message)) return;
    const { domain, user, peer } = this.#options;
    this.#use(await openPck(domain, { message, caller: peer, callee: user }));
  }

  protection(ssrc: number): SrtpProtection | undefined {
    if (this.pck && this.#applied !== this.pck) {
      const keys = directionKeys(this.pck);
      if (this.#protection) this.#protection.send(keys.send);
      else this.#protection = new SrtpProtection(keys, ssrc);
      wipe(keys.send.masterKey, keys.receive.masterKey);
      this.#applied = this.pck;
    }
    return this.#protection;
  }

  wipe(): void {
    for (const pck of this.#used) wipe(pck.key);
  }

  #use(pck: Pck): void {
    this.pck = pck;
    this.#used.push(pck);
    if (!this.#protection) return;
    const { send, receive } = directionKeys(pck);
    this.#protection.hear(receive);
    wipe(send.masterKey, receive.masterKey);
  }
}
