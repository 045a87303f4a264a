/** `segy sim …`: a simulated partner MC domain that calls a gateway, or takes its calls. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import {
  silentLog,
  silentMetrics,
  systemClock,
  systemRandom,
  systemTimers,
} from '../base/environment.js';
import type { Environment } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { createInlineCrypto } from '../crypto/index.js';
import { fingerprintOf } from '../kms/index.js';
import {
  CERTIFICATE_FILE,
  createDomainFiles,
  McSystem,
  openDomainFiles,
  reportCall,
  trustInDomainFiles,
  writeWav,
} from '../sim/index.js';
import type { CallReport, CodecName, McMedia, SimCall } from '../sim/index.js';
import { print } from './output.js';
import { addFloorOptions, floorOf, floorReport, followScript } from './sim-floor.js';
import type { FloorOptions } from './sim-floor.js';
import { addGmsOption, groupReport, joinGroups } from './sim-group.js';
import type { GmsOptions } from './sim-group.js';

interface PeerOptions extends FloorOptions, GmsOptions {
  domain: string;
  gateway: string;
  requestUri: string;
  listen: string;
  codec: CodecName;
  tone: number;
  expectTone: number;
  wav?: string;
  json: boolean;
}

interface CallOptions extends PeerOptions {
  from: string;
  to: string;
  duration: number;
}

interface GroupOptions extends PeerOptions {
  from: string;
  group: string;
  gms: string;
  subscribe: boolean;
  keyWait: number;
  duration: number;
}

interface ListenOptions extends PeerOptions {
  join: string[];
  for: number;
  calls: number;
}

const env: Environment = {
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
  log: silentLog,
  metrics: silentMetrics,
};

/** Resolves after `seconds`, or at once when `signal` is aborted. */
function wait(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

export function registerSimCommands(program: Command): void {
  const sim = program.command('sim').description('a simulated partner MC domain');
  sim
    .command('init')
    .description('make a simulated domain with its own KMS')
    .addOption(domainOption())
    .requiredOption('--kms-uri <uri>', 'URI of its KMS')
    .requiredOption('--mc-domain <name...>', 'domains of its users')
    .requiredOption('--user <uri...>', 'MCPTT IDs of its users')
    .option('--json', 'print one JSON object', false)
    .action(initDomain);
  sim
    .command('trust <file>')
    .description("trust a partner's KMS certificate (Annex D XML)")
    .addOption(domainOption())
    .option('--json', 'print one JSON object', false)
    .action((file: string, options: { domain: string; json: boolean }) => {
      const trusted = trustInDomainFiles(options.domain, new Uint8Array(readFileSync(file)));
      print(options.json, { trusted }, () => trusted);
    });
  addPeerOptions(sim.command('call').description('place one encrypted private call'))
    .requiredOption('--from <uri>', 'MCPTT ID of the calling user')
    .requiredOption('--to <uri>', 'MCPTT ID of the called user')
    .option('--duration <seconds>', 'length of the call after the answer', Number, 5)
    .action(placeCall);
  addPeerOptions(
    sim.command('group').description('get the keys of a talkgroup at its GMS and talk in it'),
  )
    .requiredOption('--gms <uri>', 'identity of the GMS that keys the group')
    .requiredOption('--from <uri>', 'MCPTT ID of the member')
    .requiredOption('--group <uri>', 'MC group ID')
    .option('--no-subscribe', 'wait for the keys to come by MESSAGE')
    .option('--key-wait <seconds>', 'how long to wait for an active key', Number, 30)
    .option('--duration <seconds>', 'length of the call after the answer', Number, 5)
    .action(talkInGroup);
  addGmsOption(
    addPeerOptions(
      sim.command('listen').description('take private calls, and those of talkgroups'),
    ),
  )
    .option('--join <uri...>', 'talkgroups to subscribe every user to', [])
    .option('--for <seconds>', 'how long to listen', Number, 60)
    .option('--calls <number>', 'end after so many calls', Number, Infinity)
    .action(takeCalls);
}

interface InitOptions {
  domain: string;
  kmsUri: string;
  mcDomain: string[];
  user: string[];
  json: boolean;
}

function initDomain(options: InitOptions): void {
  const { domain, kmsUri, mcDomain, user } = options;
  const names = { kmsUri, domains: mcDomain, users: user };
  const certificate = createDomainFiles(domain, names, createInlineCrypto(), env);
  const { hex, words } = fingerprintOf(certificate);
  print(options.json, { kmsUri, fingerprint: hex }, () => [
    `${join(domain, CERTIFICATE_FILE)}: certificate of ${kmsUri}`,
    `fingerprint ${hex}`,
    `            ${words}`,
  ]);
}

function domainOption(): Option {
  return new Option('--domain <folder>', 'folder of the simulated domain').makeOptionMandatory();
}

function addPeerOptions(command: Command): Command {
  return addFloorOptions(command)
    .addOption(domainOption())
    .requiredOption('--gateway <host:port[/tcp]>', "the gateway's outer SIP address")
    .option(
      '--request-uri <uri>',
      "the gateway's public service identity",
      'sip:mcptt-private@segy',
    )
    .option('--listen <address[:port]>', 'local address of SIP and media', '127.0.2.1')
    .addOption(new Option('--codec <name>').choices(['PCMU', 'AMR-WB']).default('PCMU'))
    .option('--tone <hertz>', 'tone to send', Number, 1000)
    .option('--expect-tone <hertz>', 'tone to look for', Number, 440)
    .option('--wav <file>', 'write what was heard')
    .option('--json', 'print one JSON object for each call', false);
}

function createSystem(options: PeerOptions): McSystem {
  const [, host = '', port = '', , transport] =
    /^(.+):(\d+)(\/(tcp|udp))?$/.exec(options.gateway) ?? [];
  const [, address = '', localPort] = /^(.+?)(?::(\d+))?$/.exec(options.listen) ?? [];
  if (host === '') {
    throw new SegyError('SEGY_E_USAGE', '--gateway is host:port or host:port/tcp');
  }
  const protocol = transport === 'tcp' ? 'tcp' : 'udp';
  const slow = createInlineCrypto();
  const { domain, users } = openDomainFiles(options.domain, slow, env);
  return new McSystem(
    {
      domain,
      users,
      address,
      ...(localPort === undefined ? {} : { port: Number(localPort) }),
      protocol,
      large: true,
      gateway: { protocol, address: host, port: Number(port) },
      requestUri: options.requestUri,
      codec: options.codec,
      toneHz: options.tone,
      ...(options.gms === undefined ? {} : { gms: options.gms }),
      ...floorOf(options),
    },
    env,
  );
}

function placeCall(options: CallOptions): Promise<void> {
  return talk(options, (system) => system.call({ from: options.from, to: options.to }));
}

function talkInGroup(options: GroupOptions): Promise<void> {
  const { from, group, subscribe, keyWait } = options;
  return talk(options, async (system) => {
    await joinGroups(system, subscribe ? [from] : [], [group]);
    await system.groups?.keys.awaitKey(group, from, 1000 * keyWait);
    return system.groupCall({ from, group });
  });
}

async function talk(
  options: CallOptions | GroupOptions,
  place: (system: McSystem) => Promise<SimCall<McMedia>>,
): Promise<void> {
  const system = createSystem(options);
  await system.open();
  try {
    const call = await place(system);
    if (await call.up) {
      followScript(options, call, env.timers);
      await Promise.race([wait(options.duration), call.ended]);
      call.bye();
    }
    const report = reportCall(call, options.expectTone, await call.ended);
    tell(options, call, report);
    if (!report.answered || !report.heard || report.counters.authFailures > 0) {
      process.exitCode = 1;
    }
  } finally {
    await system.close();
  }
}

async function takeCalls(options: ListenOptions): Promise<void> {
  const system = createSystem(options);
  let left = options.calls;
  const done = new Promise<void>((resolve) => {
    system.agent.onCall = (call) => {
      void call.answer();
      void call.up.then(() => followScript(options, call, env.timers));
      void call.ended.then((end) => {
        tell(options, call, reportCall(call, options.expectTone, end));
        left -= 1;
        if (left <= 0) resolve();
      });
    };
  });
  await system.open();
  await joinGroups(system, system.groups?.users ?? [], options.join);
  const late = new AbortController();
  await Promise.race([done, wait(options.for, late.signal)]);
  late.abort();
  await system.close();
}

function tell(options: PeerOptions, call: SimCall<McMedia>, report: CallReport): void {
  const { stream } = call.media;
  if (options.wav !== undefined) {
    writeFileSync(options.wav, writeWav(stream.recording(), stream.options.codec.clockRate));
  }
  const { floor } = floorReport(call);
  const group = groupReport(call);
  print(options.json, { ...report, floor, group }, () => [
    report.answered
      ? `answered after ${Math.round(report.setupMs ?? 0)} ms, ended by ${report.end}`
      : `not answered: ${report.end} ${report.status ?? ''} ${report.warning ?? ''}`.trimEnd(),
    options.codec === 'PCMU'
      ? `tone of ${options.expectTone} Hz ${report.heard ? 'found' : 'not found'} ` +
        `(${report.tone.milliseconds} ms)`
      : `${options.codec} frames ${report.heard ? 'arrived untouched' : 'did not arrive untouched'}`,
    `packets: ${report.counters.sent} sent, ${report.counters.received} heard, ` +
      `${report.counters.authFailures} failed to authenticate, ${report.counters.dropped} dropped`,
    ...(group === null
      ? []
      : [`${group.user} in ${group.id} under GMK ${group.keyIds.join(', ')}`]),
    ...(floor === null ? [] : [`floor messages: ${floor.received.join(', ') || 'none'}`]),
  ]);
}
