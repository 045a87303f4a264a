import assert from 'node:assert/strict';
import { HeldSpeech, levelMeter, SILENCE_DBOV, TalkDetector } from '../../src/floor/index.js';
import { encodePcmu } from '../../src/sim/pcmu.js';

const packet = (n: number): Uint8Array => Uint8Array.of(n);
const numbers = (packets: readonly Uint8Array[]): number[] => packets.map((p) => p[0]!);

describe('Speech held back', () => {
  const options = { holdMs: 100, preRollMs: 40, maxPackets: 50 };

  it('is sent on a grant, in its order, before what comes after', () => {
    const held = new HeldSpeech(options);
    assert.deepEqual(held.setGate('hold', 0), []);
    for (let i = 0; i < 3; i++) assert.equal(held.offer(packet(i), 20 * i), false);
    assert.deepEqual(numbers(held.setGate('open', 60)), [0, 1, 2]);
    assert.equal(held.offer(packet(3), 60), true);
    assert.equal(held.dropped, 0);
  });

  it('is dropped and counted on a denial', () => {
    const held = new HeldSpeech(options);
    held.setGate('hold', 0);
    held.offer(packet(1), 0);
    held.setGate('closed', 20);
    assert.deepEqual(numbers(held.setGate('open', 20)), []);
    assert.equal(held.dropped, 1);
  });

  it('keeps the newest up to the limit in time, and up to the limit in packets', () => {
    const held = new HeldSpeech(options);
    held.setGate('hold', 0);
    for (let i = 0; i < 20; i++) held.offer(packet(i), 20 * i);
    assert.deepEqual(numbers(held.setGate('open', 400)), [16, 17, 18, 19]);
    assert.equal(held.dropped, 16);
    const few = new HeldSpeech({ ...options, maxPackets: 2 });
    few.setGate('hold', 0);
    for (let i = 0; i < 5; i++) few.offer(packet(i), 0);
    assert.deepEqual(numbers(few.setGate('open', 0)), [3, 4]);
  });

  it('keeps a short pre-roll while the gate is closed, or nothing where none is wanted', () => {
    const held = new HeldSpeech(options);
    for (let i = 0; i < 10; i++) held.offer(packet(i), 20 * i);
    held.setGate('hold', 190);
    held.offer(packet(10), 200);
    assert.deepEqual(numbers(held.setGate('open', 210)), [8, 9, 10]);
    const none = new HeldSpeech({ ...options, preRollMs: 0 });
    assert.equal(none.offer(packet(1), 0), false);
    assert.equal(none.count, 0);
    assert.equal(none.dropped, 1);
  });

  it('copies what it keeps, because the buffer of a socket is used again', () => {
    const held = new HeldSpeech(options);
    held.setGate('hold', 0);
    const buffer = packet(1);
    held.offer(buffer, 0);
    buffer[0] = 99;
    assert.deepEqual(numbers(held.setGate('open', 0)), [1]);
  });
});

/** A 1 kHz tone of 20 ms at 8 kHz, `peak` of 32768. */
const tone = (peak: number): Int16Array =>
  Int16Array.from({ length: 160 }, (_, i) => Math.round(peak * Math.sin((Math.PI * i) / 4)));

/** G.711 A-law by its definition: the code whose value lies nearest. */
function pcmaOf(samples: Int16Array): Uint8Array {
  const values = Array.from({ length: 256 }, (_, code) => {
    const bits = code ^ 0x55;
    const segment = (bits & 0x70) >> 4;
    const step = (bits & 0x0f) * 2 + 1;
    const magnitude = segment === 0 ? step : (step + 32) * 2 ** (segment - 1);
    return 8 * (bits & 0x80 ? magnitude : -magnitude);
  });
  return Uint8Array.from(samples, (sample) => {
    let best = 0;
    values.forEach((value, code) => {
      if (Math.abs(value - sample) < Math.abs(values[best]! - sample)) best = code;
    });
    return best;
  });
}

describe('Level of the speech in RTP', () => {
  for (const [peak, dbov] of [
    [32_000, -3.2],
    [3_277, -23],
    [328, -43],
  ] as const) {
    it(`of a tone with a peak of ${peak} is ${dbov} dBov in PCMU, PCMA and L16`, () => {
      const samples = tone(peak);
      const big = Buffer.from(samples.buffer).swap16();
      const levels = [
        levelMeter({ name: 'PCMU' })(encodePcmu(tone(peak))),
        levelMeter({ name: 'pcma' })(pcmaOf(tone(peak))),
        levelMeter({ name: 'L16' })(big),
      ];
      for (const level of levels) assert.ok(Math.abs(level! - dbov) < 0.7, levels.join());
    });
  }

  it('of silence is the lowest in PCMU, and far below speech in PCMA, which has no zero', () => {
    assert.equal(levelMeter({ name: 'PCMU' })(new Uint8Array(160).fill(0xff)), SILENCE_DBOV);
    assert.ok(levelMeter({ name: 'PCMA' })(new Uint8Array(160).fill(0xd5))! < -65);
    assert.equal(levelMeter({ name: 'PCMU' })(new Uint8Array()), SILENCE_DBOV);
  });

  it('of codecs that are not decoded tells comfort noise from speech by the frame type or the size', () => {
    const speech = (name: string, octets: readonly number[], octetAligned = false): boolean =>
      levelMeter({ name, octetAligned })(Uint8Array.from(octets)) === 0;
    // AMR: CMR 15, no further frame, type 7 (12.2) or 8 (SID); then octet-aligned
    assert.equal(speech('AMR', [0xf3, 0xc0, 1, 2]), true);
    assert.equal(speech('AMR', [0xf4, 0x40, 1, 2]), false);
    assert.equal(speech('AMR', [0xf0, 0x3c, 1, 2], true), true);
    assert.equal(speech('AMR', [0xf0, 0x44, 1, 2], true), false);
    // AMR-WB: type 8 (23.85) is speech, 9 the SID, 15 no data
    assert.equal(speech('AMR-WB', [0xf4, 0x40, 1, 2]), true);
    assert.equal(speech('AMR-WB', [0xf4, 0xc0, 1, 2]), false);
    assert.equal(speech('AMR-WB', [0xf0, 0x7c], true), false);
    assert.equal(speech('opus', [1, 2, 3]), true);
    assert.equal(speech('opus', [1]), false);
    assert.equal(speech('G729', new Array<number>(10).fill(1)), true);
    assert.equal(speech('G729', [1, 2]), false);
    assert.equal(speech('EVS', new Array<number>(6).fill(1)), false);
    assert.equal(speech('G722', new Array<number>(160).fill(1)), true);
    assert.equal(speech('CN', [60]), false);
    assert.equal(levelMeter({ name: 'telephone-event' })(packet(1)), null);
  });
});

describe('A key made of speech', () => {
  const options = { onDbov: -40, offDbov: -46, attackMs: 60, hangMs: 200 };

  /** Packets of 20 ms with these levels. @returns when the key moved, in ms */
  function run(levels: readonly (number | null)[]): string[] {
    const detector = new TalkDetector(options);
    return levels.flatMap((level, i) => {
      const key = detector.packet(level, 20, 20 * i);
      return key ? [`${key.kind} ${20 * i}`] : [];
    });
  }

  const loud = (count: number): number[] => new Array<number>(count).fill(-20);
  const quiet = (count: number): number[] => new Array<number>(count).fill(-80);

  it('goes on after the attack time and off after the hang time', () => {
    assert.deepEqual(run([...quiet(2), ...loud(5), ...quiet(20)]), ['key-on 80', 'key-off 320']);
  });

  it('is not moved by a click, nor by a pause within a sentence', () => {
    assert.deepEqual(run([...loud(2), ...quiet(1), ...loud(2), ...quiet(20)]), []);
    assert.deepEqual(run([...loud(4), ...quiet(9), ...loud(2)]), ['key-on 40']);
  });

  it('does not flutter between its two thresholds', () => {
    const between = new Array<number>(20).fill(-43);
    assert.deepEqual(run(between), []);
    assert.deepEqual(run([...loud(3), ...between]), ['key-on 40']);
  });

  it('goes off when the packets stop, and takes no notice of digits', () => {
    const detector = new TalkDetector(options);
    for (let i = 0; i < 3; i++) detector.packet(-20, 20, 20 * i);
    assert.equal(detector.talking, true);
    assert.equal(detector.packet(null, 20, 100), null);
    assert.equal(detector.tick(239), null);
    assert.deepEqual(detector.tick(240), { kind: 'key-off' });
    assert.equal(detector.tick(300), null);
  });
});
