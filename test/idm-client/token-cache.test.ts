import assert from 'node:assert/strict';
import { SegyError } from '../../src/base/errors.js';
import { TokenCache } from '../../src/idm-client/token-cache.js';
import type { IssuedToken } from '../../src/idm-client/token-request.js';
import { fakeEnvironment, FakeTimers } from '../sip/support/fake-timers.js';

describe('the cache of access tokens', () => {
  let timers: FakeTimers;
  let asked: string[];
  let answers: (IssuedToken | SegyError)[];
  let cache: TokenCache;
  let failures: (string | null)[];

  beforeEach(() => {
    timers = new FakeTimers();
    asked = [];
    answers = [];
    failures = [];
    cache = new TokenCache({
      issue: (user) => {
        asked.push(user);
        const answer = answers.shift() ?? { token: `t${asked.length}`, seconds: 600 };
        return answer instanceof SegyError ? Promise.reject(answer) : Promise.resolve(answer);
      },
      parallel: 2,
      env: fakeEnvironment(timers),
      onOutcome: (_user, failure) => failures.push(failure?.code ?? null),
    });
  });
  const down = (more: Record<string, string> = {}): SegyError =>
    new SegyError('SEGY_E_PARTNER_IDM', 'down', { details: more });
  const refused = new SegyError('SEGY_E_ACCESS_TOKEN', 'no');

  it('asks once for a user however many want the token at once', async () => {
    const all = await Promise.all([1, 2, 3].map(() => cache.tokenFor('u')));
    assert.deepEqual(all, ['t1', 't1', 't1']);
    assert.deepEqual(asked, ['u']);
  });

  it('keeps the tokens of users apart', async () => {
    assert.deepEqual([await cache.tokenFor('u'), await cache.tokenFor('v')], ['t1', 't2']);
  });

  it('gives a token until shortly before its end, and then a new one', async () => {
    await cache.tokenFor('u');
    timers.advance(520_000);
    assert.equal(await cache.tokenFor('u'), 't1');
    timers.advance(30_000);
    assert.equal(await cache.tokenFor('u'), 't2');
  });

  it('gives the old token while it is good and its renewal fails, and none after its end', async () => {
    await cache.tokenFor('u');
    timers.advance(560_000);
    answers = [down(), down()];
    assert.equal(await cache.tokenFor('u'), 't1');
    timers.advance(39_000);
    assert.equal(await cache.tokenFor('u'), null);
    assert.deepEqual(failures, [null, 'SEGY_E_PARTNER_IDM', 'SEGY_E_PARTNER_IDM']);
  });

  it('gives nothing at once while the wait after a failure lasts', async () => {
    answers = [down()];
    assert.equal(await cache.tokenFor('u'), null);
    assert.equal(await cache.tokenFor('u'), null);
    assert.equal(asked.length, 1);
    timers.advance(3000);
    assert.equal(await cache.tokenFor('u'), 't2');
  });

  it('waits longer with each failure, up to five minutes and a fifth', async () => {
    answers = Array.from({ length: 12 }, () => down());
    for (let n = 0; n < 12; n += 1) {
      await cache.tokenFor('u');
      assert.equal(asked.length, n + 1);
      timers.advance(Math.min(2000 * 2 ** n, 300_000) - 1);
      await cache.tokenFor('u');
      assert.equal(asked.length, n + 1, 'not before the wait is over');
      timers.advance(61_000);
    }
  });

  it('waits longer after a refusal than after an unreachable server, and as long as it is asked to', async () => {
    answers = [refused];
    await cache.tokenFor('u');
    timers.advance(29_000);
    await cache.tokenFor('u');
    assert.equal(asked.length, 1);
    timers.advance(10_000);
    answers = [down({ retryAfterSeconds: '1000' })];
    await cache.tokenFor('u');
    timers.advance(999_000);
    assert.equal(await cache.tokenFor('u'), null);
    assert.equal(asked.length, 2);
    timers.advance(2000);
    assert.equal(await cache.tokenFor('u'), 't3');
  });

  it('does not give a token again that a server rejected, and keeps one that was not it', async () => {
    await cache.tokenFor('u');
    cache.reject('u', 'another');
    assert.equal(await cache.tokenFor('u'), 't1');
    cache.reject('u', 't1');
    assert.equal(await cache.tokenFor('u'), 't2');
  });

  it('has no more requests under way than it may, and loses none', async () => {
    let underWay = 0;
    let most = 0;
    const busy = new TokenCache({
      issue: async (user) => {
        underWay += 1;
        most = Math.max(most, underWay);
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        return { token: user, seconds: 60 };
      },
      parallel: 2,
      env: fakeEnvironment(timers),
      onOutcome: () => undefined,
    });
    const users = Array.from({ length: 50 }, (_, n) => `u${n}`);
    assert.deepEqual(await Promise.all(users.map((user) => busy.tokenFor(user))), users);
    assert.equal(most, 2);
  });

  it('gives nothing after its end, not even what was under way', async () => {
    let finish: (token: IssuedToken) => void = () => undefined;
    const slow = new TokenCache({
      issue: () => new Promise((resolve) => (finish = resolve)),
      parallel: 1,
      env: fakeEnvironment(timers),
      onOutcome: () => assert.fail('nothing is told after the end'),
    });
    const asking = slow.tokenFor('u');
    await Promise.resolve();
    slow.end();
    finish({ token: 'late', seconds: 600 });
    assert.equal(await asking, null);
    assert.equal(await slow.tokenFor('u'), null);
  });
});
