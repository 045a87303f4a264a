/** Calls whose signalling with the MC system is protected by an SPK and EARs. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fromHex, toHex } from '../../src/base/bytes.js';
import { periodAt, uidOf } from '../../src/kms/index.js';
import { decodeEar } from '../../src/protect/index.js';
import { SimSignalling, type PartyMedia, type SimCall } from '../../src/sim/index.js';
import { PROJECT_ROOT } from '../support/asterisk.js';
import { callMc, callRadio, hears } from '../support/call-pair.js';
import type { CallPair } from '../support/call-pair.js';
import { MAIN } from '../support/cli.js';
import {
  ALICE,
  MC_TONE_HZ,
  RADIO_1,
  RADIO_TONE_HZ,
  Scene,
  sceneEnvironment,
} from '../support/scene.js';
import { within } from '../support/waiting.js';

const SPK_ID = '30010203';
const POINTS = { messageType: 0x91, requestIei: 0x70, requestIdIei: 0x21, requestExpiryIei: 0x22 };
const ROLES = { user: 1, server: 2 };

function profile(keyFile: string): Record<string, unknown> {
  return {
    protection: {
      spks: [
        {
          id: SPK_ID,
          keyFile,
          rand: '00'.repeat(16),
          validFrom: '2020-01-01T00:00:00Z',
          validTo: '2099-01-01T00:00:00Z',
        },
      ],
      ear: {
        receive: 'explicit',
        send: true,
        codePoints: { ...POINTS, roles: ROLES, signature: 'appended' },
        sourceRole: 'user',
        targetRole: 'server',
        acceptRoles: ['user'],
      },
    },
  };
}

async function expectSpeech({ mc, radio }: CallPair): Promise<void> {
  const heard = await Promise.all([hears(radio, MC_TONE_HZ), hears(mc, RADIO_TONE_HZ)]);
  assert.deepEqual(heard, [true, true], 'tone at the radio, tone at the MC user');
}

async function endedBy(call: SimCall<PartyMedia>): Promise<string> {
  return (await within('the call ends', call.ended)).by;
}

describe('calls under signalling protection through a real Asterisk', function () {
  this.timeout(60_000);
  const key = randomBytes(16);
  const keyFile = join(tmpdir(), `segy-spk-${randomBytes(4).toString('hex')}`);
  const artefacts = join(PROJECT_ROOT, 'artefacts');
  const ear = { points: POINTS, sourceRole: ROLES.user, targetRole: ROLES.server };
  const shared = {
    spk: { id: fromHex(SPK_ID), key },
    confidentiality: true,
    integrity: true,
  };
  const signalling = new SimSignalling({ ...shared, ear }, sceneEnvironment);
  let scene: Scene;

  before(async () => {
    mkdirSync(artefacts, { recursive: true });
    writeFileSync(keyFile, `${toHex(key)}\n`, { mode: 0o600 });
    scene = await Scene.start({
      signalling,
      partner: profile(keyFile),
      capture: join(artefacts, 'protected'),
    });
  });

  after(async () => {
    await scene.stop();
    rmSync(keyFile);
  });

  it('carry speech both ways when the MC user calls', async () => {
    const pair = await callRadio(scene);
    await expectSpeech(pair);
    pair.mc.bye();
    assert.equal(await endedBy(pair.radio), 'peer');
  });

  it('carry speech both ways when the radio user calls, with an EAR that the radio user signed', async () => {
    const pair = await callMc(scene);
    await expectSpeech(pair);
    pair.mc.bye();
    await endedBy(pair.radio);
    const { ear: came, payload, signature } = decodeEar(signalling.ears.at(-1)!, POINTS);
    assert.equal(came.sourceId, RADIO_1.uri);
    const certificate = scene.domain.certificateOf(RADIO_1.uri);
    const isSigned = scene.domain.verifier.verify({
      kpak: certificate.pubAuthKey,
      id: uidOf(certificate, RADIO_1.uri, periodAt(certificate, came.time * 1000)),
      message: payload,
      signature,
    });
    assert.ok(isSigned);
  });

  it('are put on hold and taken back by re-INVITEs', async () => {
    const pair = await callRadio(scene);
    for (const direction of ['inactive', 'sendrecv'] as const) {
      pair.mc.media.direction = direction;
      assert.equal(await pair.mc.reinvite(), 200);
    }
    await expectSpeech(pair);
    pair.mc.bye();
    await endedBy(pair.radio);
  });

  it('are told apart by key while several go on at once, both ways', async () => {
    for (let round = 0; round < 5; round += 1) {
      const pairs = [await callRadio(scene), await callMc(scene), await callRadio(scene)];
      const ids = pairs.map(({ mc }) => toHex(mc.media.keys.pck?.keyId ?? new Uint8Array()));
      assert.equal(new Set(ids).size, pairs.length);
      for (const { mc } of pairs) mc.bye();
      for (const { radio } of pairs) assert.equal(await endedBy(radio), 'peer');
    }
  });

  it('show no identity outside and no protection inside', () => {
    const outside = readFileSync(join(artefacts, 'protected-outer.pcap')).toString('latin1');
    const inside = readFileSync(join(artefacts, 'protected-inner.pcap')).toString('latin1');
    assert.match(outside, /EncryptedData/);
    assert.match(inside, /X-SeGy-Caller: sip:alice@mc-a\.example/);
    const identity = new RegExp(`<mcpttURI>|${ALICE}|${RADIO_1.uri}`);
    // an I_MESSAGE with visible identities names them in base64, and an EAR names them by its nature
    assert.doesNotMatch(outside.replace(/signalling-ear[\s\S]{0,400}/g, ''), identity);
    assert.doesNotMatch(inside, /EncryptedData|signed\+xml|signalling-ear|mc1-encrypted/);
    assert.doesNotMatch(outside, /127\.0\.0\.|X-SeGy|Asterisk|1001@/i);
    assert.doesNotMatch(inside, /127\.0\.[12]\.|controlling@|mcptt-private|key-mgmt/);
    assert.ok(
      !inside.includes(key.toString('latin1')) && !outside.includes(key.toString('latin1')),
    );
  });

  it('are told by segy partner check to be accepted, with the partner reached', async () => {
    const args = ['partner', 'check', 'mc-a', '-c', scene.gateway.configFile];
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args]);
    assert.match(stdout, /accepts {2}XML encryption: required/);
    assert.match(stdout, /requests: with an EAR of role user, type 2/);
    assert.match(stdout, new RegExp(`SPK {6}${SPK_ID} valid`));
    assert.match(stdout, /reached {2}tcp 127\.0\.2\.1/);
    assert.ok(!stdout.includes(toHex(key)));
  });
});
