/** What someone on either network sees of a call. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../../src/base/bytes.js';
import { CODECS, directionKeys, findTone } from '../../src/sim/index.js';
import type { Pck } from '../../src/sim/index.js';
import { deriveSessionKeys } from '../../src/srtp/index.js';
import { callMc, callRadio, hears } from '../support/call-pair.js';
import { PROJECT_ROOT } from '../support/asterisk.js';
import { Capture } from '../support/pcap.js';
import { GATEWAY_OUTER, MC_TONE_HZ, RADIO_TONE_HZ, Scene } from '../support/scene.js';
import { within } from '../support/waiting.js';

const RTP_HEADER = 12;
const PCMU_FRAME = 160;

/** Every key of a call: the PCK, the SRTP master keys and the session keys under them. */
function keysOf(pck: Pck): Uint8Array[] {
  const { send, receive } = directionKeys(pck);
  const sessions = [send, receive].flatMap((key) => [
    deriveSessionKeys(key, 'rtp').encryption,
    deriveSessionKeys(key, 'rtcp').encryption,
  ]);
  return [pck.key, send.masterKey, receive.masterKey, ...sessions].map((key) =>
    Uint8Array.from(key),
  );
}

/** Payloads of the audio packets in a capture, as far as they are as long as a frame of PCMU, by SSRC. */
function streamsOf(capture: Capture): Buffer[][] {
  const streams = new Map<number, Buffer[]>();
  for (const { payload } of capture.packets) {
    const isAudio = payload[0] === 0x80 && ((payload[1] ?? 0) & 0x7f) === 0;
    if (!isAudio || payload.length < RTP_HEADER + PCMU_FRAME) continue;
    const ssrc = payload.readUInt32BE(8);
    const frame = payload.subarray(RTP_HEADER, RTP_HEADER + PCMU_FRAME);
    streams.set(ssrc, [...(streams.get(ssrc) ?? []), frame]);
  }
  return [...streams.values()];
}

/** How long a tone is heard in all streams of a capture together, in milliseconds. */
function toneTime(capture: Capture, toneHz: number): number {
  return streamsOf(capture)
    .map((frames) => findTone(CODECS.PCMU.decode(Buffer.concat(frames)), toneHz, 8000))
    .reduce((sum, { milliseconds }) => sum + milliseconds, 0);
}

describe('captures on both sides of the gateway', function () {
  this.timeout(60_000);
  let scene: Scene;
  const keys: Uint8Array[] = [];
  /** public octets of the key messages: to show that a key would be found */
  const rands: Uint8Array[] = [];

  before(async () => {
    const artefacts = join(PROJECT_ROOT, 'artefacts');
    mkdirSync(artefacts, { recursive: true });
    scene = await Scene.start({
      capture: join(artefacts, 'system'),
      config: { logLevel: 'debug' },
    });
    for (const place of [callRadio, callMc]) {
      const { mc, radio } = await place(scene);
      const { pck } = mc.media.keys;
      assert.ok(pck);
      keys.push(...keysOf(pck));
      rands.push(Uint8Array.from(pck.rand));
      const heard = await Promise.all([hears(radio, MC_TONE_HZ), hears(mc, RADIO_TONE_HZ)]);
      assert.deepEqual(heard, [true, true]);
      mc.bye();
      await within('the radio call ends', radio.ended);
    }
  });

  after(async () => {
    await scene.stop();
  });

  it('hold the call: signalling and audio on both sides', () => {
    const { outer, inner } = scene.taps!;
    for (const tap of [outer, inner]) {
      assert.ok(tap.capture.packets.some(({ payload }) => payload.includes('INVITE sip:')));
      assert.ok(streamsOf(tap.capture).flat().length > 50);
    }
    assert.ok(outer.capture.packets.some(({ payload }) => payload.includes('a=key-mgmt:mikey ')));
    for (const rand of rands) assert.equal(outer.capture.holds(rand), true);
  });

  it('hold no clear audio on the outer side', () => {
    const inner = new Set(streamsOf(scene.taps!.inner.capture).flat().map(toHex));
    const frames = streamsOf(scene.taps!.outer.capture).flat();
    assert.equal(frames.filter((frame) => inner.has(toHex(frame))).length, 0);
    for (const tone of [MC_TONE_HZ, RADIO_TONE_HZ]) {
      assert.equal(toneTime(scene.taps!.outer.capture, tone), 0, `${tone} Hz`);
    }
  });

  it('hold the clear tones on the inner side', () => {
    for (const tone of [MC_TONE_HZ, RADIO_TONE_HZ]) {
      assert.ok(toneTime(scene.taps!.inner.capture, tone) > 500, `${tone} Hz`);
    }
  });

  for (const side of ['outer', 'inner'] as const) {
    it(`hold no key on the ${side} side`, () => {
      const { capture } = scene.taps![side];
      assert.ok(keys.length >= 6);
      for (const key of keys) assert.equal(capture.holds(key), false);
    });
  }

  it('are of a gateway whose log, audit log, store and PBX hold no key either', () => {
    const state = join(scene.folder, 'state');
    const files = readdirSync(state, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
    assert.ok(files.length > 0);
    const texts = [scene.gateway.log(), scene.asterisk.log()].map((text) => Buffer.from(text));
    const written = new Capture();
    const here = { address: '127.0.0.1', port: 0 };
    for (const octets of [...files, ...texts]) written.add(here, here, octets);
    for (const key of keys) assert.equal(written.holds(key), false);
  });

  it('hold no key message and no MC body on the inner side', () => {
    for (const { payload } of scene.taps!.inner.capture.packets) {
      assert.equal(/key-mgmt|mikey|mcptt-info/i.test(payload.toString('latin1')), false);
    }
  });

  it('hold nothing of one side on the other', () => {
    const { outer, inner } = scene.taps!;
    const sip = (capture: Capture): string =>
      capture.packets
        .map(({ payload }) => payload.toString('latin1'))
        .filter((text) => text.includes('SIP/2.0'))
        .join('\n');
    assert.equal(sip(outer.capture).includes(scene.asterisk.sip.address), false);
    assert.equal(/asterisk/i.test(sip(outer.capture)), false);
    assert.equal(sip(inner.capture).includes(GATEWAY_OUTER), false);
  });
});
