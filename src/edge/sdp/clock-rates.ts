/** RTP clocks of an audio stream. */
import type { AudioDescription } from './sdp-model.js';

/** RTP clock of each payload type in Hz, from a=rtpmap. */
export function clockRatesOf(audio: AudioDescription | null): Record<number, number> {
  const rates: Record<number, number> = {};
  for (const attribute of audio?.attributes ?? []) {
    const match = /^rtpmap:([0-9]{1,3}) [^/]+\/([0-9]{1,6})/.exec(attribute);
    if (match !== null) rates[Number(match[1])] = Number(match[2]);
  }
  return rates;
}
