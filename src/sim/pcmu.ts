/** ITU-T G.711 mu-law: 8 kHz speech, one octet a sample, RTP payload type 0 (RFC 3551). */

const BIAS = 0x84;
const CLIP = 32635;

function encodeSample(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), CLIP) + BIAS;
  const exponent = 31 - Math.clz32(magnitude) - 7;
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

function decodeSample(code: number): number {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + BIAS) << ((bits >> 4) & 7)) - BIAS;
  return (bits & 0x80) === 0 ? magnitude : -magnitude;
}

const DECODED = Int16Array.from({ length: 256 }, (_, code) => decodeSample(code));

/** One octet for each 16-bit linear sample. */
export function encodePcmu(samples: Int16Array): Uint8Array {
  return Uint8Array.from(samples, encodeSample);
}

/** One 16-bit linear sample for each octet. */
export function decodePcmu(payload: Uint8Array): Int16Array {
  return Int16Array.from(payload, (code) => DECODED[code] ?? 0);
}
