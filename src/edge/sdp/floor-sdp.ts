/**
 * The floor control line of a session description: `m=application P udp MCPTT` and its parameters
 * (TS 24.380 clause 12.1.2 and 14). It stands between the MC system and this gateway alone.
 */
import { connectionOf, type Sdp, type SdpMedia } from '../../sip/index.js';
import type { FloorDescription, FloorParameters } from './sdp-model.js';

const NO_FLOOR_PARAMETERS: FloorParameters = {
  queueing: false,
  priority: null,
  granted: false,
  implicitRequest: false,
};

/** What we write of one floor line. */
export interface FloorLine {
  readonly port: number;
  readonly parameters: FloorParameters;
}

const PRIORITY = /^mc_priority=([0-9]{1,3})$/i;
const MAX_PRIORITY = 255;

/** The floor line agreed on before, else the first live one, else the first; null without any. */
export function readFloor(sdp: Sdp, preferred: number): FloorDescription | null {
  const isLive = (media: SdpMedia | undefined): boolean => isFloor(media) && media.port !== 0;
  const firstLive = sdp.media.findIndex(isLive);
  const first = firstLive >= 0 ? firstLive : sdp.media.findIndex(isFloor);
  const index = isLive(sdp.media[preferred]) ? preferred : first;
  const media = sdp.media[index];
  if (media === undefined) return null;
  const address = connectionOf(sdp, media)?.address ?? '';
  return { index, address, port: media.port, parameters: readParameters(media) };
}

function isFloor(media: SdpMedia | undefined): media is SdpMedia {
  return (
    media?.media === 'application' &&
    media.protocol.toLowerCase() === 'udp' &&
    media.formats[0]?.toUpperCase() === 'MCPTT'
  );
}

/** Parameters that are not known are passed over, and so is a priority outside 1..255. */
function readParameters(media: SdpMedia): FloorParameters {
  const words = media
    .attributes('fmtp')
    .map((value) => /^MCPTT\s+(.*)$/i.exec(value.trim())?.[1] ?? '')
    .flatMap((value) => value.split(';'))
    .map((word) => word.trim());
  const has = (name: string): boolean => words.some((word) => word.toLowerCase() === name);
  const priorities = words.flatMap((word) => PRIORITY.exec(word)?.[1] ?? []).map(Number);
  const [priority = 0] = priorities;
  return {
    queueing: has('mc_queueing'),
    priority: priority >= 1 && priority <= MAX_PRIORITY ? priority : null,
    granted: has('mc_granted'),
    implicitRequest: has('mc_implicit_request'),
  };
}

/** The lines of our floor section. */
export function floorLines({ port, parameters }: FloorLine): string[] {
  const words = [
    ...(parameters.queueing ? ['mc_queueing'] : []),
    ...(parameters.priority === null ? [] : [`mc_priority=${parameters.priority}`]),
    ...(parameters.granted ? ['mc_granted'] : []),
    ...(parameters.implicitRequest ? ['mc_implicit_request'] : []),
  ];
  const lines = [`m=application ${port} udp MCPTT`];
  return words.length === 0 ? lines : [...lines, `a=fmtp:MCPTT ${words.join(';')}`];
}

/**
 * What we answer to an offer: queueing where both have it, a priority that is not above the offered
 * one. The partner grants the floor and takes the requests, so the other two are never ours to say.
 */
export function answeredParameters(
  offered: FloorParameters,
  own: Pick<FloorParameters, 'queueing' | 'priority'>,
): FloorParameters {
  const priority =
    offered.priority === null || own.priority === null
      ? null
      : Math.min(offered.priority, own.priority);
  return { ...NO_FLOOR_PARAMETERS, queueing: offered.queueing && own.queueing, priority };
}

/**
 * What holds for us after the partner answered our offer: nothing that we did not offer, and no
 * priority above ours.
 */
export function acceptedParameters(
  answer: FloorParameters,
  offered: FloorParameters,
): FloorParameters {
  const implicitRequest = answer.implicitRequest && offered.implicitRequest;
  return {
    ...answeredParameters(answer, offered),
    implicitRequest,
    granted: answer.granted && offered.granted && implicitRequest,
  };
}
