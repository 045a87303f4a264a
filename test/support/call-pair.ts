/** Placing a call in a scene and having both ends of it at hand. */
import { findTone } from '../../src/sim/index.js';
import type { McCallOptions, McMedia, PartyMedia, SimAgent, SimCall } from '../../src/sim/index.js';
import { ALICE, RADIO_1 } from './scene.js';
import type { Scene } from './scene.js';
import { sleep, until, within } from './waiting.js';

/** The two ends of one answered call. */
export interface CallPair {
  readonly mc: SimCall<McMedia>;
  readonly radio: SimCall<PartyMedia>;
}

/** Takes the next call of `agent` and, unless told otherwise, answers it at once. */
export function nextCall<M extends PartyMedia>(
  agent: SimAgent<M>,
  answer = true,
): Promise<SimCall<M>> {
  return new Promise((resolve) => {
    agent.onCall = (call) => {
      delete agent.onCall;
      if (answer) void call.answer();
      resolve(call);
    };
  });
}

/** @throws Error with status and Warning when `call` was not answered */
export async function expectUp(call: SimCall<PartyMedia>): Promise<void> {
  if (await within('the call is answered or refused', call.up)) return;
  const end = await call.ended;
  throw new Error(
    `the call was not answered: ${end.by} ${end.status ?? ''} ${end.warning ?? ''} ${end.error?.message ?? ''}`,
  );
}

/** Alice calls the radio user; answered when this resolves. */
export async function callRadio(
  scene: Scene,
  options: Partial<McCallOptions> = {},
): Promise<CallPair> {
  const taken = nextCall(scene.radio.agent);
  const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri, ...options });
  await expectUp(mc);
  return { mc, radio: await within('the radio takes the call', taken) };
}

/** The radio user calls Alice; answered when this resolves. */
export async function callMc(scene: Scene): Promise<CallPair> {
  const taken = nextCall(scene.mc.agent);
  const radio = await scene.radio.call(RADIO_1.pbx, 'alice');
  await expectUp(radio);
  return { radio, mc: await within('the MC user takes the call', taken) };
}

/** Whether the tone is heard in what `call` hears from now on; a busy machine may be late with it. */
export async function hears(
  call: SimCall<PartyMedia>,
  toneHz: number,
  withinMs = 15_000,
): Promise<boolean> {
  const { stream } = call.media;
  stream.clearRecording();
  const giveUp = performance.now() + withinMs;
  for (;;) {
    await sleep(100);
    if (findTone(stream.recording(), toneHz, stream.options.codec.clockRate).found) return true;
    if (performance.now() > giveUp) return false;
  }
}

/** Whether the tone is in nothing that `call` hears in the next half second. */
export async function isSpared(call: SimCall<PartyMedia>, toneHz: number): Promise<boolean> {
  return !(await hears(call, toneHz, 500));
}

/** Waits until what was under way when this is called has come: `count` stands still. */
export async function settle(what: string, count: () => number): Promise<number> {
  let last = -1;
  await until(`${what}: nothing more comes`, async () => {
    last = count();
    await sleep(200);
    return count() === last;
  });
  return last;
}
