import assert from 'node:assert/strict';
import { Directory, UserRecords } from '../../src/clients/index.js';
import { MemoryBackend, openStore } from '../../src/store/index.js';
import { storeOptions } from '../store/support.js';

const R1 = { uri: 'sip:r1@radio.example', pbx: '2001' };
const RANGE = { uri: 'sip:unit-*@radio.example', pbx: '3*' };
const UNFIT = { code: 'SEGY_E_ARGUMENT' };

describe('represented users by pattern', () => {
  const directory = new Directory([R1, RANGE]);

  it('are found from either side, with what the star stands for on both', () => {
    const user = { uri: 'sip:unit-17@radio.example', pbx: '317' };
    assert.deepEqual(directory.byUri('sip:unit-17@radio.example'), user);
    assert.deepEqual(directory.byPbxUser('317'), user);
  });

  it('are not found where the star would stand for nothing, or for what no identity holds', () => {
    for (const star of ['', 'a b', 'x@evil', 'x&PJSIP/y', 'x'.repeat(33), 'a/b', 'ü']) {
      assert.equal(directory.byUri(`sip:unit-${star}@radio.example`), undefined, star);
      assert.equal(directory.byPbxUser(`3${star}`), undefined, star);
    }
  });

  it('give way to a user with an entry of its own, on both sides', () => {
    const named = { uri: 'sip:chief@radio.example', pbx: '317' };
    const both = new Directory([named, RANGE]);
    assert.deepEqual(both.byPbxUser('317'), named);
    assert.equal(both.byUri('sip:unit-17@radio.example'), undefined);
  });

  it('are nobody where two patterns match', () => {
    const two = new Directory([RANGE, { uri: 'sip:other-*@radio.example', pbx: '31*' }]);
    assert.equal(two.byPbxUser('317'), undefined);
    assert.deepEqual(two.byPbxUser('327'), { uri: 'sip:unit-27@radio.example', pbx: '327' });
  });
});

describe('represented users in the store', () => {
  async function users() {
    const records = (await openStore(storeOptions(new MemoryBackend()))).space('users');
    return { open: () => UserRecords.open(records), kept: await UserRecords.open(records) };
  }

  it('are there after a restart, and gone after their removal', async () => {
    const { kept, open } = await users();
    await kept.add([R1, RANGE]);
    assert.deepEqual((await open()).list(), [R1, RANGE]);
    await kept.remove(R1.uri);
    assert.deepEqual((await open()).list(), [RANGE]);
    await assert.rejects(kept.remove(R1.uri), { code: 'SEGY_E_NOT_FOUND' });
  });

  it('are added all or none, and never take an identity of another', async () => {
    const { kept } = await users();
    await kept.add([R1]);
    await kept.add([R1]);
    const other = { uri: 'sip:r2@radio.example', pbx: '2002' };
    for (const clash of [
      { ...other, pbx: '2001' },
      { ...R1, pbx: '2009' },
    ]) {
      await assert.rejects(kept.add([other, clash]), UNFIT);
    }
    assert.deepEqual(kept.list(), [R1]);
  });

  it('are counted where they are new, and not kept where that cannot be announced', async () => {
    const { kept, open } = await users();
    const counts: number[] = [];
    const note = (count: number) => Promise.resolve(void counts.push(count));
    assert.equal(await kept.add([R1, R1], note), 1);
    assert.equal(await kept.add([R1], note), 0);
    assert.deepEqual(counts, [1]);
    await assert.rejects(
      kept.add([RANGE], () => Promise.reject(new Error('disk full'))),
      /disk full/,
    );
    assert.deepEqual([kept.list(), (await open()).list()], [[R1], [R1]]);
  });

  it('say whose an identity is that is taken', async () => {
    const { kept } = await users();
    await kept.add([R1]);
    await assert.rejects(
      kept.add([{ uri: 'sip:r2@radio.example', pbx: '2001' }]),
      /2001 is sip:r1@radio\.example already/,
    );
  });

  it('have identities that the PBX can be given', async () => {
    const { kept } = await users();
    for (const pbx of ['', '1&PJSIP/x', 'a b', '20*']) {
      await assert.rejects(kept.add([{ uri: 'sip:x@y', pbx }]), UNFIT, pbx);
    }
    for (const uri of ['', 'sip:a b@c', 'sip:*@y', 'sip:<x>@y']) {
      await assert.rejects(kept.add([{ uri, pbx: '1' }]), UNFIT, uri);
    }
  });
});
