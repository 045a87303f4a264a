import assert from 'node:assert/strict';
import { CODECS } from '../../src/sim/codec.js';
import { decodePcmu, encodePcmu } from '../../src/sim/pcmu.js';
import { findTone, sine, toneShare } from '../../src/sim/tone.js';
import { writeWav } from '../../src/sim/wav.js';

describe('what a simulated party sends and hears', () => {
  it('decodes mu-law as G.711 table 2a has it, at both ends of each scale', () => {
    assert.deepEqual(
      [...decodePcmu(Uint8Array.of(0x00, 0x80, 0x7f, 0xff, 0x8f))],
      [-32124, 32124, -0, 0, 16764].map((v) => (v === 0 ? 0 : v)),
    );
  });

  it('encodes each decoded mu-law value back to its own octet, but for the two zeros', () => {
    const codes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const again = encodePcmu(decodePcmu(codes));
    for (const code of codes) assert.equal(again[code], code === 0x7f ? 0xff : code);
  });

  it('finds a tone that went through mu-law', () => {
    const heard = decodePcmu(encodePcmu(sine(1000, 8000, 0, 8000)));
    const report = findTone(heard, 1000, 8000);
    assert.equal(report.found, true);
    assert.equal(report.milliseconds, 1000);
  });

  it('does not take another tone, noise or silence for the tone', () => {
    assert.equal(findTone(sine(440, 8000, 0, 8000), 1000, 8000).found, false);
    assert.equal(findTone(new Int16Array(8000), 1000, 8000).found, false);
    let state = 1;
    const noise = Int16Array.from({ length: 8000 }, () => {
      state = (state * 1103515245 + 12345) & 0x7fffffff;
      return (state >> 15) - 32768 / 2;
    });
    assert.ok(toneShare(noise, 1000, 8000) < 0.1);
    assert.equal(findTone(noise, 1000, 8000).found, false);
  });

  it('does not take what encrypted media sounds like for the tone', () => {
    const codes = Uint8Array.from({ length: 8000 }, (_, i) => (i * i * 31 + i * 7) >> 3);
    assert.equal(findTone(decodePcmu(codes), 1000, 8000).found, false);
  });

  it('knows its own AMR-WB frames and no frame with one bit changed', () => {
    const codec = CODECS['AMR-WB'];
    const frame = codec.encode(300, 0);
    assert.equal(codec.isOurs(frame), true);
    for (const at of [1, 2, 20, 33]) {
      const changed = frame.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      assert.equal(codec.isOurs(changed), false, `octet ${at}`);
    }
  });

  it('writes a WAV header that states rate, width and length', () => {
    const file = Buffer.from(writeWav(Int16Array.of(1, -2, 3), 8000));
    assert.equal(file.toString('latin1', 0, 4), 'RIFF');
    assert.equal(file.readUInt32LE(4), file.length - 8);
    assert.equal(file.readUInt32LE(24), 8000);
    assert.equal(file.readUInt16LE(34), 16);
    assert.equal(file.readUInt32LE(40), 6);
    assert.equal(file.readInt16LE(46), -2);
  });
});
