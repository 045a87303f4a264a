/**
 * What a command does with the state. One implementation, two ways to it: in the running gateway
 * over its socket, on the state that the gateway has open; or, where none runs, in the command's own
 * process. What the operator is asked, and the files that are read and written for them, are the
 * command's side of it and not here.
 */
import type { z } from 'zod';
import type { AdminRequest } from '../../admin/index.js';
import type { AuditLog } from '../../audit/index.js';
import type { Clock, RandomBytes } from '../../base/environment.js';
import { SegyError } from '../../base/errors.js';
import type { UserRecords } from '../../clients/index.js';
import type { SegyConfig } from '../../config/index.js';
import type { SlowCrypto } from '../../crypto/index.js';
import type { PseudoGms } from '../../gms/index.js';
import type { StatementKeys } from '../../idm-client/index.js';
import type { AccessTokenKeys } from '../../idm/index.js';
import type { KeyRing } from '../../keys/index.js';
import type { SecurityDomain, TrustStore } from '../../kms/index.js';
import type { MasterSecret, SealedStore, StoreBackend } from '../../store/index.js';
import type { HomeOf } from '../member-homes.js';

export interface ActionContext {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly slow: SlowCrypto;
  readonly backend: StoreBackend;
  readonly store: SealedStore;
  readonly audit: AuditLog;
  readonly trust: TrustStore;
  /** undefined until `segy kms init` */
  readonly domain: SecurityDomain | undefined;
  /** the configuration: of the running gateway, or of the file that the command was given */
  readonly config: SegyConfig | undefined;
  /** the state folder */
  readonly folder: string;
  readonly users: () => Promise<UserRecords>;
  readonly ring: () => Promise<KeyRing>;
  /** what signs for our users towards partners */
  readonly signingKeys: () => Promise<StatementKeys>;
  /** what signs the access tokens of our IdM; null where the running gateway has none */
  readonly idmKeys: () => Promise<AccessTokenKeys | null>;
  /** talkgroups that are homed here; null where the configuration has no GMS of ours */
  readonly homedGroups: () => Promise<HomedGroups | null>;
  /** the secret under which the store was opened */
  readonly master: () => Promise<MasterSecret>;
  /** Lets what changed take effect at once; nothing happens where no gateway runs. */
  readonly effects: ActionEffects;
}

export interface HomedGroups {
  readonly gms: PseudoGms;
  readonly homeOf: HomeOf;
  /** keys go out now; else with the next start of the gateway */
  readonly delivers: boolean;
}

export interface ActionEffects {
  /** the user records changed */
  users(): void;
  /** a certificate of a partner came, was replaced, revoked or removed */
  trust(): void;
  /** the security domain is kept under a later certificate */
  domain(renewed: SecurityDomain): void;
}

export const NO_EFFECTS: ActionEffects = {
  users: () => undefined,
  trust: () => undefined,
  domain: () => undefined,
};

/** `B` and `R` are JSON values: either may go through the socket. */
export interface Action<B = unknown, R = unknown> {
  readonly body: z.ZodType<B>;
  /** changes the state: the running gateway logs it */
  readonly changes: boolean;
  /** in milliseconds; the socket's own when absent, null for no end */
  readonly timeoutMs?: number | null;
  run(context: ActionContext, body: B, request: AdminRequest): Promise<R>;
}

/** Lets the types of body and result be found by inference. */
export function action<B, R>(made: Action<B, R>): Action<B, R> {
  return made;
}

/** @throws SegyError SEGY_E_ARGUMENT that names what of the body is wrong */
export function checkedBody<B>({ body }: Action<B>, given: unknown): B {
  const parsed = body.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SegyError('SEGY_E_ARGUMENT', `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`);
}
