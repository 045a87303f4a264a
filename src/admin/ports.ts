/**
 * What the admin side sees of the running gateway: read-only views, each the least that it needs. The
 * parts satisfy them without knowing it; src/cli hands them in. Nothing here holds a key octet.
 */
import type { PartnerView } from '../base/partner-view.js';
import type { LagView } from '../base/loop-lag.js';
import type { CallView } from '../edge/index.js';
import type { EngineStats, MediaStats, SessionTotals } from '../media/index.js';

export interface CallsPort {
  calls(): readonly CallView[];
}

export interface MediaViewPort {
  stats(): Promise<EngineStats>;
  /** what the workers told last; asks nobody */
  totals(session: string): SessionTotals | undefined;
  /** asks the worker of one session */
  sessionStats(session: string): Promise<MediaStats>;
}

export interface PbxView {
  readonly type: string;
  readonly linked: boolean;
}

/** A key of the ring, or a certificate, with the end of its validity. */
export interface ExpiryView {
  readonly kind: 'key' | 'certificate' | 'tls';
  /** key type and identifier, KMS URI or file */
  readonly name: string;
  /** name of the partner; `own` for the gateway's */
  readonly owner: string;
  /** milliseconds since 1970 */
  readonly activation: number | null;
  readonly expiry: number | null;
  readonly state: string;
  /** MC groups of a group key */
  readonly groups: readonly string[];
}

export interface HealthView {
  /** null while it works, else what is wrong */
  readonly audit: string | null;
  readonly store: string | null;
}

export interface AlarmView {
  readonly name: string;
  /** what it is about: a partner, a key, a session; empty where there is one only */
  readonly subject: string;
  readonly severity: 'warning' | 'critical';
  readonly text: string;
  /** milliseconds since 1970 */
  readonly since: number;
}

export interface GatewayViews {
  readonly version: string;
  /** milliseconds since 1970 */
  readonly startedAt: number;
  /** `running`, or what the life cycle says */
  state(): string;
  now(): number;
  readonly edge: CallsPort;
  readonly media: MediaViewPort;
  partners(): readonly PartnerView[];
  pbx(): PbxView;
  /** keys and certificates, those that end first in front */
  expiries(): readonly ExpiryView[];
  health(): HealthView;
  alarms(): readonly AlarmView[];
  lags(): readonly LagView[];
  /** the current value of one series of the metrics */
  metric(name: string, labels?: Readonly<Record<string, string>>): number;
}
