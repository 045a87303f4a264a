/**
 * FreeSWITCH events and lists as the driver reads them.
 */
import type { Event } from 'modesl';
import type { ChannelFacts, PbxEvent } from '../driver.js';

/** Event types asked for. CHANNEL_HANGUP comes first, the others make sure. */
export const EVENT_TYPES = [
  'CHANNEL_PARK',
  'CHANNEL_UNPARK',
  'CHANNEL_ORIGINATE',
  'CHANNEL_PROGRESS',
  'CHANNEL_HANGUP',
  'CHANNEL_HANGUP_COMPLETE',
  'CHANNEL_DESTROY',
] as const;

/** Event types asked for where the gateway needs what happens on its channels; CUSTOM comes last. */
export const SIGNAL_TYPES = ['DTMF', 'TALK', 'NOTALK', 'CUSTOM', 'segy::ptt'] as const;

/** Headers of a `segy::ptt` event that the dialplan raises. */
const OWN_VARIABLES = ['SEGY_PTT', 'SEGY_PRIORITY'] as const;

/** The variable by which the dialplan says that it parked the call for the gateway, and where it goes on. */
export const CONTEXT_VARIABLE = 'SEGY_CONTEXT';
/** The extension at which it goes on. */
export const TARGET_VARIABLE = 'SEGY_TARGET';

/** What an event means for the port; null for the others. */
export function readEvent(event: Event): PbxEvent | null {
  const header = (name: string): string => event.getHeader(name) ?? '';
  const id = header('Unique-ID');
  if (id === '') return null;
  switch (header('Event-Name')) {
    case 'CHANNEL_PARK':
      return {
        kind: 'channel',
        channel: {
          id,
          name: header('Channel-Name'),
          callId: header('variable_sip_call_id'),
          handedOver: header(`variable_${CONTEXT_VARIABLE}`) !== '',
        },
      };
    case 'CHANNEL_ORIGINATE':
    case 'CHANNEL_PROGRESS':
      if (header('Call-Direction') !== 'outbound') return null;
      return {
        kind: 'channel',
        channel: {
          id,
          name: header('Channel-Name'),
          // With outbound-use-uuid-as-callid the Call-ID is the identifier, long before an event has it.
          callId: header('variable_sip_call_id') || id,
          handedOver: false,
        },
        ...(header('Other-Leg-Unique-ID') === ''
          ? {}
          : { dialledBy: header('Other-Leg-Unique-ID') }),
      };
    case 'CHANNEL_UNPARK':
      return { kind: 'released', id };
    case 'CHANNEL_HANGUP':
    case 'CHANNEL_HANGUP_COMPLETE':
    case 'CHANNEL_DESTROY':
      return { kind: 'gone', id };
    case 'DTMF':
      return { kind: 'signal', id, signal: { kind: 'digit', digit: header('DTMF-Digit') } };
    case 'TALK':
    case 'NOTALK': {
      const talking = header('Event-Name') === 'TALK';
      return { kind: 'signal', id, signal: { kind: 'talk', talking } };
    }
    case 'CUSTOM': {
      const name = OWN_VARIABLES.find((known) => header(known) !== '');
      if (header('Event-Subclass') !== 'segy::ptt' || name === undefined) return null;
      return { kind: 'signal', id, signal: { kind: 'variable', name, value: header(name) } };
    }
    default:
      return null;
  }
}

/** A row of `show channels as json`. */
export interface ChannelRow {
  readonly id: string;
  readonly name: string;
  readonly isOutbound: boolean;
  /** answered, so not one that is parked for the gateway */
  readonly isAnswered: boolean;
}

/** The list of all channels. @returns null when the answer is not such a list */
export function readRows(body: string): ChannelRow[] | null {
  const list = readObject(body);
  if (list?.row_count === undefined) return null;
  const rows = Array.isArray(list.rows) ? (list.rows as unknown[]) : [];
  return rows.flatMap((row) => {
    const fields = Object(row) as Readonly<Record<string, unknown>>;
    if (typeof fields.uuid !== 'string' || fields.uuid === '') return [];
    return [
      {
        id: fields.uuid,
        name: typeof fields.name === 'string' ? fields.name : '',
        isOutbound: fields.direction === 'outbound',
        // The list lags behind the calls: one that rings may stand in it as DOWN for a moment.
        isAnswered: /^(ACTIVE|HELD|UNHELD)$/.test(String(fields.callstate)),
      },
    ];
  });
}

/** What `uuid_dump … json` says of a channel in the list. */
export function readDump(row: ChannelRow, body: string): ChannelFacts {
  const dump = readObject(body) ?? {};
  const variable = (name: string): string => {
    const value = dump[`variable_${name}`];
    return typeof value === 'string' ? value : '';
  };
  return {
    id: row.id,
    name: row.name,
    callId: variable('sip_call_id'),
    handedOver: variable(CONTEXT_VARIABLE) !== '' && variable('current_application') === 'park',
  };
}

function readObject(body: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
}
