/**
 * What a check finds in FreeSWITCH around the profile of the gateway: modules, addresses, the access list,
 * how many calls it takes.
 */
import { isIP } from 'node:net';
import type { SegyConfig } from '../config/index.js';
import { parseSipUri } from '../sip/index.js';
import { attribute } from '../xml/index.js';
import type { XmlElement } from '../xml/index.js';
import type { Note } from './check-live.js';

export const PROFILE = 'segy';
const SIP_PORT = 5060;
/** Without these nothing of the snippets works. */
const MODULES = ['mod_commands', 'mod_dptools', 'mod_dialplan_xml', 'mod_sofia'];
/** A default FreeSWITCH takes 30; here a call has two channels, and calls may come all at once. */
const MIN_CHANNELS_A_SECOND = 100;

type Ask = (command: string) => Promise<string>;

/** @returns false where so much is missing that there is nothing more to look at */
export async function checkModules(ask: Ask, wrong: Note): Promise<boolean> {
  const missing: string[] = [];
  for (const name of MODULES) {
    if ((await ask(`module_exists ${name}`)).trim() === 'false') missing.push(name);
  }
  if (missing.length === 0) return true;
  wrong(
    ['pbx', 'type'],
    `FreeSWITCH has not loaded ${missing.join(', ')}`,
    'add it to modules.conf.xml, and load it',
  );
  return false;
}

/** The channel list and the numbers of `status`. */
export async function checkCore(ask: Ask, wrong: Note, warn: Note): Promise<void> {
  const list = await ask('show channels as json');
  if (!list.includes('row_count')) {
    wrong(
      ['pbx', 'type'],
      'FreeSWITCH gives no list of its channels, without which the link does not come up',
      'start it without -nosql; with an interface-allowlist, allow mod_commands.show',
    );
  }
  const perSecond = /per Sec out of max (\d+)/i.exec(await ask('status'))?.[1];
  if (perSecond !== undefined && Number(perSecond) < MIN_CHANNELS_A_SECOND) {
    warn(
      ['pbx', 'type'],
      `FreeSWITCH takes ${perSecond} new channels a second, two to each call, and refuses the others`,
      'raise sessions-per-second in switch.conf.xml',
    );
  }
}

/** Addresses, access and media of the profile against the gateway's own. */
export async function checkSettings(
  ask: Ask,
  profile: XmlElement,
  config: Pick<SegyConfig, 'inner'> & { readonly pbx: Pick<SegyConfig['pbx'], 'sip'> },
  wrong: Note,
): Promise<void> {
  const settings = paramsOf(profile);
  const { inner, pbx } = config;
  const edit = `edit segy_profile.xml, and sofia profile ${PROFILE} restart`;
  const at = { host: settings.get('sip-ip') ?? '', port: Number(settings.get('sip-port')) };
  if (isIP(at.host) !== 0 && (at.host !== pbx.sip.address || at.port !== pbx.sip.port)) {
    wrong(
      ['pbx', 'sip'],
      `profile ${PROFILE} is at ${at.host} port ${at.port}, and calls go to ${pbx.sip.address} port ${pbx.sip.port}`,
      `make both the same: ${edit}`,
    );
  }
  const rtp = settings.get('rtp-ip') ?? '';
  if (isIP(rtp) !== 0 && !inner.allowedMediaAddresses.includes(rtp)) {
    wrong(
      ['inner', 'allowedMediaAddresses'],
      `media of profile ${PROFILE} is at ${rtp}, which is not allowed here`,
      `name it, or ${edit}`,
    );
  }
  const proxy = proxyOf(profile);
  if (proxy !== null && (proxy.host !== inner.address || proxy.port !== inner.sipPort)) {
    wrong(
      ['inner', 'sipPort'],
      `the sofia gateway ${PROFILE} dials ${proxy.host} port ${proxy.port}, and this gateway is at ${inner.address} port ${inner.sipPort}`,
      `make both the same: ${edit}`,
    );
  }
  for (const name of ['inbound-bypass-media', 'inbound-proxy-media']) {
    if (!isTrue(settings.get(name))) continue;
    wrong(['pbx', 'sip'], `profile ${PROFILE} has ${name}, so calls are silent`, edit);
  }
  await checkAccess(ask, settings, inner.address, wrong);
}

async function checkAccess(
  ask: Ask,
  settings: ReadonlyMap<string, string>,
  address: string,
  wrong: Note,
): Promise<void> {
  const list = settings.get('apply-inbound-acl') ?? '';
  if (!/^[A-Za-z0-9._-]+$/.test(list)) {
    if (list !== '' || !isTrue(settings.get('auth-calls'))) return;
    wrong(
      ['pbx', 'sip'],
      `profile ${PROFILE} asks the gateway to log in, which it does not`,
      'take auth-calls and apply-inbound-acl as they are in segy_profile.xml',
    );
    return;
  }
  if ((await ask(`acl ${address} ${list}`)).trim() !== 'false') return;
  wrong(
    ['inner', 'address'],
    `FreeSWITCH's list ${list} does not let ${address} in, so every call from MC gets 403`,
    'name it in segy_acl.xml inside acl.conf.xml, and reloadacl',
  );
}

/** Where the sofia gateway of the profile dials; null where that cannot be told. */
function proxyOf(profile: XmlElement): { host: string; port: number } | null {
  const gateways = profile.children.filter(({ localName }) => localName === 'gateways');
  const gateway = gateways
    .flatMap(({ children }) => children)
    .find((child) => attribute(child, 'name') === PROFILE);
  const proxy = gateway && paramsIn(gateway).get('proxy');
  if (proxy === undefined) return null;
  try {
    const { host, port } = parseSipUri(`sip:${proxy.replace(/^sips?:/, '')}`);
    return { host, port: port ?? SIP_PORT };
  } catch {
    return null;
  }
}

export const isTrue = (value: string | undefined): boolean =>
  /^(true|yes|on|1|enabled)$/i.test(value ?? '');

/** Settings of a profile, those of its gateways left out; the last of a name counts. */
export function paramsOf(profile: XmlElement): Map<string, string> {
  const settings = profile.children.filter(({ localName }) => localName === 'settings');
  return new Map(settings.flatMap((element) => [...paramsIn(element)]));
}

function paramsIn(element: XmlElement): Map<string, string> {
  return new Map(
    element.children.map((param) => [
      attribute(param, 'name') ?? '',
      attribute(param, 'value') ?? '',
    ]),
  );
}
