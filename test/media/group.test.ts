import assert from 'node:assert/strict';
import { concatBytes, fromHex, toHex } from '../../src/base/bytes.js';
import type { GroupKey, MediaEngine, MediaEvent, MediaSession } from '../../src/media/index.js';
import { CS_ID, gukId, srtpKeys } from '../../src/mikey/index.js';
import { parseRtp, SrtpReceiver, SrtpSender, type SrtpKeyMaterial } from '../../src/srtp/index.js';
import {
  OUTER,
  Party,
  pause,
  startEngine,
  until,
  untilDropped,
  untilRead,
  voice,
} from './support.js';

interface Gmk {
  readonly id: Uint8Array;
  readonly octets: Uint8Array;
  readonly rands: readonly Uint8Array[];
}

const ROC_EVERY_PACKET = 1;
const ME = 'sip:radio1@lmr.example';
const [ANNA, BEN, CARL] = ['anna', 'ben', 'carl'].map((user) => `sip:${user}@mc-a.example`) as [
  string,
  string,
  string,
];
const gmk = (n: number, ...rands: number[]): Gmk => ({
  id: fromHex(`0a00000${n}`),
  octets: new Uint8Array(16).fill(n),
  rands: rands.map((rand) => new Uint8Array(16).fill(rand)),
});
const FIRST = gmk(1, 11);
const SECOND = gmk(2, 12);

/** What a member of the group sends with. */
function memberKey({ id, octets, rands }: Gmk, user: string, rand = rands[0]!): SrtpKeyMaterial {
  const csbId = gukId(octets, id, user);
  return {
    suite: 'AEAD_AES_128_GCM',
    ...srtpKeys({ key: octets, csbId, rand, csId: CS_ID.mcpttGroup }),
    mki: concatBytes(id, csbId),
    rocRate: ROC_EVERY_PACKET,
  };
}

function groupKey({ id, octets, rands }: Gmk, state: GroupKey['state'] = 'usable'): GroupKey {
  const usable = state === 'usable';
  return {
    gmkId: id,
    state,
    gmk: usable ? octets : new Uint8Array(),
    rands: usable ? rands : [],
    own: [gukId(octets, id, ME)],
    suite: 'AEAD_AES_128_GCM',
    rocRate: ROC_EVERY_PACKET,
    csId: CS_ID.mcpttGroup,
  };
}

const ROC = 65_536;

describe('media of a group call', () => {
  let engine: MediaEngine;
  let session: MediaSession;
  let peer: Party;
  let pbx: Party;
  let events: MediaEvent[];
  const senders = new Map<string, SrtpSender>();

  /** `user` says one packet. */
  const say = (user: string, index: number, key = memberKey(FIRST, user)): void => {
    const name = toHex(concatBytes(key.mki, key.masterKey));
    const sender = senders.get(name) ?? new SrtpSender(key, { ssrc: 1000 + senders.size });
    senders.set(name, sender);
    peer.send(sender.protect(voice(index), index), session.outer.rtpPort, OUTER);
  };
  const talk = (index: number): void =>
    pbx.send(voice(index), session.inner.rtpPort, session.inner.address);
  const heard = (count: number): Promise<void> => until(() => pbx.received.length === count);
  const arm = (keys: readonly Gmk[], send?: Gmk): Promise<void> =>
    session.arm({
      receive: { group: keys.map((key) => groupKey(key)) },
      send: send ? { key: memberKey(send, ME) } : { none: true },
    });
  const dropped = async () => (await session.stats()).toInner.dropped;

  before(async () => {
    engine = await startEngine();
  });
  after(() => engine.close());
  beforeEach(async () => {
    senders.clear();
    session = await engine.allocate();
    events = [];
    session.on('event', (event) => events.push(event));
    peer = await Party.open('127.0.2.1');
    pbx = await Party.open('127.0.0.1');
    await session.setRemote('outer', peer.address);
    await session.setRemote('inner', pbx.address);
  });
  afterEach(async () => {
    await session.close();
    Party.closeAll();
  });

  it('hears each talker from the first packet, one who joins late with a ROC of 7 too', async () => {
    await arm([FIRST]);
    say(ANNA, 5);
    await heard(1);
    await pause(250);
    say(BEN, 7 * ROC + 9);
    await heard(2);
    await pause(250);
    say(CARL, 1);
    await heard(3);
    assert.deepEqual(await dropped(), {});
  });

  it('is one steady stream towards the PBX over a change of talker, which an event names', async () => {
    await arm([FIRST]);
    say(ANNA, 40_000);
    await heard(1);
    await pause(250);
    say(BEN, 3);
    await heard(2);
    const [first, second] = pbx.received.map(({ packet }) => parseRtp(packet)!);
    assert.equal(second!.ssrc, first!.ssrc);
    assert.equal(second!.sequenceNumber, (first!.sequenceNumber + 1) & 0xffff);
    assert.equal(second!.marker, true);
    const talkers = events.flatMap((event) => (event.type === 'talker' ? event.mki : []));
    assert.deepEqual(
      talkers,
      [ANNA, BEN].map((user) => toHex(memberKey(FIRST, user).mki)),
    );
  });

  it('tries every RAND that the GMK came with', async () => {
    const shared = gmk(1, 11, 12, 13, 14);
    await arm([shared]);
    say(ANNA, 1, memberKey(shared, ANNA, shared.rands[3]));
    await heard(1);
    await pause(250);
    say(BEN, 1, memberKey(shared, BEN, shared.rands[1]));
    await heard(2);
  });

  it('begins at once with a GMK that comes after the call began', async () => {
    await arm([]);
    say(ANNA, 1);
    await untilDropped(session, 'toInner', { malformed: 1 });
    assert.equal(pbx.received.length, 0);
    await session.changeGroup({ keys: [groupKey(FIRST)], send: { key: memberKey(FIRST, ME) } });
    say(ANNA, 2);
    talk(1);
    await heard(1);
    await until(() => peer.received.length === 1);
  });

  it('hears talkers under two GMKs while one is rolled, and loses nothing of either', async () => {
    await arm([FIRST], FIRST);
    say(ANNA, 1);
    await heard(1);
    await session.changeGroup({ keys: [groupKey(FIRST), groupKey(SECOND)] });
    for (let i = 2; i < 6; i += 1) say(ANNA, i);
    await heard(5);
    await pause(250);
    say(BEN, 1, memberKey(SECOND, BEN));
    await heard(6);
    assert.deepEqual(await dropped(), {});
  });

  it('hears two GMKs of different policies, one with the ROC in every packet and one without', async () => {
    const plain = { ...groupKey(SECOND), rocRate: 0 };
    await session.arm({ receive: { group: [groupKey(FIRST), plain] }, send: { none: true } });
    say(ANNA, 1);
    await heard(1);
    await pause(250);
    say(BEN, 1, { ...memberKey(SECOND, BEN), rocRate: 0 });
    await heard(2);
    await session.changeGroup({ keys: [plain] });
    await pause(250);
    say(CARL, 1, { ...memberKey(SECOND, CARL), rocRate: 0 });
    await heard(3);
  });

  it('passes the payload of an end-to-end encrypted radio untouched, whatever its type', async () => {
    await arm([FIRST], FIRST);
    const payload = Uint8Array.from({ length: 33 }, (_, i) => (i * 97) & 0xff);
    const frame = voice(1, { payloadType: 113, payload });
    const sender = new SrtpSender(memberKey(FIRST, ANNA), { ssrc: 5 });
    peer.send(sender.protect(frame, 1), session.outer.rtpPort, OUTER);
    pbx.send(frame, session.inner.rtpPort, session.inner.address);
    await heard(1);
    await until(() => peer.received.length === 1);
    const opened = new SrtpReceiver({ keys: [memberKey(FIRST, ME)] }).unprotect(
      peer.received[0]!.packet,
    );
    assert.ok(opened.ok);
    for (const packet of [pbx.received[0]!.packet, opened.packet]) {
      const rtp = parseRtp(packet)!;
      assert.deepEqual([rtp.payloadType, toHex(rtp.payload)], [113, toHex(payload)]);
    }
  });

  it('keeps a talker’s replay window when other keys change', async () => {
    await arm([FIRST]);
    say(ANNA, 1);
    await heard(1);
    const copy = new SrtpSender(memberKey(FIRST, ANNA), { ssrc: 1000 }).protect(voice(1), 1);
    await session.changeGroup({ keys: [groupKey(FIRST), groupKey(SECOND)] });
    peer.send(copy, session.outer.rtpPort, OUTER);
    await untilDropped(session, 'toInner', { replay: 1 });
    assert.equal(pbx.received.length, 1);
  });

  for (const state of ['revoked', 'expired'] as const) {
    it(`drops what comes under a GMK that is ${state}, and counts it as that`, async () => {
      await arm([FIRST]);
      say(ANNA, 1);
      await heard(1);
      await session.changeGroup({ keys: [groupKey(FIRST, state)] });
      say(ANNA, 2);
      say(BEN, 1);
      await untilDropped(session, 'toInner', { [state]: 2 });
      assert.equal(pbx.received.length, 1);
    });
  }

  it('drops a packet that names one of our own users as its talker', async () => {
    await arm([FIRST]);
    say(ME, 1);
    await untilDropped(session, 'toInner', { reflection: 1 });
    assert.equal(pbx.received.length, 0);
  });

  it('sends with its own GUK-ID and the ROC in every packet', async () => {
    await arm([FIRST], FIRST);
    for (const index of [1, 2, 3]) talk(index);
    await until(() => peer.received.length === 3);
    const key = memberKey(FIRST, ME);
    const receiver = new SrtpReceiver({ keys: [key] });
    for (const { packet } of peer.received) {
      assert.equal(toHex(packet.subarray(-12, -4)), toHex(key.mki));
      assert.equal(receiver.unprotect(packet).ok, true);
    }
  });

  it('sends with the new GMK from one packet to the next, and under no SSRC it had', async () => {
    await arm([FIRST], FIRST);
    talk(1);
    await until(() => peer.received.length === 1);
    await session.changeGroup({ send: { key: memberKey(SECOND, ME) } });
    talk(2);
    await until(() => peer.received.length === 2);
    const receiver = new SrtpReceiver({ keys: [memberKey(FIRST, ME), memberKey(SECOND, ME)] });
    const opened = peer.received.map(({ packet }) => receiver.unprotect(packet));
    const mkis = opened.map((one) => (one.ok ? toHex(one.mki.subarray(0, 4)) : one.reason));
    assert.deepEqual(mkis, ['0a000001', '0a000002']);
    const ssrcs = opened.map((one) => (one.ok ? one.ssrc : 0));
    assert.notEqual(ssrcs[0], ssrcs[1]);
  });

  it('sends nothing, clear or otherwise, while there is no key to send with', async () => {
    await arm([FIRST], FIRST);
    talk(1);
    await until(() => peer.received.length === 1);
    await session.changeGroup({ send: null });
    talk(2);
    await untilDropped(session, 'toOuter', { 'no-key': 1 });
    assert.equal(peer.received.length, 1);
  });

  it('lets a flood of invented MKIs evict nobody who talks, and keeps nothing of it', async () => {
    await arm([FIRST]);
    say(ANNA, 1);
    await heard(1);
    const invented = memberKey(FIRST, ANNA);
    const begin = performance.now();
    for (let i = 0; i < 2_000; i += 1) {
      const mki = concatBytes(FIRST.id, fromHex((i + 1).toString(16).padStart(8, '0')));
      const packet = new SrtpSender({ ...invented, mki }, { ssrc: i }).protect(voice(1), 1);
      peer.send(packet, session.outer.rtpPort, OUTER);
      if (i % 100 === 99) await untilRead(OUTER, session.outer.rtpPort);
    }
    say(ANNA, 2);
    await heard(2);
    const took = (performance.now() - begin) / 1000;
    assert.equal((await session.stats()).streams, 1);
    const { auth = 0 } = await dropped();
    assert.ok(auth > 0 && auth <= 1_000 + 4_500 * took, `${auth} derived in ${took} s`);
  });

  it('is refused to a session that was not armed for a group', async () => {
    await assert.rejects(session.changeGroup({ keys: [] }), { code: 'SEGY_E_MEDIA' });
  });
});
