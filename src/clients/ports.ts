/**
 * What the pseudo MC clients take from elsewhere. Implemented by the pseudo KMS, the trust
 * store, the replay record and the audit log; in tests by small objects.
 */
import type { KmsCertificate, KmsKeySet } from '../kms/index.js';

/** The gateway's own security domain, as far as a client needs it. */
export interface OwnDomain {
  readonly certificate: KmsCertificate;
  /** mints the key set of `userUri` for one key period (milliseconds of pairing-grade work) */
  issue(userUri: string, keyPeriodNo: bigint): Promise<KmsKeySet>;
}

/** Cross-signed certificates of partner domains. */
export interface PartnerCertificates {
  /** the certificate held for `kmsUri` and the partner it is bound to; undefined when unknown */
  find(
    kmsUri: string,
  ): { readonly certificate: KmsCertificate; readonly partner: string } | undefined;
}

/** Messages already used, kept for as long as their time stamp is inside the window. */
export interface ReplayRecord {
  /** the dialog that first used message `id`; undefined when it is new */
  dialogOf(id: string): string | undefined;
  /** @returns when the entry is on disk */
  enter(id: string, dialogKey: string, expiresAt: number): Promise<void>;
}

/** One use of a key, for the audit log. Identifiers only. */
export interface KeyUse {
  readonly action: 'opened' | 'made' | 'received' | 'revoked';
  readonly keyType: string;
  /** hex of the 4-octet key identifier */
  readonly keyId: string;
  readonly initiator: string;
  readonly responder: string;
  readonly partner: string;
  readonly dialog: string;
  /** replay identifier of a message that was opened */
  readonly message?: string;
}

/** Key sets of the represented users. */
export interface UserKeySets {
  /** those that can open a message stamped `unixMs` */
  around(userUri: string, unixMs: number): Promise<readonly KmsKeySet[]>;
}

export interface KeyAudit {
  /** resolves when the record is on disk; a rejection means that the key must not be used */
  record(use: KeyUse): Promise<void>;
}
