import assert from 'node:assert/strict';
import { WaitingPackets, type WaitingSign } from '../../src/media/waiting-packets.js';

const ANNA: WaitingSign = { gukId: 0x0a000001, ssrc: 7, port: 5_000 };
const BEN: WaitingSign = { ...ANNA, ssrc: 8 };
const MTU = 1_500;

function numbered(sequence: number, octets = 200): Uint8Array {
  const packet = new Uint8Array(octets).fill(9);
  packet.set([0x80, 0, sequence >> 8, sequence & 0xff]);
  return packet;
}

describe('packets that wait for their talker’s keys', () => {
  let inVain = 0;
  let waiting: WaitingPackets;
  beforeEach(() => {
    inVain = 0;
    waiting = new WaitingPackets((count) => (inVain += count));
  });
  const push = (sign: WaitingSign, sequence: number, now: number, octets = 200): boolean =>
    waiting.push(sign, numbered(sequence, octets), '192.0.2.1', now);
  const take = (sign: WaitingSign, sequence: number, now: number): number[] =>
    waiting.take({ ...sign, sequence }, now).map(({ packet }) => (packet[2]! << 8) | packet[3]!);

  it('come back in their order, each talker’s alone and once', () => {
    push(ANNA, 1, 0);
    push(BEN, 2, 10);
    push(ANNA, 3, 20);
    assert.deepEqual(take(ANNA, 4, 40), [1, 3]);
    assert.deepEqual(take(ANNA, 4, 40), []);
    assert.deepEqual(take(BEN, 4, 40), [2]);
    waiting.tick(10_000);
    assert.equal(inVain, 0);
  });

  it('come back as they were, with where they came from, up to a whole datagram', () => {
    for (const octets of [12, 512, 513, MTU, 2_048]) {
      push(ANNA, 9, 0, octets);
      assert.deepEqual(waiting.take({ ...ANNA, sequence: 10 }, 1), [
        { packet: numbered(9, octets), address: '192.0.2.1', port: 5_000 },
      ]);
    }
  });

  it('long and short come back in the order in which they came', () => {
    for (let i = 1; i < 9; i += 1) push(ANNA, i, i, i % 3 === 0 ? MTU : 200);
    assert.deepEqual(take(ANNA, 9, 10), [1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('are let go after 200 ms, and counted', () => {
    push(ANNA, 1, 0);
    push(ANNA, 2, 150);
    assert.deepEqual(take(ANNA, 3, 201), [2]);
    assert.equal(inVain, 1);
    push(ANNA, 3, 300);
    waiting.tick(501);
    assert.equal(inVain, 2);
  });

  it('make room for newer ones, the oldest first, and are counted', () => {
    for (let i = 0; i < 10; i += 1) push(ANNA, i, 0);
    for (let i = 0; i < 4_096; i += 1) push(BEN, i, 0, 100);
    assert.equal(inVain, 10);
    assert.deepEqual(take(ANNA, 20, 1), []);
  });

  it('of speech are not pushed out by long ones, however many come', () => {
    push(ANNA, 1, 0);
    for (let i = 0; i < 4_000; i += 1) push(BEN, i, 0, MTU);
    assert.deepEqual(take(ANNA, 2, 1), [1]);
    assert.equal(take(BEN, 4_000, 1).length, 20);
  });

  it('are those that the talker may have said before, whatever else came under its sign', () => {
    for (let i = 0; i < 20; i += 1) push(ANNA, (0xfff8 + i) & 0xffff, i);
    for (let i = 0; i < 1_000; i += 1) push(ANNA, 300 + i, 20);
    assert.deepEqual(take(ANNA, 5, 21), [
      ...[0xfff8, 0xfff9, 0xfffa, 0xfffb, 0xfffc, 0xfffd, 0xfffe, 0xffff],
      ...[0, 1, 2, 3, 4],
    ]);
    assert.equal(inVain, 1_007);
    assert.deepEqual(take(ANNA, 5, 22), []);
  });

  it('of one sign are 64 at most, the latest, whoever sent them', () => {
    for (let i = 0; i < 100; i += 1) push(ANNA, 1, i);
    assert.equal(take(ANNA, 2, 100).length, 64);
    assert.equal(inVain, 36);
  });

  it('are not longer than a datagram can be, nor empty', () => {
    assert.equal(waiting.push(ANNA, new Uint8Array(0), '192.0.2.1', 0), false);
    assert.equal(waiting.push(ANNA, new Uint8Array(65_536), '192.0.2.1', 0), false);
    assert.equal(inVain, 0);
  });

  it('are let go at once when the session ends', () => {
    push(ANNA, 1, 0);
    push(ANNA, 2, 0, MTU);
    waiting.drop();
    assert.equal(inVain, 2);
    assert.deepEqual(take(ANNA, 3, 1), []);
  });
});
