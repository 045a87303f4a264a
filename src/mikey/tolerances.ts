/**
 * Deviations of products in the field that may be taken on receipt, each switchable per partner. What we
 * send never deviates. Always taken, because nothing is lost by it: payloads in any order, SAKKE ID scheme
 * 1, SRTP-ID maps, key-parameter message types 0x40 to 0x7f, a ROC rate of 1 or 2 octets, keys of 32
 * octets, any ID type of a UID.
 */
export interface Tolerances {
  /** a signature made without the two octets of the SIGN header (Alea, Softil, Kapsch and others) */
  readonly signatureWithoutHeader: boolean;
  /** a SAKKE mask hashed from g^r without its leading zero octets (Streamwide, jim-b) */
  readonly strippedMask: boolean;
  /** a SED whose hint lost a leading zero octet (Streamwide) */
  readonly shortHint: boolean;
  /**
   * key parameters that are not encrypted, key types counted from 0 or from 1 (older Streamwide, MCSGW); and
   * encrypted ones of message type 0x40 whose Status is all zero beside a lifetime, taken for not revoked
   * (Alea)
   */
  readonly legacyKeyParameters: boolean;
}

/** For a partner of whom nothing is known: older key parameters are taken only when configured. */
export const DEFAULT_TOLERANCES: Tolerances = {
  signatureWithoutHeader: true,
  strippedMask: true,
  shortHint: true,
  legacyKeyParameters: false,
};

/** Everything there is, for commands that look at messages of any product. */
export const ALL_TOLERANCES: Tolerances = { ...DEFAULT_TOLERANCES, legacyKeyParameters: true };

/** Nothing but the specification. */
export const NO_TOLERANCES: Tolerances = {
  signatureWithoutHeader: false,
  strippedMask: false,
  shortHint: false,
  legacyKeyParameters: false,
};
