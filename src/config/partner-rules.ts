/** What a partner's settings need of the others: listeners that reach it, names that stand for something. */
import { isIP } from 'node:net';
import type { PartnerConfig } from './partner-schema.js';
import type { Note, Path } from './rule-note.js';
import type { SegyConfig } from './schema.js';

/** One partner, and how what is found of it is noted. */
interface Case {
  readonly config: SegyConfig;
  readonly partner: PartnerConfig;
  /** path of a setting of the partner */
  readonly at: (...more: Path) => Path;
  readonly wrong: Note;
  readonly warn: Note;
}

/** Notes what is found of partner `index`. */
export function checkPartner(
  config: SegyConfig,
  partner: PartnerConfig,
  index: number,
  wrong: Note,
  warn: Note,
): void {
  const at = (...more: Path): Path => ['partners', index, ...more];
  const each = { config, partner, at, wrong, warn };
  checkTransports(each);
  checkAddresses(each);
  checkTlsNames(each);
  checkLimits(each);
  checkGroups(each);
}

/** Each transport by which the partner may be reached, and the setting that says so. */
function transportsOf({ partner: { sip }, at }: Case): (readonly ['udp' | 'tcp' | 'tls', Path])[] {
  return [
    ...sip.addresses.map(
      ({ transport }, i) => [transport, at('sip', 'addresses', i, 'transport')] as const,
    ),
    ...(sip.discover?.transports ?? []).map(
      (transport) => [transport, at('sip', 'discover')] as const,
    ),
  ];
}

function checkTransports(each: Case): void {
  const { config, wrong } = each;
  for (const [transport, where] of transportsOf(each)) {
    const kinds = transport === 'udp' ? ['udp'] : transport === 'tcp' ? ['tcp', 'tls'] : ['tls'];
    if (config.outer.listeners.some((listener) => kinds.includes(listener.transport))) continue;
    wrong(
      where,
      `no outer listener is for ${transport}`,
      `add a listener with transport: ${transport}`,
    );
  }
}

function checkAddresses({ config, partner, at, wrong }: Case): void {
  const { listeners } = config.outer;
  for (const [i, { host, port, transport, serverName }] of partner.sip.addresses.entries()) {
    const version = isIP(host);
    if (version > 0 && !listeners.some(({ address }) => isIP(address) === version)) {
      wrong(
        at('sip', 'addresses', i, 'host'),
        `no outer listener is IPv${version}`,
        'add one, or write the other address of the partner',
      );
    }
    if (serverName !== undefined && transport !== 'tls') {
      wrong(
        at('sip', 'addresses', i, 'serverName'),
        `${transport} has no certificate to carry a name`,
        'use transport: tls, or remove it',
      );
    }
    if (listeners.some((listener) => listener.address === host && listener.port === port)) {
      wrong(
        at('sip', 'addresses', i, 'host'),
        'the partner is this gateway',
        "write the partner's own address",
      );
    }
  }
}

function checkTlsNames(each: Case): void {
  const { partner, at, wrong, warn } = each;
  const { sip, domains } = partner;
  const isTls = transportsOf(each).some(([transport]) => transport === 'tls');
  if (isTls && sip.tlsNames.length === 0) {
    warn(
      at('sip'),
      'the partner is known by its address alone',
      'set sip.tlsNames to the names in its certificate',
    );
  }
  if (!isTls && sip.tlsNames.length > 0) {
    wrong(
      at('sip', 'tlsNames'),
      'certificate names, and no address over tls',
      'use transport: tls, or remove them',
    );
  }
  const uriHost =
    /^sips?:(?:[^@]*@)?(\[[^\]]*\]|[^:;>]+)/.exec(sip.requestUri)?.[1]?.toLowerCase() ?? '';
  if (!domains.includes(uriHost) && isIP(uriHost) === 0) {
    warn(
      at('sip', 'requestUri'),
      `${uriHost} is none of the partner's domains`,
      'compare it with domains',
    );
  }
}

function checkLimits({ config, partner: { name, media, limits }, at, warn }: Case): void {
  if (media.policy === 'allow-clear') {
    warn(
      at('media', 'policy'),
      'calls without protection are carried',
      'set it to protected when the partner can',
    );
  }
  if (limits.calls > config.limits.calls) {
    warn(
      at('limits', 'calls'),
      `${name} may have more calls than the gateway`,
      'raise limits.calls or lower this',
    );
  }
}

function checkGroups({ config, partner, at, wrong, warn }: Case): void {
  const { gms, groups, subscription } = partner;
  const signers = [...gms, ...groups.flatMap((group) => group.gms ?? [])];
  if (subscription.enabled && subscription.requestUri === undefined && signers.length === 0) {
    wrong(
      at('subscription'),
      'a subscription, and no GMS to ask',
      "name the partner's gms, or subscription.requestUri",
    );
  }
  const users = new Set(config.users.map(({ uri }) => uri));
  const hasPattern = config.users.some(({ uri }) => uri.includes('*'));
  for (const [i, group] of groups.entries()) {
    for (const [j, user] of group.affiliate.entries()) {
      if (users.has(user) || hasPattern) continue;
      warn(
        at('groups', i, 'affiliate', j),
        `${user} is no user of this configuration`,
        'add the user, here or by segy user add',
      );
    }
  }
}
