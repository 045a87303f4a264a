import assert from 'node:assert/strict';
import fc from 'fast-check';
import { utf8 } from '../../src/base/bytes.js';
import { SegyError } from '../../src/base/errors.js';
import { Identities, IdmRig, JWT_BEARER, TOKEN_EXCHANGE, type Answer } from './idm-rig.js';
import { SEED } from '../support/seed.js';

const ERRORS = new Set([
  ...['invalid_request', 'invalid_client', 'invalid_grant', 'invalid_scope', 'invalid_target'],
  'unsupported_grant_type',
]);

describe(`Hostile token requests (seed ${SEED})`, () => {
  let identities: Identities;
  let rig: IdmRig;
  before(async () => {
    identities = new Identities();
    rig = await IdmRig.open({ identities });
  });
  after(() => {
    rig.stop();
    identities.remove();
  });

  /** An OAuth error and no token, or the rate's answer; time passes so that it seldom is. */
  function isRefused({ status, body, headers }: Answer): boolean {
    rig.room.timers.now += 100;
    if (status === 429) return true;
    assert.ok(status === 400 || status === 401, `${status}`);
    assert.ok(ERRORS.has(String(body.error)), JSON.stringify(body));
    assert.equal(headers['Cache-Control'], 'no-store');
    assert.equal(body.access_token, undefined);
    return true;
  }

  it('of random octets get an OAuth error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (body) =>
        isRefused(await rig.send({ body, certificate: identities.pinned })),
      ),
      { numRuns: 2000 },
    );
  });

  const names = [
    ...['grant_type', 'assertion', 'client_id', 'scope', 'resource', 'audience', 'actor_token'],
    ...['subject_token', 'subject_token_type', 'client_assertion', 'client_assertion_type'],
    ...['client_secret', 'requested_token_type', '__proto__', 'constructor', ''],
  ];
  const value = fc.oneof(
    fc.constantFrom('client-a', 'client-j', JWT_BEARER, TOKEN_EXCHANGE, 'a.b.c', 'e30.e30.e30'),
    fc.string({ unit: 'binary', maxLength: 60 }),
  );

  it('of random parameters get an OAuth error', async () => {
    const parameters = fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(parameters, async (list) => {
        const text = list.map(([name, one]) => `${name}=${encode(one)}`).join('&');
        return isRefused(await rig.send({ body: utf8(text), certificate: identities.pinned }));
      }),
      { numRuns: 2000 },
    );
  });

  it('with one character of a good token changed get invalid_grant', async () => {
    const token = await rig.securityToken({ exp: rig.seconds + 3600 });
    const change = fc.record({
      at: fc.nat(token.length - 1),
      to: fc.constantFrom('A', 'b', '0', '-', '_', '.', '+', '/', '=', ' ', '\u00e9'),
      cut: fc.option(fc.nat(token.length - 1), { freq: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, to, cut }) => {
        const changed = token.slice(0, at) + to + token.slice(at + 1);
        const assertion = cut === null ? changed : changed.slice(0, cut);
        if (signsTheSame(assertion, token)) return true;
        return isRefused(await rig.ask({ assertion }));
      }),
      { numRuns: 1500 },
    );
  });

  const claim = fc.constantFrom('iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti', 'mcptt_id');
  const anything = fc.jsonValue({ maxDepth: 2 });

  it('with a signed token of random claims get a token only for what is right', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(claim, anything, { minKeys: 1 }), async (claims) => {
        const assertion = await rig.securityToken({ exp: rig.seconds + 300, ...claims });
        const answer = await rig.ask({ assertion });
        if (answer.status !== 200) return isRefused(answer);
        // any subject and identifier of a fit form will do, and no claim that may be left out
        const changed = Object.keys(claims).filter((name) => !['sub', 'jti', 'nbf'].includes(name));
        const { iat, exp } = claims;
        assert.ok(
          changed.every((name) => ['iat', 'exp'].includes(name)) &&
            [iat, exp].every((time) => time === undefined || typeof time === 'number'),
          JSON.stringify(claims),
        );
        return true;
      }),
      { numRuns: 800 },
    );
  });

  it('never open the guard with anything that is no token of ours', async () => {
    const [token, other] = [await rig.ask(), await rig.ask()].map(({ body }) =>
      String(body.access_token).split('.'),
    );
    const part = fc.oneof(
      fc.constantFrom(...token!, ...other!),
      fc.base64String({ maxLength: 40 }),
      fc.string({ maxLength: 20 }),
    );
    const good = [token!.join('.'), other!.join('.')];
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (parts) => {
        const text = parts.join('.');
        if (good.includes(text)) return true;
        const error: unknown = await rig.idm.guard.verify(text).catch((caught: unknown) => caught);
        assert.ok(error instanceof SegyError && error.code.startsWith('SEGY_E_TOKEN'), text);
        return true;
      }),
      { numRuns: 2000 },
    );
  });
});

/** Some characters at the end of a base64url text carry bits that are not used. */
function signsTheSame(one: string, other: string): boolean {
  const [a, b] = [one.split('.'), other.split('.')];
  const isSigned = a[0] === b[0] && a[1] === b[1] && a.length === 3;
  const octets = (text = ''): string => Buffer.from(text, 'base64url').toString('hex');
  return isSigned && octets(a[2]) === octets(b[2]);
}

function encode(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return '%ed%a0%80';
  }
}
