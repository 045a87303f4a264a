/** What the pseudo GMS takes from elsewhere. */
import type { HeldKey } from '../keys/index.js';
import type { KmsCertificate, KmsKeySet } from '../kms/index.js';
import type { Delivery, DeliveryRedirect } from './delivery.js';

/** The identity that signs group keys: our GMS, keyed by our own domain (TS 33.180 7.3.3). */
export interface GmsIdentity {
  readonly uri: string;
  readonly certificate: KmsCertificate;
  /** its key set for the period of `unixMs` */
  keySetAt(unixMs: number): Promise<KmsKeySet>;
}

/** Trusted certificates of partner domains, and the partner each is bound to. */
export interface DomainCertificates {
  find(
    kmsUri: string,
  ): { readonly certificate: KmsCertificate; readonly partner: string } | undefined;
}

/** The gateway's own key ring, as far as the keys made here are in it. */
export interface OwnRing {
  /** takes in what a message would bring; the same again changes nothing */
  adopt(key: HeldKey): Promise<void>;
  /** partners under whose name the key is held */
  partnersOf(keyId: Uint8Array): readonly string[];
  /** lets a key made here go, under whichever partner's name */
  drop(keyId: Uint8Array): Promise<void>;
  /** whether any key is held under this identifier */
  isTaken(keyId: Uint8Array): boolean;
}

/** Resolves when the record is on disk; a rejection means that the key must not be used. */
export interface GmsAudit {
  record(use: {
    readonly action: 'made' | 'revoked';
    readonly keyType: string;
    readonly keyId: string;
    readonly initiator: string;
    readonly responder: string;
    readonly partner: string;
    readonly dialog: string;
  }): Promise<void>;
}

/** A delivery with its message, ready to leave. */
export interface KeyToSend {
  readonly delivery: Delivery;
  readonly keyType: string;
  /** octets of the I_MESSAGE */
  readonly message: Uint8Array;
  /** false when the user is a member no more: then it must not leave. Asked at the last moment. */
  isWanted(): boolean;
}

export type SendOutcome =
  | { readonly kind: 'delivered' }
  /** the partner cannot be reached: nothing is known of these members */
  | { readonly kind: 'unreachable'; readonly code: string }
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly status: number | null;
      /** how long the peer asked to be left alone, in milliseconds */
      readonly retryAfterMs: number | null;
      readonly redirect: DeliveryRedirect | null;
    };

/** How messages leave; the edge provides it. */
export interface KeySender {
  /** Deliveries of one route may travel together, at most so many. */
  routeOf(delivery: Delivery): { readonly route: string; readonly most: number };
  send(keys: readonly KeyToSend[], signal: AbortSignal): Promise<SendOutcome>;
}
