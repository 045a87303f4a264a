/**
 * The keys (ES256, RFC 7518) under which the gateway speaks for its users to partners' identity
 * management: security tokens (TS 33.180 B.8) and client assertions (RFC 7523). Partners take the
 * public keys from our key set (RFC 7517), so a new key is published first and used later. They are
 * kept sealed; a key is named by its thumbprint (RFC 7638).
 */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { utf8, wipe } from '../base/bytes.js';
import type { Clock } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import type { RecordSpace } from '../base/records.js';

const ALGORITHM = 'ES256';
/** record that names the key in use */
const IN_USE = 'in-use';
const MAX_KEYS = 8;

/** What signs. */
export interface Signer {
  readonly kid: string;
  readonly key: Awaited<ReturnType<typeof importJWK>>;
}

export interface StatementKeyView {
  readonly kid: string;
  /** in milliseconds since 1970 */
  readonly madeAt: number;
  readonly inUse: boolean;
}

interface KeptKey extends Signer {
  readonly madeAt: number;
  readonly publicJwk: JWK;
}

export class StatementKeys {
  readonly #records: RecordSpace;
  readonly #clock: Clock;
  readonly #keys = new Map<string, KeptKey>();
  #inUse: string | null = null;
  /** the first key, while it is made */
  #making: Promise<KeptKey> | undefined;

  private constructor(records: RecordSpace, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
  }

  /** @throws SegyError SEGY_E_STORE where a record is damaged: what it said is not guessed */
  static async open(records: RecordSpace, clock: Clock): Promise<StatementKeys> {
    const keys = new StatementKeys(records, clock);
    const { records: kept, refused } = await records.all();
    if (refused.length > 0) {
      throw new SegyError('SEGY_E_STORE', 'a key that signs for partners cannot be read');
    }
    for (const { key: kid, value } of kept) {
      if (kid === IN_USE) keys.#inUse = Buffer.from(value).toString('utf8');
      else keys.#keys.set(kid, await readKey(kid, value));
      wipe(value);
    }
    return keys;
  }

  /** What signs now; a first key is made where there is none. */
  async signer(): Promise<Signer> {
    return this.#current() ?? this.#first();
  }

  /** The public keys, for partners. */
  jwks(): { keys: JWK[] } {
    return { keys: [...this.#keys.values()].map(({ publicJwk }) => publicJwk) };
  }

  list(): StatementKeyView[] {
    return [...this.#keys.values()]
      .map(({ kid, madeAt }) => ({ kid, madeAt, inUse: kid === this.#inUse }))
      .sort((a, b) => a.madeAt - b.madeAt);
  }

  /** Makes a key that is published and not yet used. @throws SegyError SEGY_E_ARGUMENT for a ninth one */
  async add(): Promise<StatementKeyView> {
    if (this.#keys.size >= MAX_KEYS) {
      throw new SegyError('SEGY_E_ARGUMENT', `there are ${MAX_KEYS} keys: remove one first`);
    }
    const { kid, madeAt } = await this.#make(false);
    return { kid, madeAt, inUse: false };
  }

  /** Signs under `kid` from now on. @throws SegyError SEGY_E_NOT_FOUND */
  async use(kid: string): Promise<void> {
    this.#require(kid);
    await this.#records.put(IN_USE, utf8(kid));
    this.#inUse = kid;
  }

  /** @throws SegyError SEGY_E_NOT_FOUND, SEGY_E_ARGUMENT for the key in use */
  async remove(kid: string): Promise<void> {
    this.#require(kid);
    if (kid === this.#inUse) throw new SegyError('SEGY_E_ARGUMENT', 'the key is in use');
    await this.#records.delete(kid);
    this.#keys.delete(kid);
  }

  #current(): KeptKey | undefined {
    return this.#inUse === null ? undefined : this.#require(this.#inUse);
  }

  #first(): Promise<KeptKey> {
    this.#making ??= this.#make(true).finally(() => (this.#making = undefined));
    return this.#making;
  }

  async #make(use: boolean): Promise<KeptKey> {
    const pair = await generateKeyPair(ALGORITHM, { extractable: true });
    const jwk = await exportJWK(pair.privateKey);
    const kid = await calculateJwkThumbprint(jwk);
    const value = utf8(JSON.stringify({ madeAt: this.#clock.now(), jwk }));
    const kept = await readKey(kid, value);
    await this.#records.write([
      { key: kid, value },
      ...(use ? [{ key: IN_USE, value: utf8(kid) }] : []),
    ]);
    wipe(value);
    this.#keys.set(kid, kept);
    if (use) this.#inUse = kid;
    return kept;
  }

  #require(kid: string): KeptKey {
    const kept = this.#keys.get(kid);
    if (kept === undefined) throw new SegyError('SEGY_E_NOT_FOUND', 'there is no such signing key');
    return kept;
  }
}

async function readKey(kid: string, value: Uint8Array): Promise<KeptKey> {
  // what this class wrote, under the store's seal
  const { madeAt, jwk } = JSON.parse(Buffer.from(value).toString('utf8')) as {
    madeAt: number;
    jwk: JWK;
  };
  const { kty, crv, x, y } = jwk;
  if (kty === undefined || crv === undefined || x === undefined || y === undefined) {
    throw new SegyError('SEGY_E_STORE', 'a key that signs for partners is not one');
  }
  const publicJwk: JWK = { kty, crv, x, y, kid, use: 'sig', alg: ALGORITHM };
  return { kid, madeAt, publicJwk, key: await importJWK(jwk, ALGORITHM) };
}
