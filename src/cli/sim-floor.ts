/** Floor control of `segy sim`: the key shared with the gateway, and a script of what happens. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { fromHex, wipe } from '../base/bytes.js';
import type { Timers } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { CS_ID, srtpKeys } from '../mikey/index.js';
import { parseFloorScript, playFloorScript } from '../sim/index.js';
import type { McMedia, McSystemOptions, SimCall } from '../sim/index.js';

export interface FloorOptions {
  floorKey?: string;
  floorScript?: string;
}

const KEY_OCTETS = 16;
const MIN_RAND_OCTETS = 16;

export function addFloorOptions(command: Command): Command {
  return command
    .option('--floor-key <id:rand:file>', 'serve the floor under this SPK or CSK, all in hex')
    .option(
      '--floor-script <steps>',
      'what happens to the floor, such as 0.5:key,2:unkey,3:deny',
      '0:rules',
    );
}

/** What the options make of the MC system; nothing without a key. @throws SegyError SEGY_E_USAGE */
export function floorOf({ floorKey }: FloorOptions): Pick<McSystemOptions, 'floor'> {
  if (floorKey === undefined) return {};
  const [, id = '', rand = '', file = ''] =
    /^([23][0-9a-fA-F]{7}):((?:[0-9a-fA-F]{2})+):(.+)$/.exec(floorKey) ?? [];
  if (id === '' || rand.length < 2 * MIN_RAND_OCTETS) {
    throw new SegyError('SEGY_E_USAGE', '--floor-key is ID:RAND:FILE, the ID of an SPK or a CSK');
  }
  const octets = fromHex(readFileSync(file, 'utf8').trim(), 'the floor key', KEY_OCTETS);
  try {
    const mki = fromHex(id, 'the key identifier');
    const input = { key: octets, csbId: mki, rand: fromHex(rand, 'RAND'), csId: CS_ID.cskMcptt };
    return {
      floor: { key: { suite: 'AEAD_AES_128_GCM', ...srtpKeys(input), mki, rocRate: 0 } },
    };
  } finally {
    wipe(octets);
  }
}

/** Plays the script over `call` until it ends. @throws SegyError SEGY_E_USAGE */
export function followScript(
  { floorScript = '' }: FloorOptions,
  call: SimCall<McMedia>,
  timers: Timers,
): void {
  const { floor } = call.media;
  if (floor === undefined || floorScript === '') return;
  const stop = playFloorScript(parseFloorScript(floorScript), floor, timers);
  void call.ended.then(stop);
}

/** Messages that came from the gateway and what our user was told, by their types, in their order. */
export function floorReport(call: SimCall<McMedia>): {
  readonly floor: { readonly received: readonly string[]; readonly told: readonly string[] } | null;
} {
  const { floor } = call.media;
  if (floor === undefined) return { floor: null };
  const types = (messages: typeof floor.received): string[] => messages.map(({ type }) => type);
  return { floor: { received: types(floor.received), told: types(floor.told) } };
}
