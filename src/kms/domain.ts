/**
 * The gateway's own security domain (TS 33.180 L.3.2): the pseudo KMS. It holds the master secrets
 * z and KSAK, shows them to the world as a certificate that says "security gateway", and mints key
 * sets for the identities it represents. It serves no clients.
 */
import type { RandomBytes } from '../base/environment.js';
import { bytesToUint, concatBytes, equalBytes, utf8, wipe } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import { eccsiExtract, eccsiPublicKey, eccsiValidate, sakkeMasterPublic } from '../crypto/index.js';
import type { SlowCrypto, SlowOptions } from '../crypto/index.js';
import { readKmsDocument } from './annex-d.js';
import { writeKmsCertificate } from './annex-d-write.js';
import { uidOf } from './identity.js';
import type { KmsCertificate, KmsKeySet } from './certificate.js';
import { keySetOf } from './key-set.js';

const Z_OCTETS = 128;
/** q has 1022 bits. */
const Z_TOP_MASK = 0x3f;
const KSAK_OCTETS = 32;
/** Draws before a random source is taken to be broken; a draw is refused less than every other time. */
const MAX_DRAWS = 256;
const SECRET_MAGIC = utf8('SEGYDOM1');
const MAX_TEXT = 255;

export interface DomainParameters {
  /** unique identifier of the security domain, verbatim as it is hashed into every UID */
  readonly kmsUri: string;
  /** MC domains of the users represented */
  readonly domains: readonly string[];
  /** seconds, at least 1 */
  readonly userKeyPeriod: bigint;
  /** seconds, below the period */
  readonly userKeyOffset: bigint;
  readonly validFrom: Date;
  readonly validTo: Date;
  readonly issuer?: string;
  readonly certUri?: string;
}

/** The domain's certificate as it is shown to others, and as the gateway itself goes by it. */
export interface OwnCertificates {
  readonly published: KmsCertificate;
  readonly certificate: KmsCertificate;
}

export interface DomainTools {
  readonly random: RandomBytes;
  readonly slow: SlowCrypto;
}

export class SecurityDomain {
  readonly #z: Uint8Array;
  readonly #ksak: Uint8Array;
  readonly #tools: DomainTools;
  #certificates: OwnCertificates;

  private constructor(
    z: Uint8Array,
    ksak: Uint8Array,
    certificates: OwnCertificates,
    tools: DomainTools,
  ) {
    this.#z = z;
    this.#ksak = ksak;
    this.#certificates = certificates;
    this.#tools = tools;
  }

  /** What partners get: Role External, IsSecurityGateway true. After a renewal it may be valid only later. */
  get published(): KmsCertificate {
    return this.#certificates.published;
  }

  /** What the gateway itself goes by: the published one, valid since the first one for these keys was. */
  get certificate(): KmsCertificate {
    return this.#certificates.certificate;
  }

  /**
   * A new domain with fresh master secrets.
   * @throws SegyError SEGY_E_ARGUMENT on parameters that no certificate can have
   */
  static create(parameters: DomainParameters, tools: DomainTools): SecurityDomain {
    checkParameters(parameters);
    const drawn = draw(tools.random, Z_OCTETS, Z_TOP_MASK, sakkeMasterPublic);
    const signing = draw(tools.random, KSAK_OCTETS, 0xff, eccsiPublicKey);
    const certificate: KmsCertificate = {
      role: 'External',
      isSecurityGateway: true,
      version: '1.1.0',
      ...(parameters.certUri !== undefined && { certUri: parameters.certUri }),
      kmsUri: parameters.kmsUri,
      ...(parameters.issuer !== undefined && { issuer: parameters.issuer }),
      validFrom: wholeSeconds(parameters.validFrom),
      validTo: wholeSeconds(parameters.validTo),
      revoked: false,
      userKeyPeriod: parameters.userKeyPeriod,
      userKeyOffset: parameters.userKeyOffset,
      pubEncKey: drawn.publicKey,
      pubAuthKey: signing.publicKey,
      domains: parameters.domains.map((domain) => domain.toLowerCase()),
    };
    const certificates = { certificate, published: certificate };
    return new SecurityDomain(drawn.secret, signing.secret, certificates, tools);
  }

  /**
   * The same domain under a later certificate: the same keys, so that what was encapsulated and
   * signed under either certificate holds while both are valid.
   * @throws SegyError SEGY_E_ARGUMENT when the new validity leaves a gap or does not end later
   */
  renew(change: {
    readonly validFrom: Date;
    readonly validTo: Date;
    readonly domains?: readonly string[];
  }): SecurityDomain {
    const { validTo } = this.certificate;
    if (validTo !== undefined && (change.validFrom > validTo || change.validTo <= validTo)) {
      throw new SegyError(
        'SEGY_E_ARGUMENT',
        'a renewed certificate begins before the present one ends, and ends after it',
      );
    }
    const published: KmsCertificate = {
      ...this.published,
      validFrom: wholeSeconds(change.validFrom),
      validTo: wholeSeconds(change.validTo),
      domains: (change.domains ?? this.certificate.domains).map((domain) => domain.toLowerCase()),
    };
    checkParameters({ ...published, validFrom: change.validFrom, validTo: change.validTo });
    return new SecurityDomain(
      Uint8Array.from(this.#z),
      Uint8Array.from(this.#ksak),
      { published, certificate: validSince(this.certificate, published) },
      this.#tools,
    );
  }

  /**
   * Goes on under the certificates that `renew` made for these keys.
   * @throws SegyError SEGY_E_ARGUMENT when they are of another domain
   */
  adopt({ certificate, published }: OwnCertificates): void {
    const { kmsUri, pubEncKey, pubAuthKey } = this.certificate;
    if (
      certificate.kmsUri !== kmsUri ||
      !equalBytes(certificate.pubEncKey, pubEncKey) ||
      !equalBytes(certificate.pubAuthKey, pubAuthKey)
    ) {
      throw new SegyError('SEGY_E_ARGUMENT', 'the certificate is of another domain');
    }
    this.#certificates = { certificate, published };
  }

  /**
   * Mints the key set of `userUri` for one key period: RSK, SSK and PVT, each checked against the
   * certificate before it is handed out. The SSK and PVT differ from one minting to the next.
   * @throws SegyError SEGY_E_BUSY, SEGY_E_CANCELLED, SEGY_E_INTERNAL when a check fails
   */
  async issue(userUri: string, keyPeriodNo: bigint, options?: SlowOptions): Promise<KmsKeySet> {
    if (userUri === '' || userUri.length > MAX_TEXT) {
      throw new SegyError('SEGY_E_ARGUMENT', 'a user URI has 1 to 255 characters');
    }
    const { certificate } = this;
    const userId = uidOf(certificate, userUri, keyPeriodNo);
    const rsk = await this.#tools.slow.extractRsk({ master: this.#z, id: userId }, options);
    let ssk: Uint8Array | undefined;
    try {
      const extracted = eccsiExtract({ ksak: this.#ksak, id: userId, random: this.#tools.random });
      ssk = extracted.ssk;
      if (!eccsiValidate({ kpak: certificate.pubAuthKey, id: userId, ...extracted })) {
        throw new SegyError('SEGY_E_INTERNAL', 'a minted SSK does not fit the certificate');
      }
      return keySetOf(certificate, userUri, keyPeriodNo, { rsk, ...extracted });
    } catch (error) {
      wipe(rsk, ssk);
      throw error;
    }
  }

  /**
   * Master secrets and certificate as octets, for the sealed store only. The caller wipes them.
   *   "SEGYDOM1", z (128), KSAK (32), as Annex D XML the published certificate and the one gone by
   */
  toSecret(): Uint8Array {
    return concatBytes(
      SECRET_MAGIC,
      this.#z,
      this.#ksak,
      utf8(writeKmsCertificate(this.published)),
      utf8(writeKmsCertificate(this.certificate)),
    );
  }

  /** @throws SegyError SEGY_E_STORE when the octets are not those of a domain */
  static fromSecret(octets: Uint8Array, tools: DomainTools): SecurityDomain {
    const zAt = SECRET_MAGIC.length;
    const ksakAt = zAt + Z_OCTETS;
    const xmlAt = ksakAt + KSAK_OCTETS;
    const damaged = (cause?: unknown): SegyError =>
      new SegyError('SEGY_E_STORE', 'the record of the security domain is malformed', { cause });
    if (bytesToUint(octets.subarray(0, zAt)) !== bytesToUint(SECRET_MAGIC)) throw damaged();
    const z = Uint8Array.from(octets.subarray(zAt, ksakAt));
    const ksak = Uint8Array.from(octets.subarray(ksakAt, xmlAt));
    let certificates: readonly KmsCertificate[];
    try {
      ({ certificates } = readKmsDocument(octets.subarray(xmlAt)));
    } catch (error) {
      wipe(z, ksak);
      throw damaged(error);
    }
    const [published, certificate = published] = certificates;
    if (published === undefined || certificate === undefined) {
      wipe(z, ksak);
      throw damaged();
    }
    return new SecurityDomain(z, ksak, { published, certificate }, tools);
  }

  /** Overwrites the master secrets; nothing can be minted afterwards. */
  wipe(): void {
    wipe(this.#z, this.#ksak);
  }
}

function draw(
  random: RandomBytes,
  octets: number,
  topMask: number,
  publicOf: (secret: Uint8Array) => Uint8Array,
): { secret: Uint8Array; publicKey: Uint8Array } {
  for (let count = 0; count < MAX_DRAWS; count += 1) {
    const secret = random(octets);
    secret[0] = (secret[0] ?? 0) & topMask;
    try {
      return { secret, publicKey: publicOf(secret) };
    } catch (error) {
      // Out of range, which a uniform draw has to be now and then.
      if (!(error instanceof SegyError) || error.code !== 'SEGY_E_ARGUMENT') throw error;
      wipe(secret);
    }
  }
  throw new SegyError('SEGY_E_INTERNAL', 'the random source gives no usable secret');
}

function checkParameters(parameters: DomainParameters): void {
  const refuse = (what: string): never => {
    throw new SegyError('SEGY_E_ARGUMENT', what);
  };
  const isText = (text: string): boolean => /^[^\s<>"\p{Cc}]{1,255}$/u.test(text);
  if (!isText(parameters.kmsUri)) refuse('the KMS URI is empty, too long or has spaces');
  if (parameters.domains.length === 0) refuse('a security domain serves at least one domain');
  if (!parameters.domains.every(isText)) refuse('a domain is empty, too long or has spaces');
  if (parameters.userKeyPeriod < 1n || parameters.userKeyPeriod >= 1n << 63n) {
    refuse('the key period is at least one second');
  }
  if (parameters.userKeyOffset < 0n || parameters.userKeyOffset >= parameters.userKeyPeriod) {
    refuse('the key offset is below the key period');
  }
  if (!(parameters.validFrom < parameters.validTo)) {
    refuse('the validity ends before it begins');
  }
}

/**
 * The keys serve without a break under certificates that follow each other: until a renewed one becomes
 * valid, partners go by the one before it.
 */
function validSince(before: KmsCertificate, published: KmsCertificate): KmsCertificate {
  const { validFrom } = before;
  if (validFrom === undefined || published.validFrom === undefined) return published;
  return validFrom < published.validFrom ? { ...published, validFrom } : published;
}

function wholeSeconds(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}
