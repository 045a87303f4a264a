/**
 * What the page shows, as it travels in an event: panels of rows, each row whole and with an identifier.
 * Times in milliseconds since 1970. The server and the page's own script share these types.
 */
export interface GatewayRow {
  readonly id: 'gateway';
  readonly version: string;
  readonly state: string;
  readonly startedAt: number;
  readonly pbx: string;
  readonly linked: boolean;
  /** `ok`, or what is wrong */
  readonly audit: string;
  readonly store: string;
  /** all calls; the panel shows the newest of them */
  readonly calls: number;
}

export interface CallRow {
  /** the session */
  readonly id: string;
  readonly partner: string;
  readonly type: 'private' | 'group';
  readonly group: string | null;
  readonly direction: 'mc-to-lmr' | 'lmr-to-mc';
  readonly state: string;
  readonly caller: string;
  readonly called: string;
  readonly since: number;
  readonly protection: 'protected' | 'clear' | 'no media';
  readonly keyId: string | null;
  /** which sides send now */
  readonly talking: readonly ('mc' | 'radio')[];
  /** how the floor stands, where there is floor control */
  readonly floor: string | null;
  /** who has the floor, or was heard last in a group call */
  readonly talker: string | null;
  /** packets that did not authenticate */
  readonly authFailures: number;
}

export interface TrustLine {
  readonly kmsUri: string;
  readonly domains: readonly string[];
  readonly fingerprint: string;
  readonly words: string;
  readonly state: string;
  readonly to: number | null;
}

export interface PartnerRow {
  /** its name */
  readonly id: string;
  readonly state: 'unknown' | 'up' | 'down';
  readonly ways: readonly { readonly way: string; readonly state: string }[];
  readonly trust: readonly TrustLine[];
}

export interface CalendarRow {
  readonly id: string;
  readonly kind: 'group key' | 'key' | 'key period' | 'KMS certificate' | 'TLS certificate';
  readonly name: string;
  readonly owner: string;
  readonly groups: readonly string[];
  readonly from: number | null;
  readonly to: number | null;
  readonly state: string;
}

export interface AlarmRow {
  readonly id: string;
  readonly name: string;
  readonly subject: string;
  readonly severity: 'warning' | 'critical';
  readonly text: string;
  readonly since: number;
}

export interface AuditRow {
  readonly id: string;
  readonly at: string;
  readonly action: string;
  readonly key: string;
  readonly who: string;
  readonly about: string;
  readonly detail: string;
}

export interface Panels {
  readonly gateway: readonly GatewayRow[];
  readonly alarms: readonly AlarmRow[];
  readonly calls: readonly CallRow[];
  readonly partners: readonly PartnerRow[];
  readonly calendar: readonly CalendarRow[];
  readonly audit: readonly AuditRow[];
}

export type PanelName = keyof Panels;

/** One event: of each panel that changed, the rows that changed, and their order where that did. */
export interface Change {
  /** the gateway's clock */
  readonly now: number;
  readonly panels: {
    readonly [N in PanelName]?: {
      readonly order?: readonly string[];
      readonly rows: readonly Panels[N][number][];
    };
  };
}
