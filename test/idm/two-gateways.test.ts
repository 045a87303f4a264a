/** A gateway as the client of another gateway's IdM: each was written by what the clauses say. */
import assert from 'node:assert/strict';
import { silentAlarms } from '../../src/base/alarms.js';
import { utf8 } from '../../src/base/bytes.js';
import { systemClock } from '../../src/base/environment.js';
import { DEFAULT_CODE_POINTS } from '../../src/config/index.js';
import type { PartnerConfig } from '../../src/config/index.js';
import { securityTokensSchema } from '../../src/config/idm-schema.js';
import { partnerIdmSchema } from '../../src/config/partner-idm-schema.js';
import type { HttpRoute, HttpsListener } from '../../src/https/index.js';
import { PartnerTokens, StatementKeys } from '../../src/idm-client/index.js';
import { IdentityManagement, makePartner } from '../../src/idm/index.js';
import type { AccessTokenKeys } from '../../src/idm/index.js';
import { memorySpace } from '../gms/support.js';
import { Certificates, loggingEnvironment, openListener } from '../https/support.js';
import { AUDIENCE, idmConfig, keyRoom, openKeys, type KeyRoom } from './idm-scene.js';

const RADIO = 'sip:radio1@lmr.example';
const THEIR_ISSUER = 'https://idm.lmr.example';

describe('one gateway at the IdM of another', () => {
  let certificates: Certificates;
  let listener: HttpsListener;
  let room: KeyRoom;
  let keys: AccessTokenKeys;
  let idm: IdentityManagement;
  let issuer: string;
  let theirKeys: StatementKeys;
  const env = loggingEnvironment();

  before(async () => {
    certificates = new Certificates();
    theirKeys = await StatementKeys.open((await memorySpace())('signing'), systemClock);
    await theirKeys.signer();
    const late: HttpRoute[] = [];
    listener = await openListener(certificates, late, { env });
    issuer = `https://localhost:${listener.port}/idm`;
    room = await keyRoom();
    room.timers.now = Date.now();
    keys = await openKeys(room);
    const jwks = utf8(JSON.stringify(theirKeys.jwks()));
    const lmr = makePartner(
      {
        name: 'lmr',
        codePoints: DEFAULT_CODE_POINTS,
        securityTokens: securityTokensSchema.parse({
          issuer: THEIR_ISSUER,
          keysFile: 'jwks',
          namesClient: true,
          clientAuthorityFile: 'ca',
          clients: [
            { id: 'by-tls', certificate: { dnsName: 'segy.lmr.example' } },
            { id: 'by-key', keysFile: 'jwks' },
          ],
        }),
        hasUser: (id) => id.endsWith('@lmr.example'),
      },
      {
        clock: systemClock,
        readFile: (file) => (file === 'ca' ? certificates.ca : jwks),
        fetch: () => Promise.reject(new Error('nothing is fetched')),
        onFetch: () => undefined,
      },
    );
    idm = await IdentityManagement.open({
      config: idmConfig({ issuer }),
      audience: AUDIENCE,
      partners: [lmr],
      keys,
      presented: room.space('idm-presented'),
      audit: room.audit,
      env,
    });
    late.push(...idm.routes);
  });
  after(async () => {
    keys.close();
    await listener.close();
    certificates.remove();
  });

  const ways = [
    ['by-tls', 'tls'],
    ['by-key', 'private-key-jwt'],
  ] as const;
  for (const grant of ['jwt-bearer', 'token-exchange'] as const) {
    for (const [clientId, authenticate] of ways) {
      it(`gets a token for its radio user, form ${grant}, client authentication ${authenticate}`, async () => {
        const own = certificates.client('segy.lmr.example');
        const profile = partnerIdmSchema.parse({
          issuer,
          clientId,
          authenticate,
          securityToken: { from: 'own', issuer: THEIR_ISSUER },
          tls: { caFile: 'ca', ...(authenticate === 'tls' && { certFile: 'c', keyFile: 'k' }) },
          codePoints: { grant },
        });
        const partner = { name: 'mc', idm: profile } as unknown as PartnerConfig;
        const tokens = new PartnerTokens({
          env,
          alarms: silentAlarms,
          signer: () => theirKeys.signer(),
          readFile: () => '',
          readTls: () => ({
            ca: certificates.ca,
            ...(authenticate === 'tls' && { cert: utf8(own.cert), key: utf8(own.key) }),
          }),
        });
        tokens.prepare([partner])();
        const token = await tokens.tokenFor(partner, RADIO);
        tokens.stop();
        assert.ok(token, JSON.stringify(env.events));
        const claims = await idm.guard.verify(token);
        assert.deepEqual(
          [claims.partner, claims.clientId, claims.serviceIds.MCPTT],
          ['lmr', clientId, RADIO],
        );
      });
    }
  }
});
