/** A working day in a minute: private and group calls, commands, a rekeyed store, a backup, a restart. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../support/asterisk.js';
import { callMc, callRadio, hears } from '../support/call-pair.js';
import { runSegyBeside } from '../support/cli.js';
import { groupSystemOf, newGmk } from '../support/group-system.js';
import { Capture } from '../support/pcap.js';
import { freePort } from '../support/ports.js';
import { ALICE, MC_TONE_HZ, RADIO_1, RADIO_TONE_HZ, Scene } from '../support/scene.js';
import { UsedSecrets } from '../support/used-secrets.js';
import { within } from '../support/waiting.js';

const GROUP = 'sip:police@mc-a.example';
const GMS = 'sip:gms@mc-a.example';
const HERE = { address: '127.0.0.1', port: 0 };
const GMK = newGmk(1);

describe('after a day of calls, commands and a restart', function () {
  this.timeout(120_000);
  let scene: Scene;
  let metricsPort: number;
  const control = new Capture();
  const secrets = new UsedSecrets();
  /** what was written anywhere, by where */
  const seen = new Map<string, Capture>();
  let written = 0;

  const note = (where: string, octets: Uint8Array): void => {
    const capture = seen.get(where) ?? new Capture();
    capture.add(HERE, HERE, octets);
    seen.set(where, capture);
    written += octets.length;
  };
  const state = (): string => join(scene.folder, 'state');

  async function command(...words: string[]): Promise<void> {
    const socket =
      words[0] === 'group' ? ['--config', scene.gateway.configFile] : ['--state', state()];
    for (const form of [[], ['--json']]) {
      const { stdout, stderr, status } = await runSegyBeside([...words, ...socket, ...form]);
      assert.equal(status, 0, `segy ${words.join(' ')}: ${stdout}${stderr}`);
      note(`segy ${words.join(' ')}`, Buffer.from(stdout + stderr));
    }
  }

  async function deliverGroupKey(): Promise<void> {
    assert.equal(await groupSystemOf(scene, GMS, GROUP).give(GMK), 200);
    secrets.addGmk(GMK, [ALICE, RADIO_1.uri]);
  }

  async function privateCalls(): Promise<void> {
    for (const place of [callRadio, callMc]) {
      const { mc, radio } = await place(scene);
      secrets.addPck(mc);
      const heard = await Promise.all([hears(radio, MC_TONE_HZ), hears(mc, RADIO_TONE_HZ)]);
      assert.deepEqual(heard, [true, true]);
      await command('status');
      await command('calls', 'list');
      const metrics = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
      note('metrics', Buffer.from(await metrics.text()));
      mc.bye();
      await within('the radio call ends', radio.ended);
    }
  }

  before(async () => {
    metricsPort = await freePort();
    const artefacts = join(PROJECT_ROOT, 'artefacts');
    mkdirSync(artefacts, { recursive: true });
    scene = await Scene.start({
      capture: join(artefacts, 'no-key'),
      control,
      partner: { gms: [GMS], groups: [{ id: GROUP, pbx: 'police', speaker: RADIO_1.uri }] },
      config: { logLevel: 'debug', metrics: { listen: { port: metricsPort } } },
    });
    await deliverGroupKey();
    await privateCalls();
    await command('partners');
    await command('keys', 'list');
    await command('keys', 'show', '0a000001');
    await command('group', 'list');
    await command('user', 'list');
    await command('kms', 'trust', 'list');
    await command('audit', 'show');
    await scene.gateway.kill();
    await scene.gateway.start();
    await privateCalls();
    await command('keys', 'list');
    await scene.gateway.stop();
    await secrets.addDomain(scene.folder, RADIO_1.uri);
    const offline = ['--master-key', join(scene.folder, 'master.key')];
    await command('store', 'verify', ...offline);
    const backup = ['store', 'backup', join(state(), 'backup'), '--state', state(), ...offline];
    const { status, stdout, stderr } = await runSegyBeside(backup);
    assert.equal(status, 0, stdout + stderr);
    await command('store', 'rekey', ...offline);

    const files = readdirSync(state(), { recursive: true, withFileTypes: true });
    for (const file of files.filter((entry) => entry.isFile())) {
      note('state folder', readFileSync(join(file.parentPath, file.name)));
    }
    note('log of the gateway', Buffer.from(scene.gateway.log()));
    note('log of the PBX', Buffer.from(scene.asterisk.log()));
    seen.set('control link', control);
    seen.set('inner network', scene.taps!.inner.capture);
    seen.set('outer network', scene.taps!.outer.capture);
  });
  after(async () => {
    await scene.stop();
  });

  it('many places were written to, and every kind of key was used', () => {
    assert.ok(seen.size > 15);
    assert.ok(written > 100_000);
    assert.ok(control.packets.length > 50);
    for (const name of ['GMK', 'z', 'KSAK', 'RSK', 'SSK', 'data key', 'master key']) {
      assert.ok(secrets.byName.has(name), name);
    }
    assert.ok(secrets.byName.size > 30);
  });

  it('no log, metric, command, control message, packet or file holds an octet string of any key', () => {
    const found = [...seen].flatMap(([where, capture]) =>
      secrets.foundIn(capture).map((name) => `${name} in ${where}`),
    );
    assert.deepEqual(found, []);
  });

  it('a key that was written would have been found', () => {
    assert.equal(seen.get('outer network')?.holds(GMK.id), true);
    const copy = new Capture();
    const [key] = secrets.byName.values();
    assert.ok(key);
    copy.add(HERE, HERE, Buffer.from(`{"x":"${Buffer.from(key).toString('base64')}"}`));
    assert.equal(copy.holds(key), true);
  });
});
