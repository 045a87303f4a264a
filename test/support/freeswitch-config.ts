/**
 * The configuration of a private FreeSWITCH: a freeswitch.xml of the tests' own that includes the files
 * of dialplan/freeswitch as they are, with the values changed that an operator is told to edit.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from './asterisk.js';
import type { Peer } from './pcap.js';

/** media ports of the PBX */
export const RTP_PORTS = 400;

export interface FreeSwitchPlan {
  readonly edge: Peer;
  readonly radio: Peer;
  readonly sip: Peer;
  readonly trunk: Peer;
  readonly control: Peer;
  readonly password: string;
  /** first of `RTP_PORTS` ports */
  readonly rtpStart: number;
  /** dialplan extensions put at the beginning of a context, by its name */
  readonly extensions: Readonly<Record<string, string>>;
}

/** What the tests need; a module that this FreeSWITCH was built without is only missed in its log. */
const MODULES = [
  ...['logfile', 'commands', 'dptools', 'dialplan_xml', 'sofia', 'amr', 'amrwb', 'event_socket'],
  ...['hash', 'conference'],
].map((name) => `<load module="mod_${name}"/>`);

/** Writes freeswitch.xml and what it includes into `folder`, which is made. */
export function writeFreeSwitchConfig(folder: string, plan: FreeSwitchPlan): void {
  mkdirSync(folder, { recursive: true });
  const { edge, sip, control } = plan;
  const edits: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
    'segy_acl.xml': [['cidr="127.0.0.2/32"', `cidr="${edge.address}/32"`]],
    'segy_event_socket.xml': [
      [param('listen-ip', '127.0.0.1'), param('listen-ip', control.address)],
      [param('listen-port', '8021'), param('listen-port', control.port)],
      [param('password', 'change-me'), param('password', plan.password)],
    ],
    'segy_profile.xml': [
      [param('proxy', '127.0.0.2:5062'), param('proxy', `${edge.address}:${edge.port}`)],
      [param('realm', '127.0.0.2'), param('realm', edge.address)],
      [param('sip-ip', '127.0.0.1'), param('sip-ip', sip.address)],
      [param('sip-port', '5070'), param('sip-port', sip.port)],
      [param('rtp-ip', '127.0.0.1'), param('rtp-ip', sip.address)],
    ],
    'segy.xml': [],
    'segy_routes.xml': [],
    'segy_groups.xml': [],
    'segy_floor.xml': [],
    'segy_conference.xml': [],
  };
  const unused = new Set(Object.keys(plan.extensions));
  for (const [name, changes] of Object.entries(edits)) {
    let text = readFileSync(join(PROJECT_ROOT, 'dialplan/freeswitch', name), 'utf8');
    for (const [before, after] of changes) text = replaceOnce(name, text, before, after);
    for (const [context, extensions] of Object.entries(plan.extensions)) {
      const begin = `<context name="${context}">`;
      if (!text.includes(begin)) continue;
      text = replaceOnce(name, text, begin, `${begin}\n${extensions}`);
      unused.delete(context);
    }
    writeFileSync(join(folder, name), text);
  }
  if (unused.size > 0) throw new Error(`no context ${[...unused].join(', ')}`);
  writeFileSync(join(folder, 'freeswitch.xml'), mainFile(folder, plan));
}

function param(name: string, value: string | number): string {
  return `<param name="${name}" value="${value}"/>`;
}

function replaceOnce(file: string, text: string, before: string, after: string): string {
  const parts = text.split(before);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times ${before}`);
  return parts.join(after);
}

function mainFile(folder: string, plan: FreeSwitchPlan): string {
  const include = (name: string): string =>
    `<X-PRE-PROCESS cmd="include" data="${join(folder, name)}"/>`;
  // Pre-processing goes by lines: each directive has one of its own.
  return [
    '<?xml version="1.0"?>',
    '<document type="freeswitch/xml">',
    '<section name="configuration">',
    '<configuration name="modules.conf"><modules>',
    ...MODULES,
    '</modules></configuration>',
    '<configuration name="switch.conf"><settings>',
    param('loglevel', 'debug'),
    param('max-sessions', 1000),
    param('sessions-per-second', 1000),
    param('rtp-start-port', plan.rtpStart),
    param('rtp-end-port', plan.rtpStart + RTP_PORTS - 1),
    '</settings></configuration>',
    '<configuration name="logfile.conf"><settings/><profiles><profile name="default">',
    '<settings/><mappings><map name="all" value="console,debug,info,notice,warning,err,crit,alert"/></mappings>',
    '</profile></profiles></configuration>',
    '<configuration name="acl.conf"><network-lists>',
    include('segy_acl.xml'),
    `<list name="radio" default="deny"><node type="allow" cidr="${plan.radio.address}/32"/></list>`,
    '</network-lists></configuration>',
    include('segy_event_socket.xml'),
    '<configuration name="conference.conf"><caller-controls/><profiles>',
    include('segy_conference.xml'),
    '</profiles></configuration>',
    '<configuration name="sofia.conf"><global_settings/><profiles>',
    include('segy_profile.xml'),
    ...radioProfile(plan),
    '</profiles></configuration>',
    '</section>',
    '<section name="dialplan">',
    include('segy.xml'),
    include('segy_routes.xml'),
    include('segy_groups.xml'),
    include('segy_floor.xml'),
    '</section>',
    '</document>',
    '',
  ].join('\n');
}

/** The trunk that segy_routes.xml assumes: a gateway `radio`, whose calls come into `from-radio`. */
function radioProfile({ radio, trunk }: FreeSwitchPlan): string[] {
  return [
    '<profile name="radio"><gateways><gateway name="radio">',
    param('proxy', `${radio.address}:${radio.port}`),
    param('realm', radio.address),
    param('register', 'false'),
    param('caller-id-in-from', 'true'),
    '</gateway></gateways><settings>',
    param('sip-ip', trunk.address),
    param('sip-port', trunk.port),
    param('rtp-ip', trunk.address),
    param('dialplan', 'XML'),
    param('context', 'from-radio'),
    param('apply-inbound-acl', 'radio'),
    param('auth-calls', 'false'),
    param('accept-blind-reg', 'false'),
    param('disable-register', 'true'),
    param('manage-presence', 'false'),
    param('inbound-late-negotiation', 'true'),
    param('inbound-codec-prefs', 'AMR-WB,AMR,PCMU,PCMA'),
    param('outbound-codec-prefs', 'AMR-WB,AMR,PCMU,PCMA'),
    param('inbound-codec-negotiation', 'generous'),
    param('dtmf-type', 'rfc2833'),
    param('rfc2833-pt', '101'),
    param('suppress-cng', 'true'),
    '</settings></profile>',
  ];
}
