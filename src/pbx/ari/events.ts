/**
 * ARI's events and channel model as the driver reads them: JSON from the network in, facts out.
 */
import type { ChannelFacts, PbxEvent } from '../driver.js';

/** Event types asked for where the gateway needs what happens on its channels. */
export const SIGNAL_TYPES = [
  'ChannelDtmfReceived',
  'ChannelTalkingStarted',
  'ChannelTalkingFinished',
  'ChannelVarset',
] as const;

/** Event types asked for; everything else of the PBX stays there. */
export const EVENT_TYPES = [
  'StasisStart',
  'StasisEnd',
  'Dial',
  'ChannelStateChange',
  'ChannelDestroyed',
  'ApplicationReplaced',
] as const;

export type AriNews = PbxEvent | { readonly kind: 'replaced' } | { readonly kind: 'other' };

type Fields = Readonly<Record<string, unknown>>;

const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Variables of the dialplan that are for the gateway. */
const OWN_VARIABLES = 'SEGY_';

const OTHER = { kind: 'other' } as const;

/** One event of the socket; null when the octets are no JSON object. */
export function readEvent(data: Uint8Array, app: string): AriNews | null {
  let event: Fields;
  try {
    event = fields(JSON.parse(Buffer.from(data).toString('utf8')));
  } catch {
    return null;
  }
  const type = text(event.type);
  if (type === 'Dial') {
    const dialledBy = text(fields(event.caller).id);
    return channelNews(readChannel(event.peer, app), dialledBy);
  }
  const channel = readChannel(event.channel, app);
  switch (type) {
    case 'StasisStart':
      if (text(event.application) !== app) return OTHER;
      return channelNews(channel === null ? null : { ...channel, handedOver: true });
    case 'StasisEnd':
      return channel === null ? OTHER : { kind: 'released', id: channel.id };
    case 'ChannelDestroyed':
      return channel === null ? OTHER : { kind: 'gone', id: channel.id };
    case 'ChannelStateChange':
      return channelNews(channel);
    case 'ChannelDtmfReceived':
    case 'ChannelTalkingStarted':
    case 'ChannelTalkingFinished':
    case 'ChannelVarset':
      return channel === null ? OTHER : signalNews(type, event, channel.id);
    case 'ApplicationReplaced':
      return text(event.application) === app ? { kind: 'replaced' } : OTHER;
    default:
      return OTHER;
  }
}

/** ARI's Channel model; null when it is none. */
function readChannel(value: unknown, app: string): ChannelFacts | null {
  const channel = fields(value);
  const id = text(channel.id);
  if (id === '') return null;
  const dialplan = fields(channel.dialplan);
  const inStasis =
    text(dialplan.app_name) === 'Stasis' && text(dialplan.app_data).split(',')[0] === app;
  return {
    id,
    name: text(channel.name),
    callId: text(channel.protocol_id),
    handedOver: inStasis,
  };
}

/** The list of all channels. */
export function readChannels(value: unknown, app: string): ChannelFacts[] {
  if (!Array.isArray(value)) return [];
  return value
    .map((item) => readChannel(item, app))
    .filter((facts): facts is ChannelFacts => facts !== null);
}

/** Value of a variable as `getChannelVar` answers it. */
export function readValue(value: unknown): string {
  return text(fields(value).value);
}

function channelNews(channel: ChannelFacts | null, dialledBy = ''): AriNews {
  if (channel === null) return OTHER;
  return { kind: 'channel', channel, ...(dialledBy === '' ? {} : { dialledBy }) };
}

function signalNews(type: string, event: Fields, id: string): AriNews {
  if (type === 'ChannelDtmfReceived') {
    return { kind: 'signal', id, signal: { kind: 'digit', digit: text(event.digit) } };
  }
  if (type === 'ChannelVarset') {
    const name = text(event.variable);
    if (!name.startsWith(OWN_VARIABLES)) return OTHER;
    return { kind: 'signal', id, signal: { kind: 'variable', name, value: text(event.value) } };
  }
  const talking = type === 'ChannelTalkingStarted';
  return { kind: 'signal', id, signal: { kind: 'talk', talking } };
}
