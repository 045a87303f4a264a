/**
 * Pre-established session control, application name MCPC (TS 24.380 8.3). The gateway holds no
 * pre-established sessions; it reads what comes so that it can refuse in order.
 */
import { concatBytes, uintToBytes, utf8 } from '../base/bytes.js';
import { DEFAULT_FLOOR_CODEC, type FloorCodecSettings } from './code-points.js';
import {
  type AppPacket,
  type FloorReadFailure,
  readRawFields,
  writeAppPacket,
  writeRawFields,
} from './framing.js';
import type { RawFloorField } from './message.js';
import { readNumber, readText, writeNumber } from './values.js';
import { ACK_REQUIRED } from './vocabulary.js';

export const PRE_ESTABLISHED_NAME = 'MCPC';

const TYPES = ['connect', 'disconnect', 'acknowledgement'] as const;

export type PreEstablishedType = (typeof TYPES)[number];

/** Reason Code of an Acknowledgement (8.3.3.8). */
export const PRE_ESTABLISHED_REASON = {
  accepted: 0,
  busy: 1,
  notAccepted: 2,
  messageAuthenticationFailed: 3,
  integrityFailed: 4,
  decryptionFailed: 5,
} as const;

/** Session type octet of the MCPTT Session Identity field (8.3.3.3). */
export const SESSION_TYPE = { none: 0, private: 1, prearranged: 3, chat: 4 } as const;

export interface PreEstablishedMessage {
  readonly type: PreEstablishedType;
  readonly ackRequired: boolean;
  readonly ssrc: number;
  readonly sessionIdentity?: { readonly sessionType: number; readonly uri: string };
  readonly mediaStreams?: { readonly media: number; readonly control: number };
  readonly warningText?: string;
  readonly groupIdentity?: string;
  readonly answerState?: number;
  readonly invitingUser?: string;
  readonly reasonCode?: number;
  /** the I_MESSAGE of a PCK */
  readonly pckMessage?: Uint8Array;
  readonly others: readonly RawFloorField[];
}

type Fields = Omit<PreEstablishedMessage, 'type' | 'ackRequired' | 'ssrc' | 'others'>;

type Forms = {
  readonly [K in keyof Required<Fields>]: {
    readonly read: (
      value: Uint8Array,
      settings: FloorCodecSettings,
    ) => NonNullable<Fields[K]> | null;
    readonly write: (value: NonNullable<Fields[K]>) => Uint8Array;
  };
};

const text = { read: readText, write: utf8 };
const number = { read: readNumber, write: writeNumber };

const FORMS: Forms = {
  mediaStreams: {
    read: (v) => (v.length === 2 ? { media: v[0] ?? 0, control: v[1] ?? 0 } : null),
    write: (s) => concatBytes(uintToBytes(s.media, 1), uintToBytes(s.control, 1)),
  },
  sessionIdentity: {
    read: (v, settings) => {
      const uri = v.length === 0 ? null : readText(v.subarray(1), settings);
      return uri === null ? null : { sessionType: v[0] ?? 0, uri };
    },
    write: (s) => concatBytes(uintToBytes(s.sessionType, 1), utf8(s.uri)),
  },
  warningText: text,
  groupIdentity: text,
  answerState: number,
  invitingUser: text,
  reasonCode: number,
  pckMessage: { read: (v) => v.slice(), write: (v) => v },
};

const NAMES = Object.keys(FORMS) as readonly (keyof Forms)[];

export type PreEstablishedReading =
  | { readonly ok: true; readonly message: PreEstablishedMessage }
  | { readonly ok: false; readonly reason: FloorReadFailure };

export function readPreEstablished(
  packet: AppPacket,
  settings: FloorCodecSettings = DEFAULT_FLOOR_CODEC,
): PreEstablishedReading {
  if (packet.name !== PRE_ESTABLISHED_NAME) return { ok: false, reason: 'name' };
  const type = TYPES[packet.subtype & ~ACK_REQUIRED];
  if (!type) return { ok: false, reason: 'message-type' };
  const raw = readRawFields(packet.data, settings);
  if (typeof raw === 'string') return { ok: false, reason: raw };
  const others: RawFloorField[] = [];
  const fields: Partial<Record<keyof Forms, unknown>> = {};
  for (const field of raw) {
    const name = NAMES.find((candidate) => settings.codePoints[candidate] === field.id);
    if (name === undefined || name in fields) {
      others.push(field);
      continue;
    }
    const value = FORMS[name].read(field.value, settings);
    if (value === null) return { ok: false, reason: 'field-value' };
    fields[name] = value;
  }
  const ackRequired = (packet.subtype & ACK_REQUIRED) !== 0;
  return {
    ok: true,
    message: { ...(fields as Fields), type, ackRequired, ssrc: packet.ssrc, others },
  };
}

function writeField<K extends keyof Forms>(
  name: K,
  fields: Pick<Fields, K>,
  settings: FloorCodecSettings,
): RawFloorField | null {
  const value = fields[name];
  if (value === undefined) return null;
  return { id: settings.codePoints[name], value: FORMS[name].write(value) };
}

/** @throws SegyError SEGY_E_ARGUMENT when a value does not fit */
export function writePreEstablished(
  message: PreEstablishedMessage,
  settings: FloorCodecSettings = DEFAULT_FLOOR_CODEC,
): Uint8Array {
  const known = NAMES.map((name) => writeField(name, message, settings)).filter(
    (field) => field !== null,
  );
  return writeAppPacket({
    subtype: TYPES.indexOf(message.type) | (message.ackRequired ? ACK_REQUIRED : 0),
    ssrc: message.ssrc,
    name: PRE_ESTABLISHED_NAME,
    data: writeRawFields([...known, ...message.others]),
  });
}

/**
 * What a gateway without pre-established sessions answers: a Connect is not accepted, a Disconnect of a
 * session that is not there is, an Acknowledgement gets nothing.
 * @param ssrc SSRC of our own floor messages
 */
export function refusePreEstablished(
  message: PreEstablishedMessage,
  ssrc: number,
): PreEstablishedMessage | null {
  if (message.type === 'acknowledgement') return null;
  const { notAccepted, accepted } = PRE_ESTABLISHED_REASON;
  return {
    type: 'acknowledgement',
    ackRequired: false,
    ssrc,
    ...(message.sessionIdentity ? { sessionIdentity: message.sessionIdentity } : {}),
    reasonCode: message.type === 'connect' ? notAccepted : accepted,
    others: [],
  };
}
