import assert from 'node:assert/strict';

import type { SegyErrorCode } from '../../src/base/errors.js';
import type { AccessTokens, AccessTokenKeys } from '../../src/idm/index.js';
import {
  accessClaims,
  accessTokens,
  ALICE,
  BOB,
  directoryOf,
  keyRoom,
  makePartnerKey,
  openKeys,
  partner,
  signJwt,
  START,
  type Changes,
  type KeyRoom,
} from './idm-scene.js';

describe('an access token of the gateway', () => {
  let room: KeyRoom;
  let keys: AccessTokenKeys;
  let tokens: AccessTokens;
  const a = partner('a');

  beforeEach(async () => {
    room = await keyRoom();
    keys = await openKeys(room);
    tokens = accessTokens(room, keys, directoryOf([a, partner('b')]));
  });
  afterEach(() => keys.close());

  const grant = {
    partner: a,
    clientId: 'client-a',
    subject: 'alice-7',
    serviceIds: { MCPTT: ALICE },
    scopes: ['3gpp:mc:ptt_group_management_service'],
  };

  it('says whose it is to the guard that verifies it', async () => {
    const { token, tokenId } = await tokens.issue(grant);
    assert.deepEqual(await tokens.verify(token), {
      partner: 'a',
      clientId: 'client-a',
      subject: 'alice-7',
      serviceIds: { MCPTT: ALICE },
      scopes: ['3gpp:mc:ptt_group_management_service'],
      groupServices: ['MCPTT'],
      tokenId,
      expiresAt: START + 600_000,
    });
  });

  it('opens nothing from its end on', async () => {
    const { token } = await tokens.issue(grant);
    room.timers.now += 599_000;
    await tokens.verify(token);
    room.timers.now += 1000;
    await refused(token, 'SEGY_E_TOKEN_EXPIRED');
  });

  it('opens nothing once its client is none any more', async () => {
    const { token } = await tokens.issue(grant);
    tokens = accessTokens(room, keys, directoryOf([partner('b')]));
    await refused(token, 'SEGY_E_TOKEN');
  });

  const forged: readonly [string, Changes, object, SegyErrorCode][] = [
    ['of another issuer', { iss: 'https://idm.mc-a.example' }, {}, 'SEGY_E_TOKEN'],
    ['for another audience', { aud: 'https://gms.mc-a.example' }, {}, 'SEGY_E_TOKEN'],
    ['of type JWT', {}, { typ: 'JWT' }, 'SEGY_E_TOKEN'],
    ['without a type', {}, { typ: undefined }, 'SEGY_E_TOKEN'],
    ['without an end', { exp: undefined }, {}, 'SEGY_E_TOKEN'],
    ['for a user of another domain', { mcptt_id: BOB }, {}, 'SEGY_E_TOKEN'],
    ['without an MC service ID', { mcptt_id: undefined }, {}, 'SEGY_E_TOKEN'],
    ['with a list of MC service IDs', { mcptt_id: [ALICE] }, {}, 'SEGY_E_TOKEN'],
    ['of a client that nobody knows', { client_id: 'client-x' }, {}, 'SEGY_E_TOKEN'],
    ['for another scope', { scope: '3gpp:mc:ptt_service' }, {}, 'SEGY_E_TOKEN'],
    [
      'for groups of another service',
      { mcdata_id: ALICE, mcptt_id: undefined },
      {},
      'SEGY_E_TOKEN',
    ],
    ['not valid yet', { nbf: START / 1000 + 60 }, {}, 'SEGY_E_TOKEN'],
  ];
  for (const [what, claims, header, code] of forged) {
    it(`opens nothing, though signed by our key, ${what}`, async () => {
      const { kid, privateKey } = keys.current();
      const whole = accessClaims(START, claims);
      await refused(await signJwt(whole, privateKey, { typ: 'at+jwt', kid, ...header }), code);
      // nothing but the named fault is wrong with it
      await tokens.verify(await signJwt(accessClaims(START), privateKey, { typ: 'at+jwt', kid }));
    });
  }

  it('opens nothing under a key of a partner, whatever kid it names', async () => {
    const { privateKey } = await makePartnerKey('p');
    for (const kid of [keys.current().kid, 'p', undefined]) {
      const token = await signJwt(accessClaims(START), privateKey, { typ: 'at+jwt', kid });
      await refused(token, 'SEGY_E_TOKEN_SIGNATURE');
    }
  });

  it('opens nothing with alg none, nor with HS256 under our public key', async () => {
    const part = (value: unknown): string =>
      Buffer.from(JSON.stringify(value)).toString('base64url');
    const body = part(accessClaims(START));
    await refused(`${part({ alg: 'none', typ: 'at+jwt' })}.${body}.`, 'SEGY_E_TOKEN');
    const secret = Buffer.from(JSON.stringify(keys.jwks().keys[0]));
    const hmac = await signJwt(accessClaims(START), secret, { alg: 'HS256', typ: 'at+jwt' });
    await refused(hmac, 'SEGY_E_TOKEN');
  });

  it('is no token where it is no JWT', async () => {
    for (const text of ['', 'a', 'a.b.c', '..', 'x'.repeat(9000), 'e30.e30.e30']) {
      await refused(text, 'SEGY_E_TOKEN');
    }
  });

  async function refused(token: string, code: SegyErrorCode): Promise<void> {
    await assert.rejects(tokens.verify(token), (error: Error & { code?: string }) => {
      assert.equal(error.code, code, error.message);
      for (const part of token.split('.').filter(({ length }) => length > 8)) {
        assert.ok(!`${error.message}${String(error.cause)}`.includes(part));
      }
      return true;
    });
  }
});
