import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../src/base/bytes.js';
import { silentLog } from '../../src/base/environment.js';
import { KeyRing, stateOf } from '../../src/keys/index.js';
import type { HeldKey, KeyEnd } from '../../src/keys/index.js';
import { defaultPolicy } from '../../src/mikey/index.js';
import { MemoryBackend, openStore } from '../../src/store/index.js';
import { storeOptions } from '../store/support.js';

const T0 = Date.UTC(2026, 5, 1);
const MINUTE = 60_000;
const at = (minutes: number): Date => new Date(T0 + minutes * MINUTE);

/** Each identifier has a key of its own. */
function gmk(more: Partial<HeldKey> = {}): HeldKey {
  const keyId = more.keyId ?? fromHex('0a000001');
  return {
    keyType: 'GMK',
    keyId,
    partner: 'mc-a',
    dialog: '',
    key: new Uint8Array(16).fill(4 + keyId[3]!),
    rand: new Uint8Array(16).fill(6),
    otherRands: [],
    initiator: 'sip:gms@mc-a.example',
    holders: ['sip:r1@radio.example'],
    groups: ['sip:g1@mc-a.example'],
    status: 3,
    activation: at(0),
    expiry: null,
    stamp: at(0),
    source: 'received',
    text: 'group one',
    policy: defaultPolicy('GMK'),
    ...more,
  };
}

/** Time and timers that move only when told. */
class Time {
  time = T0 + MINUTE;
  readonly #due: { at: number; run: () => void }[] = [];
  readonly clock = { now: () => this.time };
  readonly timers = {
    setTimeout: (run: () => void, ms: number) => {
      const timer = { at: this.time + ms, run };
      this.#due.push(timer);
      return timer;
    },
    clearTimeout: (timer: object | number) => {
      const index = this.#due.findIndex((due) => due === timer);
      if (index >= 0) this.#due.splice(index, 1);
    },
  };
  async moveTo(date: Date): Promise<void> {
    this.time = date.getTime();
    for (const due of this.#due.filter((timer) => timer.at <= this.time)) due.run();
    for (let i = 0; i < 20; i += 1) await Promise.resolve();
  }
}

async function keyRing() {
  const time = new Time();
  const backend = new MemoryBackend();
  const records = (await openStore(storeOptions(backend))).space('keys');
  const open = () =>
    KeyRing.open({ records, clock: time.clock, timers: time.timers, log: silentLog });
  return { time, backend, records, open, ring: await open() };
}

const NAME = { partner: 'mc-a', keyId: fromHex('0a000001') };

describe('key ring', () => {
  it('holds a group key with all that came with it, also after a restart', async () => {
    const { ring, open } = await keyRing();
    assert.equal(await ring.enter(gmk({ expiry: at(90) })), 'new');
    for (const each of [ring, await open()]) {
      assert.deepEqual(each.usable(NAME), gmk({ expiry: at(90) }));
    }
  });

  it('leaves no octet of a key in the store', async () => {
    const { ring, backend } = await keyRing();
    const key = Uint8Array.from({ length: 16 }, (_, i) => i * 13);
    await ring.enter(gmk({ key }));
    for await (const { value } of backend.entries('')) {
      assert.equal(toHex(value).includes(toHex(key)), false);
    }
  });

  it('keeps the keys of different partners apart', async () => {
    const { ring } = await keyRing();
    await ring.enter(gmk());
    await ring.enter(gmk({ partner: 'mc-b', key: new Uint8Array(16).fill(9) }));
    assert.equal(ring.usable(NAME).key[0], 5);
  });

  it('refuses an identifier whose purpose tag is another type', async () => {
    const { ring } = await keyRing();
    await assert.rejects(ring.enter(gmk({ keyId: fromHex('1a000001') })), {
      code: 'SEGY_E_MIKEY_KEY_TYPE',
    });
  });

  describe('a message for a key that is held', () => {
    it('with a later T changes status, times and groups', async () => {
      const { ring } = await keyRing();
      await ring.enter(gmk());
      const change = { stamp: at(1), expiry: at(60), groups: ['sip:g2@mc-a.example'] };
      assert.equal(await ring.enter(gmk(change)), 'updated');
      assert.deepEqual(ring.usable(NAME), gmk(change));
    });

    it('with the same or an earlier T changes nothing but who holds it', async () => {
      const { ring } = await keyRing();
      await ring.enter(gmk({ stamp: at(1) }));
      for (const stamp of [at(0), at(1)]) {
        const late = gmk({ stamp, status: 0, holders: ['sip:r2@radio.example'] });
        assert.equal(await ring.enter(late), 'unchanged');
      }
      const held = ring.usable(NAME);
      assert.deepEqual(held.holders, ['sip:r1@radio.example', 'sip:r2@radio.example']);
      assert.equal(held.status, 3);
    });

    it('from another initiator is refused', async () => {
      const { ring } = await keyRing();
      await ring.enter(gmk());
      await assert.rejects(
        ring.enter(gmk({ initiator: 'sip:mallory@mc-a.example', stamp: at(1), status: 0 })),
        { code: 'SEGY_E_MIKEY_INITIATOR' },
      );
    });

    it('with another key is refused', async () => {
      const { ring } = await keyRing();
      await ring.enter(gmk());
      const other = gmk({ key: new Uint8Array(16), stamp: at(1) });
      await assert.rejects(ring.enter(other), { code: 'SEGY_E_KEY_CONFLICT' });
    });

    it('with another RAND is kept beside it, four RANDs in all, the latest first', async () => {
      const { ring, open } = await keyRing();
      const rand = (n: number): Uint8Array => new Uint8Array(16).fill(n);
      await ring.enter(gmk({ stamp: at(5) }));
      assert.equal(await ring.enter(gmk({ rand: rand(1), stamp: at(1) })), 'updated');
      assert.equal(await ring.enter(gmk({ rand: rand(2), stamp: at(6) })), 'updated');
      assert.equal(await ring.enter(gmk({ rand: rand(3), stamp: at(1) })), 'updated');
      assert.equal(await ring.enter(gmk({ rand: rand(3), stamp: at(1) })), 'unchanged');
      const fifth = gmk({ rand: rand(4), stamp: at(7) });
      await assert.rejects(ring.enter(fifth), { code: 'SEGY_E_KEY_CONFLICT' });
      for (const each of [ring, await open()]) {
        const held = each.usable(NAME);
        assert.deepEqual(
          [held.rand, ...held.otherRands].map((r) => r[0]),
          [2, 6, 1, 3],
        );
      }
    });

    it('with another RAND is refused for a key of two parties', async () => {
      const { ring } = await keyRing();
      const csk = { keyType: 'CSK', keyId: fromHex('2a000001') } as const;
      await ring.enter(gmk(csk));
      const other = gmk({ ...csk, rand: new Uint8Array(16), stamp: at(1) });
      await assert.rejects(ring.enter(other), { code: 'SEGY_E_KEY_CONFLICT' });
    });

    it('under another identifier is refused', async () => {
      const { ring } = await keyRing();
      await ring.enter(gmk());
      const renamed = gmk({ keyId: fromHex('0a000009'), key: gmk().key });
      await assert.rejects(ring.enter(renamed), { code: 'SEGY_E_KEY_CONFLICT' });
    });
  });

  describe('revocation', () => {
    it('takes the key away, tells its users, and is final, also after a restart', async () => {
      const { ring, open } = await keyRing();
      await ring.enter(gmk());
      const ends: [string, KeyEnd, number | undefined][] = [];
      ring.onEnd = (key, why) => ends.push([toHex(key.keyId), why, key.key[0]]);
      const inUse = ring.usable(NAME).key;
      assert.equal(await ring.enter(gmk({ stamp: at(1), status: 2 })), 'revoked');
      assert.deepEqual(ends, [['0a000001', 'revoked', 5]]);
      assert.deepEqual(inUse, new Uint8Array(16));
      for (const each of [ring, await open()]) {
        assert.throws(() => each.usable(NAME), { code: 'SEGY_E_MIKEY_REVOKED' });
        await assert.rejects(each.enter(gmk({ stamp: at(2) })), { code: 'SEGY_E_MIKEY_REVOKED' });
        assert.deepEqual(each.ofGroup('mc-a', 'sip:g1@mc-a.example'), []);
      }
    });

    it('that comes again changes nothing', async () => {
      const { ring } = await keyRing();
      await ring.enter(gmk());
      await ring.enter(gmk({ stamp: at(1), status: 0 }));
      assert.equal(await ring.enter(gmk({ stamp: at(1), status: 0 })), 'unchanged');
    });

    it('by an operator is as final as one by message', async () => {
      const { ring } = await keyRing();
      await ring.enter(gmk({ stamp: at(9) }));
      assert.equal(await ring.revoke(NAME), 'revoked');
      await assert.rejects(ring.enter(gmk({ stamp: at(10) })), { code: 'SEGY_E_MIKEY_REVOKED' });
    });

    it('of a key not held yet keeps an older message from installing it', async () => {
      const { ring } = await keyRing();
      assert.equal(await ring.enter(gmk({ stamp: at(1), status: 0 })), 'revoked');
      await assert.rejects(ring.enter(gmk()), { code: 'SEGY_E_MIKEY_REVOKED' });
    });

    it('needs no RAND that is known, also where four are held', async () => {
      const { ring } = await keyRing();
      const rand = (n: number): Uint8Array => new Uint8Array(16).fill(n);
      for (let n = 0; n < 4; n += 1) await ring.enter(gmk({ rand: rand(n), stamp: at(n) }));
      const revoked = gmk({ rand: rand(9), stamp: at(9), status: 2 });
      assert.equal(await ring.enter(revoked), 'revoked');
    });

    it('is not undone by the same key under another identifier, also after a restart', async () => {
      const { ring, open } = await keyRing();
      await ring.enter(gmk());
      await ring.enter(gmk({ stamp: at(1), status: 0 }));
      const renamed = gmk({ keyId: fromHex('0a000009'), key: gmk().key, stamp: at(2) });
      for (const each of [ring, await open()]) {
        await assert.rejects(each.enter(renamed), { code: 'SEGY_E_KEY_CONFLICT' });
      }
    });

    it('that has an expiry is not undone behind it by an older message without one', async () => {
      const { ring, time, open } = await keyRing();
      await ring.enter(gmk());
      const revoked = { stamp: at(1), status: 0, expiry: at(30) };
      assert.equal(await ring.enter(gmk(revoked)), 'revoked');
      await time.moveTo(at(31));
      for (const each of [ring, await open()]) {
        await assert.rejects(each.enter(gmk()), { code: 'SEGY_E_MIKEY_REVOKED' });
        assert.deepEqual(each.list(), []);
      }
    });
  });

  describe('expiry', () => {
    it('ends a key at its time without a restart, and removes its octets from the store', async () => {
      const { ring, time, records } = await keyRing();
      const ends: KeyEnd[] = [];
      ring.onEnd = (_, why) => ends.push(why);
      await ring.enter(gmk({ expiry: at(30) }));
      const inUse = ring.usable(NAME).key;
      await time.moveTo(at(29));
      assert.deepEqual(ends, []);
      await time.moveTo(at(30));
      assert.deepEqual(ends, ['expired']);
      assert.throws(() => ring.usable(NAME), { code: 'SEGY_E_MIKEY_EXPIRED' });
      assert.deepEqual([ring.find(NAME), ring.list()], [undefined, []]);
      await time.moveTo(at(90));
      assert.deepEqual(ends, ['expired']);
      assert.deepEqual(inUse, new Uint8Array(16));
      assert.throws(() => ring.usable(NAME), { code: 'SEGY_E_NOT_FOUND' });
      const [record, ...others] = (await records.all()).records;
      assert.deepEqual(others, []);
      assert.equal(toHex(record!.value).includes('05'.repeat(16)), false);
      assert.equal(record!.value[0], 0, 'the record still has a key');
    });

    it('is undone by a clock that was wrong and is set back, also after a restart', async () => {
      const { ring, time, open } = await keyRing();
      const ends: KeyEnd[] = [];
      ring.onEnd = (_, why) => ends.push(why);
      await ring.enter(gmk({ expiry: at(30) }));
      time.time = at(1_000_000).getTime();
      await ring.expire();
      assert.deepEqual(ends, ['expired']);
      assert.throws(() => ring.usable(NAME), { code: 'SEGY_E_MIKEY_EXPIRED' });
      time.time = at(2).getTime();
      for (const each of [ring, await open()]) assert.equal(each.usable(NAME).key[0], 5);
      await ring.expire();
      await time.moveTo(at(29));
      assert.equal(ring.usable(NAME).key[0], 5);
      await time.moveTo(at(31));
      assert.deepEqual(ends, ['expired', 'expired']);
      await time.moveTo(at(100));
      assert.throws(() => ring.usable(NAME), { code: 'SEGY_E_NOT_FOUND' });
    });

    it('is not undone by an earlier message that gave a longer life, also after a restart', async () => {
      const { ring, time, open } = await keyRing();
      await ring.enter(gmk());
      await ring.enter(gmk({ stamp: at(2), expiry: at(30) }));
      await time.moveTo(at(30));
      const older = gmk({ stamp: at(1), holders: ['sip:r2@radio.example'] });
      for (const each of [ring, await open()]) {
        await assert.rejects(each.enter(older), { code: 'SEGY_E_MIKEY_EXPIRED' });
        assert.deepEqual(each.list(), []);
      }
    });

    it('is undone by a later message', async () => {
      const { ring, time, open } = await keyRing();
      await ring.enter(gmk({ expiry: at(30) }));
      await time.moveTo(at(30));
      assert.equal(await ring.enter(gmk({ stamp: at(31), expiry: at(60) })), 'new');
      for (const each of [ring, await open()]) {
        assert.deepEqual(each.usable(NAME), gmk({ stamp: at(31), expiry: at(60) }));
      }
    });

    it('that a later message moves into the past ends the key at once', async () => {
      const { ring } = await keyRing();
      const ends: KeyEnd[] = [];
      ring.onEnd = (_, why) => ends.push(why);
      await ring.enter(gmk());
      await ring.enter(gmk({ stamp: at(1), expiry: at(0) }));
      assert.deepEqual(ends, ['expired']);
      assert.deepEqual(ring.list(), []);
    });

    it('is forgotten when no message that came before it is in the window any more', async () => {
      const { ring, time, records } = await keyRing();
      await ring.enter(gmk({ expiry: at(30) }));
      await time.moveTo(at(30));
      await time.moveTo(at(90));
      await time.moveTo(at(63 * 24 * 60));
      await ring.expire();
      assert.deepEqual((await records.all()).records, []);
    });

    it('refuses a key that comes after its expiry', async () => {
      const { ring } = await keyRing();
      await assert.rejects(ring.enter(gmk({ expiry: at(0) })), { code: 'SEGY_E_MIKEY_EXPIRED' });
    });

    it('ends a key that expired while the gateway was down', async () => {
      const { ring, time, open } = await keyRing();
      await ring.enter(gmk({ expiry: at(30) }));
      ring.close();
      time.time = at(31).getTime();
      assert.deepEqual((await open()).list(), []);
    });
  });

  describe('choosing a group key to send with', () => {
    const g1 = 'sip:g1@mc-a.example';
    const id = (last: string): Uint8Array => fromHex(`0a0000${last}`);

    it('takes the active one that was activated last', async () => {
      const { ring, time } = await keyRing();
      await ring.enter(gmk({ keyId: id('01'), activation: at(0) }));
      await ring.enter(gmk({ keyId: id('02'), activation: at(1) }));
      await ring.enter(gmk({ keyId: id('03'), activation: at(60) }));
      assert.equal(toHex(ring.toSendWith('mc-a', g1).keyId), '0a000002');
      assert.equal(stateOf(ring.find({ partner: 'mc-a', keyId: id('03') })!, time.time), 'pending');
      time.time = at(60).getTime();
      assert.equal(toHex(ring.toSendWith('mc-a', g1).keyId), '0a000003');
      assert.equal(ring.ofGroup('mc-a', g1).length, 3);
    });

    it('takes the one with the later T, then the greater identifier, of two activated together', async () => {
      const { ring } = await keyRing();
      await ring.enter(gmk({ keyId: id('01'), stamp: at(1) }));
      await ring.enter(gmk({ keyId: id('02') }));
      assert.equal(toHex(ring.toSendWith('mc-a', g1).keyId), '0a000001');
      await ring.enter(gmk({ keyId: id('03'), stamp: at(1) }));
      assert.equal(toHex(ring.toSendWith('mc-a', g1).keyId), '0a000003');
    });

    it('takes only a key that this user received', async () => {
      const { ring } = await keyRing();
      await ring.enter(gmk());
      assert.throws(() => ring.toSendWith('mc-a', g1, 'sip:r9@radio.example'), {
        code: 'SEGY_E_NOT_FOUND',
      });
    });
  });

  describe('a PCK', () => {
    const pck = (dialog: string): HeldKey =>
      gmk({ keyType: 'PCK', keyId: fromHex('1a000001'), dialog, groups: [] });

    it('lives as long as its call and is never on disk', async () => {
      const { ring, records } = await keyRing();
      await ring.enter(pck('d1'));
      assert.deepEqual((await records.all()).records, []);
      const name = { partner: 'mc-a', keyId: fromHex('1a000001'), dialog: 'd1' };
      const inUse = ring.usable(name).key;
      await ring.drop(name);
      assert.deepEqual(inUse, new Uint8Array(16));
      assert.equal(ring.find(name), undefined);
    });

    it('of one call is apart from that of another with the same identifier', async () => {
      const { ring } = await keyRing();
      await ring.enter(pck('d1'));
      await ring.enter({ ...pck('d2'), key: new Uint8Array(16).fill(1) });
      assert.equal(ring.list().length, 2);
    });
  });

  it('names a damaged key and takes none in its place', async () => {
    const { ring, backend, open } = await keyRing();
    await ring.enter(gmk());
    await ring.enter(gmk({ keyId: fromHex('0a000002') }));
    const name = 'r/keys/mc-a/0a000001';
    await backend.write([{ name, value: (await backend.get(name))!.subarray(1) }]);
    const again = await open();
    assert.deepEqual([again.refused, again.list().length], [['mc-a/0a000001'], 1]);
    await assert.rejects(again.enter(gmk()), { code: 'SEGY_E_STORE' });
  });
});
