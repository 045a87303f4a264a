/**
 * What every PBX behind the port must do, written once and run on each adapter.
 */
import assert from 'node:assert/strict';
import type { SegyErrorCode } from '../../src/base/errors.js';
import type { PbxChannel, PbxPort } from '../../src/edge/ports/pbx-port.js';
import type { PortOptions } from '../../src/pbx/index.js';
import { needsOwnPbx } from '../support/each-pbx.js';
import type { PbxRig } from '../support/pbx-rig.js';
import { until } from '../support/waiting.js';

export { until };

const fails = (code: SegyErrorCode): { code: SegyErrorCode } => ({ code });

let serial = 0;
const newCallId = (): string => `conformance-${process.pid}-${++serial}-${Date.now()}`;

const goneOf = (channel: PbxChannel): Promise<void> =>
  new Promise((resolve) => {
    if (channel.gone) resolve();
    else channel.onGone = resolve;
  });

/** @param rig gives the PBX under test, once mocha's `before` has made it */
export function portConformance(rig: () => PbxRig): void {
  let port: PbxPort;

  const startPort = async (options?: PortOptions): Promise<PbxPort> => {
    const made = rig().makePort(options);
    await made.start();
    await until('the link is up', () => made.linked);
    return made;
  };

  /** A call that the gateway has taken over. */
  const takeCall = async (): Promise<{
    channel: PbxChannel;
    call: ReturnType<PbxRig['callIn']>;
  }> => {
    const callId = newCallId();
    const call = rig().callIn(callId, 'session-1');
    const channel = await port.inboundChannel({ callId, sessionId: 'session-1', timeoutMs: 3000 });
    return { channel, call };
  };

  beforeEach(async () => {
    port = await startPort();
  });

  afterEach(async function () {
    await port.stop();
    if (this.currentTest?.state === 'failed') await rig().endAll();
    await until('all channels have ended', async () => (await rig().channelCount()) === 0);
  });

  describe('a call from MC', () => {
    it('is found by its Call-ID when the dialplan hands it over', async () => {
      const { channel, call } = await takeCall();
      assert.notEqual(channel.id, '');
      assert.notEqual(channel.name, '');
      assert.equal(channel.gone, false);
      call.end();
      await goneOf(channel);
    });

    it('is found when it was asked for before it reached the PBX', async () => {
      const callId = newCallId();
      const asked = port.inboundChannel({ callId, sessionId: 's', timeoutMs: 3000 });
      const call = rig().callIn(callId, 's');
      const channel = await asked;
      call.end();
      await goneOf(channel);
    });

    it('goes on to the radio with its variables set when it may proceed', async () => {
      const { channel, call } = await takeCall();
      await channel.setVariables({ SEGY_STATUS: 'SECURE', SEGY_CALLER: 'sip:alice@mc-a.example' });
      assert.equal(await rig().variable(channel.id, 'SEGY_CALLER'), 'sip:alice@mc-a.example');
      await channel.proceed();
      const arrival = await rig().nextAtRadio();
      assert.match(arrival.requestUri, /^sip:radio7@/);
      arrival.respond(200);
      assert.equal(await call.final, 200);
      call.end();
      await goneOf(channel);
      await arrival.ended;
    });

    it('is refused by the dialplan when it proceeds without a SEGY_STATUS that allows it', async () => {
      const { channel, call } = await takeCall();
      await channel.setVariables({ SEGY_STATUS: 'REFUSED' });
      await channel.proceed();
      assert.equal(await call.final, 403);
    });

    for (const status of [403, 404, 480, 486, 488, 503]) {
      it(`gets SIP status ${status} when it is refused with it`, async () => {
        const { channel, call } = await takeCall();
        const gone = goneOf(channel);
        await channel.refuse(status);
        assert.equal(await call.final, status);
        await gone;
      });
    }

    it('is not given out and is ended when it carries another session', async () => {
      const callId = newCallId();
      const call = rig().callIn(callId, 'session-of-another');
      await assert.rejects(
        port.inboundChannel({ callId, sessionId: 'mine', timeoutMs: 3000 }),
        fails('SEGY_E_PBX_NO_CHANNEL'),
      );
      assert.equal(await call.final, 403);
    });

    it('is not found when the dialplan answers it without a hand-over', async function () {
      needsOwnPbx(this, rig());
      const callId = newCallId();
      const call = rig().callPast(callId, 's');
      await assert.rejects(
        port.inboundChannel({ callId, sessionId: 's', timeoutMs: 300 }),
        fails('SEGY_E_PBX_NO_CHANNEL'),
      );
      assert.equal(await call.final, 200);
      call.end();
    });

    it('gets its own channel also when sixty come at once', async () => {
      const all = Array.from({ length: 60 }, async () => {
        const callId = newCallId();
        const call = rig().callIn(callId, callId);
        const channel = await port.inboundChannel({ callId, sessionId: callId, timeoutMs: 5000 });
        await channel.setVariables({ SEGY_SESSION: callId });
        assert.equal(await rig().variable(channel.id, 'SEGY_SESSION'), callId);
        await channel.refuse(486);
        return { id: channel.id, status: await call.final };
      });
      const ended = await Promise.all(all);
      assert.equal(new Set(ended.map(({ id }) => id)).size, 60);
      assert.ok(ended.every(({ status }) => status === 486));
    });

    it('is given out once', async () => {
      const { channel, call } = await takeCall();
      await assert.rejects(
        port.inboundChannel({ callId: call.callId, sessionId: 'session-1', timeoutMs: 100 }),
        fails('SEGY_E_PBX_NO_CHANNEL'),
      );
      call.end();
      await goneOf(channel);
    });
  });

  describe('a channel', () => {
    it('reports at once, and once, that its caller has hung up', async () => {
      const { channel, call } = await takeCall();
      let times = 0;
      channel.onGone = () => times++;
      call.end();
      await until('onGone is called', () => times > 0);
      assert.equal(channel.gone, true);
      assert.equal(await call.final, 487);
      await port.stop();
      assert.equal(times, 1);
    });

    it('refuses commands after its end, but takes a hang-up for done', async () => {
      const { channel, call } = await takeCall();
      call.end();
      await goneOf(channel);
      await assert.rejects(channel.proceed(), fails('SEGY_E_PBX'));
      await assert.rejects(channel.setVariables({ SEGY_STATUS: 'SECURE' }), fails('SEGY_E_PBX'));
      await channel.hangup();
      await channel.refuse(404);
    });

    it('survives a listener that throws', async () => {
      const { channel, call } = await takeCall();
      channel.onGone = () => {
        throw new Error('a listener with a defect');
      };
      call.end();
      await until('the channel is gone', () => channel.gone);
      assert.equal(port.linked, true);
    });

    for (const [what, value] of [
      ['a line feed', 'a\nb'],
      ['a carriage return', 'a\rb'],
      ['an expression', '${SHELL(id)}'],
      ['a comma', 'a,b'],
      ['a space', 'a b'],
      ['an octet outside ASCII', 'a\u00e9'],
    ] as const) {
      it(`gets no variable whose value holds ${what}, nor any set with it`, async () => {
        const { channel, call } = await takeCall();
        await assert.rejects(
          channel.setVariables({ SEGY_STATUS: 'SECURE', SEGY_CALLER: value }),
          fails('SEGY_E_BAD_IDENTITY'),
        );
        assert.equal(await rig().variable(channel.id, 'SEGY_STATUS'), '');
        call.end();
        await goneOf(channel);
      });
    }

    it('gets no variable outside SEGY_*', async () => {
      const { channel, call } = await takeCall();
      await assert.rejects(channel.setVariables({ PATH: 'x' }), fails('SEGY_E_ARGUMENT'));
      call.end();
      await goneOf(channel);
    });
  });

  describe('a call to MC', () => {
    it('is found by the Call-ID of the INVITE that the edge received', async () => {
      const arrival = await rig().callOut();
      const channel = await port.outboundChannel({ callId: arrival.callId, timeoutMs: 5000 });
      await channel.setVariables({ SEGY_STATUS: 'SECURE' });
      if (rig().setsVariablesOnDialled) {
        assert.equal(await rig().variable(channel.id, 'SEGY_STATUS'), 'SECURE');
      }
      const gone = goneOf(channel);
      arrival.respond(486);
      await gone;
    });

    it('is found again when its channel is given back, as after a redirection', async () => {
      const arrival = await rig().callOut();
      const { callId } = arrival;
      const first = await port.outboundChannel({ callId, timeoutMs: 500 });
      first.onGone = () => assert.fail('it was given back');
      first.release();
      const second = await port.outboundChannel({ callId, timeoutMs: 500 });
      assert.equal(second.id, first.id);
      const gone = goneOf(second);
      arrival.respond(486);
      await gone;
      await assert.rejects(first.setVariables({ SEGY_STATUS: 'SECURE' }), fails('SEGY_E_PBX'));
    });

    it('ends when the gateway hangs its channel up', async () => {
      const arrival = await rig().callOut();
      const channel = await port.outboundChannel({ callId: arrival.callId, timeoutMs: 5000 });
      arrival.respond(180);
      await channel.hangup();
      await arrival.ended;
    });

    it('is not found when no channel has its Call-ID', async () => {
      const abort = new AbortController();
      const { signal } = abort;
      const longer = port.outboundChannel({ callId: newCallId(), timeoutMs: 60_000, signal });
      const ends = Promise.race([
        port.outboundChannel({ callId: newCallId(), timeoutMs: 300 }),
        longer,
      ]);
      await assert.rejects(ends, fails('SEGY_E_PBX_NO_CHANNEL'));
      abort.abort();
      await assert.rejects(longer, fails('SEGY_E_CANCELLED'));
    });

    it('stops being looked for on a signal', async () => {
      const abort = new AbortController();
      const asked = port.outboundChannel({
        callId: newCallId(),
        timeoutMs: 60_000,
        signal: abort.signal,
      });
      abort.abort();
      await assert.rejects(asked, fails('SEGY_E_CANCELLED'));
    });
  });

  describe('the link', () => {
    it('when lost ends what waits, refuses what is new, and comes back by itself', async () => {
      const news: boolean[] = [];
      port.onLink = (up) => news.push(up);
      const waiting = port.inboundChannel({
        callId: newCallId(),
        sessionId: 's',
        timeoutMs: 60_000,
      });
      rig().cutLink();
      await assert.rejects(waiting, fails('SEGY_E_PBX_DOWN'));
      assert.equal(port.linked, false);
      await assert.rejects(
        port.outboundChannel({ callId: newCallId(), timeoutMs: 500 }),
        fails('SEGY_E_PBX_DOWN'),
      );
      rig().mendLink();
      await until('the link is back', () => port.linked);
      assert.deepEqual(news, [false, true]);
    });

    it('when lost and back keeps a channel that lived through it, and commands reach it', async () => {
      const { channel, call } = await takeCall();
      let live: ReadonlySet<string> | undefined;
      port.onResync = (ids) => (live = ids);
      rig().cutLink();
      await until('the link is down', () => !port.linked);
      assert.equal(channel.gone, false);
      await assert.rejects(channel.setVariables({ SEGY_CODE: 'x' }), fails('SEGY_E_PBX_DOWN'));
      rig().mendLink();
      await until('the resync is done', () => live !== undefined);
      assert.equal(live?.has(channel.id), true);
      assert.equal(channel.gone, false);
      await channel.refuse(486);
      assert.equal(await call.final, 486);
    });

    it('when back reports a channel that ended meanwhile as gone before the resync is told', async () => {
      const { channel, call } = await takeCall();
      const order: string[] = [];
      channel.onGone = () => order.push('gone');
      port.onResync = () => order.push('resync');
      rig().cutLink();
      await until('the link is down', () => !port.linked);
      call.end();
      await until('the PBX has ended it', async () => (await rig().channelCount()) === 0);
      rig().mendLink();
      await until('the resync is done', () => order.includes('resync'));
      assert.deepEqual(order, ['gone', 'resync']);
    });

    it('when back finds a call that came meanwhile, unless the dialplan has refused it with 503', async () => {
      rig().cutLink();
      await until('the link is down', () => !port.linked);
      rig().mendLink();
      const callId = newCallId();
      const call = rig().callIn(callId, 's');
      await until('the link is back', () => port.linked);
      const found = port.inboundChannel({ callId, sessionId: 's', timeoutMs: 5000 });
      const outcome = await Promise.race([found, call.final]).catch(() => 'none');
      call.end();
      // Handed over while no gateway was there: refused by the dialplan, or found. Never left alone.
      if (typeof outcome === 'number') assert.equal(outcome, 503);
      else assert.notEqual(outcome, 'none');
      await found.catch(() => undefined);
    });

    it('returns after the PBX died, with every earlier channel gone', async function () {
      needsOwnPbx(this, rig());
      const { channel } = await takeCall();
      await rig().crash();
      await until('the link is down', () => !port.linked);
      await rig().restore();
      await until('the link is back', () => port.linked);
      assert.equal(channel.gone, true);
      const again = await takeCall();
      again.call.end();
      await goneOf(again.channel);
    }).timeout(30_000);

    it('leaves no connection behind when it is stopped, also while it is down', async () => {
      const other = await startPort();
      await other.stop();
      rig().cutLink();
      await port.stop();
      rig().mendLink();
      await new Promise((resolve) => setTimeout(resolve, 300));
      await until('no control connection is left', () => rig().controlConnections() === 0);
    });
  });

  describe('orphans', () => {
    it('are hung up: what carries SEGY_SESSION from an earlier run, and nothing else', async function () {
      needsOwnPbx(this, rig());
      const { channel, call } = await takeCall();
      await channel.setVariables({ SEGY_SESSION: 'session-1', SEGY_STATUS: 'SECURE' });
      await channel.proceed();
      const atRadio = await rig().nextAtRadio();
      atRadio.respond(180);
      const stranger = rig().callPast(newCallId(), 's');
      assert.equal(await stranger.final, 200);
      await port.stop();
      port = await startPort();
      assert.equal(await port.hangUpOrphans(), 1);
      assert.ok((await call.final) >= 400);
      await atRadio.ended;
      assert.equal(await port.hangUpOrphans(), 0);
      await until('only the stranger is left', async () => (await rig().channelCount()) === 1);
      stranger.end();
    });

    it('are hung up: a call to MC that was up when the gateway died', async () => {
      const arrival = await rig().callOut();
      arrival.respond(200);
      await port.outboundChannel({ callId: arrival.callId, timeoutMs: 5000 });
      await port.stop();
      port = await startPort();
      assert.equal(await port.hangUpOrphans(), 1);
      await arrival.ended;
    });

    it('are hung up when they still wait for a gateway that is gone', async () => {
      const { call } = await takeCall();
      await port.stop();
      port = await startPort();
      assert.equal(await port.hangUpOrphans(), 1);
      assert.ok((await call.final) >= 400);
    });

    it('are not the channels of this run', async () => {
      const { channel, call } = await takeCall();
      await channel.setVariables({ SEGY_SESSION: 'session-1' });
      assert.equal(await port.hangUpOrphans(), 0);
      call.end();
      await goneOf(channel);
    });
  });
}
