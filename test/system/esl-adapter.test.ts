import { createEslPort } from '../../src/pbx/index.js';
import { portConformance } from '../pbx/conformance.js';
import { quietEnvironment } from '../support/quiet-environment.js';
import { describeOnFreeSwitch, extension } from '../support/each-pbx.js';
import { startFreeSwitch } from '../support/freeswitch.js';
import type { PbxRig } from '../support/pbx-rig.js';
import { openSides, realRig } from '../support/real-rig.js';
import type { RigSides } from '../support/real-rig.js';

/** A route past the gateway, for the call that is never parked. */
const PAST = extension('past-gateway', ['answer', ''], ['sleep', '30000']);

describeOnFreeSwitch('the ESL adapter on a real FreeSWITCH', function () {
  this.timeout(20_000);
  let rig: PbxRig;
  let sides: RigSides | undefined;

  before(async function () {
    this.timeout(60_000);
    const pbx = await startFreeSwitch({ extensions: { 'from-segy': PAST } });
    sides = await openSides(pbx);
    const address = { host: '127.0.0.1', port: sides.proxy.port, password: pbx.password };
    rig = realRig(pbx, sides, {
      makePort: (options) =>
        createEslPort(address, quietEnvironment, {
          backOffMs: 40,
          backOffLimitMs: 200,
          ...options,
        }),
      variable: async (channelId, name) => {
        const value = await pbx.api(`uuid_getvar ${channelId} ${name}`);
        return value === '_undef_' ? '' : value;
      },
      setsVariablesOnDialled: true,
    });
  });
  after(async () => {
    await sides?.close();
  });

  portConformance(() => rig);
});
