/** Access tokens of all partners whose profile names their identity management. */
import type { Alarms } from '../base/alarms.js';
import type { Environment, TimerHandle } from '../base/environment.js';
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

/** For so long what stood under a profile that is gone may be withdrawn with its tokens. */
const LEAVING_MS = 30_000;

interface Issuer {
  readonly server: PartnerIdm;
  readonly cache: TokenCache;
}

export class PartnerTokens {
  readonly #parts: PartnerTokensParts;
  #issuers = new Map<PartnerConfig, Issuer>();
  /** of profiles that are gone, each with the timer of its end */
  readonly #leaving = new Map<PartnerConfig, { issuer: Issuer; timer: TimerHandle }>();
  #ended = false;

  constructor(parts: PartnerTokensParts) {
    this.#parts = parts;
  }

  /**
   * Reads the files of other profiles. A profile that stays the same object keeps its tokens.
   * @returns what puts the profiles in force; those that are there no more end half a minute later
   * @throws SegyError SEGY_E_CONFIG; nothing has changed then
   */
  prepare(partners: readonly PartnerConfig[]): () => void {
    const next = new Map<PartnerConfig, Issuer>();
    for (const partner of partners) {
      if (partner.idm === undefined) continue;
      next.set(partner, this.#issuers.get(partner) ?? this.#make(partner, partner.idm));
    }
    return () => {
      for (const [partner, issuer] of this.#issuers) {
        if (next.has(partner)) continue;
        this.#leave(partner, issuer);
        this.#parts.alarms.clear('partner-tokens', partner.name);
      }
      this.#issuers = next;
    };
  }

  /** As `AccessTokens` of the edge: null where none can be had now. */
  async tokenFor(partner: PartnerConfig, user: string): Promise<string | null> {
    if (this.#ended) return null;
    return (await this.#of(partner)?.cache.tokenFor(user)) ?? null;
  }

  /** A server of the partner does not take the token: the next one is asked for anew. */
  reject(partner: PartnerConfig, user: string, token: string): void {
    this.#of(partner)?.cache.reject(user, token);
  }

  /** Overwrites every token. */
  stop(): void {
    this.#ended = true;
    for (const issuer of this.#issuers.values()) end(issuer);
    for (const { issuer, timer } of this.#leaving.values()) {
      this.#parts.env.timers.clearTimeout(timer);
      end(issuer);
    }
    this.#issuers.clear();
    this.#leaving.clear();
  }

  #of(partner: PartnerConfig): Issuer | undefined {
    return this.#issuers.get(partner) ?? this.#leaving.get(partner)?.issuer;
  }

  #leave(partner: PartnerConfig, issuer: Issuer): void {
    const timer = this.#parts.env.timers.setTimeout(() => {
      this.#leaving.delete(partner);
      end(issuer);
    }, LEAVING_MS);
    this.#leaving.set(partner, { issuer, timer });
  }

  #make(partner: PartnerConfig, idm: PartnerIdmConfig): Issuer {
    const { env, readTls, signer, readFile } = this.#parts;
    const { clock, random } = env;
    const server = new PartnerIdm(idm, readTls(idm.tls), { clock, random, signer, readFile });
    /** users who could not be given one last time */
    const failing = new Set<string>();
    const cache = new TokenCache({
      issue: (user) => server.token(user),
      parallel: idm.parallel,
      env,
      onOutcome: (user, failure) => {
        if (failure === null) failing.delete(user);
        else failing.add(user);
        this.#tell(partner.name, user, failure);
        // of a profile that is gone nobody is told
        if (this.#issuers.has(partner)) this.#alarm(partner.name, user, failure, failing.size);
      },
    });
    return { server, cache };
  }

  #tell(partner: string, user: string, failure: SegyError | null): void {
    const { env } = this.#parts;
    const outcome = failure?.details.oauth ?? failure?.code ?? 'issued';
    env.metrics.count('segy_partner_tokens_total', { partner, outcome });
    if (failure === null) {
      env.log.info('token.issued', { partner, user });
    } else {
      const { code, message } = failure;
      env.log.warn('token.failed', { partner, user, code, message });
    }
  }

  #alarm(partner: string, user: string, failure: SegyError | null, failing: number): void {
    const { alarms } = this.#parts;
    if (failing === 0) alarms.clear('partner-tokens', partner);
    if (failure === null) return;
    const more = failing > 1 ? `, and ${failing - 1} users more` : '';
    alarms.raise('partner-tokens', partner, `${user} ${failure.code} ${failure.message}${more}`);
  }
}

function end({ server, cache }: Issuer): void {
  cache.end();
  server.stop();
}
