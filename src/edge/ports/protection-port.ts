/** What the edge uses of signalling protection; src/protect provides it. */
import type { PartnerConfig } from '../../config/index.js';
import type { SipMessage } from '../../sip/index.js';

/** What a request that opens something says of itself. */
export interface RequestFacts {
  /** calling user of the body; null where none is named */
  readonly caller: string | null;
  /** whom it is for */
  readonly targets: readonly string[];
  /** names the dialog, the same through retries */
  readonly dialogKey: string;
}

export interface ProtectionPort {
  /**
   * Makes the body of a message from `partner` clear, in place.
   * @param about the request that the message is, or answers
   * @returns the EAR it carried; null without one
   * @throws SegyError; the message is then as it was
   */
  open(partner: PartnerConfig, message: SipMessage, about: SipMessage): Uint8Array | null;
  /** Protects the body of a message to `partner`, in place. @throws SegyError */
  seal(partner: PartnerConfig, message: SipMessage, about: SipMessage): void;
  /**
   * An identity that stands in a header of `about`, which came from `partner`, clear.
   * @throws SegyError SEGY_E_XML_PROTECTED, SEGY_E_XML_DECRYPT, SEGY_E_SPK_*
   */
  openUri(partner: PartnerConfig, uri: string, about: SipMessage): string;
  /** An identity for a header of `about`, which goes to `partner`. @throws SegyError SEGY_E_SPK_* */
  sealUri(partner: PartnerConfig, uri: string, about: SipMessage): string;
  /** whether requests of the partner that open something need `admit` */
  demandsEar(partner: PartnerConfig): boolean;
  /** whether such requests may name external identities only */
  demandsExternal(partner: PartnerConfig): boolean;
  /**
   * Checks the EAR of a request that opens something.
   * @returns when what it started must end, in milliseconds since 1970; null for never
   * @throws SegyError SEGY_E_EAR_*
   */
  admit(
    partner: PartnerConfig,
    ear: Uint8Array | null,
    facts: RequestFacts,
  ): Promise<number | null>;
  /** Puts an EAR of `caller` into a request to `partner` where its profile asks for one. */
  authenticate(partner: PartnerConfig, request: SipMessage, caller: string): Promise<void>;
}
