/** What happens to the floor of a simulated call, and when: `0.5:key,2:unkey,3:deny`. */
import type { TimerHandle, Timers } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import type { SimFloor } from './sim-floor.js';

export interface FloorStep {
  /** milliseconds after the call was answered */
  readonly atMs: number;
  readonly action: FloorStepAction;
}

/** `peer` is the radio user behind the gateway. */
const ACTIONS = {
  /** our user keys, in three degrees of urgency, or lets the key go */
  key: (floor: SimFloor) => floor.key(),
  'imminent-peril': (floor: SimFloor) => floor.key('imminent-peril'),
  emergency: (floor: SimFloor) => floor.key('emergency'),
  unkey: (floor: SimFloor) => floor.unkey(),
  /** the peer loses the floor */
  revoke: (floor: SimFloor) => floor.server.revoke(floor.peer),
  /** what the server makes of every request from here on */
  deny: (floor: SimFloor) => (floor.server.script = () => ({ deny: 255 })),
  queue: (floor: SimFloor) => (floor.server.script = () => 'queue'),
  ignore: (floor: SimFloor) => (floor.server.script = () => 'ignore'),
  rules: (floor: SimFloor) => (floor.server.script = () => 'by-the-rules'),
} as const;

export type FloorStepAction = keyof typeof ACTIONS;

/** @throws SegyError SEGY_E_USAGE for what is no script */
export function parseFloorScript(text: string): FloorStep[] {
  return text.split(',').map((part) => {
    const [, seconds = '', action = ''] = /^\s*(\d+(?:\.\d+)?):([a-z-]+)\s*$/.exec(part) ?? [];
    if (!isAction(action)) {
      const known = Object.keys(ACTIONS).join(', ');
      throw new SegyError(
        'SEGY_E_USAGE',
        `a step of a floor script is SECONDS:ACTION, of ${known}`,
      );
    }
    return { atMs: Number(seconds) * 1000, action };
  });
}

/** Plays the script from now on. @returns what ends it before its end */
export function playFloorScript(
  script: readonly FloorStep[],
  floor: SimFloor,
  timers: Timers,
): () => void {
  const handles: TimerHandle[] = script.map(({ atMs, action }) =>
    timers.setTimeout(() => ACTIONS[action](floor), atMs),
  );
  return () => {
    for (const handle of handles) timers.clearTimeout(handle);
  };
}

function isAction(text: string): text is FloorStepAction {
  return Object.hasOwn(ACTIONS, text);
}
