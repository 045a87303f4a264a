import assert from 'node:assert/strict';
import { toHex } from '../../src/base/bytes.js';
import { isRevoked } from '../../src/keys/index.js';
import { gmsScene, ringKey, SECOND, type GmsScene } from './gms-scene.js';
import { ALICE, BOB, member, newGroup, RADIO, TALKGROUP } from './support.js';

const CARLA = 'sip:carla@mc-a.example';

async function started(options: Parameters<typeof gmsScene>[0] = {}): Promise<GmsScene> {
  const scene = await gmsScene(options);
  await scene.gms.groups.put(newGroup());
  await scene.gms.start();
  await scene.rest();
  return scene;
}

const keyOf = (scene: GmsScene, index = 0): string =>
  scene.gms.status(TALKGROUP).keys[index]!.keyId;

function removeMember(scene: GmsScene, uri: string): Promise<unknown> {
  return scene.gms.groups.change(TALKGROUP, (group) => ({
    ...group,
    members: group.members.filter((each) => each.uri !== uri),
  }));
}

function addMember(scene: GmsScene, uri: string): Promise<unknown> {
  return scene.gms.groups.change(TALKGROUP, (group) => ({
    ...group,
    members: [...group.members, member(uri)],
  }));
}

describe('the life of a group key', () => {
  it('begins with the group: every member of a partner gets it, in use at once', async () => {
    const scene = await started();
    assert.deepEqual(scene.sent.map((each) => each.member).sort(), [ALICE, BOB]);
    const [key] = scene.gms.status(TALKGROUP).keys;
    assert.deepEqual(
      [key!.state, key!.reason, key!.deliveries.delivered],
      ['active', 'created', 2],
    );
  });

  it('puts it into our own ring under each partner, for our own members to send with', async () => {
    const scene = await started();
    assert.deepEqual(scene.ring.map(({ partner }) => partner).sort(), ['a', 'b']);
    for (const held of scene.ring) {
      assert.deepEqual([held.holders, held.groups, held.source], [[RADIO], [TALKGROUP], 'made']);
      assert.equal(held.status, 3, 'valid, and shared with a security gateway');
    }
  });

  it('goes to a member that comes later, with the same key', async () => {
    const scene = await started();
    await addMember(scene, CARLA);
    await scene.rest();
    assert.equal(scene.sent.length, 3);
    assert.deepEqual(new Set(scene.sent.map(({ keyId }) => keyId)).size, 1);
  });

  it('is rolled by command: the new one lies ahead, the old one retires an overlap after it', async () => {
    const scene = await started();
    const old = keyOf(scene);
    const [made] = await scene.gms.rekey(TALKGROUP);
    await scene.rest();
    const states = () => scene.gms.status(TALKGROUP).keys.map(({ keyId, state }) => [keyId, state]);
    assert.deepEqual(states(), [
      [old, 'active'],
      [made, 'pending'],
    ]);
    await scene.advance(60 * SECOND);
    assert.deepEqual(states(), [
      [old, 'retiring'],
      [made, 'active'],
    ]);
    assert.ok(!isRevoked(ringKey(scene, old)));
    await scene.advance(10 * SECOND);
    assert.deepEqual(states(), [[made, 'active']]);
    assert.ok(!scene.ring.some((held) => toHex(held.keyId) === old));
  });

  it('is told revoked to every member once it gave way', async () => {
    const scene = await started();
    const old = keyOf(scene);
    await scene.gms.rekey(TALKGROUP);
    await scene.rest();
    await scene.advance(70 * SECOND);
    const told = scene.sent.filter(({ keyId, says }) => keyId === old && says === 'revoked');
    assert.deepEqual(told.map((each) => each.member).sort(), [ALICE, BOB]);
  });

  it('is not told revoked where the configuration says so', async () => {
    const scene = await started({ settings: { tellRevoked: false } });
    await scene.gms.rekey(TALKGROUP);
    await scene.rest();
    await scene.advance(70 * SECOND);
    assert.ok(scene.sent.every(({ says }) => says === 'valid'));
    assert.equal(scene.gms.status(TALKGROUP).keys.length, 1);
  });

  it('is rolled when a member leaves, which never gets the new one nor anything else', async () => {
    const scene = await started();
    const old = keyOf(scene);
    await removeMember(scene, BOB);
    await scene.rest();
    await scene.advance(100 * SECOND);
    const after = scene.sent.slice(2);
    assert.ok(after.length > 0);
    assert.ok(after.every((each) => each.member === ALICE));
    assert.ok(after.some(({ keyId, says }) => keyId !== old && says === 'valid'));
    const [key] = scene.gms.status(TALKGROUP).keys;
    assert.deepEqual([key!.reason, key!.deliveries.members], ['removal', 1]);
  });

  it('is rolled sooner when a member leaves than by command', async () => {
    const scene = await started();
    await removeMember(scene, BOB);
    await scene.rest();
    await scene.advance(20 * SECOND);
    assert.equal(scene.gms.status(TALKGROUP).keys.at(-1)?.state, 'active');
  });

  it('is revoked unused when a member leaves who has it before its time', async () => {
    const scene = await started();
    const [pending] = await scene.gms.rekey(TALKGROUP);
    await scene.rest();
    await removeMember(scene, BOB);
    await scene.rest();
    const keys = scene.gms.status(TALKGROUP).keys;
    assert.ok(!keys.some(({ keyId, state }) => keyId === pending && state === 'pending'));
    assert.equal(keys.at(-1)?.reason, 'removal');
    assert.ok(!scene.ring.some((held) => toHex(held.keyId) === pending && !isRevoked(held)));
  });

  it('is not rolled when a member leaves who never got it', async () => {
    const scene = await started({
      answer: () => new Promise(() => undefined),
      settings: { parallel: 1 },
    });
    // one exchange with partner a is under way and never ends: the next member waits behind it
    await addMember(scene, CARLA);
    await scene.rest();
    await removeMember(scene, CARLA);
    await scene.rest();
    assert.equal(scene.gms.status(TALKGROUP).keys.length, 1);
    assert.ok(!scene.sent.some((each) => each.member === CARLA));
  });

  it('is rolled when one of our own radio users leaves', async () => {
    const scene = await started();
    await removeMember(scene, RADIO);
    await scene.rest();
    assert.deepEqual(scene.ring.at(-1)?.holders, []);
    assert.equal(scene.gms.status(TALKGROUP).keys.length, 2);
  });

  it('is rolled when a member moves to another security domain', async () => {
    const scene = await started();
    await scene.gms.groups.change(TALKGROUP, (group) => ({
      ...group,
      members: group.members.map((each) =>
        each.uri === ALICE ? { ...each, partner: 'b', kmsUri: 'kms.mc-b.example' } : each,
      ),
    }));
    await scene.rest();
    assert.equal(scene.gms.status(TALKGROUP).keys.length, 2);
    assert.equal(scene.sent.at(-1)?.partner, 'b');
  });

  it('is rolled by schedule', async () => {
    const scene = await started({ settings: { rollSeconds: 3600 } });
    await scene.advance(3599 * SECOND);
    assert.equal(scene.gms.status(TALKGROUP).keys.length, 1);
    await scene.advance(2 * SECOND);
    assert.deepEqual(
      scene.gms.status(TALKGROUP).keys.map(({ reason }) => reason),
      ['created', 'schedule'],
    );
  });

  it('with an end of its own has a successor that is in use before it', async () => {
    const scene = await started({ settings: { lifetimeSeconds: 600 } });
    await scene.advance(541 * SECOND);
    await scene.advance(59 * SECOND);
    const { keys } = scene.gms.status(TALKGROUP);
    assert.equal(keys.at(-1)?.state, 'active');
    assert.ok(!keys.some(({ reason }) => reason === 'created'));
  });

  it('is revoked at once by command', async () => {
    const scene = await started();
    const old = keyOf(scene);
    await scene.gms.rekey(TALKGROUP, { activationSeconds: 0, revokeNow: true });
    await scene.rest();
    assert.deepEqual(
      scene.gms.status(TALKGROUP).keys.map(({ state }) => state),
      ['active'],
    );
    assert.equal(
      scene.sent.filter(({ keyId, says }) => keyId === old && says === 'revoked').length,
      2,
    );
  });

  it('ends with the group: revoked here and said to all who have it', async () => {
    const scene = await started();
    await scene.gms.groups.delete(TALKGROUP);
    await scene.rest();
    assert.deepEqual(scene.ring, []);
    assert.equal(scene.sent.filter(({ says }) => says === 'revoked').length, 2);
    assert.throws(() => scene.gms.status(TALKGROUP), { code: 'SEGY_E_NOT_FOUND' });
  });

  it('ends when the group protects its media no more, and a new one begins when it does again', async () => {
    const scene = await started();
    const old = keyOf(scene);
    const protect = (protectMedia: boolean) =>
      scene.gms.groups.change(TALKGROUP, (group) => ({ ...group, protectMedia }));
    await protect(false);
    await scene.rest();
    assert.deepEqual(scene.gms.status(TALKGROUP).keys, []);
    await protect(true);
    await scene.rest();
    assert.notEqual(keyOf(scene), old);
  });

  it('has an MKFC beside it where floor control is multicast', async () => {
    const scene = await started();
    await scene.gms.groups.change(TALKGROUP, (group) => ({
      ...group,
      multicastFloorControl: true,
    }));
    await scene.rest();
    const [, mkfc] = scene.gms.status(TALKGROUP).keys;
    assert.equal(mkfc?.keyType, 'MKFC');
    assert.match(mkfc.keyId, /^4/);
    assert.deepEqual(
      scene.sent
        .filter(({ keyType }) => keyType === 'MKFC')
        .map((each) => each.member)
        .sort(),
      [ALICE, BOB],
    );
  });

  it('changes together with its MKFC, at one whole second, by command, schedule and removal', async () => {
    const scene = await started({ settings: { rollSeconds: 3600 } });
    await scene.gms.groups.change(TALKGROUP, (group) => ({
      ...group,
      multicastFloorControl: true,
    }));
    await scene.rest();
    const rolls = [
      () => scene.gms.rekey(TALKGROUP),
      () => scene.advance(3700 * SECOND),
      () => removeMember(scene, BOB),
    ];
    for (const [index, roll] of rolls.entries()) {
      // between two whole seconds, which is all that members are told
      await scene.advance(100 * SECOND + 700);
      const before = new Set(scene.gms.status(TALKGROUP).keys.map(({ keyId }) => keyId));
      await roll();
      await scene.rest();
      const made = scene.gms.status(TALKGROUP).keys.filter(({ keyId }) => !before.has(keyId));
      assert.deepEqual(made.map(({ keyType }) => keyType).sort(), ['GMK', 'MKFC'], `roll ${index}`);
      const [gmk, mkfc] = made;
      assert.equal(gmk!.activation, mkfc!.activation);
      assert.match(gmk!.activation, /\.000Z$/);
      const given = scene.sent.filter(
        ({ keyId, says }) => keyId === mkfc!.keyId && says === 'valid',
      );
      const members = index === 2 ? [ALICE] : [ALICE, BOB];
      assert.deepEqual(given.map((each) => each.member).sort(), members);
    }
  });

  it('goes on over a restart where it was, with no new key and no message twice', async () => {
    const { memorySpace } = await import('./support.js');
    const space = await memorySpace();
    const first = await started({ space });
    const old = keyOf(first);
    await first.gms.rekey(TALKGROUP);
    await first.rest();
    await first.gms.stop();
    const again = await gmsScene({ space, timers: first.timers });
    await again.gms.start();
    await again.rest();
    assert.deepEqual(again.sent, []);
    await again.advance(70 * SECOND);
    assert.ok(again.sent.every(({ keyId, says }) => keyId === old && says === 'revoked'));
    assert.equal(again.sent.length, 2);
  });

  it('of a change that a crash cut off is finished at the next start', async () => {
    const { memorySpace, groupStore } = await import('./support.js');
    const space = await memorySpace();
    const first = await started({ space });
    await first.gms.stop();
    // the group lost a member, and nothing followed from it
    const groups = await groupStore(space('groups'));
    await groups.change(TALKGROUP, (group) => ({
      ...group,
      members: group.members.filter(({ uri }) => uri !== BOB),
    }));
    const again = await gmsScene({ space, timers: first.timers });
    await again.gms.start();
    await again.rest();
    assert.deepEqual(
      again.sent.map((each) => each.member),
      [ALICE],
    );
    assert.equal(again.gms.status(TALKGROUP).keys.at(-1)?.reason, 'removal');
  });

  it('keeps no key octet in what an operator sees', async () => {
    const scene = await started();
    const seen = JSON.stringify(scene.gms.status(TALKGROUP));
    const { key, rand } = scene.ring[0]!;
    for (const octets of [key, rand]) assert.ok(!seen.includes(toHex(octets)));
  });

  it('that was asked of a group that is not here, or protects nothing, is refused', async () => {
    const scene = await started();
    await assert.rejects(scene.gms.rekey('sip:no@lmr.example'), { code: 'SEGY_E_NOT_FOUND' });
    await scene.gms.groups.change(TALKGROUP, (group) => ({ ...group, protectMedia: false }));
    await assert.rejects(scene.gms.rekey(TALKGROUP), { code: 'SEGY_E_GROUP' });
  });
});
