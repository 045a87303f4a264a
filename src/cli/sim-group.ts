/** Talkgroups of `segy sim`: their GMS, subscriptions, and what a group call was protected with. */
import type { Command } from 'commander';
import { SegyError } from '../base/errors.js';
import type { McMedia, McSystem, SimCall } from '../sim/index.js';

export interface GmsOptions {
  gms?: string;
}

export function addGmsOption(command: Command): Command {
  return command.option('--gms <uri>', 'identity of the GMS that keys our talkgroups');
}

/** Subscribes users to groups. @throws SegyError SEGY_E_USAGE where there is no GMS; as the subscription */
export async function joinGroups(
  { groups }: McSystem,
  users: readonly string[],
  ids: readonly string[],
): Promise<void> {
  if (ids.length > 0 && groups === undefined) {
    throw new SegyError('SEGY_E_USAGE', 'talkgroups need --gms');
  }
  for (const user of users) await groups?.subscribe(user, ids);
}

/** Which member talked in which group, under which of its GMKs: identifiers, never a key. */
export function groupReport(call: SimCall<McMedia>): {
  readonly id: string;
  readonly user: string;
  readonly keyIds: readonly string[];
  /** MKIs that were heard, in hex: GMK-ID and the talker's GUK-ID */
  readonly talkers: readonly string[];
} | null {
  const exchange = call.media.group;
  if (exchange === null) return null;
  const { group, user } = exchange.membership;
  return { id: group, user, keyIds: exchange.sentWith, talkers: exchange.talkers };
}
