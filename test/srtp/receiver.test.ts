import assert from 'node:assert/strict';
import {
  buildRtp,
  SrtpReceiver,
  SrtpSender,
  type SrtpKeyMaterial,
  type SrtpReceiverOptions,
} from '../../src/srtp/index.js';

const ROC = 0x1_0000;

function key(seed: number, more: Partial<SrtpKeyMaterial> = {}): SrtpKeyMaterial {
  return {
    suite: 'AEAD_AES_128_GCM',
    masterKey: new Uint8Array(16).fill(seed),
    masterSalt: new Uint8Array(12).fill(seed),
    mki: new Uint8Array([0x10, 0, 0, seed]),
    rocRate: 0,
    ...more,
  };
}

function rtp(payload = 20): Uint8Array {
  return buildRtp({
    payloadType: 0,
    marker: false,
    sequenceNumber: 0,
    timestamp: 0,
    ssrc: 0,
    payload: new Uint8Array(payload).fill(payload),
  });
}

/** Packets under `material` at the given indexes, in that order of sending. */
function packets(material: SrtpKeyMaterial, indexes: readonly number[], ssrc = 1): Uint8Array[] {
  const sender = new SrtpSender(material, { ssrc });
  return indexes.map((index) => sender.protect(rtp(), index));
}

/** Index of what was opened, or why it was not. */
function open(receiver: SrtpReceiver, packet: Uint8Array | undefined): number | string {
  const result = receiver.unprotect(packet ?? new Uint8Array(0));
  return result.ok ? result.index : result.reason;
}

function outcomes(
  options: SrtpReceiverOptions,
  received: readonly (Uint8Array | undefined)[],
): (number | string)[] {
  const receiver = new SrtpReceiver(options);
  return received.map((packet) => open(receiver, packet));
}

const range = (from: number, count: number): number[] =>
  [...Array(count).keys()].map((i) => from + i);

describe('SRTP receiver', () => {
  it('takes packets in any order within the window, each once', () => {
    const [a, b, c] = packets(key(1), [10, 11, 12]);
    assert.deepEqual(outcomes({ keys: [key(1)] }, [c, a, b, a, c]), [
      12,
      10,
      11,
      'replay',
      'replay',
    ]);
  });

  it('refuses what lies below the window as a replay', () => {
    const all = packets(key(1), [10, 10 + 256, 10 + 257]);
    assert.deepEqual(outcomes({ keys: [key(1)] }, [all[2], all[1], all[0]]), [267, 266, 'replay']);
  });

  it('keeps the index over a roll-over of the sequence number, with packets lost and late', () => {
    const indexes = [
      ROC - 3,
      ROC - 2,
      ROC + 5,
      ROC + 20_000,
      ROC + 50_000,
      2 * ROC - 100,
      2 * ROC + 1,
    ];
    const [a, late, ...rest] = packets(key(1), indexes);
    assert.deepEqual(outcomes({ keys: [key(1)] }, [a, rest[0], late, ...rest.slice(1)]), [
      ROC - 3,
      ROC + 5,
      ROC - 2,
      ...indexes.slice(3),
    ]);
  });

  it('opens a stream whose first packets were lost over a wrap', () => {
    const [packet] = packets(key(1), [ROC + 3]);
    assert.deepEqual(outcomes({ keys: [key(1)] }, [packet]), [ROC + 3]);
  });

  it('joins a talker late at ROC 7 by the ROC that every packet carries', () => {
    const group = key(1, { mki: new Uint8Array(8).fill(3), rocRate: 1 });
    const indexes = range(7 * ROC + 40_000, 3);
    assert.deepEqual(outcomes({ keys: [group] }, packets(group, indexes)), indexes);
  });

  it('joins late with the first packet whose sequence number R divides', () => {
    const group = key(1, { rocRate: 4 });
    const indexes = range(7 * ROC + 40_001, 5);
    const expected = ['auth', 'auth', 'auth', ...indexes.slice(3)];
    assert.deepEqual(outcomes({ keys: [group] }, packets(group, indexes)), expected);
  });

  it('does not believe a forged ROC, and keeps the one it knows', () => {
    const group = key(1, { rocRate: 1 });
    const [first, second, third] = packets(group, range(7 * ROC, 3));
    assert.ok(first && second && third);
    second.set([0, 0, 0, 9], second.length - 4);
    assert.deepEqual(outcomes({ keys: [group] }, [first, second, third]), range(7 * ROC, 3));
  });

  it('does not take a forged ROC for a new stream', () => {
    const group = key(1, { rocRate: 1 });
    const [packet] = packets(group, [7 * ROC]);
    assert.ok(packet);
    packet.set([0, 0, 0, 8], packet.length - 4);
    const receiver = new SrtpReceiver({ keys: [group] });
    assert.equal(open(receiver, packet), 'auth');
    assert.equal(receiver.streamCount, 0);
  });

  it('tells a wrong tag from an unknown MKI', () => {
    const [packet] = packets(key(1), [1]);
    const [foreign] = packets(key(2), [1]);
    assert.ok(packet);
    const forged = Uint8Array.from(packet);
    forged[14] = (forged[14] ?? 0) ^ 1;
    assert.deepEqual(outcomes({ keys: [key(1)] }, [forged, foreign, packet]), [
      'auth',
      'unknown-mki',
      1,
    ]);
  });

  it('keeps replay state when the same key is given again, as by a re-INVITE', () => {
    const [packet] = packets(key(1), [5]);
    const receiver = new SrtpReceiver({ keys: [key(1)] });
    open(receiver, packet);
    receiver.replaceKeys([key(1), key(2)]);
    assert.equal(open(receiver, packet), 'replay');
  });

  it('refuses replays of a key that was dropped and given again', () => {
    const all = packets(key(1), [5, 6, 7]);
    const receiver = new SrtpReceiver({ keys: [key(1)] });
    open(receiver, all[1]);
    receiver.dropKeys([key(1)]);
    assert.equal(open(receiver, all[2]), 'unknown-mki');
    receiver.addKeys([key(1)]);
    assert.deepEqual(
      [0, 1, 2].map((i) => open(receiver, all[i])),
      ['replay', 'replay', 7],
    );
  });

  it('goes on at the same ROC when a stream changes its key', () => {
    const receiver = new SrtpReceiver({ keys: [key(1, { rocRate: 1 }), key(2)] });
    const [before] = packets(key(1, { rocRate: 1 }), [3 * ROC + 50_000]);
    const [after] = packets(key(2), [3 * ROC + 50_001]);
    assert.deepEqual(
      [open(receiver, before), open(receiver, after)],
      [3 * ROC + 50_000, 3 * ROC + 50_001],
    );
  });

  it('keeps no state for 20,000 packets of garbage, and the stream that talks loses nothing', () => {
    const talker = packets(key(1), range(0, 200));
    const receiver = new SrtpReceiver({ keys: [key(1)] });
    const template = packets(key(1), [0], 99)[0] ?? new Uint8Array(0);
    let opened = 0;
    for (let i = 0; i < 20_000; i++) {
      if (i % 100 === 0 && typeof open(receiver, talker[i / 100]) === 'number') opened += 1;
      const garbage = Uint8Array.from(template);
      garbage.set([i >>> 8, i, i >>> 4, i >>> 2], 8);
      if (i % 2 === 0) garbage.set([i >>> 8, i], garbage.length - 4);
      receiver.unprotect(garbage);
    }
    assert.deepEqual([opened, receiver.streamCount, receiver.contextCount], [200, 1, 1]);
  });

  it('does not let an evicted stream be replayed', () => {
    const receiver = new SrtpReceiver({ keys: [key(1)], limits: { streams: 2 } });
    const [first] = packets(key(1), [5], 1);
    open(receiver, first);
    for (const ssrc of [2, 3, 4]) open(receiver, packets(key(1), [5], ssrc)[0]);
    assert.equal(receiver.streamCount, 2);
    assert.equal(open(receiver, first), 'replay');
  });

  it('opens AES_CM_128_HMAC_SHA1_80 beside GCM in one session', () => {
    const cm = key(2, { suite: 'AES_CM_128_HMAC_SHA1_80', masterSalt: new Uint8Array(14).fill(2) });
    const [a] = packets(key(1), [1]);
    const [b] = packets(cm, [2], 2);
    assert.deepEqual(outcomes({ keys: [key(1), cm] }, [a, b, b]), [1, 2, 'replay']);
  });

  it('opens nothing after its keys are wiped', () => {
    const [packet] = packets(key(1), [1]);
    const receiver = new SrtpReceiver({ keys: [key(1)] });
    receiver.wipe();
    assert.equal(typeof open(receiver, packet), 'string');
  });

  it('keeps SRTCP replays out by an index of their own', () => {
    const sender = new SrtpSender(key(1), { ssrc: 1 });
    const receiver = new SrtpReceiver({ keys: [key(1)] });
    const report = Uint8Array.from([0x80, 201, 0, 1, 0, 0, 0, 1]);
    const sealed = sender.protectRtcp(report);
    assert.ok(receiver.unprotectRtcp(sealed).ok);
    assert.deepEqual(receiver.unprotectRtcp(sealed), { ok: false, reason: 'replay' });
    assert.equal(open(receiver, packets(key(1), [0])[0]), 0);
  });
});

describe('SRTP receiver that asks for keys by MKI', () => {
  const framing = { suite: 'AEAD_AES_128_GCM', mkiLength: 8, rocRate: 1 } as const;
  const mkiOf = (n: number): Uint8Array =>
    new Uint8Array([1, 1, 1, 1, n >>> 24, n >>> 16, n >>> 8, n]);
  const keyOf = (n: number, rand = 0): SrtpKeyMaterial =>
    key(n & 0xff, { mki: mkiOf(n), rocRate: 1, masterSalt: new Uint8Array(12).fill(rand) });
  const numberOf = (mki: Uint8Array): number => Buffer.from(mki).readUInt32BE(4);

  it('asks once for each talker', () => {
    let asked = 0;
    const resolve = (mki: Uint8Array): SrtpKeyMaterial[] => {
      asked += 1;
      return [keyOf(numberOf(mki))];
    };
    const all = [...packets(keyOf(5), [1, 2]), ...packets(keyOf(6), [1, 2], 2)];
    assert.deepEqual(outcomes({ resolver: { framings: [framing], resolve } }, all), [1, 2, 1, 2]);
    assert.equal(asked, 2);
  });

  it('tries every key that one MKI may stand for', () => {
    const resolve = (mki: Uint8Array): SrtpKeyMaterial[] =>
      [1, 2, 3].map((rand) => keyOf(numberOf(mki), rand));
    assert.deepEqual(
      outcomes({ resolver: { framings: [framing], resolve } }, packets(keyOf(5, 3), [1, 2])),
      [1, 2],
    );
  });

  it('opens nothing under an MKI that was forgotten, also where no more streams can be remembered', () => {
    let held = true;
    const resolve = (mki: Uint8Array): SrtpKeyMaterial[] => (held ? [keyOf(numberOf(mki), 9)] : []);
    const limits = { streams: 1, retired: 1 };
    const receiver = new SrtpReceiver({ resolver: { framings: [framing], resolve }, limits });
    for (const ssrc of [1, 2, 3]) open(receiver, packets(keyOf(5, 9), [1], ssrc)[0]);
    assert.equal(open(receiver, packets(keyOf(5, 9), [2], 2)[0]), 2);
    held = false;
    receiver.forgetMki(mkiOf(5));
    assert.equal(open(receiver, packets(keyOf(5, 9), [3], 2)[0]), 'unknown-mki');
    held = true;
    assert.equal(open(receiver, packets(keyOf(5, 9), [2], 2)[0]), 'replay');
  });

  it('keeps the other keys of a talker’s MKI while it talks, whatever is invented meanwhile', () => {
    const resolve = (mki: Uint8Array): SrtpKeyMaterial[] =>
      [8, 9].map((rand) => keyOf(numberOf(mki), rand));
    const receiver = new SrtpReceiver({ resolver: { framings: [framing], resolve } });
    const talker = packets(keyOf(5, 8), range(0, 20));
    for (let i = 0; i < 2_000; i++) {
      if (i % 100 === 0) assert.equal(open(receiver, talker[i / 100]), i / 100);
      open(receiver, packets(keyOf(1000 + i, 1), [1])[0]);
    }
    assert.equal(open(receiver, packets(keyOf(5, 9), [30])[0]), 30);
  });

  it('evicts nobody who talks for invented MKIs, and keeps a bounded number of them', () => {
    const resolve = (mki: Uint8Array): SrtpKeyMaterial[] => [keyOf(numberOf(mki), 9)];
    const receiver = new SrtpReceiver({ resolver: { framings: [framing], resolve } });
    const talker = packets(keyOf(5, 9), range(0, 10));
    const opened: (number | string)[] = [];
    for (let i = 0; i < 2_000; i++) {
      if (i % 200 === 0) opened.push(open(receiver, talker[i / 200]));
      const invented = packets(keyOf(1000 + i, 1), [1])[0];
      assert.equal(open(receiver, invented), 'auth');
    }
    assert.deepEqual(opened, range(0, 10));
    assert.ok(receiver.contextCount <= 513, `${receiver.contextCount} contexts`);
  });
});
