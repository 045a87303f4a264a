/** How each row of the other panels looks. */
import type { AlarmRow, AuditRow, CallRow, GatewayRow, PartnerRow, TrustLine } from '../model.js';
import { tableRow } from './cells.js';
import { make } from './dom.js';
import type { PageElement } from './dom.js';
import { running, secondText, timeText } from './times.js';

const CALL_LABELS = ['Who talks', 'Caller', 'Called', 'Partner', 'Protection', 'State', 'For'];
const PARTNER_LABELS = ['Partner', 'Ways', 'Trusted KMS'];
const AUDIT_LABELS = ['Time', 'Action', 'Key', 'Who', 'About', 'Detail'];

const PROTECTION_CLASS = { protected: 'good', clear: 'bad', 'no media': 'quiet' } as const;
const STATE_CLASS = { up: 'good', down: 'bad', unknown: 'quiet' } as const;

/** The facts of the head, one box each. */
export function gatewayFacts(row: GatewayRow): PageElement[] {
  return [
    fact('Gateway', `${row.version}, ${row.state}`),
    fact('Up for', running(row.startedAt)),
    fact('PBX', `${row.pbx}, link ${row.linked ? 'up' : 'down'}`, row.linked ? '' : 'bad'),
    fact('Calls', String(row.calls)),
    fact('Audit log', row.audit, row.audit === 'ok' ? '' : 'bad'),
    fact('Store', row.store, row.store === 'ok' ? '' : 'bad'),
  ];
}

function fact(name: string, value: string | PageElement, className = ''): PageElement {
  return make('div', '', make('dt', '', name), make('dd', className, value));
}

export function alarmRow({ name, subject, severity, text, since }: AlarmRow): PageElement {
  const about = subject === '' ? text : `${subject}: ${text}`;
  return make(
    'li',
    severity,
    make('span', 'name', `${severity}: ${name}`),
    `${about} `,
    make('span', 'sub', `since ${timeText(since)} UTC`),
  );
}

export function callRow(call: CallRow): PageElement {
  const key = call.keyId === null ? [] : [make('span', 'sub mono', call.keyId)];
  const failures =
    call.authFailures === 0
      ? []
      : [make('span', 'sub bad', `${call.authFailures} packets not authentic`)];
  const group = call.group === null ? [] : [make('span', 'sub', `group ${call.group}`)];
  return tableRow(CALL_LABELS, [
    { inside: talkers(call) },
    { inside: [call.caller, make('span', 'sub', call.direction === 'mc-to-lmr' ? 'MC' : 'radio')] },
    { inside: [call.called, ...group] },
    call.partner,
    {
      inside: [
        make('span', PROTECTION_CLASS[call.protection], call.protection),
        ...key,
        ...failures,
      ],
    },
    call.state,
    { inside: running(call.since), className: 'fixed' },
  ]);
}

function talkers({ talking, talker, floor }: CallRow): PageElement[] {
  const named = talker === null ? 'MC' : `MC ${talker}`;
  const sides = talking.map((side) => make('div', 'talks', side === 'radio' ? 'radio' : named));
  return [
    ...(sides.length === 0 ? [make('span', 'quiet', 'nobody')] : sides),
    ...(floor === null ? [] : [make('span', 'sub', `floor ${floor}`)]),
  ];
}

export function partnerRow({ id, state, ways, trust }: PartnerRow): PageElement {
  return tableRow(PARTNER_LABELS, [
    { inside: [make('strong', '', id), make('span', `sub ${STATE_CLASS[state]}`, state)] },
    {
      inside:
        ways.length === 0
          ? make('span', 'quiet', 'none')
          : make('div', '', ...ways.map((way) => make('div', '', `${way.way} ${way.state}`))),
    },
    {
      inside:
        trust.length === 0
          ? make('span', 'warn', 'none: no key of it is taken')
          : make('div', 'stack', ...trust.map(trustBlock)),
    },
  ]);
}

function trustBlock({ kmsUri, domains, fingerprint, words, state, to }: TrustLine): PageElement {
  const isRevoked = state === 'revoked';
  const until = to === null ? '' : `, until ${timeText(to)} UTC`;
  return make(
    'div',
    '',
    make('span', '', kmsUri, ' '),
    make('span', isRevoked ? 'bad badge' : state === 'in use' ? 'good' : 'warn', state),
    make('span', 'sub', `for ${domains.join(', ') || 'no domain'}${until}`),
    make('span', 'sub mono print', fingerprint.replace(/(.{8})(?=.)/g, '$1 ')),
    make('span', 'sub', words),
  );
}

export function auditRow({ at, action, key, who, about, detail }: AuditRow): PageElement {
  return tableRow(AUDIT_LABELS, [
    { inside: secondText(Date.parse(at)), className: 'fixed' },
    { inside: make('span', action.includes('revoked') ? 'bad' : '', action) },
    { inside: key, className: 'mono' },
    who,
    about,
    detail,
  ]);
}
