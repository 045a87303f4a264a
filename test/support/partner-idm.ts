/**
 * A partner's identity management and XCAP server over real TLS, as another implementation would be:
 * it checks security tokens and client assertions against our published keys, issues opaque tokens and
 * serves documents to their holders. A test may replace any of its answers.
 */
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import { TestAuthority, type MadeCertificate } from '../sip/support/certificates.js';

/** Answers a request itself. @returns false to have it answered as usual */
export type Behaviour = (request: IncomingMessage, response: ServerResponse) => boolean | undefined;

export interface TokenRequest {
  readonly form: URLSearchParams;
  readonly securityToken: JWTPayload;
  readonly headerTyp: string | undefined;
  /** SHA-256 of the client's certificate; null where it showed none */
  readonly certificate: string | null;
}

export interface DocumentRequest {
  readonly path: string;
  readonly token: string | null;
  readonly ifNoneMatch: string | undefined;
}

export const PARTNER_CLIENT = 'segy-lmr';
export const OUR_ISSUER = 'https://idm.lmr.example';
/** port in the name of the issuer comes from the server */
const HOST = 'localhost';

export class FakePartnerIdm {
  readonly tokenRequests: TokenRequest[] = [];
  readonly documentRequests: DocumentRequest[] = [];
  /** documents by path below the XCAP root, and by user where the path is prefixed by `user ` */
  readonly documents = new Map<string, { readonly octets: string; readonly etag: string }>();
  /** certificates of clients that may use mutual TLS, SHA-256 in hex */
  readonly clients = new Set<string>();
  keys: JSONWebKeySet = { keys: [] };
  seconds: number | undefined = 600;
  behaviour: Behaviour | undefined;
  metadata: Record<string, unknown> = {};
  readonly #authority: TestAuthority;
  readonly #server: Server;
  readonly #users = new Map<string, string>();
  readonly #scopes = new Map<string, string>();
  #issued = 0;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(
    authority: TestAuthority,
    readonly certificate: MadeCertificate,
  ) {
    this.#authority = authority;
    const { cert, key } = certificate;
    this.#server = createServer(
      { cert, key, ca: authority.cert, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        this.#answer(request, response).catch(() => {
          if (!response.headersSent) this.#json(response, 400, { error: 'invalid_request' });
        });
      },
    );
    this.#server.on('secureConnection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(
    authority: TestAuthority,
    certificate = authority.issue(HOST, 'DNS:localhost,IP:127.0.0.1'),
    address = '127.0.0.1',
  ): Promise<FakePartnerIdm> {
    const idm = new FakePartnerIdm(authority, certificate);
    await new Promise<void>((resolve) => idm.#server.listen(0, address, resolve));
    return idm;
  }

  get ca(): string {
    return this.#authority.cert;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get issuer(): string {
    return `https://${HOST}:${this.port}`;
  }

  get xcapRoot(): string {
    return `${this.issuer}/xcap`;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Whose token it is. */
  userOf(token: string): string | undefined {
    return this.#users.get(token);
  }

  /** What it is for. */
  scopeOf(token: string): string | undefined {
    return this.#scopes.get(token);
  }

  /** None of the tokens issued so far is good any more. */
  revokeAll(): void {
    this.#users.clear();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.behaviour?.(request, response) === true) return;
    const path = request.url ?? '';
    if (path === '/.well-known/openid-configuration') {
      this.#json(response, 200, {
        issuer: this.issuer,
        token_endpoint: `${this.issuer}/token`,
        grant_types_supported: [
          'urn:ietf:params:oauth:grant-type:jwt-bearer',
          'urn:ietf:params:oauth:grant-type:token-exchange',
        ],
        ...this.metadata,
      });
    } else if (path === '/token' && request.method === 'POST') {
      await this.#token(request, response);
    } else if (path.startsWith('/xcap/') && request.method === 'GET') {
      this.#document(path.slice('/xcap/'.length), request, response);
    } else response.writeHead(404).end();
  }

  async #token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await textOf(request));
    const certificate = certificateOf(request);
    const isExchange = form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:token-exchange';
    const token = form.get(isExchange ? 'subject_token' : 'assertion') ?? '';
    if (!(await this.#isClient(form, certificate))) {
      this.#json(response, 401, { error: 'invalid_client' });
      return;
    }
    try {
      const keys = createLocalJWKSet(this.keys);
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        issuer: OUR_ISSUER,
        audience: this.issuer,
        algorithms: ['ES256'],
        requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat'],
      });
      if (![payload.aud].flat().includes(PARTNER_CLIENT)) throw new Error('aud');
      this.tokenRequests.push({
        form,
        securityToken: payload,
        headerTyp: protectedHeader.typ,
        certificate,
      });
      this.#issued += 1;
      const issued = `at-${this.#issued}.opaque~${'x'.repeat(20)}`;
      this.#users.set(issued, payload.sub ?? '');
      this.#scopes.set(issued, form.get('scope') ?? '');
      this.#json(response, 200, {
        access_token: issued,
        token_type: 'Bearer',
        ...(this.seconds !== undefined && { expires_in: this.seconds }),
        ...(isExchange && {
          issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        }),
        scope: form.get('scope'),
      });
    } catch {
      this.#json(response, 400, { error: 'invalid_grant' });
    }
  }

  async #isClient(form: URLSearchParams, certificate: string | null): Promise<boolean> {
    if (form.get('client_id') !== PARTNER_CLIENT) return false;
    const assertion = form.get('client_assertion');
    if (assertion === null) return certificate !== null && this.clients.has(certificate);
    const type = form.get('client_assertion_type');
    if (type !== 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer') return false;
    try {
      await jwtVerify(assertion, createLocalJWKSet(this.keys), {
        ...{ issuer: PARTNER_CLIENT, subject: PARTNER_CLIENT, audience: `${this.issuer}/token` },
        requiredClaims: ['jti', 'exp'],
      });
      return true;
    } catch {
      return false;
    }
  }

  #document(path: string, request: IncomingMessage, response: ServerResponse): void {
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? null;
    const ifNoneMatch = request.headers['if-none-match'];
    this.documentRequests.push({ path, token, ifNoneMatch });
    const user = token === null ? undefined : this.#users.get(token);
    if (user === undefined) {
      response.writeHead(401, { 'WWW-Authenticate': 'Bearer error="invalid_token"' }).end();
      return;
    }
    const plain = decodeURIComponent(path);
    const found = this.documents.get(`${user} ${plain}`) ?? this.documents.get(plain);
    if (found === undefined) {
      response.writeHead(404).end();
      return;
    }
    const { octets, etag } = found;
    if (ifNoneMatch === etag) response.writeHead(304, { ETag: etag }).end();
    else {
      const type = 'application/vnd.oma.poc.groups+xml';
      response.writeHead(200, { 'Content-Type': type, ETag: etag }).end(octets);
    }
  }

  #json(response: ServerResponse, status: number, value: unknown): void {
    response
      .writeHead(status, { 'Content-Type': 'application/json;charset=UTF-8' })
      .end(JSON.stringify(value));
  }
}

function certificateOf(request: IncomingMessage): string | null {
  const { socket } = request;
  if (!(socket instanceof TLSSocket)) return null;
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined || !socket.authorized
    ? null
    : certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** A group document as a partner may write it: with more in it than the gateway knows. */
export function groupDocumentText(
  members: readonly string[],
  more = '',
  group = 'sip:police@mc-a.example',
): string {
  const entries = members.map(
    (uri) => `<entry uri="${uri}"><display-name>x</display-name></entry>`,
  );
  return (
    '<?xml version="1.0" encoding="UTF-8"?>' +
    '<group xmlns="urn:oma:xml:poc:list-service" xmlns:o="urn:other" xmlns:g="urn:3gpp:ns:mcpttGroupInfo:1.0">' +
    `<list-service uri="${group}"><list>${entries.join('')}</list>${more}</list-service></group>`
  );
}
