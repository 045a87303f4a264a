/**
 * What of a partner's domain gets group documents, with no part of the gateway in it: an IdM that signs
 * security tokens, and clients with a certificate or a key of their own. curl and openid-client speak.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import type { CustomFetch } from 'openid-client';
import { curl, type Answer } from '../https/support.js';
import type { TestAuthority } from '../sip/support/certificates.js';

export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
export const PTT_SCOPE = '3gpp:mc:ptt_group_management_service';

export class TokenSide {
  readonly certificateClient: string;
  readonly keyClient: string;
  /** that of `keyClient` */
  clientKey!: CryptoKey;
  #signer!: CryptoKey;
  #tokens = 0;
  readonly #at: (name: string) => string;

  private constructor(
    readonly name: string,
    folder: string,
    /** issuer of the gateway's IdM */
    readonly issuer: string,
    readonly caFile: string,
  ) {
    this.#at = (file) => join(folder, `${name}-${file}`);
    this.certificateClient = `${name}-gms`;
    this.keyClient = `${name}-app`;
  }

  static async make(
    name: string,
    options: {
      readonly folder: string;
      readonly issuer: string;
      readonly caFile: string;
      readonly authority: TestAuthority;
    },
  ): Promise<TokenSide> {
    const { folder, issuer, caFile, authority } = options;
    const side = new TokenSide(name, folder, issuer, caFile);
    const made = authority.issue(side.certificateClient, `DNS:gms.${name}.example`);
    writeFileSync(side.#at('client.pem'), made.cert);
    writeFileSync(side.#at('client.key'), made.key, { mode: 0o600 });
    side.#signer = await side.#writeKeys('idm.jwks', `${name}-1`);
    side.clientKey = await side.#writeKeys('app.jwks', `${name}-app-1`);
    return side;
  }

  /** Its part of the partner's profile. */
  get settings(): object {
    const { fingerprint256 } = new X509Certificate(readFileSync(this.#at('client.pem')));
    return {
      issuer: `https://idm.${this.name}.example`,
      keysFile: this.#at('idm.jwks'),
      clients: [
        { id: this.certificateClient, certificate: { sha256: fingerprint256 } },
        { id: this.keyClient, keysFile: this.#at('app.jwks') },
      ],
    };
  }

  /** What its IdM gives a user for the gateway's (TS 33.180 B.8). */
  securityToken(user: string): Promise<string> {
    this.#tokens += 1;
    return new SignJWT({ mcptt_id: user })
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: `${this.name}-1` })
      .setIssuer(`https://idm.${this.name}.example`)
      .setSubject(user)
      .setAudience([this.certificateClient, this.keyClient, this.issuer])
      .setIssuedAt()
      .setExpirationTime('5m')
      .setJti(`${this.name}-${this.#tokens}`)
      .sign(this.#signer);
  }

  /** An access token for a user, by curl with the client's certificate. */
  async accessToken(user: string): Promise<string> {
    const { status, body } = await curl(
      this,
      `${this.issuer}/token`,
      ...['--cert', this.#at('client.pem'), '--key', this.#at('client.key')],
      ...['-d', `grant_type=${JWT_BEARER}`, '-d', `client_id=${this.certificateClient}`],
      ...['--data-urlencode', `assertion=${await this.securityToken(user)}`],
      ...['-d', `scope=${PTT_SCOPE}`],
    );
    if (status !== 200) throw new Error(`no access token: ${status} ${body}`);
    const { access_token: token } = JSON.parse(body) as { access_token: string };
    return token;
  }

  /** One request with a bearer token (null: without one), by curl. */
  get(url: string, token: string | null, ...options: readonly string[]): Promise<Answer> {
    const bearer = token === null ? [] : ['-H', `Authorization: Bearer ${token}`];
    return curl(this, url, ...bearer, ...options);
  }

  async #writeKeys(file: string, kid: string): Promise<CryptoKey> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
    writeFileSync(this.#at(file), JSON.stringify({ keys: [jwk] }));
    return privateKey;
  }
}

/** `fetch` that trusts one authority: node's own takes none that a test makes. */
export function fetchTrusting(caFile: string): CustomFetch {
  const ca = readFileSync(caFile);
  return (url, { method, headers, body }) =>
    new Promise((resolve, reject) => {
      const outgoing = request(url, { method, headers, ca, agent: false }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () => {
          const status = incoming.statusCode ?? 0;
          const fields = Object.entries(incoming.headersDistinct).flatMap(([name, values = []]) =>
            values.map((value): [string, string] => [name, value]),
          );
          const isEmpty = status === 204 || status === 304;
          const content = isEmpty ? null : Buffer.concat(chunks);
          resolve(new Response(content, { status, headers: fields }));
        });
      });
      outgoing.on('error', reject);
      outgoing.end(bodyText(body));
    });
}

function bodyText(body: unknown): string {
  if (body === undefined || body === null) return '';
  if (typeof body === 'string') return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new Error('only text is sent here');
}
