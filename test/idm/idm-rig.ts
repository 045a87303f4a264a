/**
 * A whole IdM with the endpoint that clients speak to, without a network: partner A with a client of
 * each kind and an IdM that signs its security tokens, and partner B with one.
 */
import { X509Certificate } from 'node:crypto';
import { createLocalJWKSet } from 'jose';
import { utf8 } from '../../src/base/bytes.js';
import type { Environment, LogFields } from '../../src/base/environment.js';
import { systemRandom } from '../../src/base/environment.js';
import type { RecordSpace } from '../../src/base/records.js';
import { DEFAULT_CODE_POINTS } from '../../src/config/index.js';
import type { IdmConfig, SecurityTokensConfig } from '../../src/config/index.js';
import { securityTokensSchema } from '../../src/config/idm-schema.js';
import type { ClientCertificate, HttpRequest, HttpResponse } from '../../src/https/index.js';
import { IdentityManagement } from '../../src/idm/index.js';
import type { IdmPartner, AccessTokenKeys } from '../../src/idm/index.js';
import { MetricRegistry } from '../../src/metrics/index.js';
import { TestAuthority } from '../sip/support/certificates.js';
import {
  ALICE,
  AUDIENCE,
  BOB,
  idmConfig,
  ISSUER,
  keyRoom,
  makePartnerKey,
  openKeys,
  signJwt,
  START,
  type Changes,
  type KeyRoom,
  type PartnerKey,
} from './idm-scene.js';

export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt';
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
export const PTT_SCOPE = '3gpp:mc:ptt_group_management_service';
export const TOKEN_ENDPOINT = `${ISSUER}/token`;
export const ISSUER_A = 'https://idm.mc-a.example';
const FORM = 'application/x-www-form-urlencoded';

export type FormOf = Readonly<Record<string, string | undefined>>;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  readonly refused: HttpResponse['refused'];
}

/** Made once: openssl takes its time. */
export class Identities {
  readonly authority = new TestAuthority();
  readonly other = new TestAuthority();
  readonly pinned = certificate(this.authority, 'gms.mc-a.example', 'DNS:gms.mc-a.example');
  readonly second = certificate(this.authority, 'gms2.mc-a.example', 'DNS:gms2.mc-a.example');
  readonly foreign = certificate(this.other, 'gms2.mc-a.example', 'DNS:gms2.mc-a.example');
  readonly expired = certificate(this.authority, 'old', 'DNS:gms2.mc-a.example', -1);
  readonly bob = certificate(this.authority, 'gms.mc-b.example', 'DNS:gms.mc-b.example');

  remove(): void {
    this.authority.remove();
    this.other.remove();
  }
}

function certificate(
  authority: TestAuthority,
  name: string,
  names: string,
  days?: number,
): ClientCertificate {
  const made = new X509Certificate(authority.issue(name, names, days).cert);
  return {
    sha256: made.fingerprint256.replaceAll(':', '').toLowerCase(),
    authorized: true,
    dnsNames: [...names.matchAll(/DNS:([^,]+)/g)].map((match) => match[1] ?? ''),
    uris: [...names.matchAll(/URI:([^,]+)/g)].map((match) => match[1] ?? ''),
    subject: made.subject.split('\n').reverse().join(','),
    der: new Uint8Array(made.raw),
    notBefore: Date.parse(made.validFrom),
    notAfter: Date.parse(made.validTo),
  };
}

export interface RigOptions {
  readonly identities: Identities;
  readonly tokens?: Partial<SecurityTokensConfig>;
  readonly idm?: Partial<IdmConfig>;
  /** how partner A's keys are found, instead of by a file */
  readonly find?: IdmPartner['tokenKeys'];
}

export class IdmRig {
  readonly metrics = new MetricRegistry();
  readonly logged: { readonly event: string; readonly fields: LogFields }[] = [];
  room!: KeyRoom;
  keys!: AccessTokenKeys;
  idm!: IdentityManagement;
  tokenKey!: PartnerKey;
  tokenKeyB!: PartnerKey;
  clientKey!: PartnerKey;
  presented!: RecordSpace;
  partners!: IdmPartner[];
  #jti = 0;

  static async open(options: RigOptions): Promise<IdmRig> {
    const rig = new IdmRig(options);
    rig.room = await keyRoom();
    rig.presented = rig.room.space('idm-presented');
    [rig.tokenKey, rig.tokenKeyB, rig.clientKey] = await Promise.all([
      makePartnerKey('a-1'),
      makePartnerKey('b-1'),
      makePartnerKey('c-1'),
    ]);
    rig.partners = rig.#partners();
    await rig.start();
    return rig;
  }

  private constructor(readonly options: RigOptions) {}

  get now(): number {
    return this.room.timers.now;
  }

  get seconds(): number {
    return Math.floor(this.now / 1000);
  }

  /** Starts it on what is stored, as after a restart. */
  async start(): Promise<void> {
    this.keys = await openKeys(this.room);
    this.idm = await IdentityManagement.open({
      config: idmConfig(this.options.idm),
      audience: AUDIENCE,
      partners: this.partners,
      keys: this.keys,
      presented: this.presented,
      audit: this.room.audit,
      env: this.#environment(),
    });
  }

  stop(): void {
    this.keys.close();
  }

  /** A security token of partner A for Alice. */
  securityToken(
    changes: Changes = {},
    header: Changes = {},
    key: AccessTokenKey = this.tokenKey.privateKey,
  ): Promise<string> {
    this.#jti += 1;
    const claims = {
      iss: ISSUER_A,
      sub: 'alice-7',
      aud: ['client-a', ISSUER],
      iat: this.seconds,
      exp: this.seconds + 300,
      jti: `t${this.#jti}`,
      mcptt_id: ALICE,
      ...changes,
    };
    return signJwt(claims, key, { typ: 'JWT', kid: 'a-1', ...header });
  }

  assertion(
    changes: Changes = {},
    header: Changes = {},
    key: AccessTokenKey = this.clientKey.privateKey,
  ): Promise<string> {
    this.#jti += 1;
    const claims = {
      iss: 'client-j',
      sub: 'client-j',
      aud: TOKEN_ENDPOINT,
      iat: this.seconds,
      exp: this.seconds + 60,
      jti: `c${this.#jti}`,
      ...changes,
    };
    return signJwt(claims, key, { typ: 'JWT', kid: 'c-1', ...header });
  }

  /** What the client with the pinned certificate asks with, and with what it may be different. */
  async ask(more: FormOf = {}, request: Partial<HttpRequest> = {}): Promise<Answer> {
    const assertion = 'assertion' in more ? undefined : await this.securityToken();
    return this.post(
      { grant_type: JWT_BEARER, client_id: 'client-a', assertion, ...more },
      { certificate: this.options.identities.pinned, ...request },
    );
  }

  /** The same as a token exchange. */
  exchange(subject: string, more: FormOf = {}): Promise<Answer> {
    return this.ask({
      ...{ grant_type: TOKEN_EXCHANGE, assertion: undefined },
      ...{ subject_token: subject, subject_token_type: JWT_TYPE },
      ...more,
    });
  }

  /** The same by the client that authenticates with an assertion. */
  async askByAssertion(more: FormOf = {}): Promise<Answer> {
    const asserted = 'client_assertion' in more ? undefined : await this.assertion();
    return this.ask(
      {
        client_id: undefined,
        client_assertion: asserted,
        client_assertion_type: ASSERTION_TYPE,
        ...more,
      },
      { certificate: null },
    );
  }

  post(parameters: FormOf, request: Partial<HttpRequest> = {}): Promise<Answer> {
    const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
    const form = new URLSearchParams(given as [string, string][]);
    return this.send({ body: utf8(form.toString()), ...request });
  }

  /** One request, as the listener gives it to the route. */
  async send(request: Partial<HttpRequest>): Promise<Answer> {
    const headers: Record<string, string> = { 'content-type': FORM };
    const { body, ...head } = {
      ...{ method: 'POST', path: '/token', query: '', address: '192.0.2.7' },
      ...{ certificate: null, body: new Uint8Array() },
      header: (name: string) => headers[name],
      ...request,
    };
    const route = this.idm.routes.find((each) => each.matches(head.path));
    if (route === undefined) throw new Error(`nothing at ${head.path}`);
    let response: HttpResponse;
    if ('begin' in route) {
      const begun = await route.begin(head);
      response = typeof begun === 'function' ? await begun(body) : begun;
    } else response = await route.handle({ ...head, body });
    const text = response.body === undefined ? '{}' : Buffer.from(response.body).toString();
    return {
      status: response.status,
      headers: response.headers ?? {},
      body: JSON.parse(text) as Record<string, unknown>,
      refused: response.refused,
    };
  }

  #environment(): Environment {
    const { timers } = this.room;
    const keep = (event: string, fields: LogFields = {}): void =>
      void this.logged.push({ event, fields });
    return {
      clock: { now: () => timers.now },
      timers,
      random: systemRandom,
      log: { debug: keep, info: keep, warn: keep, error: keep },
      metrics: this.metrics,
    };
  }

  #partners(): IdmPartner[] {
    const { identities, tokens, find } = this.options;
    const { authority, pinned, bob } = identities;
    const one = (letter: string, key: PartnerKey, clients: unknown[]): IdmPartner => ({
      name: letter,
      codePoints: DEFAULT_CODE_POINTS,
      securityTokens: securityTokensSchema.parse({
        issuer: `https://idm.mc-${letter}.example`,
        keysFile: 'of the test',
        clientAuthorityFile: 'of the test',
        clients,
        ...(letter === 'a' && tokens),
      }),
      tokenKeys: createLocalJWKSet({ keys: [key.jwk] }),
      clientKeys: (id) =>
        id === 'client-j' ? createLocalJWKSet({ keys: [this.clientKey.jwk] }) : undefined,
      clientAuthorities: [new X509Certificate(authority.cert)],
      hasUser: (id) => id.endsWith(`@mc-${letter}.example`),
      ...(letter === 'a' && find !== undefined && { tokenKeys: find }),
    });
    return [
      one('a', this.tokenKey, [
        { id: 'client-a', certificate: { sha256: pinned.sha256 } },
        { id: 'client-n', certificate: { dnsName: 'gms2.mc-a.example' } },
        { id: 'client-j', keysFile: 'of the test' },
      ]),
      one('b', this.tokenKeyB, [{ id: 'client-b', certificate: { sha256: bob.sha256 } }]),
    ];
  }
}

type AccessTokenKey = Parameters<typeof signJwt>[1];

export { ALICE, AUDIENCE, BOB, ISSUER, START };
