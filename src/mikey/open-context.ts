/** What opening a message asks of its surroundings, and what it gives. */
import type { Clock } from '../base/environment.js';
import type { EccsiVerifier, SlowCrypto } from '../crypto/index.js';
import type { KmsCertificate, KmsKeySet } from '../kms/index.js';
import type { KeyParameters } from './key-parameters.js';
import type { KeyType } from './key-types.js';
import type { SrtpPolicy } from './policy.js';
import type { Tolerances } from './tolerances.js';
import type { WindowRules } from './window.js';

/**
 * The replay record. Its key is made of the initiator's UID, CSB ID, RAND and T, never of the signature
 * or of an encoding.
 */
export interface ReplayRecord {
  /** asked before the signature is looked at */
  seen(replayId: string): 'new' | 'same-dialog' | 'replayed';
  /** called once the signature verified, before decapsulation, for a message that is new */
  enter(replayId: string): void | Promise<void>;
}

/** What is known when a key is about to be handed out; holds no key octet. */
export interface KeyUseFacts {
  readonly keyType: KeyType;
  readonly keyId: Uint8Array;
  readonly csbId: Uint8Array;
  readonly initiatorUri: string | null;
  readonly initiatorUid: Uint8Array;
  readonly responderUri: string;
  readonly initiatorKms: string;
  readonly responderKms: string;
  readonly timestamp: Date;
  readonly replayId: string;
}

export interface OpenContext {
  readonly clock: Clock;
  readonly slow: SlowCrypto;
  readonly verifier: EccsiVerifier;
  /** default DEFAULT_TOLERANCES */
  readonly tolerances?: Tolerances;
  /** the certificate of a KMS URI; undefined refuses with KMS_UNKNOWN */
  findCertificate(kmsUri: string): KmsCertificate | undefined;
  /** whether that KMS may vouch for this initiator's side; false refuses with KMS_NOT_ALLOWED */
  allowInitiatorKms?(certificate: KmsCertificate): boolean;
  /**
   * whether the initiator's URI lies in the domains of its KMS; false refuses with INITIATOR. By default
   * its host must be one of KmsDomainList, where the certificate has one.
   */
  initiatorDomainAllowed?(uri: string, certificate: KmsCertificate): boolean;
  /**
   * our key sets of that KMS, of all users and periods; where sets of other KMSs come too, a message to one of
   * our users under a wrong IDRkmsr is refused as KMS_NOT_ALLOWED instead of NOT_ADDRESSEE
   */
  findKeySets(kmsUri: string): Iterable<KmsKeySet> | Promise<Iterable<KmsKeySet>>;
  /** the initiator that is expected; another refuses with INITIATOR, also under identity hiding */
  readonly from?: string;
  /** key types that may be opened here; another refuses with KEY_TYPE. Default: all */
  readonly keyTypes?: readonly KeyType[];
  /** default DEFAULT_WINDOW */
  readonly window?: 'none' | WindowRules;
  readonly replay?: ReplayRecord;
  /** give a key that its parameters call revoked or expired, for a ring that must end what it holds */
  readonly allowEnded?: boolean;
  /** awaited after decapsulation, before the key is returned: its rejection refuses the message */
  beforeKeyUse?(facts: KeyUseFacts): Promise<void>;
  readonly signal?: AbortSignal;
  /** fairness key of the crypto queue */
  readonly caller?: string;
}

/** An opened message. The caller owns `key` and ends its life with wipe(). */
export interface OpenedKey {
  readonly keyType: KeyType;
  /** K-ID, 4 octets */
  readonly keyId: Uint8Array;
  /** 4 octets: GUK-ID of the receiver for a GMK, else the K-ID */
  readonly csbId: Uint8Array;
  /** the transported key, 16 octets (32 where the SED carried as many) */
  readonly key: Uint8Array;
  readonly rand: Uint8Array;
  readonly timestamp: Date;
  /** the identity whose UID verified the signature; the URI is null while identity hiding keeps it */
  readonly initiator: { readonly uri: string | null; readonly uid: Uint8Array };
  readonly responder: { readonly uri: string; readonly uid: Uint8Array };
  /** identities came hidden (E.7) */
  readonly hidden: { readonly initiator: boolean; readonly responder: boolean };
  readonly initiatorKms: string;
  readonly responderKms: string;
  readonly keyParameters: KeyParameters | null;
  /** from the SP, or the default profile of the key type */
  readonly policy: SrtpPolicy;
  readonly replayId: string;
  wipe(): void;
}
