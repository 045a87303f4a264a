/**
 * Puts what is known of the channels in line with a PBX that has just been linked to.
 */
import type { PbxLink } from './driver.js';
import type { ChannelTable } from './table.js';

/** Claimed channels asked for at a time. */
const ASKED_AT_ONCE = 32;

/**
 * Reads the channel list, and asks for each claimed channel by itself: the list may lag behind the calls,
 * so it alone neither ends a session nor keeps one. Events of the link are taken in meanwhile.
 * @param inTime puts the deadline of one command on a wait
 * @returns identifiers of all channels that live now
 */
export async function resync(
  link: PbxLink,
  table: ChannelTable,
  inTime: <T>(work: Promise<T>) => Promise<T>,
): Promise<ReadonlySet<string>> {
  table.beginResync();
  const list = await inTime(link.listChannels());
  const claimed = table.claimed();
  const held = new Set<string>();
  for (let at = 0; at < claimed.length; at += ASKED_AT_ONCE) {
    const asked = claimed.slice(at, at + ASKED_AT_ONCE).map(async (id) => {
      if (await link.exists(id)) held.add(id);
    });
    await inTime(Promise.all(asked));
  }
  return table.endResync(list, held);
}
