/**
 * Who asks for a token: a client of a partner, by mutual TLS with a pinned certificate (RFC 8705) or by
 * an assertion under its key (private_key_jwt, RFC 7523). Nothing else is taken, and no client may
 * use the other's way.
 */
import { X509Certificate } from 'node:crypto';
import { decodeJwt, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import type { Clock } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import type { IdmClientConfig } from '../config/index.js';
import type { ClientCertificate, HttpRequest } from '../https/index.js';
import { checkCompact } from './compact-token.js';
import type { TokenForm } from './form.js';
import type { IdmDirectory, IdmPartner } from './ports.js';
import { ASYMMETRIC } from './public-keys.js';
import { refusal } from './refusal.js';
import { LEEWAY_SECONDS } from './security-token.js';
import { tokenFault } from './token-fault.js';
import { memoryKey, type TokenMemory } from './token-memory.js';

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** Longest life of a client assertion: a client makes one for each request. */
const LONGEST_ASSERTION_SECONDS = 600;
/** Certificates of a partner's clients that are known again. */
const MAX_CERTIFICATES = 1000;

export interface ClientAuthenticationOptions {
  readonly directory: IdmDirectory;
  /** audiences of a client assertion that mean us */
  readonly audiences: readonly string[];
  readonly memory: TokenMemory;
  readonly clock: Clock;
}

export interface IdmClient {
  readonly client: IdmClientConfig;
  readonly partner: IdmPartner;
}

export class ClientAuthentication {
  readonly #options: ClientAuthenticationOptions;
  /** by fingerprint, whether an authority of the partner signed it */
  readonly #certificates = new WeakMap<IdmPartner, Map<string, boolean>>();

  constructor(options: ClientAuthenticationOptions) {
    this.#options = options;
  }

  /**
   * The client that the request says it is of; nothing is proved yet.
   * @throws SegyError SEGY_E_TOKEN_CLIENT, SEGY_E_TOKEN_REQUEST
   */
  claimed(request: HttpRequest, form: TokenForm): IdmClient {
    const assertion = form.get('client_assertion');
    const type = form.get('client_assertion_type');
    if ((assertion === undefined) !== (type === undefined)) {
      throw refusal('SEGY_E_TOKEN_REQUEST', 'invalid_request', 'half a client assertion came');
    }
    const bySecret =
      request.header('authorization') !== undefined || form.get('client_secret') !== undefined;
    if (bySecret && assertion !== undefined) {
      throw refusal('SEGY_E_TOKEN_REQUEST', 'invalid_request', 'two ways to authenticate');
    }
    if (bySecret) throw failed('client secrets are not taken');
    if (type !== undefined && type !== ASSERTION_TYPE)
      throw failed('the assertion type is unknown');
    const id = form.get('client_id');
    const asserted = assertion === undefined ? undefined : subjectOf(assertion);
    if (id !== undefined && asserted !== undefined && id !== asserted) {
      throw failed('client_id and the assertion name two clients');
    }
    const found = this.#options.directory.client(id ?? asserted ?? '');
    if (found === undefined) throw failed('the client is unknown');
    if (found.client.certificate !== undefined && assertion !== undefined) {
      throw failed('the client authenticates by its certificate alone');
    }
    return found;
  }

  /**
   * Proves that the request is of that client.
   * @throws SegyError SEGY_E_TOKEN_CLIENT; SEGY_E_BUSY when its assertion cannot be remembered
   */
  async prove(found: IdmClient, request: HttpRequest, form: TokenForm): Promise<void> {
    if (found.client.certificate !== undefined) {
      this.#checkCertificate(found, request.certificate);
      return;
    }
    const assertion = form.get('client_assertion');
    if (assertion === undefined) throw failed('no client assertion came');
    await this.#checkAssertion(found, assertion);
  }

  #checkCertificate({ client, partner }: IdmClient, given: ClientCertificate | null): void {
    const pin = client.certificate;
    if (given === null || pin === undefined) throw failed('no client certificate came');
    const now = this.#options.clock.now();
    if (now < given.notBefore || now >= given.notAfter) {
      throw failed('the client certificate is outside its validity');
    }
    if ('sha256' in pin) {
      if (given.sha256 !== pin.sha256) throw failed('another client certificate came');
      return;
    }
    if (!given.authorized) throw failed('the client certificate does not chain to an authority');
    const isNamed =
      'subject' in pin
        ? normalName(given.subject) === normalName(pin.subject)
        : 'uri' in pin
          ? given.uris.includes(pin.uri)
          : given.dnsNames.includes(pin.dnsName);
    if (!isNamed) throw failed('the client certificate has another name');
    // the listener may trust the authorities of several partners, and each could certify any name
    if (!this.#isOfPartner(given, partner)) {
      throw failed("the client certificate is of another authority than the partner's");
    }
  }

  /** Whether an authority of the partner itself signed the certificate; a signature check, so remembered. */
  #isOfPartner({ sha256, der }: ClientCertificate, partner: IdmPartner): boolean {
    const known = this.#certificates.get(partner) ?? new Map<string, boolean>();
    this.#certificates.set(partner, known);
    const before = known.get(sha256);
    if (before !== undefined) return before;
    const certificate = new X509Certificate(der);
    const isIssued = partner.clientAuthorities.some(
      (authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
    );
    const [oldest] = known.keys();
    if (oldest !== undefined && known.size >= MAX_CERTIFICATES) known.delete(oldest);
    known.set(sha256, isIssued);
    return isIssued;
  }

  async #checkAssertion({ client, partner }: IdmClient, assertion: string): Promise<void> {
    const keys = partner.clientKeys(client.id);
    if (keys === undefined) throw failed('the client has no keys');
    const now = this.#options.clock.now();
    let payload: JWTPayload;
    try {
      checkCompact(assertion, 'the client assertion');
      // the cheap part first: what is not for us, or too old, costs no signature check
      checkClaims(decodeJwt(assertion), client.id, this.#options.audiences, now);
      ({ payload } = await jwtVerify(assertion, keys, {
        algorithms: [...ASYMMETRIC],
        issuer: client.id,
        subject: client.id,
        audience: [...this.#options.audiences],
        clockTolerance: LEEWAY_SECONDS,
        currentDate: new Date(now),
        requiredClaims: ['exp', 'jti'],
      }));
    } catch (error) {
      const fault = tokenFault(error, 'the client assertion');
      if (fault instanceof SegyError && fault.code.startsWith('SEGY_E_TOKEN')) {
        throw failed(fault.message);
      }
      throw fault;
    }
    const { jti = '', exp = 0 } = payload;
    const until = (exp + LEEWAY_SECONDS) * 1000;
    const key = memoryKey('assertion', client.id, jti);
    const { isNew } = await this.#options.memory.remember(key, client.id, until);
    if (!isNew) throw failed('the client assertion was used before');
  }
}

/** What can be seen of an assertion without its key. */
function checkClaims(
  { iss, sub, aud, exp, iat, nbf, jti }: JWTPayload,
  clientId: string,
  audiences: readonly string[],
  now: number,
): void {
  const seconds = now / 1000;
  if (iss !== clientId || sub !== clientId) throw failed('the client assertion is of another');
  // what is for others too, those others could present here
  const addressees: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const isOurs = (each: unknown): boolean => audiences.some((ours) => ours === each);
  if (addressees.length === 0 || !addressees.every(isOurs)) {
    throw failed('the client assertion is not for us alone');
  }
  if (typeof exp !== 'number' || exp <= seconds - LEEWAY_SECONDS) {
    throw failed('the client assertion is past its end');
  }
  if (exp > seconds + LONGEST_ASSERTION_SECONDS + LEEWAY_SECONDS) {
    throw failed('the client assertion lives too long');
  }
  for (const start of [iat, nbf]) {
    if (start === undefined) continue;
    if (typeof start !== 'number' || start > seconds + LEEWAY_SECONDS) {
      throw failed('the client assertion is not valid yet');
    }
  }
  if (typeof jti !== 'string' || jti === '' || jti.length > 255) {
    throw failed('the client assertion has no identifier');
  }
}

function subjectOf(assertion: string): string | undefined {
  try {
    const { sub } = decodeJwt(assertion);
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    throw failed('the client assertion cannot be read');
  }
}

/** A distinguished name without blanks around its separators. */
function normalName(name: string): string {
  return name.replaceAll(/\s*(?<!\\)([,=+])\s*/g, '$1').trim();
}

function failed(message: string): SegyError {
  return refusal('SEGY_E_TOKEN_CLIENT', 'invalid_client', message);
}
