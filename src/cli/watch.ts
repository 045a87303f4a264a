/** `segy status`, `segy partners`: the running gateway in one look. */
import type { Command } from 'commander';
import type { PartnerView } from '../base/partner-view.js';
import type { StatusReport } from '../admin/index.js';
import { addLookOptions, look, spanText, table } from './look.js';
import type { LookOptions } from './look.js';
import { print } from './output.js';
import { printable } from './printable.js';

export function registerStatusCommand(program: Command): void {
  addLookOptions(program.command('status'))
    .description('the running gateway in one look')
    .action(async (options: LookOptions) => {
      const status = await look<StatusReport>('status', options);
      print(options.json, { ok: true, ...status }, () => statusLines(status));
    });
}

export function registerPartnersCommand(program: Command): void {
  addLookOptions(program.command('partners'))
    .description('the partners and the ways to them')
    .action(async (options: LookOptions) => {
      const { partners } = await look<{ partners: PartnerView[] }>('partners', options);
      print(options.json, { ok: true, partners }, () => partnerLines(partners));
    });
}

export function statusLines(status: StatusReport): string[] {
  const { calls, media, pbx, next } = status;
  const alarms = status.alarms.map(
    ({ name, severity, subject, text }) =>
      `ALARM      ${severity} ${name} ${printable(subject)} ${printable(text)}`,
  );
  return [
    `segy       ${status.version}, ${status.state} for ${spanText(status.uptimeSeconds)}, process ${status.pid}`,
    `PBX        ${pbx.type}, link ${pbx.linked ? 'up' : 'DOWN'}`,
    `calls      ${calls.total}: ${calls.private} private, ${calls.group} group; ${calls.armed} with media, ${calls.clear} in clear`,
    `media      ${media.workers} workers (${media.workerRestarts} restarts), ${media.sessions} sessions, free ports ${media.freePorts.outer} outer, ${media.freePorts.inner} inner`,
    `packets    ${media.packets.toInner} to the PBX, ${media.packets.toOuter} to MC`,
    `pairings   ${status.pairingQueue} waiting`,
    `partners   ${status.partners.map(({ partner, state }) => `${partner} ${state}`).join(', ') || '(none)'}`,
    ...next.map(
      ({ name, owner, days }) => `ends       ${printable(name)} (${owner}) in ${days ?? '-'} days`,
    ),
    `audit      ${status.audit}`,
    `store      ${status.store}`,
    `lag        ${status.lag.map(({ thread, lagMs }) => `${thread} ${lagMs.toFixed(0)} ms`).join(', ')}`,
    ...(alarms.length === 0 ? ['alarms     none'] : alarms),
  ];
}

function partnerLines(partners: readonly PartnerView[]): string[] {
  if (partners.length === 0) return ['no partner is configured'];
  return partners.flatMap(({ partner, state, ways }) => [
    `${partner}  ${state.toUpperCase()}`,
    ...table(
      ways.map((way) => [
        '  ',
        `${way.transport} ${way.address} ${way.port}`,
        way.state,
        way.since === null ? '-' : `since ${new Date(way.since).toISOString()}`,
        way.roundTripMs === null ? '' : `${way.roundTripMs.toFixed(0)} ms`,
        printable(way.reason ?? ''),
      ]),
    ),
  ]);
}
