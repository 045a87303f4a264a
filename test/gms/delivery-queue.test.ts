import assert from 'node:assert/strict';
import { readFacts, parseIMessage, DEFAULT_TOLERANCES } from '../../src/mikey/index.js';
import type { Sent } from './gms-scene.js';
import { DELIVERED, DOMAIN_A, gmsScene, refusedWith, SECOND, type GmsScene } from './gms-scene.js';
import { ALICE, BOB, member, memorySpace, newGroup, TALKGROUP } from './support.js';

const MANY = Array.from({ length: 12 }, (_, i) => `sip:u${i}@mc-a.example`);

async function started(
  members: readonly string[],
  options: Parameters<typeof gmsScene>[0] = {},
): Promise<GmsScene> {
  const scene = await gmsScene(options);
  await scene.gms.groups.put(newGroup({ members: members.map((uri) => member(uri)) }));
  await scene.gms.start();
  await scene.rest();
  return scene;
}

const octetsOf = ({ message }: Sent): string => Buffer.from(message).toString('hex');

describe('the deliveries of a group key', () => {
  it('go out again with the same message after a failure, later each time', async () => {
    const scene = await started([ALICE], { answer: () => refusedWith(503) });
    for (let i = 0; i < 60; i += 1) await scene.advance(5 * SECOND);
    assert.ok(scene.sent.length > 3);
    assert.equal(new Set(scene.sent.map(octetsOf)).size, 1);
    const times = scene.sent.map(({ at }) => at);
    const waits = times.slice(1).map((at, i) => at - times[i]!);
    assert.ok(
      waits.every((wait, i) => i === 0 || wait > waits[i - 1]! * 1.4),
      String(waits),
    );
    assert.equal(scene.audited.length, 1);
  });

  it('wait as long as the peer asks', async () => {
    const scene = await started([ALICE], {
      answer: () => refusedWith(503, { retryAfterMs: 400 * SECOND }),
    });
    await scene.advance(399 * SECOND);
    assert.equal(scene.sent.length, 1);
    await scene.advance(2 * SECOND);
    assert.equal(scene.sent.length, 2);
  });

  it('leave a partner alone that cannot be reached, as a whole, and hold up no other', async () => {
    const scene = await started([...MANY, BOB], {
      answer: ({ partner }) =>
        partner === 'b' ? DELIVERED : { kind: 'unreachable', code: 'SEGY_E_SIP_TRANSPORT' },
    });
    assert.ok(scene.sent.some((each) => each.member === BOB));
    assert.equal(
      scene.sent.filter(({ partner }) => partner === 'a').length,
      2,
      'as many as go at once',
    );
    const { unreached, problems } = scene.gms.status(TALKGROUP);
    assert.deepEqual(
      unreached.map(({ partner, code }) => [partner, code]),
      [['a', 'SEGY_E_SIP_TRANSPORT']],
    );
    assert.deepEqual(problems, [], 'it says nothing of its members');
    scene.answer = () => DELIVERED;
    await scene.advance(3 * SECOND);
    assert.deepEqual(scene.gms.status(TALKGROUP).unreached, []);
    assert.equal(scene.gms.status(TALKGROUP).keys[0]?.deliveries.delivered, 13);
  });

  it('of one route go together, and one that failed goes alone', async () => {
    let failing = true;
    const scene = await started(MANY, {
      routeOf: () => ({ route: 'the GMS', most: 5 }),
      settings: { parallel: 1 },
      answer: () => (failing ? refusedWith(500) : DELIVERED),
    });
    assert.deepEqual(
      scene.exchanges.map(({ length }) => length),
      [5, 5, 2],
    );
    failing = false;
    await scene.advance(20 * SECOND);
    assert.deepEqual(
      scene.exchanges.slice(3).map(({ length }) => length),
      MANY.map(() => 1),
    );
  });

  it('are never more at once with one partner than is allowed', async () => {
    let now = 0;
    let most = 0;
    const scene = await started(MANY, {
      settings: { parallel: 3 },
      answer: async () => {
        most = Math.max(most, (now += 1));
        await new Promise((resolve) => setTimeout(resolve, 5));
        now -= 1;
        return DELIVERED;
      },
    });
    while (scene.sent.length < MANY.length) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(most, 3);
  });

  it('keep a KMS Redirect Response for the operator to see', async () => {
    const redirect = {
      purpose: 'responder-kms-wrong' as const,
      refusedKmsUri: 'kms.mc-a.example',
      kmsUri: 'kms.new.example',
      advice: 'ask the partner',
    };
    const space = await memorySpace();
    const scene = await started([ALICE], { space, answer: () => refusedWith(488, { redirect }) });
    await scene.gms.stop();
    const again = await gmsScene({ space, timers: scene.timers });
    const [problem] = again.gms.status(TALKGROUP).problems;
    assert.deepEqual([problem?.status, problem?.redirect], [488, redirect]);
  });

  it('are tried at once when an operator asks', async () => {
    const scene = await started([ALICE], { answer: () => refusedWith(403) });
    scene.gms.retry(TALKGROUP);
    await scene.rest();
    assert.equal(scene.sent.length, 2);
  });

  it('fail alone where no KMS of the member is trusted, and come when it is', async () => {
    let isTrusted = false;
    const scene = await started([ALICE, BOB], {
      certificates: {
        find: (kmsUri) => {
          const partner = kmsUri === 'kms.mc-a.example' ? 'a' : 'b';
          if (partner === 'b' && !isTrusted) return undefined;
          return { certificate: { ...DOMAIN_A.certificate, kmsUri }, partner };
        },
      },
    });
    assert.deepEqual(
      scene.sent.map((each) => each.member),
      [ALICE],
    );
    assert.equal(scene.gms.status(TALKGROUP).problems[0]?.code, 'SEGY_E_MIKEY_KMS_UNKNOWN');
    isTrusted = true;
    await scene.advance(20 * SECOND);
    assert.equal(scene.sent.at(-1)?.member, BOB);
  });

  it('never encapsulate to a KMS that is bound to another partner', async () => {
    const scene = await started([BOB], {
      certificates: { find: () => ({ certificate: DOMAIN_A.certificate, partner: 'a' }) },
    });
    assert.deepEqual(scene.sent, []);
  });

  it('do not leave without their audit record', async () => {
    let works = false;
    const scene = await started([ALICE], {
      audit: { record: () => (works ? Promise.resolve() : Promise.reject(new Error('disk full'))) },
    });
    assert.deepEqual(scene.sent, []);
    works = true;
    await scene.advance(20 * SECOND);
    assert.equal(scene.sent.length, 1);
  });

  it('leave after a restart with the message that was made before it', async () => {
    const space = await memorySpace();
    const scene = await started([ALICE], {
      space,
      answer: () => ({ kind: 'unreachable', code: 'SEGY_E_SIP_TRANSPORT' }),
    });
    await scene.gms.stop();
    const again = await gmsScene({ space, timers: scene.timers });
    await again.gms.start();
    await again.rest();
    assert.equal(octetsOf(again.sent[0]!), octetsOf(scene.sent[0]!));
    assert.deepEqual(again.audited, []);
  });

  it('make a new message where T of the old one is two key periods back', async () => {
    const scene = await started([ALICE], {
      answer: () => refusedWith(503, { retryAfterMs: 61 * 86_400 * SECOND }),
    });
    for (let day = 0; day < 62; day += 1) scene.timers.advance(86_400 * SECOND);
    await scene.rest();
    assert.equal(scene.sent.length, 2);
    assert.notEqual(octetsOf(scene.sent[0]!), octetsOf(scene.sent[1]!));
  });

  it('that say revoked have the SAKKE data of the message that gave the key, and a later T', async () => {
    const scene = await started([ALICE]);
    await scene.gms.groups.delete(TALKGROUP);
    await scene.rest();
    const [given, taken] = scene.sent.map(({ message }) =>
      readFacts(parseIMessage(message), DEFAULT_TOLERANCES),
    );
    assert.deepEqual(taken!.sed, given!.sed);
    assert.ok(Buffer.compare(Buffer.from(given!.rand), Buffer.from(taken!.rand)) === 0);
    const octets = ({ timestamp }: { timestamp: Uint8Array | bigint }) => String(timestamp);
    assert.ok(octets(taken!) > octets(given!));
  });

  it('do not leave for a user who stopped being a member while the message was made', async () => {
    const scene = await gmsScene();
    await scene.gms.groups.put(newGroup({ members: [member(ALICE), member(BOB)] }));
    await scene.gms.start();
    // between the making and the sending: nothing has had a turn yet
    await scene.gms.groups.change(TALKGROUP, (group) => ({
      ...group,
      members: group.members.filter(({ uri }) => uri !== BOB),
    }));
    await scene.rest();
    const given = new Set(
      scene.sent.filter((each) => each.member === BOB).map(({ keyId }) => keyId),
    );
    const [current] = scene.gms
      .status(TALKGROUP)
      .keys.filter(({ state }) => state !== 'retiring')
      .slice(-1);
    assert.ok(!given.has(current!.keyId), 'what Bob may have is not the key of the group');
  });
});
