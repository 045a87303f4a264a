/** Locations in floor messages, TS 24.380 8.2.3.21 and 8.2.3.22: a type octet and a value of its length. */
import { SegyError } from '../base/errors.js';
import { concatBytes, uintToBytes } from '../base/bytes.js';
import { readUint16, readUint32 } from '../srtp/index.js';
import type { FloorCodecSettings } from './code-points.js';
import type { FloorLocation } from './message.js';

const PLMN = 3;

interface LocationForm {
  readonly type: number;
  /** octets of the value */
  readonly length: number;
  readonly read: (value: Uint8Array) => FloorLocation;
}

const read24 = (value: Uint8Array, at: number): number => readUint32(value, at - 1) & 0xff_ffff;

const FORMS: readonly LocationForm[] = [
  { type: 0, length: 0, read: () => ({ kind: 'notProvided' }) },
  {
    type: 1,
    length: 7,
    read: (v) => ({
      kind: 'ecgi',
      plmn: v.slice(1, 1 + PLMN),
      cell: readUint32(v, 1 + PLMN) & 0x0fff_ffff,
    }),
  },
  {
    type: 2,
    length: 5,
    read: (v) => ({
      kind: 'trackingArea',
      plmn: v.slice(1, 1 + PLMN),
      code: readUint16(v, 1 + PLMN),
    }),
  },
  { type: 3, length: PLMN, read: (v) => ({ kind: 'plmn', plmn: v.slice(1, 1 + PLMN) }) },
  { type: 4, length: 2, read: (v) => ({ kind: 'mbmsServiceArea', area: readUint16(v, 1) }) },
  { type: 5, length: 1, read: (v) => ({ kind: 'mbsfnArea', area: v[1] ?? 0 }) },
  {
    type: 6,
    length: 6,
    read: (v) => ({ kind: 'coordinates', latitude: read24(v, 1), longitude: read24(v, 4) }),
  },
];

/** One location from its type octet on; null where the value ends too early. */
export function readLocation(value: Uint8Array): FloorLocation | null {
  const type = value[0];
  if (type === undefined) return null;
  const form = FORMS.find((candidate) => candidate.type === type);
  if (!form) return { kind: 'other', type, value: value.slice(1) };
  return value.length < 1 + form.length ? null : form.read(value);
}

/** A count and that many locations; null where one has a type whose length is not known. */
export function readLocations(
  value: Uint8Array,
  settings: FloorCodecSettings,
): FloorLocation[] | null {
  const count = value[0] ?? 0;
  if (count > settings.limits.fields) return null;
  const locations: FloorLocation[] = [];
  let at = 1;
  for (let i = 0; i < count; i++) {
    const location = readLocation(value.subarray(at));
    if (!location || location.kind === 'other') return null;
    locations.push(location);
    at += 1 + (FORMS.find((form) => form.type === value[at])?.length ?? 0);
  }
  return locations;
}

/** @throws SegyError SEGY_E_ARGUMENT when a number exceeds its bits or a PLMN has not three octets */
export function writeLocation(location: FloorLocation): Uint8Array {
  const type = (number: number): Uint8Array => Uint8Array.of(number);
  switch (location.kind) {
    case 'notProvided':
      return type(0);
    case 'ecgi':
      return concatBytes(type(1), plmn(location.plmn), cell(location.cell));
    case 'trackingArea':
      return concatBytes(type(2), plmn(location.plmn), uintToBytes(location.code, 2));
    case 'plmn':
      return concatBytes(type(3), plmn(location.plmn));
    case 'mbmsServiceArea':
      return concatBytes(type(4), uintToBytes(location.area, 2));
    case 'mbsfnArea':
      return concatBytes(type(5), uintToBytes(location.area, 1));
    case 'coordinates':
      return concatBytes(
        type(6),
        uintToBytes(location.latitude, 3),
        uintToBytes(location.longitude, 3),
      );
    case 'other':
      return concatBytes(uintToBytes(location.type, 1), location.value);
  }
}

export function writeLocations(locations: readonly FloorLocation[]): Uint8Array {
  return concatBytes(uintToBytes(locations.length, 1), ...locations.map(writeLocation));
}

function plmn(octets: Uint8Array): Uint8Array {
  if (octets.length !== PLMN) {
    throw new SegyError('SEGY_E_ARGUMENT', `a PLMN has ${octets.length} octets, not ${PLMN}`);
  }
  return octets;
}

function cell(number: number): Uint8Array {
  if (number > 0x0fff_ffff) throw new SegyError('SEGY_E_ARGUMENT', 'an ECI has over 28 bits');
  return uintToBytes(number, 4);
}
