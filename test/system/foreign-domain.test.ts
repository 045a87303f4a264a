/** Attacks by domains that the gateway trusts for others, or for nobody. */
import assert from 'node:assert/strict';
import {
  createSimKms,
  McSystem,
  openDomainFiles,
  simCertificate,
  SimDomain,
} from '../../src/sim/index.js';
import { join } from 'node:path';
import {
  ALICE,
  EVE,
  MC_ADDRESS,
  NEIGHBOUR_ADDRESS,
  RADIO_1,
  Scene,
  sceneEnvironment,
} from '../support/scene.js';
import { callRadio } from '../support/call-pair.js';
import { within } from '../support/waiting.js';

describe('a security domain and the users of another', function () {
  this.timeout(60_000);
  let scene: Scene;
  const systems: McSystem[] = [];

  before(async () => {
    scene = await Scene.start({ neighbour: true });
  });

  after(async () => {
    await Promise.all(systems.map((system) => system.close()));
    await scene.stop();
  });

  /** An MC system that sends from `address` with the keys of `domain`. */
  async function attacker(address: string, domain: SimDomain): Promise<McSystem> {
    const system = new McSystem(
      {
        domain,
        users: [],
        address,
        protocol: 'tcp',
        gateway: { ...scene.outer, protocol: 'tcp' },
        requestUri: 'sip:mcptt-private@lmr.example',
      },
      sceneEnvironment,
    );
    await system.open();
    systems.push(system);
    return system;
  }

  async function expectRefused(system: McSystem, from: string, code: string): Promise<void> {
    const call = await system.call({ from, to: RADIO_1.uri });
    const end = await within('the call ends', call.ended);
    assert.equal(end.status, 488);
    assert.match(end.warning ?? '', new RegExp(`\\b${code}\\b`));
    assert.equal(await scene.asterisk.channelCount(), 0);
  }

  const neighbourDomain = (): SimDomain =>
    openDomainFiles(join(scene.folder, 'mc-b'), scene.domain.slow, sceneEnvironment).domain;

  it('carries calls of each partner under its own KMS', async () => {
    const { mc, radio } = await callRadio(scene);
    mc.bye();
    await within('the radio call ends', radio.ended);
    const call = await scene.neighbour!.call({ from: EVE, to: RADIO_1.uri });
    assert.equal(await within('the call is answered or refused', call.up), true);
    call.bye();
  });

  it("refuses a cross-signed domain that signs as another's user, from its own address", async () => {
    const system = await attacker(NEIGHBOUR_ADDRESS, neighbourDomain());
    await expectRefused(system, ALICE, 'SEGY_E_MIKEY_INITIATOR');
  });

  it("refuses a cross-signed domain's KMS that comes from another partner's address", async () => {
    const system = await attacker(MC_ADDRESS, neighbourDomain());
    await expectRefused(system, EVE, 'SEGY_E_MIKEY_KMS_NOT_ALLOWED');
  });

  it('refuses a KMS that it does not trust', async () => {
    const { slow } = scene.domain;
    const names = { kmsUri: 'kms.unknown.example', domains: ['mc-a.example'], users: [] };
    const kms = createSimKms(names, slow, sceneEnvironment);
    const gateway = scene.domain.certificateOf(RADIO_1.uri);
    const domain = new SimDomain({ kms, trusted: [gateway], slow }, sceneEnvironment);
    const system = await attacker(MC_ADDRESS, domain);
    await expectRefused(system, ALICE, 'SEGY_E_MIKEY_KMS_UNKNOWN');
  });

  it('refuses keys of another KMS under the URI of a trusted one', async () => {
    const { slow } = scene.domain;
    const names = { kmsUri: 'kms.mc-a.example', domains: ['mc-a.example'], users: [] };
    const kms = createSimKms(names, slow, sceneEnvironment);
    assert.notDeepEqual(simCertificate(kms).pubAuthKey, scene.domain.certificate.pubAuthKey);
    const gateway = scene.domain.certificateOf(RADIO_1.uri);
    const domain = new SimDomain({ kms, trusted: [gateway], slow }, sceneEnvironment);
    const system = await attacker(MC_ADDRESS, domain);
    await expectRefused(system, ALICE, 'SEGY_E_MIKEY_SIGNATURE');
  });
});
