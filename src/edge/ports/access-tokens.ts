/** What the edge uses of access tokens; the client of the partners' identity management provides it. */
import type { PartnerConfig } from '../../config/index.js';

export interface AccessTokens {
  /**
   * Token that the partner's identity management issued to a represented user, good for its group
   * management and its MCPTT server (TS 33.180 clauses B.7 to B.9); null where none can be had now.
   * Asked for with each request: what provides it keeps and renews it.
   */
  tokenFor(partner: PartnerConfig, user: string): Promise<string | null>;
  /** the partner refused a request with this token: the next one gets another */
  reject?(partner: PartnerConfig, user: string, token: string): void;
}
