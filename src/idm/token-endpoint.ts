/**
 * The token endpoint (RFC 6749 clause 3.2): a partner's client shows who it is and its user's security
 * token (TS 33.180 B.7.4), as an assertion grant (RFC 7523) or a token exchange (RFC 8693), and gets
 * an access token for group documents. Cheap checks first, signatures after them, the audit record
 * before the answer.
 */
import type { Clock, Metrics } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { jsonResponse, methodNotAllowed } from '../https/index.js';
import type { HttpRequest, HttpRequestHead, HttpResponse, StagedRoute } from '../https/index.js';
import type { AccessTokens, TokenGrant } from './access-token.js';
import type { ClientAuthentication, IdmClient } from './client-authentication.js';
import { isForm, MAX_FORM, readForm, type TokenForm } from './form.js';
import type { IdmAudit } from './ports.js';
import type { RequestBudget } from './request-budget.js';
import { asRefusal, oauthErrorOf, refusal, refusalResponse } from './refusal.js';
import type { OAuthErrorName } from './refusal.js';
import { grantScopes } from './scopes.js';
import { LEEWAY_SECONDS, verifySecurityToken } from './security-token.js';
import type { SecurityToken } from './security-token.js';
import { memoryKey, type TokenMemory } from './token-memory.js';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const MAX_SCOPES = 32;
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/;

export interface TokenEndpointOptions {
  readonly path: string;
  /** whether an address in an audience means this IdM */
  readonly isOurs: (address: string) => boolean;
  /** audience of our access tokens */
  readonly audience: string;
  readonly authentication: ClientAuthentication;
  readonly budget: RequestBudget;
  readonly tokens: AccessTokens;
  readonly memory: TokenMemory;
  readonly audit: IdmAudit;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** How a security token was presented. */
interface Presented {
  readonly token: string;
  /** what OAuth calls a security token that is refused */
  readonly fault: OAuthErrorName;
  /** members of the answer that this grant has beside those of every one */
  readonly answer: Readonly<Record<string, string>>;
}

export class TokenEndpoint implements StagedRoute {
  readonly name = 'idm-token';
  readonly maxBodyOctets = MAX_FORM;
  readonly #options: TokenEndpointOptions;

  constructor(options: TokenEndpointOptions) {
    this.#options = options;
  }

  matches(path: string): boolean {
    return path === this.#options.path;
  }

  begin(
    head: HttpRequestHead,
  ): Promise<HttpResponse | ((body: Uint8Array) => Promise<HttpResponse>)> {
    if (head.method !== 'POST') return Promise.resolve(methodNotAllowed('POST'));
    if (!isForm(head)) {
      const fault = refusal('SEGY_E_TOKEN_REQUEST', 'invalid_request', 'the body is no form');
      return Promise.resolve(this.#refused(fault, 'invalid_request', head, undefined, 415));
    }
    return Promise.resolve((body: Uint8Array) => this.#answer({ ...head, body }));
  }

  async #answer(request: HttpRequest): Promise<HttpResponse> {
    let partner: string | undefined;
    try {
      if (request.query !== '') throw wrongRequest('parameters do not belong into the URI');
      const form = readForm(request.body);
      const { authentication, budget } = this.#options;
      const found = authentication.claimed(request, form);
      partner = found.partner.name;
      if (!budget.take(found.client, request.address)) return tooMany(partner);
      await authentication.prove(found, request, form);
      if (!budget.take(found.client)) return tooMany(partner);
      return await this.#issue(found, form);
    } catch (error) {
      const oauth = oauthErrorOf(error);
      if (error instanceof SegyError && oauth !== undefined) {
        return this.#refused(error, oauth, request, partner);
      }
      if (error instanceof SegyError && error.code === 'SEGY_E_PARTNER_IDM') {
        return this.#unavailable(error, partner);
      }
      this.#count(partner, 'failed');
      throw error;
    }
  }

  async #issue({ client, partner }: IdmClient, form: TokenForm): Promise<HttpResponse> {
    const { isOurs, clock, tokens, audit } = this.#options;
    const presented = readGrant(form, partner.codePoints);
    this.#checkTargets(form);
    const wanted = readScopes(form.get('scope'));
    let token: SecurityToken;
    try {
      const context = { partner, clientId: client.id, isOurs, now: clock.now() };
      token = await verifySecurityToken(presented.token, context);
    } catch (error) {
      throw asRefusal(error, presented.fault);
    }
    const { serviceIds, subject } = token;
    const scopes = grantScopes(wanted, client.scopes, serviceIds, partner.codePoints);
    if (scopes.length === 0) {
      throw refusal('SEGY_E_TOKEN_REQUEST', 'invalid_scope', 'no scope can be granted');
    }
    const grant: TokenGrant = { partner, clientId: client.id, subject, serviceIds, scopes };
    await this.#bind(token, grant);
    const issued = await tokens.issue(grant);
    const detail = `${issued.tokenId} to ${client.id} for ${scopes.join(' ')}`;
    const [user] = Object.values(serviceIds);
    const event = { action: 'token-issued', partner: partner.name, detail } as const;
    await audit.record({ ...event, ...(user !== undefined && { user }) });
    this.#count(partner.name, 'issued');
    return jsonResponse(
      200,
      {
        access_token: issued.token,
        token_type: 'Bearer',
        expires_in: issued.lifeSeconds,
        scope: scopes.join(' '),
        ...presented.answer,
      },
      { Pragma: 'no-cache' },
    );
  }

  /** A security token is its first client's until its end; where the partner says so, it is good once. */
  async #bind(token: SecurityToken, { partner, clientId }: TokenGrant): Promise<void> {
    const { memory } = this.#options;
    const until = token.expiresAt + LEEWAY_SECONDS * 1000;
    const { issuer, singleUse } = partner.securityTokens;
    const { owner } = await memory.remember(memoryKey('token', token.digest), clientId, until);
    if (owner !== clientId) throw replayed('the security token is that of another client');
    if (!singleUse) return;
    const key = memoryKey('jti', issuer, token.tokenId ?? '');
    const { isNew } = await memory.remember(key, clientId, until);
    if (!isNew) throw replayed('the security token was used before');
  }

  /** Targets (RFC 8693, RFC 8707) may be named, and then are ours. */
  #checkTargets(form: TokenForm): void {
    const { audience, isOurs } = this.#options;
    const targets = [...form.all('resource'), ...form.all('audience')];
    if (targets.every((each) => isOurs(each) || isSameAddress(each, audience))) return;
    throw refusal('SEGY_E_TOKEN_REQUEST', 'invalid_target', 'the target is not served here');
  }

  #refused(
    error: SegyError,
    oauth: string,
    head: HttpRequestHead,
    partner: string | undefined,
    status?: number,
  ): HttpResponse {
    this.#count(partner, oauth);
    const authorization = head.header('authorization');
    return refusalResponse(error, oauth, { authorization, partner }, status);
  }

  #unavailable({ code, message }: SegyError, partner: string | undefined): HttpResponse {
    this.#count(partner, 'failed');
    return {
      status: 503,
      headers: { 'Retry-After': '30' },
      refused: { code, message, ...(partner !== undefined && { partner }) },
    };
  }

  #count(partner: string | undefined, outcome: string): void {
    this.#options.metrics.count('segy_idm_requests_total', { partner: partner ?? '', outcome });
  }
}

/** Addresses that differ in a slash at the end are one. */
export function isSameAddress(one: string, other: string): boolean {
  return one.replace(/\/$/, '') === other.replace(/\/$/, '');
}

function readGrant(
  form: TokenForm,
  names: {
    readonly grantJwtBearer: string;
    readonly grantTokenExchange: string;
    readonly securityTokenTypes: readonly string[];
  },
): Presented {
  const grant = form.get('grant_type');
  if (grant === undefined) throw wrongRequest('grant_type is missing');
  if (grant === names.grantJwtBearer) {
    const token = form.get('assertion');
    if (token === undefined) throw wrongRequest('the assertion is missing');
    return { token, fault: 'invalid_grant', answer: {} };
  }
  if (grant !== names.grantTokenExchange) {
    const message = 'the grant type is not taken';
    throw refusal('SEGY_E_TOKEN_REQUEST', 'unsupported_grant_type', message);
  }
  const token = form.get('subject_token');
  if (token === undefined) throw wrongRequest('the subject token is missing');
  if (!names.securityTokenTypes.includes(form.get('subject_token_type') ?? '')) {
    throw wrongRequest('the type of the subject token is not taken');
  }
  if (form.get('actor_token') !== undefined || form.get('actor_token_type') !== undefined) {
    throw wrongRequest('nobody acts for another here');
  }
  const wanted = form.get('requested_token_type') ?? ACCESS_TOKEN;
  if (wanted !== ACCESS_TOKEN && wanted !== JWT) {
    throw wrongRequest('tokens of the requested type are not issued');
  }
  return { token, fault: 'invalid_request', answer: { issued_token_type: wanted } };
}

function readScopes(text: string | undefined): string[] | null {
  if (text === undefined) return null;
  const scopes = text.split(' ').filter((each) => each !== '');
  if (scopes.length <= MAX_SCOPES && scopes.every((each) => SCOPE.test(each))) return scopes;
  throw refusal('SEGY_E_TOKEN_REQUEST', 'invalid_scope', 'the scope is no list of scopes');
}

function tooMany(partner: string): HttpResponse {
  return {
    status: 429,
    headers: { 'Retry-After': '1' },
    refused: { code: 'SEGY_E_RATE', message: 'too many token requests', partner },
  };
}

function wrongRequest(message: string): SegyError {
  return refusal('SEGY_E_TOKEN_REQUEST', 'invalid_request', message);
}

/** By either grant: it is the grant that is used up, not the request that is wrong. */
function replayed(message: string): SegyError {
  return refusal('SEGY_E_TOKEN_REPLAYED', 'invalid_grant', message);
}
