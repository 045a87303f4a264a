/**
 * The PCK of one call as the media engine needs it. CS ID 0 protects what the maker of the I_MESSAGE
 * sends and CS ID 1 what the other side sends, whoever sent the INVITE (TS 33.180 E.2.3).
 */
import { equalBytes, toHex, wipe } from '../../base/bytes.js';
import { CS_ID, srtpKeys, type SrtpPolicy } from '../../mikey/index.js';
import type { SrtpKeyMaterial } from '../../srtp/index.js';
import type { OpenedPck, OwnPck } from '../ports/clients-port.js';
import { suiteOf } from '../srtp-suite.js';

export type KeyMaker = 'us' | 'peer';

interface KeySource {
  readonly key: Uint8Array;
  readonly keyId: Uint8Array;
  readonly csbId: Uint8Array;
  readonly rand: Uint8Array;
  readonly policy: SrtpPolicy;
}

export class CallKey {
  readonly maker: KeyMaker;
  /** octets of the I_MESSAGE that carried the key; public */
  readonly message: Uint8Array;
  /** hex of the PCK-ID */
  readonly keyId: string;
  readonly rand: Uint8Array;
  readonly send: SrtpKeyMaterial;
  readonly receive: SrtpKeyMaterial;

  private constructor(maker: KeyMaker, message: Uint8Array, source: KeySource) {
    this.maker = maker;
    this.message = message;
    this.keyId = toHex(source.keyId);
    this.rand = source.rand;
    const [ours, theirs] =
      maker === 'us'
        ? [CS_ID.mcpttPrivateInitiator, CS_ID.mcpttPrivateReceiver]
        : [CS_ID.mcpttPrivateReceiver, CS_ID.mcpttPrivateInitiator];
    this.send = material(source, ours);
    this.receive = material(source, theirs);
  }

  /** From a PCK that the peer made. Wipes the PCK. */
  static fromPeer(opened: OpenedPck, message: Uint8Array): CallKey {
    try {
      return new CallKey('peer', message, opened);
    } finally {
      wipe(opened.key);
    }
  }

  /** From a PCK made for this call. Wipes the PCK. */
  static fromOurs(made: OwnPck): CallKey {
    try {
      return new CallKey('us', made.message, { ...made, csbId: made.keyId });
    } finally {
      wipe(made.key);
    }
  }

  /** True when `message` is the one that carried this key, octet for octet. */
  isFrom(message: Uint8Array): boolean {
    return equalBytes(this.message, message);
  }

  /** True when both come from one I_MESSAGE, also where its signature was written another way. */
  sameAs(other: CallKey): boolean {
    return this.keyId === other.keyId && equalBytes(this.rand, other.rand);
  }

  /** Overwrites the master keys and salts. The key must not be used after it. */
  wipe(): void {
    for (const { masterKey, masterSalt } of [this.send, this.receive]) wipe(masterKey, masterSalt);
  }
}

function material(source: KeySource, csId: number): SrtpKeyMaterial {
  const { key, csbId, rand, policy } = source;
  const { keyLength, saltLength } = policy;
  return {
    suite: suiteOf(policy),
    ...srtpKeys({ key, csbId, rand, csId, keyLength, saltLength }),
    mki: source.keyId,
    rocRate: policy.roc?.rate ?? 0,
  };
}
