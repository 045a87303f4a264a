import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { Alarms } from '../../src/base/alarms.js';
import type { RecordChange, RecordSpace } from '../../src/base/records.js';
import { SegyError } from '../../src/base/errors.js';
import { accessTokens, ALICE, directoryOf, keyRoom, openKeys, partner } from './idm-scene.js';
import type { KeyRoom } from './idm-scene.js';

const a = partner('a');
const grant = {
  partner: a,
  clientId: 'client-a',
  subject: 'alice',
  serviceIds: { MCPTT: ALICE },
  scopes: ['3gpp:mc:ptt_group_management_service'],
};
const MINUTE = 60_000;

/** Lets what a timer began come to its end: key generation and the store's writes. */
async function settle(until: () => boolean): Promise<void> {
  for (let turns = 0; turns < 5000 && !until(); turns += 1) await turn();
}

describe('the signing keys of the IdM', () => {
  let room: KeyRoom;
  beforeEach(async () => (room = await keyRoom()));

  it('are made with the first start, and are the same after each other one', async () => {
    const first = await openKeys(room);
    first.close();
    const again = await openKeys(room);
    assert.equal(again.current().kid, first.current().kid);
    assert.deepEqual(again.jwks(), first.jwks());
    assert.deepEqual(room.audit.events, [
      { action: 'signing-key-made', detail: first.current().kid },
    ]);
    again.close();
  });

  it('are published without what signs', async () => {
    const keys = await openKeys(room);
    const [jwk] = keys.jwks().keys;
    assert.deepEqual(Object.keys(jwk ?? {}).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    keys.close();
  });

  it('keep a replaced key until the last token under it is dead, and no longer', async () => {
    const keys = await openKeys(room);
    const tokens = accessTokens(room, keys, directoryOf([a]));
    const { token } = await tokens.issue(grant);
    const old = keys.current().kid;
    await keys.rotate();
    assert.notEqual(keys.current().kid, old);
    room.timers.now += 9 * MINUTE;
    await tokens.verify(token);
    room.timers.now += 90_000;
    assert.deepEqual(kids(keys), [keys.current().kid]);
    keys.close();
  });

  it('are replaced by themselves when they are old, and forgotten on disk when they are dead', async () => {
    const keys = await openKeys(room, { rotateMs: 60 * MINUTE });
    const first = keys.current().kid;
    room.timers.advance(60 * MINUTE);
    await settle(() => keys.current().kid !== first);
    assert.deepEqual(kids(keys), [first, keys.current().kid]);
    room.timers.advance(11 * MINUTE);
    await settle(() => room.audit.events.length === 3);
    const { records } = await room.records.all();
    assert.deepEqual(
      records.map(({ key }) => key),
      [keys.current().kid],
    );
    keys.close();
  });

  it('are replaced with the start that comes after their time', async () => {
    const before = await openKeys(room, { rotateMs: 60 * MINUTE });
    before.close();
    room.timers.now += 61 * MINUTE;
    const keys = await openKeys(room, { rotateMs: 60 * MINUTE });
    room.timers.advance(0);
    await settle(() => keys.current().kid !== before.current().kid);
    assert.deepEqual(kids(keys), [before.current().kid, keys.current().kid]);
    keys.close();
  });

  it('end at once on demand, with every token under them', async () => {
    const keys = await openKeys(room);
    const tokens = accessTokens(room, keys, directoryOf([a]));
    const { token } = await tokens.issue(grant);
    await keys.rotate();
    await keys.rotate({ endOld: true });
    assert.equal(kids(keys).length, 1);
    await assert.rejects(tokens.verify(token), { code: 'SEGY_E_TOKEN_SIGNATURE' });
    keys.close();
    const again = await openKeys(room);
    assert.equal(kids(again).length, 1);
    again.close();
  });

  it('stay what they are when a rotation cannot be written, and the next one can', async () => {
    const disk = failing(room.records);
    const keys = await openKeys({ ...room, records: disk });
    const before = keys.current().kid;
    disk.fails = true;
    await assert.rejects(keys.rotate(), { code: 'SEGY_E_STORE' });
    assert.equal(keys.current().kid, before);
    disk.fails = false;
    await keys.rotate();
    assert.notEqual(keys.current().kid, before);
    keys.close();
  });

  it('are tried again by the schedule after a failure, and an alarm stands until then', async () => {
    const disk = failing(room.records);
    const told: string[] = [];
    const alarms: Alarms = {
      raise: (name, _, text) => void told.push(`raise ${name} ${text}`),
      clear: (name) => void told.push(`clear ${name}`),
    };
    const keys = await openKeys({ ...room, records: disk }, { rotateMs: 60 * MINUTE, alarms });
    const before = keys.current().kid;
    told.length = 0;
    disk.fails = true;
    room.timers.advance(60 * MINUTE);
    await settle(() => told.length > 0);
    assert.match(told[0] ?? '', /^raise idm-keys SEGY_E_STORE /);
    disk.fails = false;
    room.timers.advance(MINUTE);
    await settle(() => keys.current().kid !== before);
    assert.equal(told.at(-1), 'clear idm-keys');
    keys.close();
  });

  it('are what is on disk when a write happened that was said to have failed', async () => {
    const disk = failing(room.records);
    const keys = await openKeys({ ...room, records: disk });
    const before = keys.current().kid;
    disk.lies = true;
    await assert.rejects(keys.rotate({ endOld: true }), { code: 'SEGY_E_STORE' });
    disk.lies = false;
    const { kid } = keys.current();
    assert.notEqual(kid, before);
    assert.deepEqual(kids(keys), [kid], 'what was to end has ended');
    const again = await openKeys(room);
    assert.deepEqual(kids(again), [kid]);
    again.close();
    keys.close();
  });

  it('are looked at on disk before the next rotation where that could not be done at once', async () => {
    const disk = failing(room.records);
    const keys = await openKeys({ ...room, records: disk });
    disk.lies = disk.hides = true;
    await assert.rejects(keys.rotate(), { code: 'SEGY_E_STORE' });
    await assert.rejects(keys.rotate(), { code: 'SEGY_E_STORE' });
    disk.lies = disk.hides = false;
    room.timers.now += 1;
    await keys.rotate();
    assert.equal(keys.list().filter(({ state }) => state === 'signing').length, 1);
    const again = await openKeys(room);
    assert.deepEqual(again.list(), keys.list(), 'and one signs after a restart, too');
    assert.equal(again.current().kid, keys.current().kid);
    again.close();
    keys.close();
  });

  it('are rotated one at a time, however many ask at once', async () => {
    const keys = await openKeys(room);
    await Promise.all(Array.from({ length: 5 }, () => keys.rotate()));
    assert.equal(keys.list().filter(({ state }) => state === 'signing').length, 1);
    assert.equal(kids(keys).length, 6);
    keys.close();
  });

  it('are not rotated without limit', async () => {
    const keys = await openKeys(room);
    for (let n = 0; n < 31; n += 1) await keys.rotate();
    await assert.rejects(keys.rotate(), { code: 'SEGY_E_BUSY' });
    keys.close();
  });

  it('are not signed with unless the making of them is in the audit log', async () => {
    const audit = { ...room.audit, record: () => Promise.reject(new Error('disk full')) };
    await assert.rejects(openKeys({ ...room, audit }), /disk full/);
    assert.deepEqual((await room.records.all()).records, []);
  });

  it('refuse to open where a record is no key of its name', async () => {
    await room.records.put('another', new Uint8Array(200));
    await assert.rejects(openKeys(room), { code: 'SEGY_E_STORE' });
  });
});

function kids(keys: Awaited<ReturnType<typeof openKeys>>): (string | undefined)[] {
  return keys.jwks().keys.map(({ kid }) => kid);
}

/** `records` that can be made to fail: to write, to say that they wrote, and to read. */
function failing(
  records: RecordSpace,
): RecordSpace & { fails: boolean; lies: boolean; hides: boolean; failures: number } {
  const space = {
    ...records,
    fails: false,
    lies: false,
    hides: false,
    failures: 0,
    all: () => {
      if (!space.hides) return records.all();
      return Promise.reject(new SegyError('SEGY_E_STORE', 'the store cannot be read'));
    },
    write: async (changes: readonly RecordChange[]) => {
      if (space.fails) {
        space.failures += 1;
        throw new SegyError('SEGY_E_STORE', 'the store cannot be written');
      }
      await records.write(changes);
      if (space.lies) throw new SegyError('SEGY_E_STORE', 'the store says it could not be written');
    },
  };
  return space;
}
