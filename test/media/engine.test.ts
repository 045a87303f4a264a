import assert from 'node:assert/strict';
import { SegyError } from '../../src/base/errors.js';
import type { MediaEngine, MediaEvent, MediaSession } from '../../src/media/index.js';
import { parseRtcp, parseRtp, SrtpReceiver, SrtpSender } from '../../src/srtp/index.js';
import {
  OUTER,
  Party,
  pause,
  startEngine,
  testKey,
  until,
  untilDropped,
  voice,
} from './support.js';
import { isIpv6There } from '../support/ipv6.js';

/** A third address, of IPv6 where this machine has it. */
const THIRD = isIpv6There() ? '::1' : '127.0.1.9';

describe('media engine, through workers and real sockets', () => {
  const theirs = testKey(1);
  const ours = testKey(2);
  let engine: MediaEngine;
  let session: MediaSession;
  let peer: Party;
  let pbx: Party;
  let sender: SrtpSender;
  let events: MediaEvent[];

  const fromPeer = (packet: Uint8Array, party = peer): void =>
    party.send(packet, session.outer.rtpPort, OUTER);
  const fromPbx = (packet: Uint8Array): void =>
    pbx.send(packet, session.inner.rtpPort, session.inner.address);
  const arm = (): Promise<void> =>
    session.arm({ receive: { keys: [theirs] }, send: { key: ours } });

  before(async () => {
    engine = await startEngine();
  });
  after(() => engine.close());

  beforeEach(async () => {
    session = await engine.allocate();
    events = [];
    session.on('event', (event) => events.push(event));
    peer = await Party.open('127.0.2.1');
    pbx = await Party.open('127.0.0.1');
    sender = new SrtpSender(theirs, { ssrc: 0xabcdef01 });
    await session.setRemote('outer', peer.address);
    await session.setRemote('inner', pbx.address);
  });
  afterEach(async () => {
    await session.close();
    Party.closeAll();
  });

  it('forwards nothing while disarmed', async () => {
    fromPeer(sender.protect(voice(1), 1));
    fromPbx(voice(1));
    await untilDropped(session, 'toInner', { disarmed: 1 });
    await untilDropped(session, 'toOuter', { disarmed: 1 });
    assert.deepEqual([pbx.received.length, peer.received.length], [0, 0]);
  });

  it('opens what comes from outside and gives the PBX clear RTP from its own even port', async () => {
    await arm();
    fromPeer(sender.protect(voice(7, { payloadType: 101, marker: true }), 7));
    await until(() => pbx.received.length === 1);
    const [{ packet, port } = assert.fail()] = pbx.received;
    const rtp = parseRtp(packet);
    assert.equal(port, session.inner.rtpPort);
    assert.equal(rtp?.payloadType, 101);
    assert.equal(rtp.marker, true);
    assert.deepEqual(rtp.payload, new Uint8Array(160).fill(7));
    assert.notEqual(rtp.ssrc, 0xabcdef01);
  });

  it('seals what comes from the PBX under an SSRC of its own', async () => {
    await arm();
    fromPbx(voice(9, { payloadType: 96 }));
    await until(() => peer.received.length === 1);
    const [{ packet } = assert.fail()] = peer.received;
    const opened = new SrtpReceiver({ keys: [ours] }).unprotect(packet);
    assert.ok(opened.ok);
    const rtp = parseRtp(opened.packet);
    assert.equal(rtp?.payloadType, 96);
    assert.deepEqual(rtp.payload, new Uint8Array(160).fill(9));
    assert.notEqual(rtp.ssrc, 0x11223344);
  });

  it('sends where authenticated packets come from, and follows when they move', async () => {
    await arm();
    const moved = await Party.open('127.0.2.2');
    fromPeer(sender.protect(voice(1), 1), moved);
    await until(() => pbx.received.length === 1);
    fromPbx(voice(1));
    await until(() => moved.received.length === 1);
    assert.equal(peer.received.length, 0);
    assert.deepEqual(
      events.filter((event) => event.type === 'moved').map((event) => event.address),
      ['127.0.2.2'],
    );
  });

  it('does not follow a packet that does not authenticate', async () => {
    await arm();
    const attacker = await Party.open('127.0.2.3');
    const forged = sender.protect(voice(1), 1);
    forged[20] = (forged[20] ?? 0) ^ 1;
    fromPeer(forged, attacker);
    await untilDropped(session, 'toInner', { auth: 1 });
    fromPbx(voice(1));
    await until(() => peer.received.length === 1);
    assert.equal(attacker.received.length, 0);
    assert.equal(pbx.received.length, 0);
  });

  it('takes inner packets from the signalled address alone', async () => {
    await arm();
    const stranger = await Party.open('127.0.0.9');
    stranger.send(voice(1), session.inner.rtpPort, session.inner.address);
    await untilDropped(session, 'toOuter', { source: 1 });
    assert.equal(peer.received.length, 0);
  });

  it('refuses an inner address outside the allowed ones', async () => {
    await assert.rejects(
      session.setRemote('inner', { address: '192.0.2.1', port: 4000 }),
      (error) => error instanceof SegyError && error.code === 'SEGY_E_MEDIA_ADDRESS',
    );
  });

  it('stops within one packet at disarm and says BYE under the keys it ends', async () => {
    const control = await Party.open('127.0.2.1', 0);
    await session.setRemote('outer', { ...peer.address, rtcpPort: control.address.port });
    await arm();
    await session.disarm();
    fromPbx(voice(1));
    await until(() => control.received.length === 1);
    const opened = new SrtpReceiver({ keys: [ours] }).unprotectRtcp(
      control.received[0]?.packet ?? new Uint8Array(0),
    );
    assert.ok(opened.ok);
    const types = parseRtcp(opened.packet)?.map((packet) => packet.type);
    assert.deepEqual(types, ['rr', 'sdes', 'bye']);
    await pause(30);
    assert.equal(peer.received.length, 0);
  });

  it('draws another SSRC when it is armed again with a key it has sent with', async () => {
    await arm();
    const first = (await session.stats()).outerSsrc;
    await session.disarm();
    await arm();
    assert.notEqual((await session.stats()).outerSsrc, first);
  });

  it('keeps its SSRC and index when it is armed again without disarming, as a re-INVITE does', async () => {
    await arm();
    fromPbx(voice(1));
    await until(() => peer.received.length === 1);
    const before = (await session.stats()).outerSsrc;
    await arm();
    fromPbx(voice(2));
    await until(() => peer.received.length === 2);
    assert.equal((await session.stats()).outerSsrc, before);
    const receiver = new SrtpReceiver({ keys: [ours] });
    const indexes = peer.received.map(({ packet }) => {
      const opened = receiver.unprotect(packet);
      return opened.ok ? opened.index : -1;
    });
    assert.equal((indexes[1] ?? 0) - (indexes[0] ?? 0), 1);
  });

  it('refuses commands after close', async () => {
    await session.close();
    await assert.rejects(
      arm(),
      (error) => error instanceof SegyError && error.code === 'SEGY_E_MEDIA_ENDED',
    );
  });
});

describe('media engine: several outer addresses', () => {
  it('binds a session to the one that it is asked for, and to no other of the host', async () => {
    const engine = await startEngine({
      outer: {
        address: OUTER,
        otherAddresses: ['127.0.1.7', THIRD],
        portMin: 42_800,
        portMax: 42_899,
      },
    });
    try {
      const key = testKey(1);
      for (const outerAddress of [OUTER, '127.0.1.7']) {
        const session = await engine.allocate({ outerAddress });
        assert.equal(session.outer.address, outerAddress);
        await session.arm({ receive: { keys: [key] }, send: { key: testKey(2) } });
        const peer = await Party.open('127.0.2.1');
        const pbx = await Party.open('127.0.0.1');
        await session.setRemote('outer', peer.address);
        await session.setRemote('inner', pbx.address);
        const sender = new SrtpSender(key, { ssrc: 0xabcdef01 });
        peer.send(sender.protect(voice(1), 1), session.outer.rtpPort, outerAddress);
        await until(() => pbx.received.length === 1);
        pbx.send(voice(1), session.inner.rtpPort, session.inner.address);
        await until(() => peer.received.length === 1);
        await session.close();
        Party.closeAll();
      }
      const third = await engine.allocate({ outerAddress: THIRD });
      assert.equal(third.outer.address, THIRD);
      await third.close();
      await assert.rejects(engine.allocate({ outerAddress: '127.0.1.8' }), {
        code: 'SEGY_E_ARGUMENT',
      });
    } finally {
      await engine.close();
    }
  });
});
