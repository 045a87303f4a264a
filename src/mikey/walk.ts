/** The payload walk of a message for people and tools. Uses no key and shows none. */
import { toHex } from '../base/bytes.js';
import type { CsIdMap } from './header.js';
import { isLegacyKeyParameters } from './key-parameters.js';
import { keyTypeOf } from './key-types.js';
import { type PlacedPayload, placePayloads } from './message.js';
import { unixMsToNtp } from './ntp.js';
import {
  GE_KEY_PARAMETERS,
  GE_SAKKE_TO_SELF,
  ID_ROLE,
  type IdrPayload,
  type Payload,
  PAYLOAD_TYPE,
} from './payloads.js';
import { SP_TYPE } from './policy.js';

/** One payload (HDR is the first) and its fields, as text fit for one line each. */
export interface PayloadView {
  /** name in RFC 3830 or TS 33.180, such as `IDRkmsi` */
  readonly name: string;
  /** payload type number; null for HDR */
  readonly type: number | null;
  /** of its first octet in the message */
  readonly offset: number;
  readonly length: number;
  readonly fields: Readonly<Record<string, string | number>>;
}

const ERA_SECONDS = 2 ** 32;

function mapFields(map: CsIdMap): Record<string, string | number> {
  switch (map.type) {
    case 'EMPTY':
      return { '#CS': 0, 'CS ID map': 'empty' };
    case 'SRTP-ID':
      return {
        '#CS': map.entries.length,
        'CS ID map': 'SRTP-ID',
        sessions: map.entries
          .map(({ policyNo, ssrc, roc }) => `policy ${policyNo} SSRC ${ssrc} ROC ${roc}`)
          .join('; '),
      };
    case 'GENERIC-ID':
      return {
        '#CS': map.entries.length,
        'CS ID map': 'GENERIC-ID',
        sessions: map.entries
          .map(
            (entry) =>
              `CS ID ${entry.csId} protocol ${entry.protocolType} policies ${entry.policies.join(',')}` +
              ` SPI ${toHex(entry.spi)}`,
          )
          .join('; '),
      };
  }
}

function nameOf(payload: Payload): string {
  if (payload.name === 'IDR') {
    const role = Object.entries(ID_ROLE).find(([, number]) => number === payload.role);
    return role?.[0] ?? `IDR role ${payload.role}`;
  }
  if (payload.name !== 'GE') return payload.name;
  if (payload.extensionType === GE_SAKKE_TO_SELF) return 'SAKKE-to-self';
  if (payload.extensionType === GE_KEY_PARAMETERS) return 'key parameters';
  return `General Extension ${payload.extensionType}`;
}

function identityFields(payload: IdrPayload): Record<string, string | number> {
  const isUid = payload.role === ID_ROLE.IDRuidi || payload.role === ID_ROLE.IDRuidr;
  const text = Buffer.from(payload.data).toString('utf8');
  return {
    'ID type': payload.idType,
    data: isUid || /[^\P{C}]|\s/u.test(text) ? toHex(payload.data) : text,
  };
}

/** Time of an NTP stamp in its first era (until 2036), as RFC 3339. */
function timeFields(value: Uint8Array): Record<string, string | number> {
  if (value.length !== 8) return { value: toHex(value) };
  const view = new DataView(value.buffer, value.byteOffset, 8);
  const zero = new DataView(unixMsToNtp(0).buffer).getUint32(0);
  const seconds = view.getUint32(0) - zero;
  const ms = Math.floor((view.getUint32(4) * 1000) / ERA_SECONDS + 0.5);
  return { value: toHex(value), time: new Date(seconds * 1000 + ms).toISOString() };
}

function spName(type: number): string {
  return Object.entries(SP_TYPE).find(([, number]) => number === type)?.[0] ?? `type ${type}`;
}

function fieldsOf(payload: Payload): Record<string, string | number> {
  switch (payload.name) {
    case 'T':
      return { 'TS type': payload.tsType, ...timeFields(payload.value) };
    case 'RAND':
      return { RAND: toHex(payload.rand) };
    case 'IDR':
      return identityFields(payload);
    case 'SP':
      return {
        'policy number': payload.policyNo,
        protocol: payload.protocolType,
        ...Object.fromEntries(
          payload.parameters.map(({ type, value }) => [spName(type), toHex(value)]),
        ),
      };
    case 'SAKKE':
      return {
        'SAKKE params': payload.parameterSet,
        'ID scheme': payload.idScheme,
        'SED octets': payload.sed.length,
      };
    case 'GE': {
      const fields = { 'extension type': payload.extensionType, octets: payload.data.length };
      if (payload.extensionType !== GE_KEY_PARAMETERS) return fields;
      return { ...fields, encrypted: isLegacyKeyParameters(payload.data) ? 'no' : 'yes' };
    }
    case 'SIGN':
      return { 'S type': payload.signatureType, octets: payload.signature.length };
  }
}

function view({ payload, offset, length }: PlacedPayload): PayloadView {
  const type = PAYLOAD_TYPE[payload.name];
  return { name: nameOf(payload), type, offset, length, fields: fieldsOf(payload) };
}

/**
 * Payloads of a message in chain order, HDR first. Only the form of the message is checked.
 * @throws SegyError as parseIMessage
 */
export function walkIMessage(octets: Uint8Array): PayloadView[] {
  const { header, headerLength, placed } = placePayloads(octets);
  const hdr: PayloadView = {
    name: 'HDR',
    type: null,
    offset: 0,
    length: headerLength,
    fields: {
      V: header.v ? 1 : 0,
      'PRF func': header.prfFunc,
      'CSB ID': toHex(header.csbId),
      'key type': keyTypeOf(header.csbId) ?? 'reserved',
      ...mapFields(header.csIdMap),
    },
  };
  return [hdr, ...placed.map(view)];
}
