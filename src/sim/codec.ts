/**
 * The codecs a simulated party speaks. Each frame is 20 ms.
 *
 * PCMU carries a real tone. AMR-WB carries frames with a fixed pattern and a counter: nothing on the
 * way may decode them, so the far end checks that they arrive octet for octet.
 */
import { decodePcmu, encodePcmu } from './pcmu.js';
import { sine } from './tone.js';

export const FRAME_MS = 20;

export type CodecName = 'PCMU' | 'AMR-WB';

export interface SimCodec {
  readonly name: CodecName;
  readonly payloadType: number;
  /** RTP clock rate in Hz */
  readonly clockRate: number;
  /** value of `a=fmtp`, without the payload type */
  readonly formatParameters?: string;
  /** payload of frame `number`, counted from 0 */
  encode(number: number, toneHz: number): Uint8Array;
  /** samples at `clockRate`; an empty array where the codec is not decoded here */
  decode(payload: Uint8Array): Int16Array;
  /** true when `payload` is one that `encode` makes; always true where any payload is possible */
  isOurs(payload: Uint8Array): boolean;
}

const PCMU_SAMPLES = 160;

const PCMU: SimCodec = {
  name: 'PCMU',
  payloadType: 0,
  clockRate: 8000,
  encode: (number, toneHz) => encodePcmu(sine(toneHz, 8000, number * PCMU_SAMPLES, PCMU_SAMPLES)),
  decode: decodePcmu,
  isOurs: () => true,
};

/** RFC 4867, octet-aligned: no mode request, one frame of 12.65 kbit/s (253 bits in 32 octets). */
const AMR_WB_HEADER = [0xf0, 0x14];
const AMR_WB_SPEECH_OCTETS = 32;

const AMR_WB: SimCodec = {
  name: 'AMR-WB',
  payloadType: 97,
  clockRate: 16000,
  formatParameters: 'octet-align=1;mode-change-capability=2',
  encode: (number) => {
    const frame = new Uint8Array(AMR_WB_HEADER.length + AMR_WB_SPEECH_OCTETS);
    frame.set(AMR_WB_HEADER);
    frame.set(amrWbSpeech(number), AMR_WB_HEADER.length);
    return frame;
  },
  decode: () => new Int16Array(0),
  isOurs: (payload) => {
    const speech = payload.subarray(AMR_WB_HEADER.length);
    if (speech.length !== AMR_WB_SPEECH_OCTETS || payload[1] !== AMR_WB_HEADER[1]) return false;
    const number = ((speech[0] ?? 0) << 8) | (speech[1] ?? 0);
    const expected = amrWbSpeech(number);
    return expected.every((octet, i) => octet === speech[i]);
  },
};

/** A frame's number in two octets, then octets that follow from it; the three spare last bits are zero. */
function amrWbSpeech(number: number): Uint8Array {
  const speech = new Uint8Array(AMR_WB_SPEECH_OCTETS);
  speech[0] = number >> 8;
  speech[1] = number;
  for (let i = 2; i < AMR_WB_SPEECH_OCTETS; i += 1)
    speech[i] = number * 31 + (number >> 8) * 17 + i * 97;
  speech[AMR_WB_SPEECH_OCTETS - 1] = (speech[AMR_WB_SPEECH_OCTETS - 1] ?? 0) & 0xf8;
  return speech;
}

export const CODECS: Readonly<Record<CodecName, SimCodec>> = { PCMU, 'AMR-WB': AMR_WB };
