/** WAV files: one channel of 16-bit linear samples (RIFF, format tag 1). */

const HEADER_OCTETS = 44;

/** A whole WAV file; `sampleRate` in Hz. */
export function writeWav(samples: Int16Array, sampleRate: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_OCTETS + 2 * samples.length);
  const view = new DataView(bytes.buffer);
  const text = (at: number, value: string): void => {
    bytes.set(Buffer.from(value, 'latin1'), at);
  };
  text(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 2 * sampleRate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => view.setInt16(HEADER_OCTETS + 2 * i, sample, true));
  return bytes;
}
