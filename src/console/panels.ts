/** Fills the panels from the views. What changes slowly and costs more is read less often. */
import type { PartnerView } from '../base/partner-view.js';
import { callReports } from '../admin/index.js';
import type { AlarmView, CallReport, ExpiryView } from '../admin/index.js';
import type {
  AlarmRow,
  AuditRow,
  CalendarRow,
  CallRow,
  GatewayRow,
  Panels,
  PartnerRow,
  TrustLine,
} from './model.js';
import type { AuditView, ConsoleViews, PeriodView, TrustView } from './ports.js';

/** Rows that a panel shows at most. */
const CALLS = 200;
const PARTNERS = 200;
const CALENDAR = 300;
const ALARMS = 100;
const AUDIT = 40;
/** Longest text of one cell, in characters. */
const MAX_TEXT = 256;
const SLOW_MS = 2000;
/** controls, formats (among them those that set the direction), line and paragraph separators */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** @returns what reads all panels anew, each time it is called */
export function readPanels(views: ConsoleViews): () => Promise<Panels> {
  const slow = slowly(
    () => views.gateway.now(),
    async () => ({
      partners: partnerRows(views.gateway.partners(), views.trust()),
      calendar: calendarRows(views.gateway.expiries(), views.periods(), views.trust()),
      audit: (await views.audit(AUDIT)).map(auditRow).reverse(),
    }),
  );
  return async () => {
    const calls = callReports(views.gateway);
    return {
      gateway: [gatewayRow(views, calls.length)],
      alarms: views.gateway.alarms().slice(0, ALARMS).map(alarmRow),
      calls: calls
        .sort((a, b) => b.startedAt - a.startedAt)
        .slice(0, CALLS)
        .map(callRow),
      ...(await slow()),
    };
  };
}

function slowly<T>(now: () => number, read: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  let readAt = 0;
  return () => {
    const age = now() - readAt;
    if (value === undefined || age >= SLOW_MS || age < 0) {
      readAt = now();
      value = read();
      value.catch(() => (value = undefined));
    }
    return value;
  };
}

function gatewayRow({ gateway }: ConsoleViews, calls: number): GatewayRow {
  const { type, linked } = gateway.pbx();
  const { audit, store } = gateway.health();
  return {
    id: 'gateway',
    version: gateway.version,
    state: gateway.state(),
    startedAt: gateway.startedAt,
    pbx: type,
    linked,
    audit: cut(audit ?? 'ok'),
    store: cut(store ?? 'ok'),
    calls,
  };
}

function callRow(call: CallReport): CallRow {
  return {
    id: call.session,
    partner: call.partner,
    type: call.type,
    group: call.group === null ? null : cut(call.group),
    direction: call.direction,
    state: call.state,
    caller: cut(call.caller),
    called: cut(call.called),
    since: call.connectedAt ?? call.startedAt,
    protection: !call.armed ? 'no media' : call.clear ? 'clear' : 'protected',
    keyId: call.keyId,
    talking: call.talking,
    floor: call.floor === null ? null : cut(call.floor),
    talker: call.talker === null ? null : cut(call.talker),
    authFailures: call.packets?.authFailures ?? 0,
  };
}

/** Also a partner that is only in the trust store: its certificates are then of no use. */
function partnerRows(partners: readonly PartnerView[], trust: readonly TrustView[]): PartnerRow[] {
  const known = new Set(partners.map(({ partner }) => partner));
  const others = [...new Set(trust.map(({ partner }) => partner))]
    .filter((partner) => !known.has(partner))
    .map((partner): PartnerView => ({ partner, state: 'unknown', ways: [] }));
  return [...partners, ...others].slice(0, PARTNERS).map(({ partner, state, ways }) => ({
    id: partner,
    state,
    ways: ways.map(({ transport, address, port, ...way }) => ({
      way: `${transport} ${address}${address.includes(':') ? ' port ' : ':'}${port}`,
      state: way.state,
    })),
    trust: trust.filter((entry) => entry.partner === partner).map(trustLine),
  }));
}

function trustLine({ kmsUri, domains, fingerprint, words, state, to }: TrustView): TrustLine {
  return { kmsUri, domains: domains.slice(0, 20).map(cut), fingerprint, words, state, to };
}

function calendarRows(
  expiries: readonly ExpiryView[],
  periods: readonly PeriodView[],
  trust: readonly TrustView[],
): CalendarRow[] {
  const revoked = trust
    .filter(({ revokedAt }) => revokedAt !== null)
    .map(({ kmsUri, partner, from, to }): CalendarRow => {
      const name = cut(kmsUri);
      const kind = 'KMS certificate';
      return {
        ...{ id: `revoked ${kmsUri}`, kind, name, owner: partner, groups: [] },
        from,
        to,
        state: 'revoked',
      };
    });
  const rows = [...expiries.map(expiryRow), ...revoked, ...periods.map(periodRow)];
  return rows.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind)).slice(0, CALENDAR);
}

const KINDS = ['group key', 'key', 'key period', 'KMS certificate', 'TLS certificate'] as const;

function expiryRow(view: ExpiryView): CalendarRow {
  const { kind, name, owner, activation, expiry, state, groups } = view;
  return {
    id: `${kind} ${owner} ${name}`,
    kind: kind === 'key' ? (groups.length > 0 ? 'group key' : 'key') : CERTIFICATES[kind],
    name: cut(name),
    owner: owner === '' ? 'own' : cut(owner),
    groups: groups.slice(0, 20).map(cut),
    from: activation,
    to: expiry,
    state,
  };
}

const CERTIFICATES = { certificate: 'KMS certificate', tls: 'TLS certificate' } as const;

function periodRow({ kmsUri, owner, number, from, to, current }: PeriodView): CalendarRow {
  return {
    id: `period ${kmsUri} ${number}`,
    kind: 'key period',
    name: `${cut(kmsUri)} no. ${number}`,
    owner,
    groups: [],
    from,
    to,
    state: current ? 'active' : 'pending',
  };
}

function alarmRow({ name, subject, severity, text, since }: AlarmView): AlarmRow {
  return {
    id: `${name} ${subject}`,
    name,
    subject: cut(subject),
    severity,
    text: cut(text),
    since,
  };
}

function auditRow(line: AuditView): AuditRow {
  const who = [line.initiator, line.responder, line.user];
  const about = [line.partner, line.group, line.kmsUri];
  return {
    id: String(line.seq),
    at: line.at,
    action: cut(line.action),
    key: cut(present([line.keyType, line.keyId]).join(' ')),
    who: cut(present(who).join(' → ')),
    about: cut(present(about).join(', ')),
    detail: cut(line.detail ?? ''),
  };
}

function present(values: readonly (string | undefined)[]): string[] {
  return values.filter((value) => value !== undefined);
}

/** Shortened, and with what turns, hides or breaks text made visible: a name may come from anybody. */
function cut(text: string): string {
  const short = text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
  return short.replace(UNSEEN, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}
