/** The state of the gateway in one look, from views that cost next to nothing. */
import type { PartnerView } from '../base/partner-view.js';
import type { CallView } from '../edge/index.js';
import type { MediaStats, SessionTotals } from '../media/index.js';
import { SegyError } from '../base/errors.js';
import type { AlarmView, ExpiryView, GatewayViews, PbxView } from './ports.js';

/** Keys and certificates that are shown of those that end first. */
const NEXT_EXPIRIES = 3;
/** A side counts as talking so long after its last packet. */
const TALKING_MS = 2000;
const DAY_MS = 86_400_000;

export interface StatusReport {
  readonly version: string;
  readonly state: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly pbx: PbxView;
  readonly calls: {
    readonly total: number;
    readonly private: number;
    readonly group: number;
    readonly armed: number;
    readonly clear: number;
  };
  readonly media: {
    readonly workers: number;
    readonly workerRestarts: number;
    readonly sessions: number;
    readonly freePorts: { readonly outer: number; readonly inner: number };
    readonly packets: { readonly toInner: number; readonly toOuter: number };
  };
  readonly pairingQueue: number;
  readonly partners: readonly Pick<PartnerView, 'partner' | 'state'>[];
  readonly next: readonly (ExpiryView & { readonly days: number | null })[];
  readonly audit: string;
  readonly store: string;
  readonly alarms: readonly AlarmView[];
  readonly lag: readonly { readonly thread: string; readonly lagMs: number }[];
}

export async function statusReport(views: GatewayViews): Promise<StatusReport> {
  const now = views.now();
  const calls = views.edge.calls();
  const count = (is: (call: CallView) => boolean): number => calls.filter(is).length;
  const media = await views.media.stats();
  const { audit, store } = views.health();
  const packets = (direction: string): number =>
    views.metric('segy_media_packets_total', { direction });
  return {
    version: views.version,
    state: views.state(),
    pid: process.pid,
    uptimeSeconds: Math.floor((now - views.startedAt) / 1000),
    pbx: views.pbx(),
    calls: {
      total: calls.length,
      private: count(({ type }) => type === 'private'),
      group: count(({ type }) => type === 'group'),
      armed: count(({ armed }) => armed),
      clear: count(({ clear, armed }) => clear && armed),
    },
    media: {
      ...media,
      packets: { toInner: packets('to_inner'), toOuter: packets('to_outer') },
    },
    pairingQueue: views.metric('segy_crypto_waiting'),
    partners: views.partners().map(({ partner, state }) => ({ partner, state })),
    next: views
      .expiries()
      .filter(({ expiry }) => expiry !== null)
      .slice(0, NEXT_EXPIRIES)
      .map((view) => ({ ...view, days: daysLeft(view, now) })),
    audit: audit ?? 'ok',
    store: store ?? 'ok',
    alarms: views.alarms(),
    lag: views
      .lags()
      .map(({ thread, worker, lagMs }) => ({ thread: `${thread} ${worker}`, lagMs })),
  };
}

/** Days until it ends, negative afterwards; null where it does not. */
export function daysLeft({ expiry }: ExpiryView, now: number): number | null {
  return expiry === null ? null : Math.round(((expiry - now) / DAY_MS) * 100) / 100;
}

/** A call with what the workers told last of its media. */
export interface CallReport extends CallView {
  readonly durationSeconds: number;
  readonly packets: SessionTotals | null;
  /** who sends now: from outside (`mc`), from the PBX (`radio`) */
  readonly talking: readonly ('mc' | 'radio')[];
}

export function callReports(views: GatewayViews): CallReport[] {
  const now = views.now();
  return views.edge.calls().map((call) => {
    const packets = views.media.totals(call.session) ?? null;
    const talks = (at: number | null | undefined): boolean => now - (at ?? 0) <= TALKING_MS;
    return {
      ...call,
      durationSeconds: Math.floor((now - (call.connectedAt ?? call.startedAt)) / 1000),
      packets,
      talking: [
        ...(talks(packets?.toInnerAt) ? (['mc'] as const) : []),
        ...(talks(packets?.toOuterAt) ? (['radio'] as const) : []),
      ],
    };
  });
}

/**
 * One call in full.
 * @param id the beginning of its session, or one of its Call-IDs
 * @throws SegyError SEGY_E_NOT_FOUND for no or more than one such call
 */
export async function callReport(
  views: GatewayViews,
  id: string,
): Promise<CallReport & { readonly media: MediaStats | null }> {
  const found = callReports(views).filter(
    ({ session, legs }) => session.startsWith(id) || legs.some(({ callId }) => callId === id),
  );
  const [call] = found;
  if (call === undefined || found.length > 1) {
    throw new SegyError(
      'SEGY_E_NOT_FOUND',
      `${call === undefined ? 'no call has' : 'several calls have'} the identifier ${id}`,
    );
  }
  // The media may end between the two questions.
  const media = await views.media.sessionStats(call.session).catch(() => null);
  return { ...call, media };
}
