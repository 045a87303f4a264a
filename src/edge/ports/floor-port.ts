/** What the edge uses of the keys for floor control; composed from the partners' profiles. */
import type { PartnerConfig } from '../../config/index.js';
import type { FloorKeys } from '../../media/index.js';

export interface FloorPort {
  /**
   * SRTCP keys of floor control with `partner` now, the caller's to wipe; null where its profile has
   * it clear.
   * @throws SegyError SEGY_E_SPK_NONE when no key is valid
   */
  keys(partner: PartnerConfig): FloorKeys | null;
}
