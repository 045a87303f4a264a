/** One partner's IdM server as the gateway asks it for its users' access tokens. */
import { toSegyError } from '../base/errors.js';
import type { PartnerIdmConfig } from '../config/index.js';
import { httpsFetch, type ClientBounds, type PinnedTls } from '../https/index.js';
import { MAX_ANSWER_OCTETS } from './json-answer.js';
import { metadataUrl, readMetadata, type IdmMetadata } from './metadata.js';
import { clientAssertion, securityToken, type StatementParts } from './statements.js';
import { readTokenAnswer, tokenForm, type IssuedToken } from './token-request.js';

/** How long metadata is believed. */
const METADATA_MS = 3_600_000;

export class PartnerIdm {
  readonly #idm: PartnerIdmConfig;
  readonly #tls: PinnedTls;
  readonly #parts: StatementParts;
  readonly #stop = new AbortController();
  #metadata: { readonly read: Promise<IdmMetadata>; readonly until: number } | undefined;

  constructor(idm: PartnerIdmConfig, tls: PinnedTls, parts: StatementParts) {
    this.#idm = idm;
    this.#tls = tls;
    this.#parts = parts;
  }

  /** Leaves what is under way. */
  stop(): void {
    this.#stop.abort();
  }

  /**
   * What the IdM server says of itself; where the token endpoint is pinned, that and nothing more.
   * @throws SegyError SEGY_E_PARTNER_IDM, SEGY_E_TLS_PEER, SEGY_E_TIMEOUT
   */
  metadata(): Promise<IdmMetadata> {
    const { tokenEndpoint } = this.#idm;
    if (tokenEndpoint !== undefined) return Promise.resolve({ tokenEndpoint, lacks: [] });
    const now = this.#parts.clock.now();
    if (this.#metadata === undefined || now >= this.#metadata.until) {
      const read = this.#readMetadata();
      read.catch(() => this.#forgetMetadata());
      this.#metadata = { read, until: now + METADATA_MS };
    }
    return this.#metadata.read;
  }

  /**
   * A new access token for `user` (B.7.4, B.7.5): a security token is stated and exchanged.
   * @throws SegyError SEGY_E_ACCESS_TOKEN, SEGY_E_PARTNER_IDM, SEGY_E_TLS_PEER, SEGY_E_TIMEOUT, SEGY_E_CONFIG
   */
  async token(user: string): Promise<IssuedToken> {
    const idm = this.#idm;
    const { tokenEndpoint } = await this.metadata();
    const stated = await securityToken(idm, user, this.#parts);
    const audience = idm.codePoints.assertionAudience === 'issuer' ? idm.issuer : tokenEndpoint;
    const assertion =
      idm.authenticate === 'private-key-jwt'
        ? await clientAssertion(idm.clientId, audience, this.#parts)
        : null;
    try {
      const response = await httpsFetch(
        {
          url: tokenEndpoint,
          method: 'POST',
          headers: {
            'Content-Type': 'application/x-www-form-urlencoded',
            Accept: 'application/json',
          },
          body: tokenForm(idm, stated, assertion),
        },
        this.#tls,
        this.#bounds,
      );
      return readTokenAnswer(response, idm);
    } catch (error) {
      // the endpoint may have moved; one that refuses has not
      if (toSegyError(error).code !== 'SEGY_E_ACCESS_TOKEN') this.#forgetMetadata();
      throw error;
    }
  }

  async #readMetadata(): Promise<IdmMetadata> {
    const response = await httpsFetch(
      { url: metadataUrl(this.#idm), method: 'GET', headers: { Accept: 'application/json' } },
      this.#tls,
      this.#bounds,
    );
    return readMetadata(response, this.#idm);
  }

  #forgetMetadata(): void {
    this.#metadata = undefined;
  }

  get #bounds(): ClientBounds {
    return {
      timeoutMs: 1000 * this.#idm.timeoutSeconds,
      maxOctets: MAX_ANSWER_OCTETS,
      signal: this.#stop.signal,
    };
  }
}
