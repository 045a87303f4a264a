/**
 * What an I_MESSAGE says, once its payloads are known to be the ones TS 33.180 E.1.2 demands, each once
 * and each of a kind we support. No key is touched here and no signature believed yet.
 */
import { SegyError, type SegyErrorCode } from '../base/errors.js';
import type { CsIdMap, MikeyHeader } from './header.js';
import { type KeyType, keyTypeOf } from './key-types.js';
import type { IMessage } from './message.js';
import {
  type GePayload,
  ID_ROLE,
  type IdrPayload,
  type Payload,
  type PayloadName,
  type SpPayload,
} from './payloads.js';
import type { Tolerances } from './tolerances.js';

/** One end of the message: a visible identity or, under identity hiding (E.7), a UID. */
export type Identity =
  | { readonly kind: 'visible'; readonly uri: string }
  | { readonly kind: 'hidden'; readonly uid: Uint8Array };

export interface MessageFacts {
  readonly keyType: KeyType;
  readonly csbId: Uint8Array;
  readonly csIdMap: CsIdMap;
  /** 8 octets of NTP-UTC */
  readonly timestamp: Uint8Array;
  readonly rand: Uint8Array;
  readonly initiator: Identity;
  readonly responder: Identity;
  /** IDRkmsi */
  readonly initiatorKms: string;
  /** IDRkmsr */
  readonly responderKms: string;
  readonly policies: readonly SpPayload[];
  readonly sed: Uint8Array;
  /** octets of the transported key, by the length of the SED */
  readonly keyOctets: 16 | 32;
  /** SAKKE-to-self, key parameters and whatever else there is */
  readonly extensions: readonly GePayload[];
  readonly signature: Uint8Array;
}

const ROLES: readonly number[] = Object.values(ID_ROLE);
const PRF_HMAC_SHA_256 = 1;
const NTP_UTC = 0;
const MIN_RAND = 16;
const SAKKE_PARAMETER_SET = 1;
/** 1: tel URI with monthly keys, printed in E.3.1 and sent by older products; the UID is F.2.1's in any case. */
const SAKKE_ID_SCHEMES: readonly number[] = [1, 2];
const ECCSI = 2;
const SIGNATURE_OCTETS = 129;
const ID_TYPE_NAI = 0;
const ID_TYPE_URI = 1;
const UID_OCTETS = 32;
/** octets of the longest identity taken */
const MAX_IDENTITY = 1024;
const R_B_OCTETS = 257;

function refuse(code: SegyErrorCode, what: string): never {
  throw new SegyError(code, what);
}

const syntax = (what: string): never => refuse('SEGY_E_MIKEY_SYNTAX', what);
const unsupported = (what: string): never => refuse('SEGY_E_MIKEY_UNSUPPORTED', what);

type Named<N extends PayloadName> = Extract<Payload, { name: N }>;

function all<N extends PayloadName>(message: IMessage, name: N): readonly Named<N>[] {
  return message.payloads.filter((payload): payload is Named<N> => payload.name === name);
}

/** The payload of a kind that stands once. */
function one<N extends PayloadName>(message: IMessage, name: N): Named<N> {
  const [first, second] = all(message, name);
  if (second !== undefined) syntax(`${name} stands twice`);
  return first ?? refuse('SEGY_E_MIKEY_MISSING_PAYLOAD', `no ${name} payload`);
}

function textOf(idr: IdrPayload, what: string): string {
  if (idr.idType !== ID_TYPE_URI && idr.idType !== ID_TYPE_NAI) {
    unsupported(`${what} of ID type ${idr.idType}`);
  }
  if (idr.data.length === 0 || idr.data.length > MAX_IDENTITY) {
    syntax(`${what} of ${idr.data.length} octets`);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(idr.data);
  } catch (cause) {
    throw new SegyError('SEGY_E_MIKEY_SYNTAX', `${what} is not UTF-8`, { cause });
  }
  if (/[\p{Cc}\s]/u.test(text)) syntax(`${what} holds a control character or white space`);
  return text;
}

class Identities {
  readonly #byRole = new Map<number, IdrPayload>();

  constructor(message: IMessage) {
    for (const idr of all(message, 'IDR')) {
      if (!ROLES.includes(idr.role)) continue;
      if (this.#byRole.has(idr.role)) syntax(`IDR of role ${idr.role} stands twice`);
      this.#byRole.set(idr.role, idr);
    }
  }

  text(role: 'IDRkmsi' | 'IDRkmsr'): string {
    const idr = this.#byRole.get(ID_ROLE[role]);
    if (idr === undefined) return refuse('SEGY_E_MIKEY_MISSING_PAYLOAD', `no ${role} payload`);
    return textOf(idr, role);
  }

  end(visible: 'IDRi' | 'IDRr', hidden: 'IDRuidi' | 'IDRuidr'): Identity {
    const clear = this.#byRole.get(ID_ROLE[visible]);
    const uid = this.#byRole.get(ID_ROLE[hidden]);
    if (clear !== undefined && uid !== undefined) return syntax(`${visible} and ${hidden}`);
    if (clear !== undefined) return { kind: 'visible', uri: textOf(clear, visible) };
    if (uid === undefined) {
      return refuse('SEGY_E_MIKEY_MISSING_PAYLOAD', `no ${visible} and no ${hidden} payload`);
    }
    // Products differ in the ID type of a UID, so any is taken.
    if (uid.data.length !== UID_OCTETS) return syntax(`${hidden} of ${uid.data.length} octets`);
    return { kind: 'hidden', uid: uid.data };
  }
}

function checkHeader(header: MikeyHeader): KeyType {
  if (header.v) unsupported('a verification message is asked for');
  if (header.prfFunc !== PRF_HMAC_SHA_256) unsupported(`PRF function ${header.prfFunc}`);
  return (
    keyTypeOf(header.csbId) ??
    refuse('SEGY_E_MIKEY_KEY_TYPE', `purpose tag ${(header.csbId[0] ?? 0) >> 4} is reserved`)
  );
}

function keyOctetsOf(sedLength: number, tolerances: Tolerances): 16 | 32 {
  for (const octets of [16, 32] as const) {
    if (sedLength === R_B_OCTETS + octets) return octets;
    if (tolerances.shortHint && sedLength === R_B_OCTETS + octets - 1) return octets;
  }
  return syntax(`a SED of ${sedLength} octets`);
}

function readSakke(
  message: IMessage,
  tolerances: Tolerances,
): { sed: Uint8Array; keyOctets: 16 | 32 } {
  const sakke = one(message, 'SAKKE');
  if (sakke.parameterSet !== SAKKE_PARAMETER_SET) {
    unsupported(`SAKKE parameter set ${sakke.parameterSet}`);
  }
  if (!SAKKE_ID_SCHEMES.includes(sakke.idScheme)) unsupported(`ID scheme ${sakke.idScheme}`);
  return { sed: sakke.sed, keyOctets: keyOctetsOf(sakke.sed.length, tolerances) };
}

function readSignature(message: IMessage): Uint8Array {
  const sign = one(message, 'SIGN');
  if (sign.signatureType !== ECCSI) unsupported(`signature type ${sign.signatureType}`);
  if (sign.signature.length !== SIGNATURE_OCTETS) {
    syntax(`a signature of ${sign.signature.length} octets`);
  }
  return sign.signature;
}

/**
 * Facts of a message.
 * @throws SegyError SEGY_E_MIKEY_ MISSING_PAYLOAD, SYNTAX, UNSUPPORTED, KEY_TYPE (reserved purpose tag)
 */
export function readFacts(message: IMessage, tolerances: Tolerances): MessageFacts {
  const { header } = message;
  const keyType = checkHeader(header);
  const t = one(message, 'T');
  if (t.tsType !== NTP_UTC) unsupported(`time stamp type ${t.tsType}`);
  const { rand } = one(message, 'RAND');
  if (rand.length < MIN_RAND) syntax(`a RAND of ${rand.length} octets`);
  const identities = new Identities(message);
  const initiator = identities.end('IDRi', 'IDRuidi');
  const responder = identities.end('IDRr', 'IDRuidr');
  const initiatorKms = identities.text('IDRkmsi');
  const responderKms = identities.text('IDRkmsr');
  const { sed, keyOctets } = readSakke(message, tolerances);
  const signature = readSignature(message);
  return {
    keyType,
    csbId: header.csbId,
    csIdMap: header.csIdMap,
    timestamp: t.value,
    rand,
    initiator,
    responder,
    initiatorKms,
    responderKms,
    policies: all(message, 'SP'),
    sed,
    keyOctets,
    extensions: all(message, 'GE'),
    signature,
  };
}
