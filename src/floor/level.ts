/**
 * How loud the speech in an RTP payload is, in dBov (0 is full scale). PCMU, PCMA and L16 are measured.
 * Of codecs that are not decoded here only silence can be told, by comfort noise frames and by
 * payloads that are too short for speech; anything else counts as speech.
 */

/** What silence is given as. */
export const SILENCE_DBOV = -127;
/** What speech that cannot be measured is given as. */
const SPEECH_DBOV = 0;

/** Level of a payload in dBov; null where it says nothing about speech. */
export type LevelMeter = (payload: Uint8Array) => number | null;

const FULL_SCALE = 32_768;

function pcmuSample(code: number): number {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
  return (bits & 0x80) === 0 ? magnitude : -magnitude;
}

function pcmaSample(code: number): number {
  const bits = code ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const mantissa = ((bits & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return (bits & 0x80) === 0 ? -magnitude : magnitude;
}

function dbov(sumOfSquares: number, count: number): number {
  if (count === 0 || sumOfSquares === 0) return SILENCE_DBOV;
  const level = 10 * Math.log10(sumOfSquares / count / FULL_SCALE ** 2);
  return Math.max(SILENCE_DBOV, Math.min(0, level));
}

/** Squares of the samples by code, so that a packet costs one look-up and one addition an octet. */
function squaresOf(sample: (code: number) => number): Float64Array {
  return Float64Array.from({ length: 256 }, (_, code) => sample(code) ** 2);
}

function companded(sample: (code: number) => number): LevelMeter {
  const squares = squaresOf(sample);
  return (payload) => {
    let sum = 0;
    for (const code of payload) sum += squares[code] ?? 0;
    return dbov(sum, payload.length);
  };
}

const linear: LevelMeter = (payload) => {
  let sum = 0;
  const count = payload.length >> 1;
  for (let i = 0; i < count; i++) {
    const sample = (((payload[2 * i] ?? 0) << 24) >> 16) | (payload[2 * i + 1] ?? 0);
    sum += sample * sample;
  }
  return dbov(sum, count);
};

/** Payloads of up to `silent` octets are comfort noise or nothing. */
function bySize(silent: number): LevelMeter {
  return (payload) => (payload.length <= silent ? SILENCE_DBOV : SPEECH_DBOV);
}

/**
 * AMR, AMR-WB (RFC 4867): the frame types of the table of contents. Speech types lie below the SID's.
 * @param sid frame type of comfort noise: 8 for AMR, 9 for AMR-WB
 */
function adaptiveMultiRate(sid: number, octetAligned: boolean): LevelMeter {
  return (payload) => {
    if (payload.length < 2) return SILENCE_DBOV;
    const bits = ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);
    const type = octetAligned ? (bits >> 3) & 0x0f : (bits >> 7) & 0x0f;
    return type < sid ? SPEECH_DBOV : SILENCE_DBOV;
  };
}

/** RFC 3551, RFC 4733, RFC 3389: nothing that is spoken. */
const NOT_SPEECH: LevelMeter = () => null;

export interface MeteredCodec {
  /** encoding name of a=rtpmap, any case */
  readonly name: string;
  /** a=fmtp has octet-align=1 (AMR, AMR-WB) */
  readonly octetAligned?: boolean;
}

const METERS: Readonly<Record<string, (codec: MeteredCodec) => LevelMeter>> = {
  PCMU: () => companded(pcmuSample),
  PCMA: () => companded(pcmaSample),
  L16: () => linear,
  AMR: ({ octetAligned = false }) => adaptiveMultiRate(8, octetAligned),
  'AMR-WB': ({ octetAligned = false }) => adaptiveMultiRate(9, octetAligned),
  // RFC 7587: one or two octets are a pause; RFC 3551: a G.729 SID has two; 26.445: an EVS SID has six
  OPUS: () => bySize(2),
  G729: () => bySize(2),
  EVS: () => bySize(6),
  CN: () => () => SILENCE_DBOV,
  'TELEPHONE-EVENT': () => NOT_SPEECH,
};

/** The meter of a codec; one that is not known has speech in every payload that is not empty. */
export function levelMeter(codec: MeteredCodec): LevelMeter {
  return METERS[codec.name.toUpperCase()]?.(codec) ?? bySize(0);
}
