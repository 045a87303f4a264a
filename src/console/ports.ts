/** What the console reads of the gateway, beside the views of src/admin. Identifiers and public facts only. */
import type { GatewayViews } from '../admin/index.js';

/** A KMS certificate that the operator bound to a partner. Times in milliseconds since 1970. */
export interface TrustView {
  readonly kmsUri: string;
  readonly partner: string;
  readonly domains: readonly string[];
  /** 64 hex digits, and the first half of it as words */
  readonly fingerprint: string;
  readonly words: string;
  readonly state: string;
  readonly from: number | null;
  readonly to: number | null;
  readonly revokedAt: number | null;
}

/** A key period of a KMS. */
export interface PeriodView {
  readonly kmsUri: string;
  readonly owner: string;
  readonly number: string;
  readonly from: number | null;
  readonly to: number | null;
  /** it is the one of now */
  readonly current: boolean;
}

export interface AuditView {
  readonly seq: number;
  readonly at: string;
  readonly action: string;
  readonly keyType?: string;
  readonly keyId?: string;
  readonly initiator?: string;
  readonly responder?: string;
  readonly partner?: string;
  readonly group?: string;
  readonly kmsUri?: string;
  readonly user?: string;
  readonly detail?: string;
}

export interface ConsoleViews {
  readonly gateway: GatewayViews;
  trust(): readonly TrustView[];
  /** the present and the next period of every KMS in use */
  periods(): readonly PeriodView[];
  /** the last `count` records, in order */
  audit(count: number): Promise<readonly AuditView[]>;
}
