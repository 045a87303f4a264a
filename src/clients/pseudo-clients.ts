/**
 * Pseudo MC clients (TS 33.180 L.3, L.4.2): for each represented radio user, the far end that
 * opens a PCK meant for it and makes one for a call it starts. All rules of trust for a private
 * call's key are here; the edge sees either a usable key or one refusal.
 */
import type { Clock, RandomBytes } from '../base/environment.js';
import { equalBytes, toHex, wipe } from '../base/bytes.js';
import { SegyError } from '../base/errors.js';
import type { EccsiVerifier, SlowCrypto } from '../crypto/index.js';
import { uidOf } from '../kms/index.js';
import {
  defaultPolicy,
  makeIMessage,
  newKeyId,
  ntpToUnixMs,
  openIMessage,
  parseIMessage,
  periodsAround,
  readFacts,
} from '../mikey/index.js';
import type { Identity, MessageFacts, OpenedKey, SrtpPolicy, Tolerances } from '../mikey/index.js';
import type { Credentials } from './credentials.js';
import type { Directory, RepresentedUser } from './directory.js';
import { domainAllowed, PartnerTrust } from './partner-trust.js';
import type { TrustedPartner } from './partner-trust.js';
import type { KeyAudit, OwnDomain, PartnerCertificates, ReplayRecord } from './ports.js';

/** Octets of a PCK and of the RAND sent with it (TS 33.180 E.1.1). */
const KEY_OCTETS = 16;
const RAND_OCTETS = 16;
/** What the clients must know of a partner; the edge's partner profile has these fields. */
export interface PartnerView extends TrustedPartner {
  readonly tolerances: Tolerances;
  readonly windows: { readonly pckSeconds: number };
  readonly outgoing: { readonly hideIdentities: boolean };
}

export interface OpenPckRequest {
  /** octets of the I_MESSAGE */
  readonly message: Uint8Array;
  readonly partner: PartnerView;
  /** names the dialog, so that a repeat within it is told from a replay elsewhere */
  readonly dialogKey: string;
  /** MC service ID that SIP names as called */
  readonly callee: string;
  /** MC service ID that SIP names as calling; null where it names none */
  readonly caller: string | null;
  readonly signal?: AbortSignal;
}

export interface MakePckRequest {
  readonly caller: RepresentedUser;
  readonly calleeUri: string;
  readonly partner: PartnerView;
  /** names the dialog in the audit record */
  readonly dialogKey: string;
  readonly signal?: AbortSignal;
}

/** A PCK with the message that carries it to the other side. */
export interface MadePck {
  readonly message: Uint8Array;
  readonly key: Uint8Array;
  readonly keyId: Uint8Array;
  readonly rand: Uint8Array;
  readonly policy: SrtpPolicy;
  wipe(): void;
}

/** An opened PCK with the identity whose UID verified the signature. */
export type OpenedPck = OpenedKey & { readonly initiatorUri: string };

export interface PseudoClientsOptions {
  readonly directory: Directory;
  readonly credentials: Credentials;
  readonly domain: OwnDomain;
  readonly certificates: PartnerCertificates;
  readonly replay: ReplayRecord;
  readonly audit: KeyAudit;
  readonly slow: SlowCrypto;
  readonly verifier: EccsiVerifier;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

export class PseudoClients {
  readonly #options: PseudoClientsOptions;
  readonly #trust: PartnerTrust;

  constructor(options: PseudoClientsOptions) {
    this.#options = options;
    this.#trust = new PartnerTrust(options.domain, options.certificates);
  }

  byUri(mcServiceId: string): RepresentedUser | undefined {
    return this.#options.directory.byUri(mcServiceId);
  }

  byPbxUser(userPart: string): RepresentedUser | undefined {
    return this.#options.directory.byPbxUser(userPart);
  }

  /**
   * Opens a PCK for a represented user and says who sent it. The initiator is the identity whose
   * UID verified the signature, never a SIP header.
   * @throws SegyError SEGY_E_MIKEY_* of the first check that failed, SEGY_E_IDENTITY_MISMATCH when
   *   SIP and MIKEY name different people, SEGY_E_UNKNOWN_CALLEE, SEGY_E_AUDIT
   */
  async openPck(request: OpenPckRequest): Promise<OpenedPck> {
    const { message, partner, dialogKey, callee, caller, signal } = request;
    const { credentials, directory, replay, clock, slow, verifier } = this.#options;
    if (directory.byUri(callee) === undefined) {
      throw new SegyError('SEGY_E_UNKNOWN_CALLEE', 'the called identity is not represented here');
    }
    const facts = readFacts(parseIMessage(message), partner.tolerances);
    refuseOtherIdentity(facts.responder, callee, 'called');
    if (caller !== null) refuseOtherIdentity(facts.initiator, caller, 'calling');
    const initiatorUri = facts.initiator.kind === 'visible' ? facts.initiator.uri : caller;
    if (initiatorUri === null) {
      throw new SegyError(
        'SEGY_E_IDENTITY_MISMATCH',
        'the identities are hidden and SIP names no calling user to recompute them from',
      );
    }
    const windowMs = partner.windows.pckSeconds * 1000;
    const timestampMs = ntpToUnixMs(facts.timestamp, clock.now());
    this.#refuseOtherHiddenInitiator(facts, initiatorUri, timestampMs);
    const opened = await openIMessage(message, {
      clock,
      slow,
      verifier,
      tolerances: partner.tolerances,
      caller: partner.name,
      from: initiatorUri,
      keyTypes: ['PCK'],
      window: { aheadMs: windowMs, behindMs: windowMs, groupAheadMs: windowMs },
      findCertificate: (kmsUri) => this.#trust.findCertificate(kmsUri),
      allowInitiatorKms: (certificate) => this.#trust.isKmsOf(partner, certificate),
      initiatorDomainAllowed: (uri, certificate) => domainAllowed(uri, certificate, partner),
      findKeySets: () => credentials.around(callee, timestampMs),
      replay: {
        seen: (id) => {
          const dialog = replay.dialogOf(id);
          if (dialog === undefined) return 'new';
          return dialog === dialogKey ? 'same-dialog' : 'replayed';
        },
        enter: (id) => replay.enter(id, dialogKey, timestampMs + windowMs),
      },
      beforeKeyUse: (use) =>
        this.#options.audit.record({
          action: 'opened',
          keyType: use.keyType,
          keyId: toHex(use.keyId),
          initiator: initiatorUri,
          responder: callee,
          partner: partner.name,
          dialog: dialogKey,
          message: use.replayId,
        }),
      ...(signal && { signal }),
    });
    return { ...opened, initiatorUri };
  }

  /**
   * Makes a fresh PCK for a call from a represented user, encapsulated under the callee's domain.
   * @throws SegyError SEGY_E_MIKEY_KMS_UNKNOWN when the partner has no usable certificate for the
   *   callee, SEGY_E_AUDIT, SEGY_E_BUSY
   */
  async makePck(request: MakePckRequest): Promise<MadePck> {
    const { caller, calleeUri, partner, dialogKey, signal } = request;
    const { credentials, domain, random, clock, slow } = this.#options;
    const responderCertificate = this.#trust.certificateFor(calleeUri, partner);
    const timestamp = new Date(clock.now());
    const initiatorKeySet = await credentials.at(caller.uri, timestamp.getTime());
    const key = random(KEY_OCTETS);
    const keyId = newKeyId('PCK', random);
    const rand = random(RAND_OCTETS);
    const policy = defaultPolicy('PCK');
    try {
      const message = await makeIMessage(
        {
          keyType: 'PCK',
          key,
          keyId,
          rand,
          policy,
          timestamp,
          initiatorUri: caller.uri,
          initiatorCertificate: domain.certificate,
          initiatorKeySet,
          responderUri: calleeUri,
          responderCertificate,
          hideIdentities: partner.outgoing.hideIdentities,
        },
        { clock, slow, random, caller: partner.name, ...(signal && { signal }) },
      );
      await this.#options.audit.record({
        action: 'made',
        keyType: 'PCK',
        keyId: toHex(keyId),
        initiator: caller.uri,
        responder: calleeUri,
        partner: partner.name,
        dialog: dialogKey,
      });
      return { message, key, keyId, rand, policy, wipe: () => wipe(key) };
    } catch (error) {
      wipe(key);
      throw error;
    }
  }

  /** Of a hidden initiator, SIP's identity must recompute to the UID (TS 33.180 5.2.6). */
  #refuseOtherHiddenInitiator(facts: MessageFacts, uri: string, timestampMs: number): void {
    const certificate = this.#trust.findCertificate(facts.initiatorKms);
    const { initiator } = facts;
    if (initiator.kind === 'visible' || certificate === undefined) return;
    const isSame = periodsAround(certificate, timestampMs).some((period) =>
      equalBytes(uidOf(certificate, uri, period), initiator.uid),
    );
    if (!isSame) {
      throw new SegyError('SEGY_E_IDENTITY_MISMATCH', 'the hidden initiator is not whom SIP names');
    }
  }
}

/** Compares what a visible identity says; a hidden one is recomputed where its signature is checked. */
function refuseOtherIdentity(inMikey: Identity, inSip: string, role: string): void {
  if (inMikey.kind === 'hidden' || inMikey.uri === inSip) return;
  throw new SegyError('SEGY_E_IDENTITY_MISMATCH', `SIP and MIKEY name different ${role} users`);
}
