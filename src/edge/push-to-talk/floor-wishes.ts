/**
 * What the dialplan says about floor control of one call: by headers of an INVITE from the PBX, by
 * variables of a channel that is handed over, and by variables while the call lasts.
 */
import type { KeyingSource } from '../../config/index.js';
import type { FloorLevel } from '../../media/index.js';
import type { SipRequest } from '../../sip/index.js';
import type { PbxChannel } from '../ports/pbx-port.js';

export interface FloorWishes {
  /** how the radio keys; null: as the partner's profile has it */
  readonly source: KeyingSource | null;
  /** the radio keys already */
  readonly keyed: boolean;
  readonly level: FloorLevel;
}

export const NO_WISHES: FloorWishes = { source: null, keyed: false, level: 'normal' };

/** Variables that the dialplan sets; headers of its INVITEs are named alike. */
export const PTT = 'SEGY_PTT';
const PTT_SOURCE = 'SEGY_PTT_SOURCE';
export const PRIORITY = 'SEGY_PRIORITY';

const HEADERS: Readonly<Record<string, string>> = {
  [PTT]: 'X-SeGy-PTT',
  [PTT_SOURCE]: 'X-SeGy-PTT-Source',
  [PRIORITY]: 'X-SeGy-Priority',
};
const SOURCES: ReadonlySet<string> = new Set(['level', 'events', 'dtmf', 'variable', 'talk']);

/** From the headers of an INVITE of the PBX. */
export function wishesOfRequest(request: SipRequest): FloorWishes {
  return readWishes((name) => request.headers.get(HEADERS[name] ?? '') ?? '');
}

/** From the variables of a channel; what cannot be read is not wished. */
export async function wishesOfChannel(channel: PbxChannel): Promise<FloorWishes> {
  const names = [PTT, PTT_SOURCE, PRIORITY];
  const values = await Promise.all(names.map((name) => channel.getVariable(name).catch(() => '')));
  return readWishes((name) => values[names.indexOf(name)] ?? '');
}

function readWishes(valueOf: (name: string) => string): FloorWishes {
  const source = valueOf(PTT_SOURCE).trim().toLowerCase();
  return {
    source: isSource(source) ? source : null,
    keyed: readSwitch(valueOf(PTT)) ?? false,
    level: readLevel(valueOf(PRIORITY)) ?? 'normal',
  };
}

function isSource(text: string): text is KeyingSource {
  return SOURCES.has(text);
}

/** on or off; null for anything else. */
export function readSwitch(text: string): boolean | null {
  const word = text.trim().toLowerCase();
  if (word === 'on' || word === '1') return true;
  return word === 'off' || word === '0' ? false : null;
}

/** null for anything but the three levels. */
export function readLevel(text: string): FloorLevel | null {
  const word = text.trim().toLowerCase();
  return word === 'normal' || word === 'imminent-peril' || word === 'emergency' ? word : null;
}
