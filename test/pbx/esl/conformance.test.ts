import { EslRig } from '../../support/esl-rig.js';
import { portConformance } from '../conformance.js';

describe('pbx/esl on a fake FreeSWITCH', () => {
  let rig: EslRig;
  before(async () => {
    rig = await EslRig.start();
  });
  after(async () => {
    await rig.stop();
  });

  portConformance(() => rig);
});
