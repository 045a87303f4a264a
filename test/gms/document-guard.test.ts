import assert from 'node:assert/strict';
import { SegyError } from '../../src/base/errors.js';
import { DEFAULT_GMS_DOCUMENTS } from './document-support.js';
import { DocumentGuard } from '../../src/gms/index.js';
import type { AccessTokenClaims, GroupService } from '../../src/gms/index.js';
import { claims, documentScene, PATH, pathOf } from './document-support.js';
import type { DocumentScene } from './document-support.js';
import { ADMIN } from './document-support.js';
import { ALICE, member, newGroup, TALKGROUP } from './support.js';

const MALLORY = 'sip:mallory@mc-a.example';

describe('the guard of the group documents (RFC 6750, TS 33.180 B.10)', () => {
  let scene: DocumentScene;
  beforeEach(async () => {
    scene = await documentScene();
  });
  afterEach(() => scene.gms.stop());
  const challenge = (answer: { headers?: Readonly<Record<string, string>> }): string =>
    answer.headers?.['WWW-Authenticate'] ?? '';
  async function statusOf(token: string, told: AccessTokenClaims, method = 'GET'): Promise<number> {
    scene.tokens.set(token, told);
    return (await scene.ask({ token, method })).status;
  }

  it('without a token is 401, and says no more than how to come', async () => {
    const answer = await scene.ask({ token: null });
    assert.deepEqual([answer.status, challenge(answer)], [401, 'Bearer realm="group documents"']);
    assert.equal(answer.body, undefined);
  });

  it('with a token that does not verify is 401 invalid_token', async () => {
    const answer = await scene.ask({ token: 'forged' });
    assert.equal(answer.status, 401);
    assert.match(challenge(answer), /error="invalid_token"/);
    assert.equal(answer.refused?.code, 'SEGY_E_TOKEN');
  });

  for (const field of [
    'Bearer',
    'bearer ',
    'Bearer a b',
    'Bearer a,b',
    `Bearer ${'a'.repeat(9000)}`,
  ]) {
    it(`with "Authorization: ${field.slice(0, 20)}" is 400 invalid_request`, async () => {
      const answer = await scene.ask({ headers: { Authorization: field } });
      assert.equal(answer.status, 400);
      assert.match(challenge(answer), /error="invalid_request"/);
    });
  }

  it('takes another scheme for no credentials', async () => {
    assert.equal((await scene.ask({ headers: { Authorization: 'Basic YTpi' } })).status, 401);
  });

  it('takes no token from the query', async () => {
    const path = `${PATH}?access_token=alice`;
    assert.equal((await scene.ask({ token: null, path })).status, 401);
  });

  it('with a token for no groups, or for those of a service without an ID, is 403 insufficient_scope', async () => {
    for (const groupServices of [[], ['MCVideo']] as const) {
      scene.tokens.set('other', claims(ALICE, { groupServices }));
      const answer = await scene.ask({ token: 'other' });
      assert.equal(answer.status, 403);
      assert.match(challenge(answer), /error="insufficient_scope"/);
    }
  });

  it('fails with 500 and no verdict where our own IdM fails', async () => {
    const guard = new DocumentGuard({
      tokens: { verify: () => Promise.reject(new SegyError('SEGY_E_INTERNAL', 'broken')) },
      access: DEFAULT_GMS_DOCUMENTS,
    });
    const header = (name: string) => (name === 'authorization' ? 'Bearer x' : undefined);
    const head = { method: 'GET', path: '/', query: '', header, address: '', certificate: null };
    await assert.rejects(guard.admit(head), { code: 'SEGY_E_INTERNAL' });
  });

  describe('lets read', () => {
    it('the members of a group, and nobody else, whether the group is there or not', async () => {
      const read = async (token: string, path = PATH) => (await scene.ask({ token, path })).status;
      assert.deepEqual([await read('alice'), await read('bob')], [200, 200]);
      assert.deepEqual(
        [await read('mallory'), await read('mallory', pathOf('sip:none@lmr.example'))],
        [403, 403],
      );
    });

    it('a member no longer once it is removed', async () => {
      await scene.gms.groups.change(TALKGROUP, (group) => ({
        ...group,
        members: group.members.filter(({ uri }) => uri !== ALICE),
      }));
      assert.equal((await scene.ask({ token: 'alice' })).status, 403);
    });

    it('no user whose ID a token of another partner names', async () => {
      assert.equal(await statusOf('b', claims(ALICE, { partner: 'b' })), 403);
      assert.equal(await statusOf('own', claims(ALICE, { partner: '' })), 403);
    });

    it('for the services of the token alone, by the ID for each', async () => {
      const video = 'sip:alice.video@mc-a.example';
      await scene.gms.groups.put(
        newGroup({ services: ['MCVideo'], members: [member(ALICE, { mcvideoId: video })] }),
      );
      const serviceIds = { MCPTT: ALICE, MCVideo: video, MCData: ALICE };
      const told = (groupServices: readonly GroupService[], more = serviceIds) =>
        claims(ALICE, { serviceIds: more, groupServices });
      assert.equal(await statusOf('ptt', told(['MCPTT'])), 403);
      assert.equal(await statusOf('data', told(['MCData'])), 403);
      assert.equal(await statusOf('video', told(['MCPTT', 'MCVideo'])), 200);
      const swapped = { MCPTT: video, MCVideo: ALICE, MCData: video };
      assert.equal(await statusOf('x', told(['MCPTT', 'MCVideo', 'MCData'], swapped)), 403);
    });
  });

  describe('lets write', () => {
    it('administrators alone', async () => {
      for (const token of ['alice', 'mallory']) {
        assert.equal((await scene.ask({ method: 'DELETE', token })).status, 403);
        assert.equal((await scene.ask({ method: 'PUT', token, body: '<x/>' })).status, 403);
      }
      assert.equal((await scene.ask({ method: 'DELETE', token: 'admin' })).status, 200);
    });

    it('nobody by an ID for a service that the token is not for, or by the name of the client', async () => {
      const elsewhere = claims(MALLORY, { serviceIds: { MCPTT: MALLORY, MCVideo: ADMIN } });
      assert.equal(await statusOf('x', elsewhere, 'DELETE'), 403);
      assert.equal(await statusOf('y', claims(MALLORY, { clientId: ADMIN }), 'DELETE'), 403);
    });
  });
});
