/**
 * Does FreeSWITCH let the gateway in, and are the profile and the contexts in it that calls need? What
 * it has loaded is asked over the event socket (`xml_locate`), not read from files.
 */
import { readFileSync } from 'node:fs';
import { toSegyError } from '../base/errors.js';
import type { SegyConfig } from '../config/index.js';
import { openEsl } from '../pbx/esl/library.js';
import { attribute } from '../xml/index.js';
import type { XmlElement } from '../xml/index.js';
import type { Note } from './check-live.js';
import { type ContextFacts, contextFacts, namesExtension, readLocated } from './freeswitch-xml.js';
import {
  checkCore,
  checkModules,
  checkSettings,
  isTrue,
  paramsOf,
  PROFILE,
} from './freeswitch-profile.js';
import { patiently } from './patience.js';

const TO_MC = 'to-segy';
/** Contexts that are looked at; a dialplan that goes on and on is not followed for ever. */
const MAX_CONTEXTS = 32;
/** A subscription has to name an event; this is the rarest. */
const ANY_EVENT = ['SHUTDOWN'];

type FreeSwitch = Extract<SegyConfig['pbx'], { type: 'freeswitch' }>;
type Esl = FreeSwitch['esl'];
/** What of a configuration is held against FreeSWITCH. */
export interface FreeSwitchPlan {
  readonly pbx: Pick<FreeSwitch, 'esl' | 'sip'>;
  readonly inner: SegyConfig['inner'];
}
type Ask = (command: string) => Promise<string>;

export async function checkFreeSwitch(
  plan: FreeSwitchPlan,
  wrong: Note,
  warn: Note,
): Promise<void> {
  const { host, port } = plan.pbx.esl;
  try {
    await withLink(plan.pbx.esl, async (ask) => {
      if (!(await checkModules(ask, wrong))) return;
      await checkCore(ask, wrong, warn);
      const context = await checkProfile(ask, plan, wrong, warn);
      if (context !== null) await checkDialplan(ask, context, wrong, warn);
    });
  } catch (error) {
    const { message } = toSegyError(error);
    wrong(
      ['pbx', 'esl', 'host'],
      `FreeSWITCH does not let us in at ${host} port ${port}: ${message}`,
      'start it, and compare address and password with segy_event_socket.xml',
    );
  }
}

async function withLink(esl: Esl, work: (ask: Ask) => Promise<void>): Promise<void> {
  const password = readFileSync(esl.passwordFile, 'utf8').trimEnd();
  const silent = { event: () => undefined, closed: () => undefined };
  const connection = await patiently((signal) =>
    openEsl({ host: esl.host, port: esl.port, password }, ANY_EVENT, silent, signal),
  );
  try {
    await work((command) => patiently(() => connection.api(command)));
  } finally {
    connection.close();
  }
}

/** @returns the context of the gateway's calls; null when there is nothing more to look at */
async function checkProfile(
  ask: Ask,
  plan: FreeSwitchPlan,
  wrong: Note,
  warn: Note,
): Promise<string | null> {
  if (/invalid profile|-ERR/i.test(await ask(`sofia status profile ${PROFILE}`))) {
    wrong(
      ['pbx', 'sip'],
      `FreeSWITCH has no profile ${PROFILE}`,
      'include segy_profile.xml, and sofia profile segy start',
    );
    return null;
  }
  const sofia = readLocated(await ask('xml_locate configuration configuration name sofia.conf'));
  const profile = sofia && findNamed(sofia, 'profile', PROFILE);
  if (!profile) {
    warn(
      ['pbx', 'sip'],
      `the settings of profile ${PROFILE} cannot be seen from here`,
      'compare them with segy_profile.xml',
    );
    return 'from-segy';
  }
  await checkSettings(ask, profile, plan, wrong);
  const settings = paramsOf(profile);
  if (!isTrue(settings.get('outbound-use-uuid-as-callid'))) {
    wrong(
      ['pbx', 'sip'],
      `profile ${PROFILE} lacks outbound-use-uuid-as-callid, so every call to MC gets 503`,
      'set it to true as in segy_profile.xml, and sofia profile segy restart',
    );
  }
  if (isTrue(settings.get('enable-100rel'))) {
    warn(
      ['pbx', 'sip'],
      `profile ${PROFILE} has enable-100rel, with which FreeSWITCH may lose events and calls`,
      'take it out as in segy_profile.xml, and sofia profile segy restart',
    );
  }
  if (isTrue(settings.get('track-calls'))) {
    warn(
      ['pbx', 'sip'],
      `profile ${PROFILE} has track-calls: a call that FreeSWITCH recovers has no keys here any more`,
      'take it out as in segy_profile.xml, and sofia profile segy restart',
    );
  }
  return settings.get('context') ?? 'default';
}

/** Follows the dialplan from where the gateway's calls enter it and from where calls to MC do. */
async function checkDialplan(ask: Ask, entry: string, wrong: Note, warn: Note): Promise<void> {
  const isElsewhere = (await ask('module_exists mod_xml_curl')).trim() === 'true';
  const missing: Note = isElsewhere ? warn : wrong;
  const known = new Map<string, ContextFacts | null>();
  const look = async (name: string): Promise<ContextFacts | null> => {
    const facts =
      known.get(name) ??
      contextFacts(readLocated(await ask(`xml_locate dialplan context name ${name}`)));
    known.set(name, facts);
    return facts;
  };
  const queue = [
    { name: entry, by: `profile ${PROFILE}`, extension: '' },
    { name: TO_MC, by: 'segy_routes.xml', extension: '' },
  ];
  const gateways = new Set<string>();
  const modules = new Map<string, string>();
  for (const { name, by, extension } of queue) {
    if (known.size >= MAX_CONTEXTS) break;
    const isNew = !known.has(name);
    const facts = await look(name);
    if (facts === null) {
      if (isNew) missing(...noContext(name, by));
      continue;
    }
    if (extension !== '' && !namesExtension(facts, extension)) {
      wrong(
        ['pbx', 'type'],
        `${by} sends calls to the extension ${extension}, which context ${name} does not have`,
        'compare both with the examples in dialplan/freeswitch, and reloadxml',
      );
    }
    if (!isNew) continue;
    for (const gateway of facts.gateways) gateways.add(gateway);
    for (const module of facts.modules) modules.set(module, name);
    for (const next of facts.transfers) {
      queue.push({ name: next.context, by: `context ${name}`, extension: next.extension });
    }
    if (name === entry) checkHandOver(name, facts, wrong);
  }
  for (const [module, context] of modules) {
    if ((await ask(`module_exists ${module}`)).trim() !== 'false') continue;
    wrong(
      ['pbx', 'type'],
      `context ${context} needs ${module}, which FreeSWITCH has not loaded`,
      'add it to modules.conf.xml, and load it',
    );
  }
  for (const gateway of gateways) {
    if (!/invalid gateway/i.test(await ask(`sofia status gateway ${gateway}`))) continue;
    wrong(
      ['pbx', 'type'],
      `the dialplan dials the sofia gateway ${gateway}, which FreeSWITCH does not have`,
      'name it as in your trunk profile, or sofia profile segy rescan',
    );
  }
}

/** The context of the gateway's calls parks them with a limit and says where they go on. */
function checkHandOver(name: string, facts: ContextFacts, wrong: Note): void {
  const cure = 'take it as it is in segy.xml, and reloadxml';
  if (!facts.parks) {
    wrong(['pbx', 'type'], `context ${name} parks no call, so none is handed over`, cure);
  } else if (!facts.parksWithLimit) {
    wrong(
      ['pbx', 'type'],
      `context ${name} parks calls without park_timeout, so that they wait for ever while no gateway runs`,
      cure,
    );
  }
  if (facts.parks && !facts.saysWhereToGoOn) {
    wrong(
      ['pbx', 'type'],
      `context ${name} does not set SEGY_TARGET and SEGY_CONTEXT, so no call goes on`,
      cure,
    );
  }
}

function noContext(name: string, by: string): Parameters<Note> {
  return [
    ['pbx', 'type'],
    `the dialplan has no context ${name}, which ${by} names`,
    'include segy.xml and segy_routes.xml in the dialplan, and reloadxml',
  ];
}

/** The element of that tag and name, at any depth. */
function findNamed(within: XmlElement, tag: string, name: string): XmlElement | null {
  for (const child of within.children) {
    if (child.localName === tag && attribute(child, 'name') === name) return child;
    const deeper = findNamed(child, tag, name);
    if (deeper !== null) return deeper;
  }
  return null;
}
