/** An IdM of its own with two partners, each with its IdM's key and a client, on a clock of the test. */
import { silentAlarms, type Alarms } from '../../src/base/alarms.js';
import type { CryptoKey, JWK } from 'jose';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { silentLog, systemRandom } from '../../src/base/environment.js';
import type { RecordSpace } from '../../src/base/records.js';
import { DEFAULT_CODE_POINTS } from '../../src/config/index.js';
import { idmSchema, securityTokensSchema } from '../../src/config/idm-schema.js';
import type { IdmConfig, SecurityTokensConfig } from '../../src/config/index.js';
import { AccessTokens, AccessTokenKeys } from '../../src/idm/index.js';
import type { IdmAuditEvent, IdmDirectory, IdmPartner } from '../../src/idm/index.js';
import { memorySpace } from '../gms/support.js';
import { FakeTimers } from '../sip/support/fake-timers.js';

export const ISSUER = 'https://idm.segy.example';
export const AUDIENCE = 'https://gms.segy.example/xcap';
export const ALICE = 'sip:alice@mc-a.example';
export const BOB = 'sip:bob@mc-b.example';
/** an hour from now, so that certificates that the test makes are valid */
export const START = Math.floor(Date.now() / 1000) * 1000 + 3_600_000;

export interface PartnerKey {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function makePartnerKey(kid: string, alg = 'ES256'): Promise<PartnerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export function partner(
  letter: string,
  securityTokens: Partial<SecurityTokensConfig> = {},
): IdmPartner {
  return {
    name: letter,
    codePoints: DEFAULT_CODE_POINTS,
    securityTokens: {
      ...securityTokensSchema.parse({
        issuer: `https://idm.mc-${letter}.example`,
        keysFile: 'of the test',
        clients: [{ id: `client-${letter}`, certificate: { sha256: letter.repeat(64) } }],
      }),
      ...securityTokens,
    },
    tokenKeys: createLocalJWKSet({ keys: [] }),
    clientKeys: () => undefined,
    clientAuthorities: [],
    hasUser: (id) => id.endsWith(`@mc-${letter}.example`),
  };
}

export function directoryOf(partners: readonly IdmPartner[]): IdmDirectory {
  return {
    client: (id) => {
      for (const each of partners) {
        const client = each.securityTokens.clients.find((one) => one.id === id);
        if (client !== undefined) return { client, partner: each };
      }
      return undefined;
    },
  };
}

export function testTimers(): FakeTimers {
  const timers = new FakeTimers();
  timers.now = START;
  return timers;
}

export interface KeyRoom {
  readonly timers: FakeTimers;
  readonly space: (namespace: string) => RecordSpace;
  readonly records: RecordSpace;
  readonly audit: { readonly events: IdmAuditEvent[]; record(event: IdmAuditEvent): Promise<void> };
}

export async function keyRoom(): Promise<KeyRoom> {
  const events: IdmAuditEvent[] = [];
  const audit = {
    events,
    record: (event: IdmAuditEvent): Promise<void> => {
      events.push(event);
      return Promise.resolve();
    },
  };
  const space = await memorySpace();
  return { timers: testTimers(), space, records: space('idm-keys'), audit };
}

export async function openKeys(
  { timers, records, audit }: KeyRoom,
  {
    rotateMs = null,
    longestTokenMs = 600_000,
    alarms = silentAlarms,
  }: {
    readonly rotateMs?: number | null;
    readonly longestTokenMs?: number;
    readonly alarms?: Alarms;
  } = {},
): Promise<AccessTokenKeys> {
  const clock = { now: () => timers.now };
  const keys = await AccessTokenKeys.open({
    ...{ records, audit, clock, timers, log: silentLog, alarms, rotateMs, longestTokenMs },
  });
  await keys.ensure();
  return keys;
}

export const idmConfig = (more: Partial<IdmConfig> = {}): IdmConfig => ({
  ...idmSchema.parse({ issuer: ISSUER, audience: AUDIENCE }),
  ...more,
});

export function accessTokens(
  room: KeyRoom,
  keys: AccessTokenKeys,
  directory: IdmDirectory,
): AccessTokens {
  return new AccessTokens({
    issuer: ISSUER,
    audience: AUDIENCE,
    lifeSeconds: 600,
    keys,
    directory,
    clock: { now: () => room.timers.now },
    random: systemRandom,
  });
}

/** Claims to set, or to leave out where undefined. */
export type Changes = Readonly<Record<string, unknown>>;

/** Claims of our own access token for Alice, as of now. */
export function accessClaims(now: number, more: Changes = {}): Changes {
  const iat = Math.floor(now / 1000);
  return {
    ...{ iss: ISSUER, aud: AUDIENCE, sub: 'alice', iat, exp: iat + 600, jti: 'a' },
    ...{ client_id: 'client-a', mcptt_id: ALICE },
    scope: '3gpp:mc:ptt_group_management_service',
    ...more,
  };
}

export function signJwt(
  claims: Changes,
  key: Parameters<SignJWT['sign']>[0],
  header: { readonly alg?: string; readonly [name: string]: unknown } = {},
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', ...header }).sign(key);
}
