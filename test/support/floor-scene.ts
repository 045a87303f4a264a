/** A scene whose calls have floor control under an SPK, and the two ends of its push-to-talk. */
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromHex, toHex } from '../../src/base/bytes.js';
import { CS_ID, srtpKeys } from '../../src/mikey/index.js';
import type {
  McMedia,
  PartyMedia,
  SimCall,
  SimFloor,
  SimFloorOptions,
} from '../../src/sim/index.js';
import { toneShare } from '../../src/sim/tone.js';
import type { SrtpKeyMaterial } from '../../src/srtp/index.js';
import type { CallPair } from './call-pair.js';
import { RADIO_TONE_HZ, Scene } from './scene.js';
import type { SceneOptions } from './scene.js';
import { until } from './waiting.js';

const SPK_ID = '3a0b0c0d';
const RAND = '0f'.repeat(16);
/** what a radio user's first syllable sounds like, and how long it is */
export const SYLLABLE_HZ = 2000;
const SYLLABLE_MS = 100;
const FRAME = 160;
const FRAME_MS = 20;

/** An SPK in a file, its entry in a profile, and the SRTCP key that both sides derive from it. */
export interface TestSpk {
  readonly file: string;
  readonly profile: Readonly<Record<string, unknown>>;
  readonly key: SrtpKeyMaterial;
  /** value of `segy sim … --floor-key` */
  readonly argument: string;
  remove(): void;
}

export function makeSpk(): TestSpk {
  const spk = randomBytes(16);
  const file = join(tmpdir(), `segy-spk-${randomBytes(4).toString('hex')}`);
  writeFileSync(file, `${toHex(spk)}\n`, { mode: 0o600 });
  return {
    file,
    profile: {
      spks: [
        {
          id: SPK_ID,
          keyFile: file,
          rand: RAND,
          validFrom: '2020-01-01T00:00:00Z',
          validTo: '2099-01-01T00:00:00Z',
        },
      ],
      send: { confidentiality: false, integrity: false },
      receive: { confidentiality: 'optional', integrity: 'optional' },
    },
    key: {
      suite: 'AEAD_AES_128_GCM',
      ...srtpKeys({
        key: spk,
        csbId: fromHex(SPK_ID),
        rand: fromHex(RAND),
        csId: CS_ID.cskMcptt,
      }),
      mki: fromHex(SPK_ID),
      rocRate: 0,
    },
    argument: `${SPK_ID}:${RAND}:${file}`,
    remove: () => rmSync(file, { force: true }),
  };
}

/**
 * A scene with floor control.
 * @param floor settings of the partner's floor section; `profile` are others of the partner's
 */
export async function startFloorScene(
  spk: TestSpk,
  floor: Readonly<Record<string, unknown>> = {},
  server: SimFloorOptions['server'] = {},
  {
    profile = {},
    ...options
  }: Partial<SceneOptions> & { profile?: Readonly<Record<string, unknown>> } = {},
): Promise<Scene> {
  return Scene.start({
    partner: {
      protection: spk.profile,
      floor: { keying: { source: 'level' }, ...floor },
      ...profile,
    },
    floor: { key: spk.key, server },
    ...options,
  });
}

/** The floor of a call in such a scene. */
export function floorOf({ mc }: { readonly mc: SimCall<McMedia> }): SimFloor {
  const { floor } = mc.media;
  if (floor === undefined) throw new Error('the call has no floor control');
  return floor;
}

/** The radio user keys nothing and says nothing. */
export function silence(call: SimCall<PartyMedia>): void {
  call.media.stream.speak(() => 0);
}

/** The radio user speaks: the first syllable, then the usual tone. */
export function speak(call: SimCall<PartyMedia>): void {
  call.media.stream.speak((ms) => (ms < SYLLABLE_MS ? SYLLABLE_HZ : RADIO_TONE_HZ));
}

/** Milliseconds of the first syllable in what `call` heard. */
export function syllableMs(call: SimCall<PartyMedia>): number {
  return framesOf(call, SYLLABLE_HZ) * FRAME_MS;
}

/** Frames of a tone in what `call` heard; what it hears comes in whole frames. */
export function framesOf(call: SimCall<PartyMedia>, toneHz: number): number {
  return framesIn(call.media.stream.recording(), toneHz);
}

/** Frames of a tone in samples that are whole frames. */
export function framesIn(samples: Int16Array, toneHz: number): number {
  let frames = 0;
  for (let at = 0; at + FRAME <= samples.length; at += FRAME) {
    if (toneShare(samples.subarray(at, at + FRAME), toneHz, 8000) >= 0.9) frames += 1;
  }
  return frames;
}

/** Both ends fall silent and what was heard so far is forgotten. */
export function hush({ mc, radio }: CallPair): void {
  for (const call of [mc, radio]) {
    silence(call);
    call.media.stream.clearRecording();
  }
}

/** Waits until the radio user behind the gateway has the floor, or has not. */
export async function untilHolder(floor: SimFloor, user: string | undefined): Promise<void> {
  await until(`${user ?? 'nobody'} has the floor`, () => floor.server.holders[0] === user);
}

/** Lines of the gateway's log about the floor of its calls: the events, in their order. */
export function floorEvents(scene: Scene): string[] {
  const lines = scene.gateway.log().split('\n');
  return lines.flatMap((line) => / floor .*\bevent=(\S+)/.exec(line)?.[1] ?? []);
}
