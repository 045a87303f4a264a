/**
 * The I_MESSAGE of one delivery (TS 33.180 5.7.1, E.2): signed by our GMS, encapsulated to the member
 * under its own domain, with its own GUK-ID, the RAND that all members share, and key parameters.
 */
import { createHash } from 'node:crypto';
import type { Clock, RandomBytes } from '../base/environment.js';
import { fromHex } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import type { SlowCrypto } from '../crypto/index.js';
import { periodAt } from '../kms/index.js';
import type { KmsCertificate } from '../kms/index.js';
import { makeIMessage, parseIMessage } from '../mikey/index.js';
import type { Delivery } from './delivery.js';
import type { OwnKey } from './own-key.js';
import type { DomainCertificates, GmsAudit, GmsIdentity } from './ports.js';

/** Turns taken among those who wait for the crypto workers: calls never queue behind a roll. */
const CALLER = 'gms';

export interface MessageMakerOptions {
  readonly identity: GmsIdentity;
  readonly certificates: DomainCertificates;
  readonly audit: GmsAudit;
  readonly slow: SlowCrypto;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

export interface MadeMessage {
  readonly message: Uint8Array;
  readonly stamp: number;
  readonly domainKey: string;
}

/** An earlier message of the same key to the same member. */
export interface EarlierMessage {
  readonly delivery: Delivery;
  readonly message: Uint8Array;
}

export class MessageMaker {
  readonly #options: MessageMakerOptions;

  constructor(options: MessageMakerOptions) {
    this.#options = options;
  }

  /**
   * @param text the name of the group, for the member's user to read
   * @param earlier its SAKKE data is used again where it would come out the same
   * @throws SegyError SEGY_E_MIKEY_KMS_UNKNOWN, SEGY_E_MIKEY_KMS_NOT_ALLOWED, SEGY_E_AUDIT,
   *   SEGY_E_BUSY, SEGY_E_CANCELLED
   */
  async make(
    delivery: Delivery,
    key: OwnKey,
    text: string,
    { earlier, signal }: { earlier?: EarlierMessage | undefined; signal: AbortSignal },
  ): Promise<MadeMessage> {
    const { identity, audit, slow, clock, random } = this.#options;
    const responderCertificate = this.#certificateOf(delivery);
    // T orders what is said of a key: a revocation comes after what it revokes
    const stamp = Math.max(clock.now(), 1 + (earlier?.delivery.stamp ?? 0));
    const sed = earlier && sedOf(earlier, responderCertificate, stamp);
    const isRevoked = delivery.says === 'revoked';
    const initiatorKeySet = await identity.keySetAt(stamp);
    await audit.record({
      action: isRevoked ? 'revoked' : 'made',
      keyType: key.keyType,
      keyId: key.keyId,
      initiator: identity.uri,
      responder: delivery.member,
      partner: delivery.partner,
      dialog: '',
    });
    const message = await makeIMessage(
      {
        keyType: key.keyType,
        key: key.key,
        keyId: fromHex(key.keyId),
        rand: key.rand,
        initiatorUri: identity.uri,
        initiatorCertificate: identity.certificate,
        initiatorKeySet,
        responderUri: delivery.member,
        responderCertificate,
        timestamp: new Date(stamp),
        keyParameters: {
          revoked: isRevoked,
          sharedWithGateway: true,
          activation: key.activation,
          expiry: key.expiry,
          text,
          groups: [key.group],
        },
        ...(sed && { sed }),
      },
      { clock, slow, random, caller: CALLER, signal },
    );
    return { message, stamp, domainKey: domainKeyOf(responderCertificate) };
  }

  /**
   * Whether a member can still open a message: its T lies in the current or the previous key period,
   * of both domains (TS 33.180 5.2.4), and neither has other keys by now.
   */
  isFresh({ stamp, domainKey, ...delivery }: Delivery): boolean {
    const { identity, clock, certificates } = this.#options;
    const found = certificates.find(delivery.kmsUri)?.certificate;
    if (stamp === null || found === undefined || domainKeyOf(found) !== domainKey) return false;
    const now = clock.now();
    return [identity.certificate, found].every(
      (certificate) => periodAt(certificate, now) - periodAt(certificate, stamp) <= 1n,
    );
  }

  #certificateOf({ member, partner, kmsUri }: Delivery): KmsCertificate {
    const found = this.#options.certificates.find(kmsUri);
    if (found?.partner !== partner) {
      throw new SegyError(
        'SEGY_E_MIKEY_KMS_UNKNOWN',
        `${kmsUri}, the KMS of ${member}, is not trusted for partner ${partner}`,
      );
    }
    return found.certificate;
  }
}

/** The SAKKE data of a message that would have the same in a new one. */
function sedOf(
  { delivery, message }: EarlierMessage,
  certificate: KmsCertificate,
  stamp: number,
): Uint8Array | undefined {
  const isSame =
    delivery.stamp !== null &&
    delivery.kmsUri === certificate.kmsUri &&
    delivery.domainKey === domainKeyOf(certificate) &&
    periodAt(certificate, delivery.stamp) === periodAt(certificate, stamp);
  if (!isSame) return undefined;
  for (const payload of parseIMessage(message).payloads) {
    if (payload.name === 'SAKKE') return payload.sed;
  }
  return undefined;
}

/** Names the public key of a domain, and with it the key period's parameters. */
function domainKeyOf({ pubEncKey, userKeyPeriod, userKeyOffset }: KmsCertificate): string {
  const digest = createHash('sha256').update(pubEncKey);
  return digest.update(`${userKeyPeriod}/${userKeyOffset}`).digest('hex').slice(0, 16);
}
