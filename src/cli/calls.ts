/** `segy calls`: the calls of the running gateway. */
import type { Command } from 'commander';
import type { CallReport } from '../admin/index.js';
import type { DirectionStats, MediaStats } from '../media/index.js';
import { addLookOptions, look, spanText, table } from './look.js';
import type { LookOptions } from './look.js';
import { print } from './output.js';
import { printable } from './printable.js';

type OneCall = CallReport & { readonly media: MediaStats | null };

/** Digits of a session that name it in a list. */
const SHORT_ID = 8;

export function registerCallsCommands(program: Command): void {
  const calls = program.command('calls').description('the calls of the running gateway');
  addLookOptions(calls.command('list', { isDefault: true }))
    .description('every call in one line')
    .action(list);
  addLookOptions(calls.command('show'))
    .description('one call in full: legs, keys, packets, who talks')
    .argument('<id>', 'the beginning of its session, or one of its Call-IDs')
    .action(show);
}

async function list(options: LookOptions): Promise<void> {
  const { calls } = await look<{ calls: CallReport[] }>('calls', options);
  print(options.json, { ok: true, calls }, () =>
    calls.length === 0 ? ['no call is up'] : callTable(calls),
  );
}

async function show(id: string, options: LookOptions): Promise<void> {
  const call = await look<OneCall>('calls/show', options, { id });
  print(options.json, { ok: true, call }, () => callLines(call));
}

/** One line a call, under a heading. */
export function callTable(calls: readonly CallReport[]): string[] {
  return table([
    ['session', 'partner', 'direction', 'state', 'time', 'key', 'caller', 'called', 'talks'],
    ...calls.map((call) => [
      call.session.slice(0, SHORT_ID),
      call.partner,
      call.direction,
      call.armed ? call.state : `${call.state}, no media`,
      spanText(call.durationSeconds),
      call.clear ? 'CLEAR' : (call.keyId ?? '-'),
      printable(call.caller || '-'),
      printable(call.group ?? (call.called || '-')),
      talks(call),
    ]),
  ]);
}

function talks({ talking, talker }: CallReport): string {
  const mc = talker === null ? 'mc' : printable(talker);
  return talking.map((side) => (side === 'mc' ? mc : 'radio')).join(' and ') || '-';
}

function callLines(call: OneCall): string[] {
  const { media } = call;
  return [
    `session       ${call.session}`,
    `kind          ${call.type}, ${call.direction}, partner ${call.partner}`,
    `state         ${call.state} for ${spanText(call.durationSeconds)}`,
    `caller        ${printable(call.caller || '-')}`,
    `called        ${printable(call.called || '-')}`,
    ...(call.group === null ? [] : [`group         ${printable(call.group)}`]),
    ...call.legs.map(
      (leg) =>
        `${leg.side.padEnd(6)} leg    ${leg.role}, ${leg.state}, ${leg.peer ?? 'no peer yet'}, Call-ID ${printable(leg.callId)}`,
    ),
    `PBX channel   ${printable(call.channel ?? '-')}`,
    `key           ${call.clear ? 'none: in clear, as the policy allows' : (call.keyId ?? '-')}`,
    `floor         ${call.floor ?? 'no floor control'}`,
    `talks         ${talks(call)}`,
    ...(media === null ? ['media         none'] : mediaLines(media)),
  ];
}

function mediaLines(media: MediaStats): string[] {
  const authentic = media.sinceAuthenticatedMs;
  return [
    `media         ${media.armed ? 'armed' : 'not armed'}, to ${media.outerRemote === null ? 'nobody yet' : `${media.outerRemote.address} ${media.outerRemote.port}`}`,
    `  from MC     ${directionText(media.toInner)}`,
    `  from PBX    ${directionText(media.toOuter)}`,
    `  SRTP        ${media.streams} streams, ${media.rocJumps} ROC jumps, ${authentic === null ? 'nothing authentic yet' : `last authentic ${(authentic / 1000).toFixed(1)} s ago`}`,
    `  RTCP        ${media.rtcpFromOuter} from MC, ${media.rtcpFromInner} from the PBX`,
  ];
}

function directionText({ packets, octets, lost, jitterMs, dropped }: DirectionStats): string {
  const drops = Object.entries(dropped).map(([reason, count]) => `${reason} ${count}`);
  const dropText = drops.length === 0 ? 'none dropped' : `dropped: ${drops.join(', ')}`;
  return `${packets} packets, ${octets} octets, ${lost} lost, jitter ${jitterMs.toFixed(1)} ms; ${dropText}`;
}
