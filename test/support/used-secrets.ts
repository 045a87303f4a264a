/** Every secret octet string that a scene uses, to be searched for where none may be. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog, systemClock } from '../../src/base/environment.js';
import { commandEnvironment, openState } from '../../src/cli/state.js';
import { CredentialCache, periodAt } from '../../src/kms/index.js';
import { directionKeys } from '../../src/sim/index.js';
import type { McMedia, SimCall } from '../../src/sim/index.js';
import { deriveSessionKeys, type SrtpKeyMaterial } from '../../src/srtp/index.js';
import { memberKey, type TestGmk } from './group-side.js';
import type { Capture } from './pcap.js';

export class UsedSecrets {
  readonly byName = new Map<string, Uint8Array>();

  /** The PCK of a call and the SRTP keys of both directions. */
  addPck(call: SimCall<McMedia>): void {
    const { pck } = call.media.keys;
    if (!pck) throw new Error('the call has no PCK');
    const name = `PCK ${this.byName.size}`;
    this.byName.set(name, Uint8Array.from(pck.key));
    const { send, receive } = directionKeys(pck);
    this.#addAll(name, [...srtpSecrets(send), ...srtpSecrets(receive)]);
  }

  /** A GMK and the SRTP keys of `users` under it. */
  addGmk(gmk: TestGmk, users: readonly string[]): void {
    this.byName.set('GMK', gmk.octets);
    for (const user of users) this.#addAll(user, srtpSecrets(memberKey(gmk, user)));
  }

  /**
   * The master secrets of a scene's domain and the key sets of `user`, from the store itself, which
   * nobody else may have open.
   */
  async addDomain(sceneFolder: string, user: string): Promise<void> {
    const at = (name: string): string => join(sceneFolder, name);
    const where = { state: at('state'), masterKey: at('master.key') };
    const opened = await openState(where, commandEnvironment());
    const { domain, store } = opened;
    if (!domain) throw new Error('the store has no domain');
    const own = domain.toSecret();
    this.byName.set('z', own.slice(8, 136)).set('KSAK', own.slice(136, 168));
    const records = store.space('credentials');
    const cache = new CredentialCache({ domain, records, clock: systemClock, log: silentLog });
    const period = periodAt(domain.certificate, systemClock.now());
    const { rsk, ssk } = await cache.issue(user, period);
    this.byName.set('RSK', rsk.slice(1)).set('SSK', ssk);
    this.byName.set('data key', store.keys.currentKey.slice());
    const master = readFileSync(where.masterKey, 'utf8').trim();
    this.byName.set('master key', Uint8Array.from(Buffer.from(master, 'hex')));
    await opened.close();
  }

  /** Names of those that `capture` holds in any form. */
  foundIn(capture: Capture): string[] {
    return [...this.byName].filter(([, key]) => capture.holds(key)).map(([name]) => name);
  }

  #addAll(name: string, secrets: readonly Uint8Array[]): void {
    secrets.forEach((secret, n) => this.byName.set(`${name} ${n}`, secret));
  }
}

function srtpSecrets(key: SrtpKeyMaterial): Uint8Array[] {
  const derived = (['rtp', 'rtcp'] as const).flatMap((kind) => {
    const { encryption, salt, authentication } = deriveSessionKeys(key, kind);
    return [encryption, salt, authentication];
  });
  return [key.masterKey, key.masterSalt, ...derived]
    .filter((octets) => octets.length > 0)
    .map((octets) => Uint8Array.from(octets));
}
