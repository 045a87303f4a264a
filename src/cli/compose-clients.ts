/** The pseudo MC clients of the running gateway: their credentials, the keys that reach them, the SPKs. */
import type { Environment } from '../base/environment.js';
import { toSegyError } from '../base/errors.js';
import { Credentials, GroupKeys, PseudoClients } from '../clients/index.js';
import type { Directory } from '../clients/index.js';
import { EccsiVerifier } from '../crypto/index.js';
import type { SlowCrypto } from '../crypto/index.js';
import { ReplayRecord } from '../keys/index.js';
import type { KeyRing, SendingMemory } from '../keys/index.js';
import { CredentialCache } from '../kms/index.js';
import type { SignallingProtection } from '../protect/index.js';
import { watchClock } from './clock-watch.js';
import { prepareKeys, receiverTables, trustedCertificates } from './prepare-keys.js';
import { makeProtection } from './protection.js';
import type { LiveConfig } from './reload.js';
import { openRing, requireDomain } from './state.js';
import type { State } from './state.js';

/** Senders whose ECCSI public key is kept. */
const VERIFIER_CACHE = 4096;
/** How often the key sets of the next period are looked after. */
const PREPARE_EVERY_MS = 3_600_000;

export interface ClientSide {
  readonly clients: PseudoClients;
  readonly groups: GroupKeys;
  readonly protection: SignallingProtection;
  readonly ring: KeyRing;
  /** makes keys ahead, now and from time to time */
  readonly prepare: () => void;
  readonly credentials: Credentials;
}

interface ClientParts {
  readonly slow: SlowCrypto;
  readonly state: State;
  readonly directory: Directory;
  readonly sending: SendingMemory;
  /** takes what ends each part, the last one made first */
  readonly closers: (() => Promise<void> | void)[];
}

/** Makes them, and begins to make keys ahead. */
export async function makeClients(
  live: LiveConfig,
  env: Environment,
  { slow, state, directory, sending, closers }: ClientParts,
): Promise<ClientSide> {
  const { clock, random, log, timers } = env;
  const domain = requireDomain(state);
  const sealed = new CredentialCache({
    domain,
    records: state.store.space('credentials'),
    clock,
    log,
  });
  const credentials = new Credentials(sealed, clock);
  closers.push(() => credentials.wipe());
  const replay = await ReplayRecord.open({ records: state.store.space('replay'), clock, log });
  let timer: ReturnType<typeof timers.setTimeout> | undefined;
  const prepare = (): void => {
    if (timer !== undefined) timers.clearTimeout(timer);
    timer = timers.setTimeout(prepare, PREPARE_EVERY_MS);
    const config = live.current;
    const prepared = prepareKeys({
      slow,
      credentials,
      users: [...directory.users].map((user) => user.uri),
      own: domain.certificate,
      trusted: trustedCertificates(config, state.trust),
      tables: receiverTables(config.limits),
      now: clock.now(),
      nextAt: clock.now() + 2 * PREPARE_EVERY_MS,
    });
    prepared
      .then(() => sealed.prune())
      .catch((error: unknown) => {
        log.warn('keys.prepare.failed', { message: toSegyError(error).message });
      });
  };
  prepare();
  // Another period than that of the next hour: its key sets and tables are made now, not by the first calls.
  closers.push(watchClock({ clock, timers }, prepare));
  closers.push(() => {
    if (timer !== undefined) timers.clearTimeout(timer);
  });
  const ring = await openRing(state, { clock, timers, log });
  closers.push(() => ring.close());
  const common = {
    directory,
    domain,
    certificates: state.trust,
    replay,
    audit: state.audit,
    slow,
    verifier: new EccsiVerifier({ cacheSize: VERIFIER_CACHE }),
    clock,
  };
  const groups = new GroupKeys({ ...common, keySets: credentials, ring, timers, log, sending });
  closers.push(() => groups.close());
  const protection = makeProtection(live.current, {
    ...common,
    trust: state.trust,
    credentials,
    random,
  });
  closers.push(() => protection.wipe());
  return {
    clients: new PseudoClients({ ...common, credentials, random }),
    groups,
    protection,
    ring,
    prepare,
    credentials,
  };
}
