/** `segy partner check`: what a partner's profile accepts and sends, and whether it can be reached. */
import type { Command } from 'commander';
import { systemClock, systemRandom, systemTimers } from '../base/environment.js';
import { silentLog, silentMetrics } from '../base/environment.js';
import type { IdmTrial } from './actions/partner-idm.js';
import { toHex } from '../base/bytes.js';
import { SegyError, toSegyError } from '../base/errors.js';
import { checkReferencedFiles, parseConfig } from '../config/index.js';
import type { PartnerConfig, ProtectionConfig, SegyConfig } from '../config/index.js';
import { partnerProbe } from './partner-probe.js';
import type { ProbeResult } from './partner-probe.js';
import { configOption, readConfigText } from './config-file.js';
import { print } from './output.js';
import { perform } from './perform.js';
import { readKeyFile } from './protection.js';
import { loadSpks } from '../protect/index.js';

interface SpkView {
  readonly id: string;
  readonly state: 'valid' | 'not yet valid' | 'expired';
  /** true for the one that what we send is under */
  readonly sends: boolean;
  readonly validTo: string;
}

interface PartnerView {
  readonly ok: boolean;
  readonly partner: string;
  readonly findings: readonly string[];
  readonly accepts: readonly string[];
  readonly sends: readonly string[];
  readonly spks: readonly SpkView[];
  readonly connections: readonly ProbeResult[];
  /** its IdM and group documents, each step */
  readonly idm: readonly IdmTrial[];
}

export function registerPartnerCommands(program: Command): void {
  const partner = program.command('partner').description('partner MC systems');
  partner
    .command('check')
    .description('say what a partner may send and gets, and try its addresses and its IdM')
    .argument('<name>')
    .addOption(configOption())
    .option('--offline', 'do not try the connection', false)
    .option('--json', 'print one JSON object', false)
    .action(check);
}

interface CheckOptions {
  readonly config: string;
  readonly offline: boolean;
  readonly json: boolean;
}

async function check(name: string, options: CheckOptions): Promise<void> {
  const text = readConfigText(options.config);
  const config = parseConfig(text, options.config);
  const index = config.partners.findIndex((each) => each.name === name);
  const partner = config.partners[index];
  if (partner === undefined) {
    throw new SegyError('SEGY_E_NOT_FOUND', `${name} is no partner in ${options.config}`);
  }
  const files = checkReferencedFiles(config, text)
    .filter(({ path }) => path.startsWith(`partners[${index}].`) || path.startsWith('outer.'))
    .map(({ line, path, message }) => `${options.config}:${line}: ${path} ${message}`);
  const { spks, faults } = spksOf(partner, systemClock.now());
  const connections = options.offline ? [] : await tryAddresses(config, partner);
  const idm = options.offline ? [] : await tryIdm(config, partner);
  const unreached = connections.filter(({ reached }) => !reached);
  const findings = [
    ...files,
    ...faults,
    ...unreached.map(({ address, detail }) => `${address} cannot be reached: ${detail}`),
    ...idm.filter(({ ok }) => !ok).map(({ step, detail }) => `${step}: ${detail}`),
  ];
  const view: PartnerView = {
    ok: findings.length === 0,
    partner: name,
    findings,
    accepts: accepted(partner),
    sends: sent(partner),
    spks,
    connections,
    idm,
  };
  print(options.json, view, () => linesOf(view));
  if (!view.ok) process.exitCode = 1;
}

function linesOf(view: PartnerView): string[] {
  return [
    ...view.accepts.map((line) => `accepts  ${line}`),
    ...view.sends.map((line) => `sends    ${line}`),
    ...view.spks.map(
      ({ id, state, sends, validTo }) =>
        `SPK      ${id} ${state}, until ${validTo}${sends ? ', used for sending' : ''}`,
    ),
    ...view.connections.map(
      ({ address, reached, detail }) => `${reached ? 'reached ' : 'FAILED  '} ${address} ${detail}`,
    ),
    ...view.idm.map(({ step, ok, detail }) => `${ok ? 'got     ' : 'FAILED  '} ${step}: ${detail}`),
    ...view.findings.map((finding) => `WRONG    ${finding}`),
    view.ok ? `${view.partner}: right` : `${view.partner}: ${view.findings.length} findings`,
  ];
}

/** The SPKs as they stand now, and what is wrong with them. No key octet. */
function spksOf(partner: PartnerConfig, now: number): { spks: SpkView[]; faults: string[] } {
  const { protection } = partner;
  if (protection === undefined) return { spks: [], faults: [] };
  const faults: string[] = [];
  let sending: string | null = null;
  try {
    const set = loadSpks(protection, readKeyFile);
    if (set.all.length > 0) sending = toHex(set.forSending(now).id);
    set.wipe();
  } catch (error) {
    faults.push(toSegyError(error).message);
  }
  const spks = protection.spks.map(({ id, validFrom, validTo }): SpkView => {
    const state =
      now < Date.parse(validFrom)
        ? 'not yet valid'
        : now >= Date.parse(validTo)
          ? 'expired'
          : 'valid';
    return { id, state, sends: id.toLowerCase() === sending, validTo };
  });
  return { spks, faults };
}

function accepted(partner: PartnerConfig): string[] {
  const { protection, media } = partner;
  return [
    `media: ${media.policy === 'protected' ? 'protected only' : 'protected, and clear where none is offered'}`,
    ...(protection === undefined
      ? ['XML: clear only; what is encrypted is refused']
      : [
          `XML encryption: ${protection.receive.confidentiality}`,
          `XML signature: ${protection.receive.integrity}`,
          `keys derived with ${p0Text(protection, 'peer')}`,
          authentication(protection),
        ]),
    partner.refer === 'pass' ? 'transfers: of private calls' : 'transfers: none',
    `users of ${partner.domains.join(', ')} under ${partner.kmsUris.join(', ')}`,
  ];
}

function sent(partner: PartnerConfig): string[] {
  const { protection } = partner;
  if (protection === undefined) return ['XML: clear'];
  const { send, ear } = protection;
  return [
    `XML: ${send.confidentiality ? 'encrypted' : 'clear'}, ${send.integrity ? 'signed' : 'unsigned'}`,
    `keys derived with ${p0Text(protection, 'own')}`,
    ear.send ? `an EAR of ${ear.source === 'caller' ? 'the caller' : ear.source}` : 'no EAR',
  ];
}

function p0Text({ p0 }: ProtectionConfig, side: 'own' | 'peer'): string {
  return p0.rule === 'domain' ? p0[side] : 'P-Asserted-Identity, or From, of the request';
}

function authentication({ ear }: ProtectionConfig): string {
  if (ear.receive === 'none') return 'requests: by their source address';
  if (ear.receive === 'implicit') return 'requests: of external identities only';
  return `requests: with an EAR of role ${ear.acceptRoles.join(', ')}, type ${ear.acceptRequestTypes.join(', ')}`;
}

async function tryAddresses(config: SegyConfig, partner: PartnerConfig): Promise<ProbeResult[]> {
  const env = {
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    log: silentLog,
    metrics: silentMetrics,
  };
  return partnerProbe(config, partner, env);
}

/**
 * By the running gateway under the configuration it has in force, else on the state: a security token
 * is signed under the key that is sealed there.
 */
async function tryIdm(config: SegyConfig, partner: PartnerConfig): Promise<readonly IdmTrial[]> {
  if (partner.idm === undefined && partner.groupDocuments === undefined) return [];
  const { stateDir, masterKeyFile, admin } = config;
  const { socket } = admin;
  const target = { state: stateDir, masterKey: masterKeyFile, ...(socket && { socket }) };
  try {
    const body = { partner: partner.name };
    return (await perform('partner/try-idm', body, target, { config })).trials;
  } catch (error) {
    const { code, message } = toSegyError(error);
    return [{ step: 'metadata', ok: false, detail: `not tried: ${code} ${message}` }];
  }
}
