/**
 * The key of a private call as a user of the simulated domain makes and opens it (TS 33.180 clause 7.3).
 * CS ID 0 is sent by who made the I_MESSAGE, CS ID 1 by the other side.
 */
import {
  CS_ID,
  defaultPolicy,
  makeIMessage,
  newKeyId,
  openIMessage,
  srtpKeys,
} from '../mikey/index.js';
import type { SrtpPolicy } from '../mikey/index.js';
import type { SrtpKeyMaterial } from '../srtp/index.js';
import type { SimDomain } from './domain.js';
import type { DirectionKeys } from './protection.js';

const KEY_OCTETS = 16;

export interface Pck {
  /** octets of the I_MESSAGE that carries it */
  readonly message: Uint8Array;
  readonly key: Uint8Array;
  /** PCK-ID, four octets; also the CSB-ID and the MKI */
  readonly keyId: Uint8Array;
  readonly rand: Uint8Array;
  readonly policy: SrtpPolicy;
  /** true when our side made the message */
  readonly ours: boolean;
}

export interface PckRequest {
  readonly caller: string;
  readonly callee: string;
  /** who signs; another user than `caller` only to misbehave */
  readonly signer?: string;
  /** time stamp T; another one than now only to misbehave */
  readonly timestamp?: Date;
  readonly hideIdentities?: boolean;
}

/** Makes a PCK and the message that carries it to `callee`. */
export async function makePck(domain: SimDomain, request: PckRequest): Promise<Pck> {
  const { random, clock } = domain.env;
  const key = random(KEY_OCTETS);
  const keyId = newKeyId('PCK', random);
  const rand = random(KEY_OCTETS);
  const signer = request.signer ?? request.caller;
  const timestamp = request.timestamp ?? new Date(clock.now());
  const message = await makeIMessage(
    {
      keyType: 'PCK',
      key,
      keyId,
      rand,
      initiatorUri: signer,
      initiatorCertificate: domain.certificate,
      initiatorKeySet: await domain.keySet(signer, timestamp.getTime()),
      responderUri: request.callee,
      responderCertificate: domain.certificateOf(request.callee),
      timestamp,
      hideIdentities: request.hideIdentities ?? false,
    },
    { clock, slow: domain.slow, random },
  );
  return { message, key, keyId, rand, policy: defaultPolicy('PCK'), ours: true };
}

/**
 * Opens a PCK that `caller` made for our user `callee`.
 * @throws SegyError of the MIKEY codes
 */
export async function openPck(
  domain: SimDomain,
  request: { readonly message: Uint8Array; readonly caller: string; readonly callee: string },
): Promise<Pck> {
  const opened = await openIMessage(request.message, {
    clock: domain.env.clock,
    slow: domain.slow,
    verifier: domain.verifier,
    findCertificate: (kmsUri) => domain.find(kmsUri),
    findKeySets: async () => [await domain.keySet(request.callee)],
    from: request.caller,
    keyTypes: ['PCK'],
  });
  return {
    message: request.message,
    key: opened.key,
    keyId: opened.keyId,
    rand: opened.rand,
    policy: opened.policy,
    ours: false,
  };
}

/** SRTP keys of the call as our side uses them; their octets are new and the caller's to wipe. */
export function directionKeys(pck: Pck): DirectionKeys {
  const initiator = srtpMaterial(pck, CS_ID.mcpttPrivateInitiator);
  const receiver = srtpMaterial(pck, CS_ID.mcpttPrivateReceiver);
  return pck.ours ? { send: initiator, receive: receiver } : { send: receiver, receive: initiator };
}

function srtpMaterial(pck: Pck, csId: number): SrtpKeyMaterial {
  const { masterKey, masterSalt } = srtpKeys({
    key: pck.key,
    csbId: pck.keyId,
    rand: pck.rand,
    csId,
  });
  return {
    suite: pck.policy.encryption === 'AES-CM' ? 'AES_CM_128_HMAC_SHA1_80' : 'AEAD_AES_128_GCM',
    masterKey,
    masterSalt,
    mki: pck.keyId,
    rocRate: pck.policy.roc?.rate ?? 0,
  };
}
