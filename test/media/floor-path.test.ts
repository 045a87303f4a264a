import assert from 'node:assert/strict';
import { FloorRig, floorMessage, floorSetup, KEYING, SPK } from './floor-rig.js';
import { PEER } from './path-rig.js';
import { parseRtp } from '../../src/srtp/index.js';
import { testKey } from './support.js';

describe('media/floor: no floor, no speech', () => {
  it('drops and counts what comes from the radio before the floor is granted', () => {
    const rig = new FloorRig({ holdBackMs: 0 });
    rig.radioSays(20);
    assert.equal(rig.heardByMc().length, 0);
    assert.equal(rig.dropped('toOuter'), 20);
  });

  it('drops and counts what comes from MC while nobody there has the floor', () => {
    const rig = new FloorRig({ listenBackMs: 0 });
    rig.mcSays(5);
    assert.equal(rig.heardByRadio(), 0);
    assert.equal(rig.dropped('toInner'), 5);
    rig.say('taken', { grantedParty: 'sip:alice@mc-a.example' });
    rig.mcSays(5);
    assert.equal(rig.heardByRadio(), 5);
    rig.say('idle');
    rig.mcSays(5);
    assert.equal(rig.heardByRadio(), 5);
    assert.equal(rig.dropped('toInner'), 10);
  });

  it('passes nothing before the call is set up', () => {
    const rig = new FloorRig({}, false);
    rig.say('taken', { grantedParty: 'sip:alice@mc-a.example' });
    rig.mcSays(3);
    rig.radioSays(3);
    assert.equal(rig.heardByRadio() + rig.heardByMc().length, 0);
  });

  it('hears only the SSRC that the Floor Taken names, where the options say so', () => {
    const { participant } = floorSetup();
    const rig = new FloorRig({ listenBackMs: 0, participant: { ...participant, bindSsrc: true } });
    rig.say('taken', { grantedParty: 'sip:alice@mc-a.example', mediaSsrc: 0x9999 });
    rig.mcSays(3);
    assert.equal(rig.heardByRadio(), 0);
    rig.say('taken', { grantedParty: 'sip:alice@mc-a.example', mediaSsrc: 0x3333 });
    rig.mcSays(3);
    assert.equal(rig.heardByRadio(), 3);
  });

  it('ends with the floor line: speech passes as without it', () => {
    const rig = new FloorRig({ holdBackMs: 0 });
    rig.path.command({ type: 'floor', setup: null });
    rig.radioSays(5);
    rig.mcSays(5);
    assert.equal(rig.heardByMc().length, 5);
    assert.equal(rig.heardByRadio(), 5);
  });

  it('gives the floor back when the session is disarmed', () => {
    const rig = new FloorRig();
    rig.key(true);
    rig.say('granted');
    rig.asked();
    rig.path.disarm();
    assert.deepEqual(
      rig.asked().map(({ type }) => type),
      ['release'],
    );
  });
});

describe('media/floor: speech held back', () => {
  it('is sent when the floor is granted, from the first packet behind the key on', () => {
    const rig = new FloorRig();
    rig.radioSays(5);
    rig.key(true);
    const [request] = rig.asked();
    assert.equal(request?.type, 'request');
    assert.equal(request.userId, 'sip:radio1@lmr.example');
    rig.radioSays(15, 0x20);
    assert.equal(rig.heardByMc().length, 0);
    rig.say('granted');
    rig.radioSays(2, 0x20);
    const heard = rig.heardByMc();
    assert.deepEqual(
      heard.slice(-17),
      Array.from({ length: 17 }, (_, i) => 105 + i),
    );
    assert.deepEqual(rig.news(), ['pending', 'granted']);
  });

  it('is dropped and counted when the request is denied', () => {
    const rig = new FloorRig();
    rig.key(true);
    rig.radioSays(10);
    rig.say('deny', { rejectCause: { cause: 7 } });
    rig.radioSays(30);
    assert.equal(rig.heardByMc().length, 0);
    assert.ok(rig.dropped('toOuter') >= 10);
    assert.deepEqual(rig.news(), ['pending', 'denied']);
  });

  it('is no longer than configured', () => {
    const rig = new FloorRig({ holdBackMs: 100 });
    rig.key(true);
    rig.radioSays(60);
    rig.say('granted');
    const held = 60 - rig.dropped('toOuter');
    assert.equal(rig.heardByMc().length, held);
    assert.ok(held * 20 <= 100 + 200 + KEYING.attackMs, `${held} packets`);
  });

  it('of MC waits for the Floor Taken that it overtook', () => {
    const rig = new FloorRig();
    rig.mcSays(3);
    rig.say('taken', { grantedParty: 'sip:alice@mc-a.example' });
    assert.equal(rig.heardByRadio(), 3);
    assert.equal(rig.dropped('toInner'), 0);
  });

  it('of MC does not wait longer than configured', () => {
    const rig = new FloorRig({ listenBackMs: 100 });
    rig.mcSays(20);
    rig.say('taken', { grantedParty: 'sip:alice@mc-a.example' });
    assert.ok(rig.heardByRadio() <= 6);
    assert.ok(rig.dropped('toInner') >= 14);
  });
});

describe('media/floor: the radio’s key in its RTP', () => {
  it('is speech above the threshold, with everything from its beginning', () => {
    const rig = new FloorRig({ keying: { ...KEYING, source: 'level' } });
    rig.radioSays(5, 0xff);
    assert.deepEqual(rig.asked(), []);
    rig.radioSays(4, 0x00);
    assert.equal(rig.asked()[0]?.type, 'request');
    rig.say('granted');
    assert.deepEqual(rig.heardByMc().slice(-4), [105, 106, 107, 108]);
    rig.radioSays(20, 0xff);
    assert.equal(rig.asked().at(-1)?.type, 'release');
  });

  it('is let go in silence also where the dialplan pressed it', () => {
    const rig = new FloorRig({ keying: { ...KEYING, source: 'level' } });
    rig.key(true);
    rig.say('granted');
    rig.asked();
    rig.radioSays(20, 0xff);
    assert.equal(rig.asked()[0]?.type, 'release');
  });

  it('is let go when the packets of a speaking radio stop', () => {
    const rig = new FloorRig({ keying: { ...KEYING, source: 'level' } });
    rig.radioSays(4, 0x00);
    rig.say('granted');
    rig.asked();
    rig.now += 500;
    rig.path.tick();
    assert.equal(rig.asked()[0]?.type, 'release');
  });

  it('is a digit on and a digit off, which go no further, once for each event', () => {
    const rig = new FloorRig({ keying: { ...KEYING, source: 'events' } });
    for (let i = 0; i < 5; i++) rig.radioDials(10, 1_000);
    assert.deepEqual(
      rig.asked().map(({ type }) => type),
      ['request'],
    );
    rig.say('granted');
    rig.radioDials(5, 5_000);
    for (let i = 0; i < 5; i++) rig.radioDials(11, 9_000);
    assert.deepEqual(
      rig.asked().map(({ type }) => type),
      ['release'],
    );
    assert.deepEqual(rig.heardByMc(), [5]);
    assert.equal(rig.path.stats().toOuter.dropped.keying, 10);
  });

  it('toggles where both digits are the same', () => {
    const rig = new FloorRig({ keying: { ...KEYING, source: 'events', on: '5', off: '5' } });
    rig.radioDials(5, 1_000);
    rig.say('granted');
    rig.radioDials(5, 5_000);
    assert.deepEqual(
      rig.asked().map(({ type }) => type),
      ['request', 'release'],
    );
  });
});

describe('media/floor: digits to the radio', () => {
  it('stand between the packets of the talker, and no number comes twice', () => {
    const rig = new FloorRig();
    rig.say('taken', { grantedParty: 'sip:alice@mc-a.example' });
    rig.mcSays(2);
    rig.path.command({ type: 'floorCommand', command: { type: 'dial', digits: '1' } });
    rig.mcSays(2);
    const packets = rig.rtp('inner').map(({ packet }) => parseRtp(packet)!);
    assert.deepEqual(
      packets.map(({ payloadType }) => payloadType),
      [0, 0, 101, 0, 0],
    );
    const [first] = packets;
    assert.deepEqual(
      packets.map(({ sequenceNumber }) => (sequenceNumber - first!.sequenceNumber) & 0xffff),
      [0, 1, 2, 3, 4],
    );
    assert.equal(new Set(packets.map(({ ssrc }) => ssrc)).size, 1);
    rig.path.disarm();
  });
});

describe('media/floor: messages on the line', () => {
  const granted = (): Uint8Array => floorMessage('granted');

  /** What one datagram is counted as, and whether the floor is granted by it. */
  function outcome(send: (rig: FloorRig) => void): unknown {
    const rig = new FloorRig();
    rig.key(true);
    send(rig);
    return [rig.floorStats().dropped, rig.news().includes('granted')];
  }

  it('are taken from the partner’s address, whatever their port', () => {
    assert.deepEqual(
      outcome((rig) => rig.say('granted')),
      [{}, true],
    );
  });

  it('are dropped and counted from another address', () => {
    assert.deepEqual(
      outcome((rig) => rig.path.onFloor(rig.protect(granted()), '127.0.9.9')),
      [{ source: 1 }, false],
    );
  });

  it('are dropped and counted under another key of the same identifier', () => {
    const wrong = testKey(0x44, { mki: SPK.mki });
    assert.deepEqual(
      outcome((rig) => {
        rig.path.command({
          type: 'floor',
          setup: floorSetup({ keys: { send: SPK, receive: [wrong] } }),
        });
        rig.say('granted');
      }),
      [{ auth: 1 }, false],
    );
  });

  it('are dropped and counted under a key that is not known, in clear, and with one bit changed', () => {
    const changed = (at: (length: number) => number) => (rig: FloorRig) => {
      const packet = rig.protect(granted());
      const place = at(packet.length);
      packet[place] = (packet[place] ?? 0) ^ 1;
      rig.path.onFloor(packet, PEER);
    };
    assert.deepEqual(outcome(changed((length) => length - 1)), [{ 'unknown-mki': 1 }, false]);
    assert.deepEqual(outcome(changed(() => 9)), [{ auth: 1 }, false]);
    assert.deepEqual(
      outcome((rig) => rig.path.onFloor(granted(), PEER)),
      [{ truncated: 1 }, false],
    );
  });

  it('are dropped and counted when they come again', () => {
    const rig = new FloorRig();
    const packet = rig.protect(floorMessage('taken', { grantedParty: 'sip:a@mc-a.example' }));
    rig.path.onFloor(packet.slice(), PEER);
    rig.path.onFloor(packet.slice(), PEER);
    assert.deepEqual(rig.floorStats().dropped, { replay: 1 });
  });

  it('are dropped and counted from another sender than the first, and from ourselves', () => {
    const rig = new FloorRig();
    rig.say('idle');
    const other = new FloorRig({}, false);
    rig.path.onFloor(other.protectAs(0x7777, floorMessage('granted', {}, 0x7777)), PEER);
    rig.key(true);
    const [own] = rig.floor;
    assert.ok(own);
    rig.path.onFloor(own.slice(), PEER);
    assert.deepEqual(rig.floorStats().dropped, { ssrc: 2 });
  });

  it('are dropped and counted when another name or a truncated message is under the tag', () => {
    const renamed = granted();
    renamed.set(Buffer.from('MCV0'), 8);
    assert.deepEqual(
      outcome((rig) => rig.path.onFloor(rig.protect(renamed), PEER)),
      [{ name: 1 }, false],
    );
    assert.deepEqual(
      outcome((rig) => rig.path.onFloor(rig.protect(granted()).subarray(0, 30), PEER)),
      [{ truncated: 1 }, false],
    );
    assert.deepEqual(
      outcome((rig) => rig.path.onFloor(new Uint8Array([0x80, 204, 0, 2]), PEER)),
      [{ truncated: 1 }, false],
    );
  });

  it('beyond the rate are not opened, and those of the next second are', () => {
    const rig = new FloorRig({ messagesPerSecond: 10 });
    for (let i = 0; i < 25; i++) rig.say('idle');
    assert.equal(rig.floorStats().dropped.rate, 15);
    rig.now += 1000;
    rig.key(true);
    rig.say('granted');
    assert.ok(rig.news().includes('granted'));
  });

  it('that share a datagram are acted upon in their order', () => {
    const rig = new FloorRig();
    rig.key(true);
    const taken = floorMessage('taken', { grantedParty: 'sip:a@mc-a.example' });
    const both = new Uint8Array([...granted(), ...floorMessage('revoke', {})]);
    rig.path.onFloor(rig.protect(both), PEER);
    rig.path.onFloor(new Uint8Array([...rig.protect(taken), ...rig.protect(taken)]), PEER);
    assert.deepEqual(rig.news().slice(0, 3), ['pending', 'granted', 'revoked']);
    assert.equal(rig.floorStats().received, 4);
  });

  it('are forwarded clear where an interworking function wants them', () => {
    const rig = new FloorRig({ forwardTo: { address: '127.0.0.9', port: 9_000 } });
    const message = floorMessage('idle');
    rig.path.onFloor(rig.protect(message), PEER);
    assert.deepEqual([...(rig.floor.at(-1) ?? [])], [...message]);
  });
});
