/** What the edge uses of the pseudo MC clients; src/clients provides it. */
import type { PartnerConfig } from '../../config/index.js';
import type { OpenedKey, SrtpPolicy } from '../../mikey/index.js';

/** A radio user whom the gateway represents: MC service ID and SIP user part on the PBX side. */
export interface RadioUser {
  readonly uri: string;
  readonly pbx: string;
}

export interface PckToOpen {
  /** octets of the I_MESSAGE */
  readonly message: Uint8Array;
  readonly partner: PartnerConfig;
  /** names the dialog, so that the same message may come again in it and nowhere else */
  readonly dialogKey: string;
  /** MC service ID that IDRr must be */
  readonly callee: string;
  /** MC service ID that SIP names as calling, which the initiator must be; null where it names none */
  readonly caller: string | null;
  readonly signal: AbortSignal;
}

export interface PckToMake {
  readonly caller: RadioUser;
  readonly calleeUri: string;
  readonly partner: PartnerConfig;
  readonly dialogKey: string;
  readonly signal: AbortSignal;
}

/** An opened PCK with the identity whose UID verified the signature. The receiver wipes `key`. */
export type OpenedPck = Pick<OpenedKey, 'key' | 'keyId' | 'csbId' | 'rand' | 'policy'> & {
  readonly initiatorUri: string;
};

/** A PCK made here. `message` is public; the receiver wipes `key`. */
export interface OwnPck {
  readonly message: Uint8Array;
  readonly key: Uint8Array;
  readonly keyId: Uint8Array;
  readonly rand: Uint8Array;
  readonly policy: SrtpPolicy;
}

export interface ClientsPort {
  byUri(mcServiceId: string): RadioUser | undefined;
  byPbxUser(userPart: string): RadioUser | undefined;
  /** @throws SegyError SEGY_E_MIKEY_*, SEGY_E_IDENTITY_MISMATCH, SEGY_E_AUDIT, SEGY_E_BUSY */
  openPck(request: PckToOpen): Promise<OpenedPck>;
  /** @throws SegyError SEGY_E_MIKEY_KMS_UNKNOWN, SEGY_E_AUDIT, SEGY_E_BUSY */
  makePck(request: PckToMake): Promise<OwnPck>;
}
