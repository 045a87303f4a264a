/** The pseudo IdM put together: routes for the HTTPS listener, and the guard of what its tokens open. */
import type { JWK } from 'jose';
import type { Environment } from '../base/environment.js';
import type { RecordSpace } from '../base/records.js';
import type { IdmConfig } from '../config/index.js';
import type { HttpRoute } from '../https/index.js';
import { AccessTokens, type AccessTokenGuard } from './access-token.js';
import { ClientAuthentication } from './client-authentication.js';
import { addressesOf, keySetRoute, metadataRoute, pathOf } from './metadata.js';
import { MC_SERVICES, type IdmAudit, type IdmDirectory, type IdmPartner } from './ports.js';
import { RequestBudget } from './request-budget.js';
import { claimOf, scopeOf } from './scopes.js';
import { AccessTokenKeys } from './access-token-keys.js';
import { isSameAddress, TokenEndpoint } from './token-endpoint.js';
import { TokenMemory } from './token-memory.js';

export interface IdentityManagementOptions {
  readonly config: IdmConfig;
  /** audience of access tokens */
  readonly audience: string;
  readonly partners: readonly IdmPartner[];
  readonly keys: AccessTokenKeys;
  /** records of what was presented */
  readonly presented: RecordSpace;
  readonly audit: IdmAudit;
  /** public keys that the key set has beside ours; no access token is verified with them */
  readonly alsoPublished?: () => readonly JWK[];
  readonly env: Environment;
}

export class IdentityManagement {
  readonly routes: readonly HttpRoute[];
  readonly guard: AccessTokenGuard;
  #partners: readonly IdmPartner[] = [];
  #directory: ReadonlyMap<string, ReturnType<IdmDirectory['client']>> = new Map();

  private constructor(options: IdentityManagementOptions, memory: TokenMemory) {
    const { config, audience, keys, audit, env, alsoPublished } = options;
    const { clock, random, metrics } = env;
    this.update(options.partners);
    const directory: IdmDirectory = { client: (id) => this.#directory.get(id) };
    const addresses = addressesOf(config.issuer);
    const { issuer, tokenEndpoint } = addresses;
    const ours = [issuer, tokenEndpoint, ...config.addresses];
    const lifeSeconds = config.accessTokenSeconds;
    const tokens = new AccessTokens({
      ...{ issuer, audience, lifeSeconds, keys, directory, clock, random },
    });
    this.guard = tokens;
    const audiences = [tokenEndpoint, issuer];
    this.routes = [
      metadataRoute({ addresses, names: () => this.#names() }),
      keySetRoute(addresses, () => ({ keys: [...keys.jwks().keys, ...(alsoPublished?.() ?? [])] })),
      new TokenEndpoint({
        path: pathOf(tokenEndpoint),
        isOurs: (address) => ours.some((each) => isSameAddress(each, address)),
        audience,
        authentication: new ClientAuthentication({ directory, audiences, memory, clock }),
        budget: new RequestBudget(clock),
        ...{ tokens, memory, audit, clock, metrics },
      }),
    ];
  }

  /** @throws SegyError SEGY_E_STORE when a record of what was presented cannot be trusted */
  static async open(options: IdentityManagementOptions): Promise<IdentityManagement> {
    const { config, presented, env } = options;
    const { clock, log } = env;
    const limit = config.remembered;
    const memory = await TokenMemory.open({ records: presented, clock, log, limit });
    return new IdentityManagement(options, memory);
  }

  /** Puts other partners in force; tokens of clients that are gone open nothing any more. */
  update(partners: readonly IdmPartner[]): void {
    this.#partners = partners;
    this.#directory = new Map(
      partners.flatMap((partner) =>
        partner.securityTokens.clients.map((client) => [client.id, { client, partner }]),
      ),
    );
  }

  #names(): { grants: string[]; scopes: string[]; claims: string[] } {
    const points = this.#partners.map(({ codePoints }) => codePoints);
    const unique = (names: string[]): string[] => [...new Set(names)];
    return {
      grants: unique(points.flatMap((each) => [each.grantJwtBearer, each.grantTokenExchange])),
      scopes: unique(
        points.flatMap((each) => MC_SERVICES.map((service) => scopeOf(service, each))),
      ),
      claims: unique(points.flatMap((each) => MC_SERVICES.map((one) => claimOf(one, each)))),
    };
  }
}
