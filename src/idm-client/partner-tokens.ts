/** Access tokens of all partners whose profile names their identity management. */
import type { Alarms } from '../base/alarms.js';
import type { Environment } from '../base/environment.js';
import type { SegyError } from '../base/errors.js';
import type { PartnerConfig, PartnerIdmConfig } from '../config/index.js';
import type { PinnedTls } from '../https/index.js';
import { PartnerIdm } from './partner-idm.js';
import type { StatementParts } from './statements.js';
import { TokenCache } from './token-cache.js';

export interface PartnerTokensParts extends Omit<StatementParts, 'clock' | 'random'> {
  readonly env: Environment;
  readonly alarms: Alarms;
  /** reads the files that a profile names. @throws SegyError SEGY_E_CONFIG */
  readonly readTls: (tls: PartnerIdmConfig['tls']) => PinnedTls;
}

export class PartnerTokens {
  readonly #parts: PartnerTokensParts;
  #caches = new Map<PartnerConfig, TokenCache>();
  #ended = false;

  constructor(parts: PartnerTokensParts) {
    this.#parts = parts;
  }

  /**
   * Reads the files of other profiles. A profile that stays the same object keeps its tokens.
   * @returns what puts the profiles in force; those that are there no more are forgotten
   * @throws SegyError SEGY_E_CONFIG; nothing has changed then
   */
  prepare(partners: readonly PartnerConfig[]): () => void {
    const next = new Map<PartnerConfig, TokenCache>();
    for (const partner of partners) {
      if (partner.idm === undefined) continue;
      next.set(partner, this.#caches.get(partner) ?? this.#make(partner, partner.idm));
    }
    return () => {
      for (const [partner, cache] of this.#caches) {
        if (next.has(partner)) continue;
        cache.end();
        this.#parts.alarms.clear('partner-tokens', partner.name);
      }
      this.#caches = next;
    };
  }

  /** As `AccessTokens` of the edge: null where none can be had now. */
  async tokenFor(partner: PartnerConfig, user: string): Promise<string | null> {
    if (this.#ended) return null;
    return (await this.#caches.get(partner)?.tokenFor(user)) ?? null;
  }

  /** A server of the partner does not take the token: the next one is asked for anew. */
  reject(partner: PartnerConfig, user: string, token: string): void {
    this.#caches.get(partner)?.reject(user, token);
  }

  /** Overwrites every token. */
  stop(): void {
    this.#ended = true;
    for (const cache of this.#caches.values()) cache.end();
    this.#caches.clear();
  }

  #make(partner: PartnerConfig, idm: PartnerIdmConfig): TokenCache {
    const { env, readTls, signer, readFile } = this.#parts;
    const { clock, random } = env;
    const server = new PartnerIdm(idm, readTls(idm.tls), { clock, random, signer, readFile });
    return new TokenCache({
      issue: (user) => server.token(user),
      parallel: idm.parallel,
      env,
      onOutcome: (user, failure) => this.#tell(partner.name, user, failure),
    });
  }

  #tell(partner: string, user: string, failure: SegyError | null): void {
    const { env, alarms } = this.#parts;
    const outcome = failure?.details.oauth ?? failure?.code ?? 'issued';
    env.metrics.count('segy_partner_tokens_total', { partner, outcome });
    if (failure === null) {
      env.log.info('token.issued', { partner, user });
      alarms.clear('partner-tokens', partner);
    } else {
      const { code, message } = failure;
      env.log.warn('token.failed', { partner, user, code, message });
      alarms.raise('partner-tokens', partner, `${code} ${message}`);
    }
  }
}
