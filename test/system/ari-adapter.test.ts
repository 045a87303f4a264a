import assert from 'node:assert/strict';
import { createAriPort } from '../../src/pbx/index.js';
import { portConformance, until } from '../pbx/conformance.js';
import { AsteriskRig, quietEnvironment } from '../support/asterisk-rig.js';
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

  it('receives nothing of calls that are not the gateway’s but what it asked for', async () => {
    const filter = await rig.asterisk.cli('ari show app segy');
    assert.doesNotMatch(filter, /Error/);
  });
});
