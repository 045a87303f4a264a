/**
 * Floor control messages from octets and back. Reading never throws: what is not well-formed is dropped
 * with a reason. Unknown fields are skipped and kept; of a field that comes twice the first counts.
 */
import { SegyError } from '../base/errors.js';
import { DEFAULT_FLOOR_CODEC, type FloorCodecSettings } from './code-points.js';
import { FIELD_FORMS, FIELD_NAMES, fieldOf, type FieldName } from './fields.js';
import {
  type AppPacket,
  type FloorReadFailure,
  readRawFields,
  writeAppPacket,
  writeRawFields,
} from './framing.js';
import type { FloorFields, FloorMessage, RawFloorField } from './message.js';
import {
  ACK_CAPABLE,
  ACK_REQUIRED,
  FLOOR_MESSAGE_TYPES,
  type FloorMessageType,
} from './vocabulary.js';

/** Application name of floor control. */
export const FLOOR_NAME = 'MCPT';

const TYPES = new Map(
  (Object.keys(FLOOR_MESSAGE_TYPES) as FloorMessageType[]).map((type) => [
    FLOOR_MESSAGE_TYPES[type] as number,
    type,
  ]),
);

export type FloorReading =
  | { readonly ok: true; readonly message: FloorMessage }
  | { readonly ok: false; readonly reason: FloorReadFailure };

/** The message type that five bits of a subtype or of a Message Type field name. */
export function floorMessageTypeOf(subtype: number): FloorMessageType | undefined {
  return TYPES.get(subtype & ~ACK_REQUIRED);
}

/** The floor message in an APP packet of the name MCPT. */
export function readFloorMessage(
  packet: AppPacket,
  settings: FloorCodecSettings = DEFAULT_FLOOR_CODEC,
): FloorReading {
  if (packet.name !== FLOOR_NAME) return { ok: false, reason: 'name' };
  const type = floorMessageTypeOf(packet.subtype);
  if (!type) return { ok: false, reason: 'message-type' };
  const raw = readRawFields(packet.data, settings);
  if (typeof raw === 'string') return { ok: false, reason: raw };
  const others: RawFloorField[] = [];
  const fields: Partial<Record<FieldName, unknown>> = {};
  for (const field of raw) {
    const name = fieldOf(field.id, settings);
    if (name === undefined || name in fields) {
      others.push(field);
      continue;
    }
    const value = FIELD_FORMS[name].read(field.value, settings);
    if (value === null) return { ok: false, reason: 'field-value' };
    fields[name] = value;
  }
  return {
    ok: true,
    message: {
      ...(fields as FloorFields),
      type,
      ackRequired: (packet.subtype & ACK_REQUIRED) !== 0,
      ssrc: packet.ssrc,
      others,
    },
  };
}

function writeField<K extends FieldName>(
  name: K,
  fields: Pick<FloorFields, K>,
  settings: FloorCodecSettings,
): RawFloorField | null {
  const value = fields[name];
  if (value === undefined) return null;
  const form = FIELD_FORMS[name];
  return { id: form.id, value: form.write(value, settings) };
}

/**
 * One RTCP APP packet, fields in the order of their identifiers.
 * @throws SegyError SEGY_E_ARGUMENT when a value does not fit, or the type cannot ask for a Floor Ack
 */
export function writeFloorMessage(
  message: FloorMessage,
  settings: FloorCodecSettings = DEFAULT_FLOOR_CODEC,
): Uint8Array {
  if (message.ackRequired && !ACK_CAPABLE.has(message.type)) {
    throw new SegyError('SEGY_E_ARGUMENT', `a floor message ${message.type} asks for no Floor Ack`);
  }
  const known = FIELD_NAMES.map((name) => writeField(name, message, settings)).filter(
    (field) => field !== null,
  );
  return writeAppPacket({
    subtype: FLOOR_MESSAGE_TYPES[message.type] | (message.ackRequired ? ACK_REQUIRED : 0),
    ssrc: message.ssrc,
    name: FLOOR_NAME,
    data: writeRawFields([...known, ...message.others]),
  });
}
