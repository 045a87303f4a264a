/** The fields of MCPT, TS 24.380 8.2.3: identifier, name here, and how the value is read and written. */
import { concatBytes, uintToBytes } from '../base/bytes.js';
import type { FloorCodecSettings } from './code-points.js';
import { readLocation, readLocations, writeLocation, writeLocations } from './location.js';
import type { FloorFields } from './message.js';
import {
  readNumber,
  readOctet,
  readRejectCause,
  readSsrc,
  readSsrcList,
  readText,
  readTextList,
  readTrackInfo,
  writeNumber,
  writeOctet,
  writeRejectCause,
  writeSsrc,
  writeSsrcList,
  writeText,
  writeTextList,
  writeTrackInfo,
} from './values.js';

interface FieldForm<Value> {
  readonly id: number;
  readonly read: (value: Uint8Array, settings: FloorCodecSettings) => Value | null;
  readonly write: (value: Value, settings: FloorCodecSettings) => Uint8Array;
}

type FieldForms = {
  readonly [K in keyof Required<FloorFields>]: FieldForm<NonNullable<FloorFields[K]>>;
};

const number = (id: number): FieldForm<number> => ({ id, read: readNumber, write: writeNumber });
const octet = (id: number): FieldForm<number> => ({ id, read: readOctet, write: writeOctet });
const text = (id: number): FieldForm<string> => ({ id, read: readText, write: writeText });
const texts = (id: number): FieldForm<readonly string[]> => ({
  id,
  read: readTextList,
  write: writeTextList,
});
const octets = (id: number): FieldForm<Uint8Array> => ({
  id,
  read: (value) => value.slice(),
  write: (value) => value,
});

/** In ascending order of the identifiers, in which they are written. */
export const FIELD_FORMS: FieldForms = {
  priority: octet(0),
  duration: number(1),
  rejectCause: { id: 2, read: readRejectCause, write: writeRejectCause },
  queueInfo: {
    id: 3,
    read: (v) => (v.length === 2 ? { position: v[0] ?? 0, priority: v[1] ?? 0 } : null),
    write: (q) => concatBytes(uintToBytes(q.position, 1), uintToBytes(q.priority, 1)),
  },
  grantedParty: text(4),
  permissionToRequest: {
    id: 5,
    read: (v) => (v.length === 2 ? readNumber(v) !== 0 : null),
    write: (allowed) => writeNumber(allowed ? 1 : 0),
  },
  userId: text(6),
  queueSize: number(7),
  sequenceNumber: number(8),
  queuedUserId: text(9),
  source: number(10),
  trackInfo: { id: 11, read: readTrackInfo, write: writeTrackInfo },
  acknowledged: octet(12),
  indicator: number(13),
  mediaSsrc: { id: 14, read: readSsrc, write: writeSsrc },
  grantedUsers: texts(15),
  mediaSsrcs: { id: 16, read: readSsrcList, write: writeSsrcList },
  functionalAlias: text(17),
  functionalAliases: texts(18),
  location: { id: 19, read: readLocation, write: writeLocation },
  locations: { id: 20, read: readLocations, write: writeLocations },
  queuedPurpose: number(21),
  queuedUsers: octets(22),
  responseState: number(23),
  mediaFlowControl: number(24),
};

export type FieldName = keyof typeof FIELD_FORMS;

export const FIELD_NAMES = Object.keys(FIELD_FORMS) as readonly FieldName[];

const BY_ID = new Map(FIELD_NAMES.map((name) => [FIELD_FORMS[name].id, name]));

/** Identifiers of early Release 13; 107 was never one. */
const EARLY: Readonly<Record<number, FieldName>> = {
  102: 'priority',
  103: 'duration',
  104: 'rejectCause',
  105: 'queueInfo',
  106: 'grantedParty',
  108: 'permissionToRequest',
  109: 'userId',
  110: 'queueSize',
  111: 'sequenceNumber',
  112: 'queuedUserId',
  113: 'source',
  114: 'trackInfo',
  115: 'acknowledged',
  116: 'indicator',
};

export function fieldOf(id: number, settings: FloorCodecSettings): FieldName | undefined {
  return BY_ID.get(id) ?? (settings.tolerances.earlyFieldIds ? EARLY[id] : undefined);
}
