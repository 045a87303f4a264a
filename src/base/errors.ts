/**
 * The one error class of the product and its closed set of codes.
 * docs/errors.md is checked against this table by a test.
 */

interface ErrorCodeEntry {
  /** SIP status of the refusal this code causes; null where it never reaches SIP */
  readonly sip: number | null;
  /** what it means, one line, for docs and the SIP Warning text */
  readonly summary: string;
}

const MIKEY_CODES = {
  SEGY_E_MIKEY_SYNTAX: { sip: 488, summary: 'the MIKEY message is malformed' },
  SEGY_E_MIKEY_TRUNCATED: { sip: 488, summary: 'the MIKEY message ends too early' },
  SEGY_E_MIKEY_VERSION: { sip: 488, summary: 'the MIKEY version is not 1' },
  SEGY_E_MIKEY_UNSUPPORTED: {
    sip: 488,
    summary: 'the MIKEY message uses a type, scheme or function that is not supported',
  },
  SEGY_E_MIKEY_MISSING_PAYLOAD: { sip: 488, summary: 'a mandatory MIKEY payload is missing' },
  SEGY_E_MIKEY_SIGNATURE: { sip: 488, summary: 'the ECCSI signature does not verify' },
  SEGY_E_MIKEY_SAKKE: { sip: 488, summary: 'the SAKKE data does not decapsulate' },
  SEGY_E_MIKEY_NOT_ADDRESSEE: {
    sip: 488,
    summary: 'the MIKEY message is for an identity without a key set here',
  },
  SEGY_E_MIKEY_INITIATOR: {
    sip: 488,
    summary: 'the initiator is not the expected user, or outside the domains of its KMS',
  },
  SEGY_E_MIKEY_KMS_UNKNOWN: { sip: 488, summary: 'a KMS URI names no trusted certificate' },
  SEGY_E_MIKEY_KMS_NOT_ALLOWED: {
    sip: 488,
    summary: 'the KMS is known but not allowed here, revoked, or outside its validity',
  },
  SEGY_E_MIKEY_PERIOD: { sip: 488, summary: 'no key set is held for the key period' },
  SEGY_E_MIKEY_WINDOW: { sip: 488, summary: 'the time stamp is outside the allowed window' },
  SEGY_E_MIKEY_REPLAYED: { sip: 488, summary: 'the MIKEY message was already used elsewhere' },
  SEGY_E_MIKEY_KEY_PARAMETERS: {
    sip: 488,
    summary: 'the key parameters do not decrypt or are malformed',
  },
  SEGY_E_MIKEY_KEY_TYPE: {
    sip: 488,
    summary: 'the purpose tag, the key parameters and the use do not name one key type',
  },
  SEGY_E_MIKEY_REVOKED: { sip: 488, summary: 'the key or the key set is revoked' },
  SEGY_E_MIKEY_EXPIRED: { sip: 488, summary: 'the key has expired' },
  SEGY_E_MIKEY_POLICY: { sip: 488, summary: 'the security policy of the message is not allowed' },
} as const satisfies Record<string, ErrorCodeEntry>;

const HTTPS_CODES = {
  SEGY_E_HTTP: { sip: null, summary: 'an HTTPS request is malformed or over a limit' },
  SEGY_E_TLS_PEER: {
    sip: null,
    summary: 'a TLS handshake failed, or the peer is not the pinned one',
  },
  SEGY_E_PARTNER_IDM: {
    sip: null,
    summary: 'the IdM or GMS of a partner cannot be reached, or its answer cannot be used',
  },
} as const satisfies Record<string, ErrorCodeEntry>;

const TOKEN_CODES = {
  SEGY_E_TOKEN: {
    sip: null,
    summary: 'a token is not of the form, kind, issuer, audience or lifetime that is taken',
  },
  SEGY_E_TOKEN_SIGNATURE: { sip: null, summary: 'a token is signed by no key of its issuer' },
  SEGY_E_TOKEN_EXPIRED: { sip: null, summary: 'a token is past its end' },
  SEGY_E_TOKEN_REPLAYED: {
    sip: null,
    summary: 'a token was presented by another client, or may be used once only',
  },
  SEGY_E_TOKEN_CLIENT: { sip: null, summary: 'a client of the IdM does not authenticate' },
  SEGY_E_TOKEN_REQUEST: {
    sip: null,
    summary: 'a token request is malformed, or asks for what is not granted',
  },
} as const satisfies Record<string, ErrorCodeEntry>;

/** Every code there is. A code, once released, keeps its name and meaning. */
export const ERROR_CODES = {
  ...MIKEY_CODES,
  ...HTTPS_CODES,
  ...TOKEN_CODES,
  SEGY_E_ARGUMENT: { sip: null, summary: 'a function was called with an argument it refuses' },
  SEGY_E_INTERNAL: { sip: 500, summary: 'an internal invariant failed' },
  SEGY_E_USAGE: { sip: null, summary: 'the command line is wrong' },
  SEGY_E_CONFIG: { sip: null, summary: 'the configuration is wrong' },
  SEGY_E_IO: { sip: 500, summary: 'a file or device could not be read or written' },
  SEGY_E_BUSY: { sip: 503, summary: 'a bounded queue is full' },
  SEGY_E_DRAINING: { sip: 503, summary: 'the gateway is ending and takes no new call' },
  SEGY_E_CANCELLED: { sip: 487, summary: 'the operation was cancelled' },
  SEGY_E_TIMEOUT: { sip: 504, summary: 'a deadline passed' },
  SEGY_E_XML: { sip: 400, summary: 'the XML is malformed or uses a forbidden construct' },
  SEGY_E_XML_SIGNATURE: {
    sip: 403,
    summary: 'the XML signature is missing, uses what is not allowed, or does not verify',
  },
  SEGY_E_SIP_SYNTAX: { sip: 400, summary: 'the SIP message, SDP or multipart body is malformed' },
  SEGY_E_SIP_TOO_LARGE: { sip: 413, summary: 'the SIP message or a part of it is too large' },
  SEGY_E_SIP_LOOP: { sip: 482, summary: 'the request has been here before' },
  SEGY_E_SIP_TOO_MANY_HOPS: { sip: 483, summary: 'Max-Forwards reached zero' },
  SEGY_E_SIP_METHOD: { sip: 405, summary: 'the SIP method is not allowed here' },
  SEGY_E_SIP_NO_DIALOG: { sip: 481, summary: 'no such call or transaction' },
  SEGY_E_REFER_REFUSED: { sip: 403, summary: 'this call may not be transferred' },
  SEGY_E_REFER_TO: {
    sip: 400,
    summary: 'Refer-To is malformed, or holds more than one identity and a Replaces',
  },
  SEGY_E_REFER_TARGET: { sip: 403, summary: 'Refer-To names nobody that the call may go to' },
  SEGY_E_SIP_BODY: { sip: 415, summary: 'a body of this type cannot be passed on' },
  SEGY_E_SIP_TRANSPORT: { sip: 503, summary: 'the SIP peer could not be reached' },
  SEGY_E_SIP_REFUSED: { sip: null, summary: 'the SIP peer refused a request of ours' },
  SEGY_E_UNKNOWN_SOURCE: { sip: 403, summary: 'the source is no partner' },
  SEGY_E_RATE: { sip: 503, summary: 'the partner exceeds its rate' },
  SEGY_E_BAD_IDENTITY: { sip: 404, summary: 'an identity cannot be passed to the PBX' },
  SEGY_E_UNKNOWN_CALLEE: { sip: 404, summary: 'the called identity is not represented here' },
  SEGY_E_UNKNOWN_CALLER: { sip: 403, summary: 'the calling user is not represented here' },
  SEGY_E_CALLEE_UNDETERMINED: {
    sip: 403,
    summary: 'the request does not name exactly one called user',
  },
  SEGY_E_CALL_TYPE: { sip: 403, summary: 'a session of this type is not served' },
  SEGY_E_XML_PROTECTED: {
    sip: 403,
    summary: 'an XML element is encrypted and no signalling key is held for it',
  },
  SEGY_E_XML_UNSIGNED: { sip: 403, summary: 'policy demands a signature over every XML body' },
  SEGY_E_XML_CLEAR: { sip: 403, summary: 'policy demands encryption and an element came clear' },
  SEGY_E_XML_PLACE: {
    sip: 403,
    summary: 'an encrypted element or identity stands where none may be',
  },
  SEGY_E_XML_DECRYPT: { sip: 403, summary: 'an encrypted element does not decrypt' },
  SEGY_E_SPK_UNKNOWN: { sip: 403, summary: 'no SPK of this identifier is held for the partner' },
  SEGY_E_SPK_VALIDITY: { sip: 403, summary: 'the SPK is outside its validity' },
  SEGY_E_SPK_NONE: { sip: 503, summary: 'no SPK is valid, so nothing can be protected' },
  SEGY_E_NOT_EXTERNAL: {
    sip: 403,
    summary: 'a request of the partner names an identity of another domain',
  },
  SEGY_E_EAR_REQUIRED: { sip: 403, summary: 'policy demands an EAR and the request has none' },
  SEGY_E_EAR_SYNTAX: { sip: 403, summary: 'the EAR is malformed' },
  SEGY_E_EAR_TARGET: { sip: 403, summary: 'the EAR is for another target' },
  SEGY_E_EAR_WINDOW: { sip: 403, summary: 'the time of the EAR is outside the allowed window' },
  SEGY_E_EAR_EXPIRED: { sip: 403, summary: 'the EAR has expired' },
  SEGY_E_EAR_REPLAYED: { sip: 403, summary: 'the EAR was already used elsewhere' },
  SEGY_E_EAR_ROLE: { sip: 403, summary: 'the role or request type of the EAR is not allowed' },
  SEGY_E_EAR_SOURCE: { sip: 403, summary: 'the EAR is of another identity than the request' },
  SEGY_E_EAR_SIGNATURE: { sip: 403, summary: 'the signature of the EAR does not verify' },
  SEGY_E_UNKNOWN_PARTNER: { sip: 404, summary: 'no partner serves the called domain' },
  SEGY_E_IDENTITY_MISMATCH: {
    sip: 488,
    summary: 'the identity in SIP and the identity in MIKEY differ',
  },
  SEGY_E_KEY_REQUIRED: { sip: 488, summary: 'policy demands protected media and no key came' },
  SEGY_E_OFFER_REQUIRED: {
    sip: 488,
    summary: 'an INVITE without an SDP offer cannot be protected',
  },
  SEGY_E_MEDIA_ADDRESS: { sip: 488, summary: 'the inner SDP names an address that is not allowed' },
  SEGY_E_MEDIA_PORTS: { sip: 503, summary: 'no media port is free' },
  SEGY_E_MEDIA: { sip: 488, summary: 'the media description cannot be served' },
  SEGY_E_MEDIA_ENDED: { sip: 503, summary: 'the media session or its worker has ended' },
  SEGY_E_SRTP_INDEX: { sip: null, summary: 'an SRTP index would repeat or is used up' },
  SEGY_E_PBX_DOWN: { sip: 503, summary: 'the PBX control link is down' },
  SEGY_E_PBX_NO_CHANNEL: {
    sip: 480,
    summary: 'the PBX channel of the call did not appear in time',
  },
  SEGY_E_PBX: { sip: 503, summary: 'a PBX command failed' },
  SEGY_E_STORE: { sip: 500, summary: 'a sealed record cannot be read or written' },
  SEGY_E_STORE_LOCKED: { sip: null, summary: 'another process has the store open' },
  SEGY_E_STORE_KEY: { sip: null, summary: 'the master key is missing, unsafe or the wrong one' },
  SEGY_E_NO_GROUP_KEY: { sip: 488, summary: 'no usable key is held for the group' },
  SEGY_E_ACCESS_TOKEN: {
    sip: null,
    summary: 'a partner asks for an access token and none can be had',
  },
  SEGY_E_NOT_GROUP_GMS: {
    sip: 488,
    summary: 'a group key is signed by an identity that is not the GMS of the group',
  },
  SEGY_E_UNKNOWN_GROUP: { sip: 404, summary: 'the group is not configured for this partner' },
  SEGY_E_GROUP: { sip: null, summary: 'a group that is homed here would break a rule' },
  SEGY_E_GROUP_DOCUMENT: {
    sip: null,
    summary: 'a group document is not of its schema, or says what cannot be kept',
  },
  SEGY_E_NOT_GROUP_MEMBER: { sip: 403, summary: 'the user is no member of the group' },
  SEGY_E_CHANGED: {
    sip: null,
    summary: 'what was to be changed is not what it was when it was read',
  },
  SEGY_E_KEY_CONFLICT: {
    sip: 488,
    summary: 'the key, its identifier or its RAND contradicts a key that is held',
  },
  SEGY_E_AUDIT: { sip: 503, summary: 'the audit record could not be written, so no key is used' },
  SEGY_E_KMS_DOCUMENT: { sip: null, summary: 'a KMS document is malformed or breaks a rule' },
  SEGY_E_KMS_EXISTS: { sip: null, summary: 'a different certificate is held for this KMS URI' },
  SEGY_E_KMS_FINGERPRINT: { sip: null, summary: 'the fingerprint is not the expected one' },
  SEGY_E_ADMIN: {
    sip: null,
    summary: 'a request on the command socket is malformed, too large or names no command',
  },
  SEGY_E_CONSOLE: {
    sip: null,
    summary: 'a request to the console comes without a good token, too often or from another page',
  },
  SEGY_E_NOT_RUNNING: { sip: null, summary: 'no gateway runs that could carry the command out' },
  SEGY_E_NOT_FOUND: { sip: 404, summary: 'no such object' },
} as const satisfies Record<string, ErrorCodeEntry>;

export type SegyErrorCode = keyof typeof ERROR_CODES;
export type MikeyErrorCode = keyof typeof MIKEY_CODES;

/**
 * An error with a stable code. The message says what and where and never holds a key octet.
 */
export class SegyError extends Error {
  readonly code: SegyErrorCode;
  /** what a caller may act on, by name; identifiers only */
  readonly details: Readonly<Record<string, string>>;

  constructor(
    code: SegyErrorCode,
    message: string,
    options?: { cause?: unknown; details?: Readonly<Record<string, string>> },
  ) {
    super(message, options);
    this.name = 'SegyError';
    this.code = code;
    this.details = options?.details ?? {};
  }

  /** SIP status of the refusal; 500 for a code that has none of its own. */
  get sipStatus(): number {
    return ERROR_CODES[this.code].sip ?? 500;
  }
}

/** `error` itself when it is a SegyError, else one of code SEGY_E_INTERNAL with it as cause. */
export function toSegyError(error: unknown): SegyError {
  if (error instanceof SegyError) return error;
  return new SegyError('SEGY_E_INTERNAL', error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}
