import assert from 'node:assert/strict';
import type { GroupChange } from '../../src/gms/index.js';
import { ALICE, BOB, groupStore, member, memorySpace, newGroup, TALKGROUP } from './support.js';

describe('GroupStore', () => {
  it('keeps a group over a restart', async () => {
    const space = await memorySpace();
    const kept = await (await groupStore(space('groups'))).put(newGroup({ codecs: ['AMR-WB'] }));
    const again = await groupStore(space('groups'));
    assert.deepEqual(again.list(), [kept]);
    assert.deepEqual(again.get(TALKGROUP)?.codecs, ['AMR-WB']);
  });

  it('gives every change a later version, and one that changes nothing none', async () => {
    const store = await groupStore();
    const first = await store.put(newGroup());
    const second = await store.put(newGroup({ priority: 9 }));
    const third = await store.put(newGroup({ priority: 9 }));
    assert.ok(second.version > first.version);
    assert.equal(third.version, second.version);
  });

  it('never gives a version twice, also where a group was deleted before a restart', async () => {
    const space = await memorySpace();
    const store = await groupStore(space('groups'));
    const { version } = await store.put(newGroup());
    await store.delete(TALKGROUP);
    const again = await groupStore(space('groups'));
    assert.ok((await again.put(newGroup())).version > version);
  });

  it('refuses a change that was made on another version', async () => {
    const store = await groupStore();
    const { version } = await store.put(newGroup(), { version: null });
    await store.put(newGroup({ priority: 1 }), { version });
    const stale = { code: 'SEGY_E_CHANGED' };
    await assert.rejects(store.put(newGroup({ priority: 2 }), { version }), stale);
    await assert.rejects(store.put(newGroup({ priority: 2 }), { version: null }), stale);
    await assert.rejects(store.delete(TALKGROUP, { version }), stale);
    assert.equal(store.get(TALKGROUP)?.priority, 1);
  });

  it('tells of a change after it is on disk, with what was and what is', async () => {
    const space = await memorySpace();
    const store = await groupStore(space('groups'));
    const changes: GroupChange[] = [];
    store.onChange(() => {
      throw new Error('a listener that fails');
    });
    store.onChange((change) => changes.push(change));
    await store.put(newGroup());
    await store.change(TALKGROUP, (group) => ({
      ...group,
      members: group.members.filter(({ uri }) => uri !== BOB),
    }));
    await store.delete(TALKGROUP);
    const counts = changes.map(({ before, after }) => [
      before?.members.length ?? null,
      after?.members.length ?? null,
    ]);
    assert.deepEqual(counts, [
      [null, 3],
      [3, 2],
      [2, null],
    ]);
  });

  it('runs changes one after the other', async () => {
    const store = await groupStore();
    await store.put(newGroup({ members: [] }));
    const added = Array.from({ length: 20 }, (_, i) => member(`sip:u${i}@mc-a.example`));
    await Promise.all(
      added.map((each) =>
        store.change(TALKGROUP, (group) => ({ ...group, members: [...group.members, each] })),
      ),
    );
    assert.equal(store.get(TALKGROUP)?.members.length, 20);
  });

  const broken: Record<string, Parameters<typeof newGroup>[0]> = {
    'an ID without a domain': { id: 'tel:+49123' },
    'a member twice': { members: [member(ALICE), member(ALICE)] },
    'a name that the PBX cannot dial': { pbx: 'tg 1' },
    'a display name with a line break': { displayName: 'a\nb' },
    'no service': { services: [] },
    'a priority above 255': { priority: 256 },
    'a member that is a pattern': { members: [{ ...member(ALICE), uri: 'sip:*@mc-a.example' }] },
  };
  for (const [name, change] of Object.entries(broken)) {
    it(`refuses ${name}`, async () => {
      const store = await groupStore();
      await assert.rejects(store.put(newGroup(change)), { code: 'SEGY_E_GROUP' });
      assert.deepEqual(store.list(), []);
    });
  }

  it('refuses a name on the PBX that another group has', async () => {
    const store = await groupStore();
    await store.put(newGroup());
    const other = newGroup({ id: 'sip:tg2@lmr.example' });
    await assert.rejects(store.put(other), { code: 'SEGY_E_GROUP' });
  });

  it('serves no group whose record is damaged, and lets it be deleted', async () => {
    const space = await memorySpace();
    await space('groups').put(TALKGROUP, new Uint8Array([0x7b]));
    const store = await groupStore(space('groups'));
    assert.equal(store.get(TALKGROUP), undefined);
    assert.deepEqual(store.refused, [TALKGROUP]);
    await assert.rejects(store.put(newGroup()), { code: 'SEGY_E_STORE' });
    await store.delete(TALKGROUP);
    await store.put(newGroup());
  });
});
