/** Talkers who begin while somebody floods the group's port with invented MKIs. */
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fromHex } from '../../src/base/bytes.js';
import { systemRandom } from '../../src/base/environment.js';
import type { GroupKey } from '../../src/media/index.js';
import { CS_ID, gukId } from '../../src/mikey/index.js';
import { rtpSequenceNumber, SrtpSender } from '../../src/srtp/index.js';
import { memberKey, type TestGmk } from '../support/group-side.js';
import { PEER, Rig } from './path-rig.js';
import { voice } from './support.js';

const GMK: TestGmk = { id: fromHex('0a000001'), octets: systemRandom(16), rand: systemRandom(16) };
const ME = 'sip:radio1@lmr.example';
const PER_MS = 20;
const FLOOD_MS = 2_000;
const FRAME_MS = 20;
const SPURT = 25;
const OCTETS = 12 + 160 + 16 + 12;
const MKI_AND_ROC = 12;

/** A packet under the group's GMK-ID that nobody who knows the GMK made. */
function invented(): Buffer {
  const packet = Buffer.from(systemRandom(OCTETS));
  packet[0] = 0x80;
  packet[1] = 0;
  packet.set(GMK.id, OCTETS - MKI_AND_ROC);
  packet[OCTETS - MKI_AND_ROC + 4] = packet[20]! & 0x0f;
  return packet;
}

function groupKey(rands: readonly Uint8Array[], members: readonly string[] = []): GroupKey {
  const guk = (user: string): number => Buffer.from(gukId(GMK.octets, GMK.id, user)).readUInt32BE();
  return {
    members: Uint32Array.from(members, guk),
    gmkId: GMK.id,
    gmk: GMK.octets,
    rands,
    state: 'usable',
    own: [gukId(GMK.octets, GMK.id, ME)],
    suite: 'AEAD_AES_128_GCM',
    rocRate: 1,
    csId: CS_ID.mcpttGroup,
  };
}

function armed(members: readonly string[] = []): Rig {
  const rig = new Rig((octets) => new Uint8Array(octets).fill(0x5a));
  rig.path.command({
    type: 'arm',
    receive: { group: [groupKey([GMK.rand], members)] },
    send: { none: true },
    clockRates: {},
  });
  return rig;
}

const member = (n: number): string => `sip:member${n}@mc-a.example`;

interface Outcome {
  /** packets that each talker said and the PBX never got */
  readonly lost: number[];
  /** how long a packet of a talker had to wait at most, in milliseconds */
  readonly waitedMs: number;
  /** packets tried in vain, a second: with keys derived for them, or derived before and not proven */
  readonly triedPerSecond: number;
}

interface Flood {
  /** the `i`-th packet of the flood, each with memory of its own, while this talker talks or will next */
  readonly next: (i: number, talker: number) => Buffer;
  readonly from: readonly [string, number];
  readonly members?: readonly string[];
}

/** The first talker begins when the flood has lasted half a second, the next ones each half second. */
const talkerAt = (ms: number): number => Math.max(0, Math.floor(ms / 500) - 1);

/** Floods, and lets one talker after the other begin meanwhile. */
function flood({ next, from, members = [] }: Flood): Outcome {
  const rig = armed(members);
  const { path } = rig;
  const lost: number[] = [];
  let read = 0;
  let sender: SrtpSender | null = null;
  let said = 0;
  let waitedMs = 0;
  for (let ms = 0; ms < FLOOD_MS; ms += 1) {
    rig.now += 1;
    for (let i = 0; i < PER_MS; i += 1) path.onOuterRtp(next(read++, talkerAt(ms)), ...from);
    if (ms % 250 === 0) path.tick();
    if (ms < 500 || ms % FRAME_MS !== 0) continue;
    if (sender === null || said === SPURT) {
      sender = new SrtpSender(memberKey(GMK, member(lost.length)), { ssrc: 0x7000 + lost.length });
      said = 0;
      lost.push(0);
    }
    said += 1;
    const before = path.toInner.packets;
    path.onOuterRtp(sender.protect(voice(said), said), PEER, 5_000);
    const came = path.toInner.packets - before;
    lost[lost.length - 1]! += 1 - came;
    waitedMs = Math.max(waitedMs, (came - 1) * FRAME_MS);
  }
  const numbers = rig.rtp('inner').map(({ packet }) => rtpSequenceNumber(packet));
  const steps = numbers.slice(1).map((number, i) => (number - numbers[i]!) & 0xffff);
  assert.deepEqual([...new Set(steps)], [1], 'the PBX gets them in their order');
  // what waited is counted in the end
  rig.now += 1_000;
  path.tick();
  const { dropped } = path.toInner;
  const inVain = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  assert.equal(inVain, read + lost.reduce((sum, count) => sum + count, 0));
  return { lost, waitedMs, triedPerSecond: ((dropped.auth ?? 0) * 1_000) / FLOOD_MS };
}

/** A packet with the MKI and the SSRC of a talker, made by one who has not its keys. */
function copied(talker: number): Buffer {
  const packet = invented();
  packet.writeUInt32BE(0x7000 + talker, 8);
  packet.set(gukId(GMK.octets, GMK.id, member(talker)), OCTETS - MKI_AND_ROC + 4);
  return packet;
}

/** Each invention comes `times` times, as far apart as a talker's packets. */
function repeated(times: number): (i: number) => Buffer {
  const perFrame = PER_MS * FRAME_MS;
  const window: Buffer[] = [];
  return (i) => {
    const place = i % perFrame;
    const renewed = Math.floor(i / perFrame) % times === place % times;
    if (renewed || window[place] === undefined) window[place] = invented();
    return Buffer.from(window[place]);
  };
}

/** Octets that are still in use, on the heap and beside it. */
function octetsInUse(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // what the first one finds beside the heap is given back while the second one runs
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe('memory under a flood of invented MKIs', function () {
  this.timeout(60_000);

  // A record of an invention has an SSRC, a GUK-ID and a time at the least, so 12 octets; 4 a packet
  // tell one that is kept from what the collector happens to leave over.
  it('does not grow: less than 4 octets are left of each packet once it is warm', () => {
    const rig = armed();
    const samples: number[] = [];
    const perSample = 20_000;
    for (let sample = 0; sample < 15; sample += 1) {
      for (let i = 0; i < perSample; i += 1) {
        if (i % PER_MS === 0) rig.now += 1;
        rig.path.onOuterRtp(invented(), PEER, 5_000);
      }
      samples.push(octetsInUse());
    }
    const warm = samples.slice(3);
    const grown = mean(warm.slice(-4)) - mean(warm.slice(0, 4));
    const packetsBetween = (warm.length - 4) * perSample;
    const each = grown / packetsBetween;
    assert.ok(each < 4, `${each.toFixed(1)} octets left of each packet: ${samples.join(' ')}`);
  });
});

describe('talkers who begin during a flood of 20,000 invented MKIs a second', function () {
  this.timeout(30_000);
  const elsewhere: [string, number] = ['127.0.2.9', 9_000];
  const sameAddress: [string, number] = [PEER, 5_000];

  it('lose nothing where the flood comes from another address than the peer signalled', () => {
    assert.deepEqual(flood({ next: invented, from: elsewhere }).lost, [0, 0, 0]);
  });

  it('lose nothing where it comes from their own address', () => {
    const { lost, waitedMs } = flood({ next: invented, from: sameAddress });
    assert.deepEqual([lost, waitedMs], [[0, 0, 0], FRAME_MS]);
  });

  it('lose nothing where a few thousand invented packets come over and over', () => {
    for (const size of [100, 1_000, 4_096]) {
      const pool = Array.from({ length: size }, invented);
      const next = (i: number): Buffer => Buffer.from(pool[i % size]!);
      assert.deepEqual(flood({ next, from: sameAddress }).lost, [0, 0, 0], `pool of ${size}`);
    }
  });

  for (const times of [2, 3, 4, 6, 10]) {
    it(`lose nothing where each invention comes ${times} times, so as to look like a talker`, () => {
      const outcome = flood({ next: repeated(times), from: sameAddress });
      const { lost, waitedMs, triedPerSecond } = outcome;
      assert.deepEqual(lost, [0, 0, 0]);
      assert.ok(waitedMs <= 120, `a word waited ${waitedMs} ms`);
      assert.ok(triedPerSecond < 15_000, `${triedPerSecond} tried a second`);
    });
  }

  for (const [share, every] of [
    ['one of 400 packets', 400],
    ['one of 20 packets', 20],
    ['every second packet', 2],
    ['each packet', 1],
  ] as const) {
    for (const members of [[], [0, 1, 2].map(member)]) {
      const who = members.length === 0 ? 'nobody knows' : 'are known members';
      it(`lose nothing where ${share} of it bears their own MKI, SSRC, address and port, and they ${who}`, () => {
        const inventions = repeated(6);
        const next = (i: number, talker: number): Buffer =>
          i % every === 0 ? copied(talker) : inventions(i);
        const { lost, waitedMs } = flood({ next, from: sameAddress, members });
        assert.deepEqual(lost, [0, 0, 0]);
        assert.ok(waitedMs <= 160, `a word waited ${waitedMs} ms`);
      });
    }
  }

  it('go on undisturbed once they are heard, whatever bears their MKI, SSRC, address and port', () => {
    const rig = armed();
    const sender = new SrtpSender(memberKey(GMK, member(0)), { ssrc: 0x7000 });
    const next = repeated(3);
    rig.path.onOuterRtp(sender.protect(voice(1), 1), ...sameAddress);
    for (let i = 0; i < 40_000; i += 1) {
      if (i % PER_MS === 0) rig.now += 1;
      rig.path.onOuterRtp(i % 2 === 0 ? copied(0) : next(i), ...sameAddress);
      if (i % (PER_MS * FRAME_MS) !== 0) continue;
      const n = 2 + i / (PER_MS * FRAME_MS);
      rig.path.onOuterRtp(sender.protect(voice(n), n), ...sameAddress);
      assert.equal(rig.path.toInner.packets, n);
    }
  });

  it('lose nothing where a flood of one member’s name stands against another member', () => {
    const guk = gukId(GMK.octets, GMK.id, member(9));
    const next = (): Buffer => {
      const packet = invented();
      packet.set(guk, OCTETS - MKI_AND_ROC + 4);
      return packet;
    };
    const members = [0, 1, 2, 9].map(member);
    assert.deepEqual(flood({ next, from: sameAddress, members }).lost, [0, 0, 0]);
  });

  it('are heard at once where they are members that are known, whatever the flood does', () => {
    const rig = armed([member(0)]);
    const next = repeated(6);
    for (let i = 0; i < 20_000; i += 1) {
      if (i % PER_MS === 0) rig.now += 1;
      rig.path.onOuterRtp(next(i), ...sameAddress);
    }
    for (const user of [member(0), member(1)]) {
      const sender = new SrtpSender(memberKey(GMK, user), { ssrc: 5 });
      rig.path.onOuterRtp(sender.protect(voice(1), 1), PEER, 5_000);
    }
    assert.equal(rig.path.toInner.packets, 1);
  });

  it('are heard at their first packet when new keys have come, whatever was in vain before', () => {
    const rig = armed();
    for (let i = 0; i < 5_000; i += 1) rig.path.onOuterRtp(invented(), ...sameAddress);
    const other: TestGmk = { ...GMK, rand: systemRandom(16) };
    const sender = new SrtpSender(memberKey(other, 'sip:anna@mc-a.example'), { ssrc: 5 });
    for (let i = 1; i < 4; i += 1) {
      rig.now += FRAME_MS;
      rig.path.onOuterRtp(sender.protect(voice(i), i), PEER, 5_000);
    }
    assert.equal(rig.path.toInner.packets, 0);
    rig.path.command({ type: 'group', keys: [groupKey([GMK.rand, other.rand])], send: null });
    rig.now += FRAME_MS;
    rig.path.onOuterRtp(sender.protect(voice(4), 4), PEER, 5_000);
    assert.equal(rig.path.toInner.packets, 1);
  });
});
