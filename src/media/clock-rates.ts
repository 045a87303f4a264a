/** RTP clocks of payload types: what SDP said, else RFC 3551 section 6, else 8000 Hz. */
import type { ClockRates } from './protocol.js';

const DEFAULT_RATE = 8_000;
const STATIC_RATES: ClockRates = {
  6: 16_000,
  10: 44_100,
  11: 44_100,
  14: 90_000,
  16: 11_025,
  17: 22_050,
  25: 90_000,
  26: 90_000,
  28: 90_000,
  31: 90_000,
  32: 90_000,
  33: 90_000,
  34: 90_000,
};

/** A table of 128 rates in Hz; a rate outside 1000..192000 is taken as not given. */
export function clockRateTable(given: ClockRates): Uint32Array {
  const table = new Uint32Array(128);
  for (let payloadType = 0; payloadType < table.length; payloadType++) {
    const rate = given[payloadType] ?? 0;
    const usable = rate >= 1_000 && rate <= 192_000;
    table[payloadType] = usable ? rate : (STATIC_RATES[payloadType] ?? DEFAULT_RATE);
  }
  return table;
}
