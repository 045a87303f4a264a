/** The T payload's time: 64-bit NTP (RFC 5905), 32 bits of seconds since 1900 and 32 of fraction. */
import { concatBytes } from '../base/bytes.js';
import { uint } from './octets.js';

const UNIX_EPOCH_IN_NTP = 2_208_988_800;
const ERA_SECONDS = 2 ** 32;

/**
 * Milliseconds since 1970 of an 8-octet NTP time stamp. The 32-bit seconds begin again in February 2036;
 * the era taken is the one that puts the time nearest to `nearMs`.
 */
export function ntpToUnixMs(stamp: Uint8Array, nearMs: number): number {
  const view = new DataView(stamp.buffer, stamp.byteOffset, 8);
  const seconds = view.getUint32(0) - UNIX_EPOCH_IN_NTP;
  const era = Math.max(0, Math.round((nearMs / 1000 - seconds) / ERA_SECONDS));
  const fraction = Math.floor((view.getUint32(4) * 1000) / ERA_SECONDS + 0.5);
  return (seconds + era * ERA_SECONDS) * 1000 + fraction;
}

/** The 8-octet NTP time stamp of `unixMs` (milliseconds since 1970). */
export function unixMsToNtp(unixMs: number): Uint8Array {
  const seconds = Math.floor(unixMs / 1000);
  const fraction = Math.floor(((unixMs - seconds * 1000) * ERA_SECONDS) / 1000);
  return concatBytes(
    uint((seconds + UNIX_EPOCH_IN_NTP) % ERA_SECONDS, 4, 'NTP seconds'),
    uint(fraction, 4, 'NTP fraction'),
  );
}
