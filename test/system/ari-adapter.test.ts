import assert from 'node:assert/strict';
import { createAriPort } from '../../src/pbx/index.js';
import { portConformance, until } from '../pbx/conformance.js';
import { AsteriskRig } from '../support/asterisk-rig.js';
import { quietEnvironment } from '../support/quiet-environment.js';
import { freePort } from '../support/ports.js';

describe('the ARI adapter on a real Asterisk', function () {
  this.timeout(20_000);
  let rig: AsteriskRig;

  before(async function () {
    this.timeout(180_000);
    rig = await AsteriskRig.start();
  });
  after(async () => {
    await rig.stop();
  });

  portConformance(() => rig.rig);

  it('tells a wrong password from a dead PBX, and goes on trying', async () => {
    const reasons: string[] = [];
    const log = { ...quietEnvironment.log, warn: (_: string, f?: object) => note(f) };
    const note = (fields?: object): void => {
      reasons.push(JSON.stringify(fields));
    };
    const address = { ...rig.asterisk.ari, password: 'wrong' };
    const port = createAriPort(address, { ...quietEnvironment, log }, { backOffMs: 20 });
    await port.start();
    await until('the failure is logged', () => reasons.length > 0);
    await port.stop();
    assert.match(reasons[0] ?? '', /user name or the password/);
    assert.doesNotMatch(reasons.join(), /wrong/);
  });

  it('starts while the PBX is down', async () => {
    const nobody = await freePort();
    const address = { ...rig.asterisk.ari, url: `http://127.0.0.1:${nobody}` };
    const port = createAriPort(address, quietEnvironment, { backOffMs: 20 });
    await port.start();
    assert.equal(port.linked, false);
    await port.stop();
  });

  it('has the PBX send the few event types it needs, not every variable of every call', async () => {
    const port = rig.rig.makePort();
    await port.start();
    await until('the link is up', () => port.linked);
    const { url, username, password, app } = rig.asterisk.ari;
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const answer = await fetch(`${url}/ari/applications/${app}`, {
      headers: { authorization, connection: 'close' },
    });
    const { events_allowed: allowed } = (await answer.json()) as {
      events_allowed: { type: string }[];
    };
    await port.stop();
    const types = allowed.map(({ type }) => type);
    assert.ok(types.includes('StasisStart'));
    assert.ok(!types.includes('ChannelVarset'));
  });
});

describe('Asterisk with its dialplan, between gateways', function () {
  this.timeout(20_000);
  let rig: AsteriskRig;
  let serial = 0;
  const callId = (): string => `dialplan-${process.pid}-${++serial}`;

  before(async function () {
    this.timeout(180_000);
    rig = await AsteriskRig.start();
  });
  after(async () => {
    await rig.stop();
  });

  it('lets a gateway that is started anew while calls are up come up at once, twelve times', async () => {
    for (let round = 0; round < 12; round++) {
      const port = rig.rig.makePort();
      await port.start();
      await until('the link is up', () => port.linked);
      const arrival = await rig.rig.callOut();
      arrival.respond(200);
      await port.outboundChannel({ callId: arrival.callId, timeoutMs: 1000 });
      await port.stop();
      const next = rig.rig.makePort();
      await next.start();
      await until('the next link is up', () => next.linked);
      await next.hangUpOrphans();
      await arrival.ended;
      await next.stop();
    }
  });

  it('refuses a call from MC with 503', async () => {
    assert.equal(await rig.fromGateway('radio7', callId()).final, 503);
  });

  for (const user of ['1&PJSIP%2Fx', 'a%2CPJSIP', 'radio7%24%7BEXTEN%7D', 'radio%207']) {
    it(`refuses the user part ${user} from MC with 404`, async () => {
      assert.equal(await rig.fromGateway(user, callId()).final, 404);
    });

    it(`refuses the user part ${user} from the radio with 404`, async () => {
      assert.equal(await rig.fromRadio(user, callId()).final, 404);
    });
  }

  for (const user of ['h', 's', 't', 'i']) {
    it(`answers no call to the special extension ${user}`, async () => {
      assert.ok((await rig.fromGateway(user, callId()).final) >= 400);
    });
  }

  it('runs each hang-up extension once and leaves no channel', async () => {
    await until('all channels have ended', async () => (await rig.rig.channelCount()) === 0);
    assert.doesNotMatch(rig.asterisk.log(), /Stasis\([^)]*\).*\bh@/);
  });
});
