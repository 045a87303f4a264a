import assert from 'node:assert/strict';
import { WaitingPackets, type WaitingSign } from '../../src/media/waiting-packets.js';

const ANNA: WaitingSign = { gukId: 0x0a000001, ssrc: 7, port: 5_000 };
const BEN: WaitingSign = { ...ANNA, ssrc: 8 };
const SLOTS = 2_048;

describe('packets that wait for their talker’s keys', () => {
  let inVain = 0;
  let waiting: WaitingPackets;
  beforeEach(() => {
    inVain = 0;
    waiting = new WaitingPackets((count) => (inVain += count));
  });
  const push = (sign: WaitingSign, octet: number, now: number): boolean =>
    waiting.push(sign, new Uint8Array(200).fill(octet), '192.0.2.1', now);
  const take = (sign: WaitingSign, now: number): (number | undefined)[] =>
    waiting.take(sign, now).map(({ packet }) => packet[0]);

  it('come back in their order, each talker’s alone and once', () => {
    push(ANNA, 1, 0);
    push(BEN, 2, 10);
    push(ANNA, 3, 20);
    assert.deepEqual(take(ANNA, 40), [1, 3]);
    assert.deepEqual(take(ANNA, 40), []);
    assert.deepEqual(take(BEN, 40), [2]);
    waiting.tick(10_000);
    assert.equal(inVain, 0);
  });

  it('come back as they were, with where they came from', () => {
    push(ANNA, 9, 0);
    assert.deepEqual(waiting.take(ANNA, 1), [
      { packet: new Uint8Array(200).fill(9), address: '192.0.2.1', port: 5_000 },
    ]);
  });

  it('are let go after 200 ms, and counted', () => {
    push(ANNA, 1, 0);
    push(ANNA, 2, 150);
    assert.deepEqual(take(ANNA, 201), [2]);
    waiting.tick(201);
    assert.equal(inVain, 1);
  });

  it('make room for newer ones, the oldest first, and are counted', () => {
    for (let i = 0; i < SLOTS + 3; i += 1) push(i < 3 ? ANNA : BEN, 1, 0);
    assert.equal(inVain, 3);
    assert.deepEqual(take(ANNA, 1), []);
    take(BEN, 1);
    waiting.tick(10_000);
    assert.equal(inVain, SLOTS + 3 - 12);
  });

  it('of one sign are twelve at most, the latest, whoever sent them', () => {
    for (let i = 0; i < 20; i += 1) push(ANNA, i, i);
    assert.deepEqual(take(ANNA, 20), [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    assert.equal(inVain, 8);
  });

  it('are not longer than 512 octets', () => {
    assert.equal(waiting.push(ANNA, new Uint8Array(512), '192.0.2.1', 0), true);
    assert.equal(waiting.push(ANNA, new Uint8Array(513), '192.0.2.1', 0), false);
    assert.equal(inVain, 0);
  });

  it('are let go at once when the session ends', () => {
    push(ANNA, 1, 0);
    waiting.drop();
    assert.equal(inVain, 1);
    assert.deepEqual(take(ANNA, 1), []);
  });
});
