/** What a call came to, as numbers: for the commands, the demo and the tests. */
import type { SimCall } from './call.js';
import type { CallEnd } from './call-model.js';
import { findTone } from './tone.js';
import type { ToneReport } from './tone.js';
import type { PartyMedia } from './party-media.js';
import type { AudioCounters } from './audio.js';

export interface CallReport {
  /** the call was answered */
  readonly answered: boolean;
  readonly end: CallEnd['by'] | 'up';
  /** SIP status and Warning of a refusal */
  readonly status: number | null;
  readonly warning: string | null;
  /** from INVITE to 2xx */
  readonly setupMs: number | null;
  /** from INVITE to the first audio heard */
  readonly firstAudioMs: number | null;
  readonly tone: ToneReport;
  /** the expected tone was found; for a codec that is not decoded here: only its own frames came */
  readonly heard: boolean;
  readonly counters: Readonly<AudioCounters>;
}

/**
 * @param toneHz the tone expected from the other side
 * @param end how the call ended, when it did
 */
export function reportCall(call: SimCall<PartyMedia>, toneHz: number, end?: CallEnd): CallReport {
  const { stream } = call.media;
  const { invited, answered } = call.times;
  const { codec } = stream.options;
  const tone = findTone(stream.recording(), toneHz, codec.clockRate);
  const { received, foreign } = stream.counters;
  return {
    answered: answered !== undefined,
    end: end?.by ?? 'up',
    status: end?.status ?? null,
    warning: end?.warning ?? null,
    setupMs: answered === undefined ? null : answered - invited,
    firstAudioMs: stream.firstHeardAt === undefined ? null : stream.firstHeardAt - invited,
    tone,
    heard: codec.name === 'PCMU' ? tone.found : received > 0 && foreign === 0,
    counters: { ...stream.counters },
  };
}
