import assert from 'node:assert/strict';
import { utf8 } from '../../src/base/bytes.js';
import { SegyError } from '../../src/base/errors.js';
import { DocumentGuard, GroupChanges, RollRoute } from '../../src/gms/index.js';
import type { HttpRequestHead, HttpResponse } from '../../src/https/index.js';
import { gmsSchema } from '../../src/config/gms-schema.js';
import { ADMIN, claims } from './document-support.js';
import { DELIVERED, GMS_URI, gmsScene, refusedWith, SECOND } from './gms-scene.js';
import type { Answer, GmsScene, SceneOptions } from './gms-scene.js';
import { ALICE, BOB, homeOf, memorySpace, newGroup, TALKGROUP } from './support.js';

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly token?: string | null;
  readonly body?: string;
  readonly type?: string;
}

interface RollScene extends GmsScene {
  readonly audited: string[];
  ask(asked: Asked): Promise<HttpResponse & { json: Record<string, unknown> }>;
}

async function rollScene(options: SceneOptions = {}): Promise<RollScene> {
  const scene = await gmsScene(options);
  const { documents } = gmsSchema.parse({
    uri: GMS_URI,
    documents: { administrators: [ADMIN] },
  });
  const audited: string[] = [];
  const callers = new Map([
    ['admin', claims(ADMIN)],
    ['alice', claims(ALICE)],
  ]);
  const route = new RollRoute({
    root: 'https://gms.lmr.example/group-rolls',
    gms: scene.gms,
    changes: new GroupChanges({
      gms: scene.gms,
      homeOf,
      audit: {
        record: ({ action, group, detail }) => {
          audited.push(`${action} ${group} ${detail ?? ''}`);
          return Promise.resolve();
        },
      },
    }),
    guard: new DocumentGuard({
      access: documents,
      tokens: {
        verify: (token) => {
          const found = callers.get(token);
          return found === undefined
            ? Promise.reject(new SegyError('SEGY_E_TOKEN', 'not a token of ours'))
            : Promise.resolve(found);
        },
      },
    }),
  });
  if (scene.gms.groups.get(TALKGROUP) === undefined) await scene.gms.groups.put(newGroup());
  await scene.gms.start();
  await scene.rest();
  return {
    ...scene,
    audited,
    ask: async ({ method = 'PUT', path = `${TALKGROUP}/r1`, query = '', ...more }) => {
      const { token = 'admin', body = '', type = 'application/json' } = more;
      const fields = new Map([
        ['content-type', type],
        ...(token === null ? [] : [['authorization', `Bearer ${token}`] as [string, string]]),
      ] as [string, string][]);
      const head: HttpRequestHead = {
        ...{ method, path: `/group-rolls/${path}`, query },
        ...{ header: (name: string) => fields.get(name), address: '192.0.2.1', certificate: null },
      };
      assert.ok(route.matches(head.path));
      const begun = await route.begin(head);
      const answer = typeof begun === 'function' ? await begun(utf8(body)) : begun;
      const text = typeof answer.body === 'string' ? answer.body : '{}';
      return { ...answer, json: JSON.parse(text) as Record<string, unknown> };
    },
  };
}

const SILENT: Answer = () => refusedWith(480);

describe('rolls of group keys by HTTP', () => {
  let scene: RollScene;
  let answer: Answer;
  beforeEach(async () => {
    answer = () => DELIVERED;
    scene = await rollScene({ answer: (delivery) => answer(delivery) });
  });
  afterEach(() => scene.gms.stop());
  const keys = () => scene.gms.status(TALKGROUP).keys.map(({ keyId }) => keyId);

  it('PUT rolls the keys: 202 with where the progress is to be read', async () => {
    const { status, headers = {}, json } = await scene.ask({});
    assert.equal(status, 202);
    assert.equal(headers.Location, `/group-rolls/${TALKGROUP}/r1`);
    assert.ok(Number(headers['Retry-After']) > 0);
    assert.equal(json.done, false);
    assert.equal(keys().length, 2);
    await scene.rest();
    const told = await scene.ask({ method: 'GET' });
    assert.deepEqual(
      [told.status, told.json.done, told.json.members, told.json.delivered, told.json.keys],
      [200, true, 2, 2, [keys().at(-1)]],
    );
    assert.match(scene.audited.join(), new RegExp(`group-rekeyed ${TALKGROUP} .*by ${ADMIN}`));
  });

  it('PUT again rolls nothing, whether the first one is done or not', async () => {
    answer = SILENT;
    const first = await scene.ask({});
    await scene.rest();
    const early = await scene.ask({});
    assert.deepEqual([early.status, early.json.keys], [202, first.json.keys]);
    answer = () => DELIVERED;
    await scene.advance(60 * SECOND);
    const again = await scene.ask({});
    assert.deepEqual([again.status, again.json.keys], [200, first.json.keys]);
    assert.equal(keys().length, 2);
    assert.equal(scene.audited.length, 1);
  });

  it('PUT again rolls nothing after its key has given way to another one', async () => {
    const first = await scene.ask({});
    await scene.rest();
    await scene.ask({ path: `${TALKGROUP}/r2`, body: '{"activationSeconds":0,"revokeNow":true}' });
    await scene.rest();
    await scene.advance(60 * SECOND);
    const before = keys();
    const again = await scene.ask({});
    assert.deepEqual([again.status, again.json.done], [200, true]);
    assert.deepEqual([again.json.keys, keys()], [first.json.keys, before]);
  });

  it('PUT again after a restart rolls nothing, and goes on telling', async () => {
    const space = await memorySpace();
    const before = await rollScene({ space, answer: SILENT });
    const { json } = await before.ask({});
    await before.gms.stop();
    const after = await rollScene({ space, answer: () => DELIVERED, timers: before.timers });
    await after.advance(60 * SECOND);
    const again = await after.ask({});
    assert.deepEqual([again.status, again.json.done, again.json.keys], [200, true, json.keys]);
    assert.equal(after.audited.length, 0);
    await after.gms.stop();
  });

  it('PUT with other times under a name that is taken is 409', async () => {
    await scene.ask({ body: '{"activationSeconds":30}' });
    const other = await scene.ask({ body: '{"activationSeconds":31}' });
    assert.deepEqual([other.status, other.json.error], [409, 'SEGY_E_GROUP']);
    assert.equal(keys().length, 2);
  });

  it('takes the time of activation and the end of the keys before', async () => {
    await scene.ask({ body: '{"activationSeconds":5,"revokeNow":true}' });
    const [old, made] = scene.gms.status(TALKGROUP).keys;
    assert.equal(old?.state, 'revoked');
    assert.equal(made?.activation, new Date(scene.timers.now + 5 * SECOND).toISOString());
  });

  it('tells who refuses its key, and does not call that done', async () => {
    answer = ({ member }) => (member === BOB ? refusedWith(403) : DELIVERED);
    await scene.ask({});
    await scene.rest();
    const { json } = await scene.ask({ method: 'GET' });
    assert.deepEqual([json.done, json.delivered, json.failing], [false, 1, 1]);
    const all = await scene.ask({ method: 'GET', path: TALKGROUP });
    assert.match(JSON.stringify(all.json.problems), new RegExp(BOB));
  });

  it('tells no key octet', async () => {
    await scene.ask({});
    const texts = [
      await scene.ask({ method: 'GET' }),
      await scene.ask({ method: 'GET', path: TALKGROUP }),
    ];
    for (const { key } of scene.ring) {
      const hex = Buffer.from(key).toString('hex');
      for (const { body } of texts) assert.ok(!(body as string).includes(hex));
    }
  });

  it('is for administrators alone', async () => {
    for (const method of ['PUT', 'GET', 'DELETE']) {
      assert.equal((await scene.ask({ method, token: 'alice' })).status, 403);
      assert.equal((await scene.ask({ method, token: null })).status, 401);
      assert.equal((await scene.ask({ method, token: 'forged' })).status, 401);
    }
    assert.equal(keys().length, 1);
  });

  it('is bounded: who rolls in a loop is told to wait', async () => {
    const statuses = [];
    for (let at = 0; at < 20; at += 1) {
      statuses.push((await scene.ask({ path: `${TALKGROUP}/n${at}` })).status);
    }
    assert.equal(statuses.filter((status) => status === 429).length, 5);
    assert.equal(keys().length, 16);
  });

  const refusals: readonly (readonly [string, Asked, number])[] = [
    ['an unknown group', { path: 'sip:no@lmr.example/r1' }, 404],
    ['a roll that nobody ordered', { method: 'GET' }, 404],
    ['no name', { path: TALKGROUP }, 405],
    ['an empty name', { path: `${TALKGROUP}/` }, 404],
    ['a longer path', { path: `${TALKGROUP}/r1/x` }, 404],
    ['a name with a slash', { path: `${TALKGROUP}/a%2fb` }, 400],
    ['a name of 65 characters', { path: `${TALKGROUP}/${'a'.repeat(65)}` }, 400],
    ['no percent-encoding', { path: `${TALKGROUP}/%zz` }, 404],
    ['a query', { query: 'name=r2' }, 404],
    ['POST', { method: 'POST' }, 405],
    ['DELETE', { method: 'DELETE' }, 405],
    ['no JSON', { body: '{' }, 400],
    ['a list', { body: '[]' }, 400],
    ['another name in the body', { body: '{"name":"r2"}' }, 400],
    ['a setting that is not known', { body: '{"in":5}' }, 400],
    ['a fraction of a second', { body: '{"activationSeconds":0.5}' }, 400],
    ['a time that is past', { body: '{"activationSeconds":-1}' }, 400],
    ['a time beyond all bounds', { body: '{"activationSeconds":1e300}' }, 400],
    ['a polluted prototype', { body: '{"__proto__":{"revokeNow":true},"x":1}' }, 400],
    ['another media type', { body: '{}', type: 'text/plain' }, 415],
    ['another charset', { body: '{}', type: 'application/json; charset=utf-16' }, 415],
  ];
  for (const [what, asked, status] of refusals) {
    it(`refuses ${what} with ${status} and rolls nothing`, async () => {
      assert.equal((await scene.ask(asked)).status, status);
      assert.equal(keys().length, 1);
    });
  }

  it('refuses with 409 a group that has no keys', async () => {
    const id = 'sip:open@lmr.example';
    await scene.gms.groups.put(newGroup({ id, pbx: 'open', protectMedia: false }));
    assert.equal((await scene.ask({ path: `${id}/r1` })).status, 409);
  });
});
