/**
 * The gateway and sofia-sip, the SIP stack that FreeSWITCH is built on, set up as its SIP module does: what
 * one sends is what the other reads, in calls, hold, refresh, refusal and redirection.
 */
import assert from 'node:assert/strict';
import { expectUp, nextCall } from '../support/call-pair.js';
import { ALICE, BOB, RADIO_1, Scene } from '../support/scene.js';
import { skipBecause } from '../support/skip.js';
import { SofiaPbx, type SofiaEvent } from '../support/sofia.js';
import { sleep, until, within } from '../support/waiting.js';
import type { McMedia, SimCall } from '../../src/sim/index.js';

describe('the gateway and the SIP stack of FreeSWITCH', function () {
  this.timeout(60_000);
  let built: ReturnType<typeof SofiaPbx.build>;
  let pbx: SofiaPbx;
  let scene: Scene;

  before(async function () {
    built = SofiaPbx.build();
    if ('missing' in built) skipBecause(this, built.missing);
    const { folder } = built;
    scene = await Scene.start({
      pbx: async (edge) => (pbx = await SofiaPbx.start(folder, edge)),
    });
  });
  after(async function () {
    if ('missing' in built) return;
    await scene.stop();
  });

  afterEach(async () => {
    assert.deepEqual([...pbx.untaken('unreadable'), ...pbx.untaken('error')], []);
    for (const call of scene.mc.agent.calls) call.bye();
    await pbx.hangUpAll();
  });

  /** Alice calls the radio, and the PBX answers. */
  async function callIn(): Promise<{ mc: SimCall<McMedia>; id: string }> {
    const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
    const invite = await pbx.next('invite');
    pbx.park(invite, () => {
      pbx.command('respond', invite.id, '180');
      pbx.command('respond', invite.id, '200');
    });
    await expectUp(mc);
    await pbx.next('up', invite.id);
    return { mc, id: invite.id };
  }

  it('complete a call from MC, which ends when MC hangs up', async () => {
    const { mc, id } = await callIn();
    mc.bye();
    await pbx.next('bye', id);
    await pbx.next('down', id);
  });

  it('complete a call from MC, which ends when the PBX hangs up', async () => {
    const { mc, id } = await callIn();
    pbx.command('bye', id);
    await within('MC gets BYE', mc.ended);
  });

  it('pass a hold and its end by re-INVITE, and a refresh by re-INVITE and by UPDATE', async () => {
    const { mc, id } = await callIn();
    assert.equal((await pbx.next('offer', id)).detail, 'sendrecv');
    mc.media.direction = 'inactive';
    assert.equal(await mc.reinvite(), 200);
    assert.equal((await pbx.next('offer', id)).detail, 'inactive');
    mc.media.direction = 'sendrecv';
    assert.equal(await mc.reinvite(), 200);
    assert.equal((await pbx.next('offer', id)).detail, 'sendrecv');
    assert.equal(await mc.reinvite([['Session-Expires', '1800;refresher=uac']]), 200);
    assert.equal(await mc.refresh(), 200);
    mc.bye();
    await pbx.next('down', id);
  });

  it('pass a re-INVITE and an UPDATE of the PBX', async () => {
    const { mc, id } = await callIn();
    pbx.command('reinvite', id);
    assert.equal((await pbx.next('response', id)).status, 200);
    pbx.command('update', id);
    assert.equal((await pbx.next('updated', id)).status, 200);
    mc.bye();
    await pbx.next('down', id);
  });

  it('pass a refusal of too short a session with what would be long enough, and take the retry', async () => {
    const call = (seconds: number): Promise<SimCall<McMedia>> =>
      scene.mc.call({
        from: ALICE,
        to: RADIO_1.uri,
        headers: [
          ['Session-Expires', String(seconds)],
          ['Supported', 'timer'],
        ],
      });
    const short = await call(90);
    const end = await within('the call ends', short.ended);
    assert.equal(end.status, 422);
    assert.equal(end.headers?.get('Min-SE'), '120');
    const long = await call(1800);
    const invite = await pbx.next('invite');
    pbx.park(invite, () => pbx.command('respond', invite.id, '200'));
    await expectUp(long);
    long.bye();
    await pbx.next('down', invite.id);
  });

  it('keep thirty calls at once apart', async () => {
    const placed = await Promise.all(
      Array.from({ length: 30 }, () => scene.mc.call({ from: ALICE, to: RADIO_1.uri })),
    );
    const invites = await Promise.all(placed.map(() => pbx.next('invite')));
    for (const invite of invites) {
      pbx.park(invite, () => pbx.command('respond', invite.id, '200'));
    }
    await Promise.all(placed.map(expectUp));
    assert.equal(new Set(invites.map(({ detail }) => detail)).size, placed.length);
    for (const call of placed) call.bye();
    await Promise.all(placed.map(() => pbx.next('down')));
  });

  it('cancel a call that rings', async () => {
    const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
    const invite = await pbx.next('invite');
    pbx.park(invite, () => pbx.command('respond', invite.id, '180'));
    await until('MC hears it ring', () => mc.state === 'ringing');
    mc.cancel();
    await pbx.next('cancel', invite.id);
    assert.equal((await within('the call ends', mc.ended)).by, 'cancelled');
  });

  it('pass the refusal of the PBX', async () => {
    const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
    const invite = await pbx.next('invite');
    pbx.park(invite, () => pbx.command('respond', invite.id, '486'));
    assert.equal((await within('the call ends', mc.ended)).status, 486);
  });

  /** The radio calls `user`. */
  function callOut(user: string): {
    id: string;
    response: (status: number) => Promise<SofiaEvent>;
  } {
    const { uuid } = pbx.dial(RADIO_1.pbx, user);
    const response = async (status: number): Promise<SofiaEvent> => {
      for (;;) {
        const event = await pbx.next('response', uuid);
        if (event.status < 200 && status >= 200) continue;
        assert.equal(event.status, status);
        return event;
      }
    };
    return { id: uuid, response };
  }

  it('complete a call to MC, which ends when either hangs up', async () => {
    for (const end of ['mc', 'pbx'] as const) {
      const taken = nextCall(scene.mc.agent);
      const { id, response } = callOut('alice');
      const mc = await within('the MC user is called', taken);
      await response(200);
      await pbx.next('up', id);
      if (end === 'mc') mc.bye();
      else pbx.command('bye', id);
      await within('the MC call ends', mc.ended);
      await pbx.next('down', id);
    }
  });

  it('cancel a call to MC that rings, and pass the refusal of MC', async () => {
    const taken = nextCall(scene.mc.agent, false);
    const first = callOut('alice');
    const mc = await within('the MC user is called', taken);
    mc.ring();
    await first.response(180);
    pbx.command('cancel', first.id);
    assert.equal((await within('the MC call ends', mc.ended)).by, 'cancelled');
    await first.response(487);

    const refused = nextCall(scene.mc.agent, false);
    const second = callOut('alice');
    (await within('the MC user is called', refused)).refuse(486);
    await second.response(486);
  });

  it('follow a redirection of MC on the channel of before, with its Call-ID', async () => {
    const taken = nextCall(scene.mc.agent, false);
    const { id, response } = callOut('alice');
    (await within('Alice is called', taken)).redirect(BOB);
    const { detail } = await response(302);
    assert.equal(detail, pbx.uriOf('bob'));
    const takenByBob = nextCall(scene.mc.agent);
    pbx.command('again', id, detail);
    const mc = await within('Bob is called', takenByBob);
    await response(200);
    await pbx.next('up', id);
    assert.match(Buffer.from(mc.invite!.body).toString('latin1'), /bob@mc-a\.example/);
    await sleep(100);
    assert.equal(pbx.fake.channels.has(id), true, 'the channel of the first INVITE lives');
    mc.bye();
    await pbx.next('bye', id);
  });

  it('pass 503 at once, with no try of its own, when the MC system cannot be reached', async () => {
    await scene.mc.close();
    const { id, response } = callOut('alice');
    await response(503);
    await pbx.next('down', id);
  });
});
