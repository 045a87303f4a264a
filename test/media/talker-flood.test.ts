/** Talkers who begin while somebody floods the group's port with invented MKIs. */
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fromHex } from '../../src/base/bytes.js';
import { systemRandom } from '../../src/base/environment.js';
import type { GroupKey } from '../../src/media/index.js';
import { CS_ID, gukId } from '../../src/mikey/index.js';
import { SrtpSender } from '../../src/srtp/index.js';
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

function groupKey(...rands: Uint8Array[]): GroupKey {
  return {
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

function armed(): Rig {
  const rig = new Rig();
  rig.path.command({
    type: 'arm',
    receive: { group: [groupKey(GMK.rand)] },
    send: { none: true },
    clockRates: {},
  });
  return rig;
}

/** Floods, and lets one talker after the other begin meanwhile. @returns packets lost by each */
function losses(next: (i: number) => Buffer, from: [string, number]): number[] {
  const rig = armed();
  const lost: number[] = [];
  let flooded = 0;
  let sender: SrtpSender | null = null;
  let said = 0;
  for (let ms = 0; ms < FLOOD_MS; ms += 1) {
    rig.now += 1;
    for (let i = 0; i < PER_MS; i += 1) rig.path.onOuterRtp(next(flooded++), ...from);
    // the first talker begins when the flood has lasted half a second, the next ones each half second
    if (ms < 500 || ms % FRAME_MS !== 0) continue;
    if (sender === null || said === SPURT) {
      const user = `sip:member${lost.length}@mc-a.example`;
      sender = new SrtpSender(memberKey(GMK, user), { ssrc: 0x7000 + lost.length });
      said = 0;
      lost.push(0);
    }
    said += 1;
    const before = rig.path.toInner.packets;
    rig.path.onOuterRtp(sender.protect(voice(said), said), PEER, 5_000);
    lost[lost.length - 1]! += before + 1 - rig.path.toInner.packets;
  }
  return lost;
}

/** Octets that are still in use, on the heap and beside it. */
function octetsInUse(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
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
    assert.deepEqual(losses(invented, elsewhere), [0, 0, 0]);
  });

  it('lose at most their first packet where it comes from their own address', () => {
    for (const lost of losses(invented, sameAddress)) assert.ok(lost <= 1, `${lost} lost`);
  });

  it('lose at most two where a few thousand invented packets come over and over', () => {
    for (const size of [100, 1_000, 4_096]) {
      const pool = Array.from({ length: size }, invented);
      const lost = losses((i) => Buffer.from(pool[i % size]!), sameAddress);
      assert.ok(Math.max(...lost) <= 2, `${lost.join()} lost, pool of ${size}`);
    }
  });

  it('lose at most two where every invented packet comes twice, so as to look like a talker', () => {
    let last = invented();
    const twice = (i: number): Buffer => {
      if (i % 2 === 0) last = invented();
      return Buffer.from(last);
    };
    const lost = losses(twice, sameAddress);
    assert.ok(Math.max(...lost) <= 2, `${lost.join()} lost`);
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
    rig.path.command({ type: 'group', keys: [groupKey(GMK.rand, other.rand)], send: null });
    rig.now += FRAME_MS;
    rig.path.onOuterRtp(sender.protect(voice(4), 4), PEER, 5_000);
    assert.equal(rig.path.toInner.packets, 1);
  });
});
