/**
 * The pseudo GMS over the state and the parts that are given: in the running gateway with a sender
 * and subscribers, in a command's own process without, where what it changes waits for the gateway.
 */
import { equalBytes } from '../base/bytes.js';
import { silentMetrics } from '../base/environment.js';
import type { Environment } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { Credentials, Directory, UserRecords } from '../clients/index.js';
import type { GmsConfig, SegyConfig } from '../config/index.js';
import type { SlowCrypto } from '../crypto/index.js';
import { GroupKeySender, GroupNotifier } from '../edge/index.js';
import type { EdgeDependencies } from '../edge/index.js';
import { checkGroup, GroupDocuments, PseudoGms } from '../gms/index.js';
import type { KeySender, KeyToSend, OwnRing } from '../gms/index.js';
import type { HeldKey, KeyRing } from '../keys/index.js';
import { CredentialCache } from '../kms/index.js';
import { HomeGroups } from './home-groups.js';
import { memberHomes } from './member-homes.js';
import type { HomeOf } from './member-homes.js';
import { requireDomain } from './state.js';
import type { State, StateEnvironment } from './state.js';

export interface GmsParts {
  readonly config: SegyConfig;
  readonly gms: GmsConfig;
  readonly state: State;
  readonly slow: SlowCrypto;
  readonly credentials: Pick<Credentials, 'at'>;
  readonly ring: KeyRing;
  /** takes a key into the ring, and tells those who use it */
  readonly adopt: (key: HeldKey) => Promise<unknown>;
  /** whether the name is that of a represented user on the PBX */
  readonly isUser: (pbx: string) => boolean;
  readonly env: Environment;
}

export interface RunningGms {
  readonly gms: PseudoGms;
  readonly home: HomeGroups;
  readonly notifier: GroupNotifier<KeyToSend>;
  readonly homeOf: HomeOf;
  readonly documents: GroupDocuments;
}

/** The GMS of the running gateway; it delivers once it is started. */
export async function composeGms(parts: GmsParts, edge: EdgeDependencies): Promise<RunningGms> {
  const { gms: settings, state } = parts;
  const sender = new GroupKeySender(edge, settings.uri);
  const gms = await openGms(parts, sender);
  const homeOf = memberHomes(edge, requireDomain(state), state.trust);
  await takeConfigured(gms, settings, homeOf);
  const documents = new GroupDocuments(settings.documentNames);
  const home = new HomeGroups(gms, settings, documents);
  const notifier = new GroupNotifier<KeyToSend>(edge, home, {
    xcapRoot: settings.xcapRoot ?? '',
    longestSeconds: settings.subscriptionSeconds,
  });
  sender.notifier = notifier;
  return { gms, home, notifier, homeOf, documents };
}

/** @throws SegyError SEGY_E_CONFIG where the GMS is not of our own domain */
async function openGms(
  { config, gms, state, slow, credentials, ring, adopt, isUser, env }: GmsParts,
  sender: KeySender,
): Promise<PseudoGms> {
  const domain = requireDomain(state);
  if (memberHomes(config, domain, state.trust)(gms.uri)?.partner !== '') {
    throw new SegyError('SEGY_E_CONFIG', `gms.uri ${gms.uri} is not in our security domain`);
  }
  const groupNames = new Set(config.partners.flatMap(({ groups }) => groups.map(({ pbx }) => pbx)));
  return PseudoGms.open({
    ...env,
    spaces: { groups: state.store.space('groups'), keys: state.store.space('group-keys') },
    identity: {
      uri: gms.uri,
      get certificate() {
        return domain.certificate;
      },
      keySetAt: (unixMs) => credentials.at(gms.uri, unixMs),
    },
    certificates: state.trust,
    ring: ownRing(ring, adopt),
    sender,
    audit: state.audit,
    slow,
    settings: { ...gms.keys, parallel: gms.parallel },
    isTaken: (pbx) => groupNames.has(pbx) || isUser(pbx),
  });
}

/** Sends nothing: deliveries wait for the running gateway. */
const NO_SENDER: KeySender = {
  routeOf: ({ member }) => ({ route: member, most: 1 }),
  send: () => Promise.resolve({ kind: 'unreachable', code: 'SEGY_E_NOT_RUNNING' }),
};

function ownRing(ring: KeyRing, adopt: GmsParts['adopt']): OwnRing {
  const held = (keyId: Uint8Array): HeldKey[] =>
    ring.list().filter((key) => equalBytes(key.keyId, keyId));
  const made = (keyId: Uint8Array): HeldKey[] =>
    held(keyId).filter(({ source }) => source === 'made');
  return {
    adopt: async (key) => {
      await adopt(key);
    },
    partnersOf: (keyId) => made(keyId).map(({ partner }) => partner),
    drop: async (keyId) => {
      for (const key of made(keyId)) await ring.drop(key);
    },
    isTaken: (keyId) => held(keyId).length > 0,
  };
}

/** The groups of the configuration file, as it says now; what it says no more is deleted. */
async function takeConfigured(
  { groups }: PseudoGms,
  config: GmsConfig,
  homeOf: HomeOf,
): Promise<void> {
  const named = new Set(config.groups.map(({ id }) => id));
  for (const { id, origin } of groups.list()) {
    if (origin === 'config' && !named.has(id)) await groups.delete(id, { by: 'config' });
  }
  for (const { members, speaker, ...rest } of config.groups) {
    const group = checkGroup({
      ...rest,
      speaker: speaker ?? null,
      origin: 'config',
      members: members.map(({ uri, kmsUri }) => {
        const home = homeOf(uri, kmsUri);
        if (home === undefined) {
          throw new SegyError(
            'SEGY_E_CONFIG',
            `gms.groups: ${uri} is no user of a partner or ours`,
          );
        }
        return { uri, ...home };
      }),
    });
    await groups.put(group, { by: 'config' });
  }
}

/**
 * The GMS of a command in its own process: it changes groups and keys, and delivers nothing.
 * @throws SegyError SEGY_E_CONFIG where the configuration has none
 */
export async function openGmsAlone(
  state: State,
  environment: StateEnvironment,
  config: SegyConfig,
  ring: KeyRing,
): Promise<PseudoGms> {
  if (config.gms === undefined) throw new SegyError('SEGY_E_CONFIG', 'there is no gms');
  const domain = requireDomain(state);
  const users = await UserRecords.open(state.store.space('users'));
  const directory = new Directory([...config.users, ...users.list()]);
  const records = state.store.space('credentials');
  const credentials = new Credentials(
    new CredentialCache({ domain, records, ...environment }),
    environment.clock,
  );
  const parts: GmsParts = {
    config,
    gms: config.gms,
    state,
    slow: environment.slow,
    credentials,
    ring,
    adopt: (key) => ring.enter(key),
    isUser: (pbx) => directory.byPbxUser(pbx) !== undefined,
    env: { ...environment, metrics: silentMetrics },
  };
  const gms = await openGms(parts, NO_SENDER);
  await takeConfigured(gms, config.gms, memberHomes(config, domain, state.trust));
  await gms.follow();
  return gms;
}
