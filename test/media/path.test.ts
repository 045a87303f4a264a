import assert from 'node:assert/strict';
import fc from 'fast-check';
import { systemRandom } from '../../src/base/environment.js';
import { DEFAULT_MEDIA_LIMITS } from '../../src/media/options.js';
import { createSendingMemory, drawSsrc } from '../../src/media/sending-memory.js';
import { buildRtp, parseRtcp, parseRtp, SrtpReceiver, SrtpSender } from '../../src/srtp/index.js';
import { PBX, PEER, Rig } from './path-rig.js';
import { testKey, voice } from './support.js';

describe('media path: nonces', () => {
  it('repeats no (key, SSRC, index) over 1,000 sessions whose PBX resets its numbers at will', async () => {
    const memory = createSendingMemory();
    const shared = [testKey(50), testKey(51)];
    const used = new Set<string>();
    const steps = fc.array(
      fc.record({
        sequence: fc.integer({ min: 0, max: 0xffff }),
        repeat: fc.integer({ min: 1, max: 4 }),
        ssrc: fc.integer({ min: 1, max: 2 }),
        rearm: fc.integer({ min: 0, max: 5 }),
      }),
      { minLength: 1, maxLength: 6 },
    );
    let sealed = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const rig = new Rig();
        let key = shared[plan.length % 2] ?? testKey(50);
        rig.arm(testKey(1), key, await drawSsrc(memory, key, systemRandom));
        for (const { sequence, repeat, ssrc, rearm } of plan) {
          for (let i = 0; i < repeat; i++) {
            for (const offset of [i, i, i - 1]) {
              rig.path.onInnerRtp(voice(sequence + offset, { ssrc }), PBX, 4_000);
            }
          }
          rig.now += 20;
          if (rearm === 0) rig.path.command({ type: 'disarm' });
          if (rearm <= 1) {
            key = shared[repeat % 2] ?? key;
            rig.arm(testKey(1), key, await drawSsrc(memory, key, systemRandom));
          }
        }
        const receivers = shared.map((one) => new SrtpReceiver({ keys: [one] }));
        for (const { packet } of rig.rtp('outer')) {
          sealed += 1;
          const results = receivers.map((receiver) => receiver.unprotect(packet));
          const at = results.findIndex((result) => result.ok);
          const result = results[at];
          assert.ok(result?.ok, 'a packet opens under one of the keys');
          const nonce = `${at}/${result.ssrc}/${result.index}`;
          assert.ok(!used.has(nonce), `nonce ${nonce} repeats`);
          used.add(nonce);
        }
      }),
      { numRuns: 1_000 },
    );
    assert.ok(sealed > 1_000);
  }).timeout(20_000);
});

describe('media path', () => {
  const theirs = testKey(1);
  const ours = testKey(2);

  function armed(): { rig: Rig; sender: SrtpSender } {
    const rig = new Rig();
    rig.arm(theirs, ours, 77);
    return { rig, sender: new SrtpSender(theirs, { ssrc: 9 }) };
  }

  it('drops CSRCs, header extension and padding, and carries payload type and payload', () => {
    const { rig } = armed();
    const payload = Uint8Array.from([1, 2, 3]);
    const rich = buildRtp({
      payloadType: 110,
      marker: true,
      sequenceNumber: 1,
      timestamp: 2,
      ssrc: 3,
      csrcs: [4, 5],
      extension: { profile: 0xbede, data: new Uint8Array(4) },
      payload,
    });
    const padded = Uint8Array.from([...rich, 0, 0, 0, 4]);
    padded[0] = (padded[0] ?? 0) | 0x20;
    rig.path.onInnerRtp(padded, PBX, 4_000);
    const opened = new SrtpReceiver({ keys: [ours] }).unprotect(
      rig.rtp('outer')[0]?.packet ?? new Uint8Array(0),
    );
    assert.ok(opened.ok);
    const rtp = parseRtp(opened.packet) ?? assert.fail();
    assert.deepEqual(rtp, {
      payloadType: 110,
      marker: true,
      sequenceNumber: rtp.sequenceNumber,
      timestamp: rtp.timestamp,
      ssrc: 77,
      payload,
    });
  });

  it('holds in each direction alone, and knows the stream when it goes on', () => {
    const { rig, sender } = armed();
    rig.path.command({ type: 'direction', direction: { toInner: false, toOuter: true } });
    rig.path.onOuterRtp(sender.protect(voice(1), 1), PEER, 5_000);
    rig.path.onInnerRtp(voice(1), PBX, 4_000);
    assert.deepEqual([rig.rtp('inner').length, rig.rtp('outer').length], [0, 1]);
    rig.path.command({ type: 'direction', direction: { toInner: true, toOuter: false } });
    const replayed = sender.protect(voice(2), 2);
    rig.path.onOuterRtp(replayed, PEER, 5_000);
    rig.path.onOuterRtp(replayed, PEER, 5_000);
    rig.path.onInnerRtp(voice(2), PBX, 4_000);
    assert.deepEqual([rig.rtp('inner').length, rig.rtp('outer').length], [1, 1]);
    assert.deepEqual(rig.path.stats().toInner.dropped, { held: 1, replay: 1 });
  });

  for (const [rate, ticks] of [
    [8_000, 80_000],
    [16_000, 160_000],
  ] as const) {
    it(`counts a pause of ten seconds by the clock of ${rate} Hz that it was told`, () => {
      const { rig, sender } = armed();
      rig.path.command({ type: 'clockRates', clockRates: { 98: rate } });
      const hear = (sequence: number): number => {
        const packet = voice(sequence, { payloadType: 98 });
        rig.path.onOuterRtp(sender.protect(packet, sequence), PEER, 5_000);
        return parseRtp(rig.rtp('inner').at(-1)!.packet)!.timestamp;
      };
      const before = hear(1);
      rig.now += 10_000;
      assert.equal((hear(2) - before) >>> 0, ticks);
    });
  }

  it('hears old and new keys during a re-key, and each set alone after it', () => {
    const { rig, sender } = armed();
    const next = testKey(3);
    const newer = new SrtpSender(next, { ssrc: 9 });
    const rekey = {
      type: 'rekey',
      receive: { keys: [next] },
      send: null,
    } as const;
    rig.path.command(rekey);
    rig.path.onOuterRtp(sender.protect(voice(1), 1), PEER, 5_000);
    rig.path.onOuterRtp(newer.protect(voice(2), 2), PEER, 5_000);
    assert.equal(rig.rtp('inner').length, 2);
    rig.path.command({ type: 'dropKeys', which: 'new' });
    rig.path.onOuterRtp(newer.protect(voice(3), 3), PEER, 5_000);
    rig.path.onOuterRtp(sender.protect(voice(4), 4), PEER, 5_000);
    assert.equal(rig.rtp('inner').length, 3);
    rig.path.command(rekey);
    rig.path.command({ type: 'dropKeys', which: 'old' });
    rig.path.onOuterRtp(sender.protect(voice(5), 5), PEER, 5_000);
    rig.path.onOuterRtp(newer.protect(voice(6), 6), PEER, 5_000);
    assert.equal(rig.rtp('inner').length, 4);
    assert.deepEqual(rig.path.stats().toInner.dropped, { 'unknown-mki': 2 });
  });

  it('hears and is heard by the early dialog whose media began last, then the confirmed one alone', () => {
    const { rig } = armed();
    rig.remote('a', '127.0.2.2', 6_000);
    rig.remote('b', '127.0.2.3', 7_000);
    const a = new SrtpSender(theirs, { ssrc: 100 });
    const b = new SrtpSender(theirs, { ssrc: 200 });
    rig.path.onOuterRtp(a.protect(voice(1), 1), '127.0.2.2', 6_000);
    rig.now += 20;
    rig.path.onOuterRtp(b.protect(voice(1), 1), '127.0.2.3', 7_001);
    rig.path.onInnerRtp(voice(1), PBX, 4_000);
    assert.equal(rig.rtp('outer')[0]?.to, '127.0.2.3:7001');
    rig.path.command({ type: 'selectLeg', leg: 'a' });
    rig.path.onInnerRtp(voice(2), PBX, 4_000);
    assert.equal(rig.rtp('outer')[1]?.to, '127.0.2.2:6000');
    rig.path.onOuterRtp(b.protect(voice(2), 2), '127.0.2.3', 7_001);
    assert.equal(rig.rtp('inner').length, 2);
    assert.deepEqual(rig.path.stats().toInner.dropped, { leg: 1 });
  });

  it('does not follow an old packet that comes late from elsewhere', () => {
    const { rig, sender } = armed();
    const [old, newer] = [sender.protect(voice(1), 1), sender.protect(voice(2), 2)];
    rig.path.onOuterRtp(newer, PEER, 5_000);
    rig.path.onOuterRtp(old, '127.0.2.66', 6_666);
    rig.path.onInnerRtp(voice(1), PBX, 4_000);
    assert.equal(rig.rtp('outer')[0]?.to, `${PEER}:5000`);
  });

  it('names each talker once, with its MKI', () => {
    const { rig, sender } = armed();
    for (const i of [1, 2, 3]) rig.path.onOuterRtp(sender.protect(voice(i), i), PEER, 5_000);
    const talkers = rig.events.filter((event) => event.type === 'talker');
    assert.deepEqual(talkers, [{ type: 'talker', ssrc: 9, mki: '10000001', leg: 'main' }]);
  });

  it('ends RTCP on each side: own reports, random names, protected outside', () => {
    const { rig, sender } = armed();
    rig.path.onOuterRtp(sender.protect(voice(1), 1), PEER, 5_000);
    rig.path.onInnerRtp(voice(1), PBX, 4_000);
    rig.now += DEFAULT_MEDIA_LIMITS.rtcpIntervalMs;
    rig.path.tick();
    const reports = rig.sent.filter((one) => one.protocol === 'rtcp');
    const inner = parseRtcp(reports.find((one) => one.side === 'inner')?.packet ?? ours.mki);
    const outer = reports.find((one) => one.side === 'outer')?.packet ?? ours.mki;
    const opened = new SrtpReceiver({ keys: [ours] }).unprotectRtcp(outer);
    assert.ok(opened.ok);
    assert.equal(opened.ssrc, 77);
    assert.deepEqual(
      inner?.map((packet) => packet.type),
      ['sr', 'sdes'],
    );
    const names = [inner, parseRtcp(opened.packet)].map((packets) => {
      const sdes = packets?.find((packet) => packet.type === 'sdes');
      return sdes?.chunks[0]?.cname;
    });
    assert.ok(names[0] && names[1] && names[0] !== names[1]);
  });

  it('keeps the way open with an empty datagram while it has nothing to say', () => {
    const { rig } = armed();
    rig.now += DEFAULT_MEDIA_LIMITS.keepAliveMs;
    rig.path.tick();
    assert.deepEqual(
      rig.rtp('outer').map((one) => one.packet.length),
      [0],
    );
  });

  it('passes clear media of an allow-clear partner from the signalled address alone', () => {
    const rig = new Rig();
    rig.path.command({
      type: 'arm',
      receive: { clear: true },
      send: { clear: true },
      clockRates: {},
    });
    rig.path.onOuterRtp(voice(1), '127.0.2.9', 5_000);
    rig.path.onOuterRtp(voice(2), PEER, 5_000);
    rig.path.onInnerRtp(voice(1), PBX, 4_000);
    assert.deepEqual([rig.rtp('inner').length, rig.rtp('outer').length], [1, 1]);
    assert.deepEqual(rig.path.stats().toInner.dropped, { source: 1 });
  });

  it('never passes clear packets of a protected session', () => {
    const { rig } = armed();
    rig.path.onOuterRtp(voice(1), PEER, 5_000);
    assert.equal(rig.rtp('inner').length, 0);
  });

  it('takes only the signalled port of the PBX once a packet came from there', () => {
    const { rig } = armed();
    rig.path.onInnerRtp(voice(1), PBX, 4_444);
    rig.path.onInnerRtp(voice(2), PBX, 4_000);
    rig.path.onInnerRtp(voice(3), PBX, 4_444);
    assert.equal(rig.rtp('outer').length, 2);
    assert.deepEqual(rig.path.stats().toOuter.dropped, { source: 1 });
  });

  it('drops what the PBX sends before its SDP named an address, and takes it for ordinary', () => {
    const { rig } = armed();
    rig.path.command({ type: 'remote', side: 'inner', address: null, leg: '' });
    rig.path.onInnerRtp(voice(1), PBX, 4_000);
    assert.equal(rig.rtp('outer').length, 0);
    assert.deepEqual(rig.path.stats().toOuter.dropped, { 'no-remote': 1 });
  });
});
