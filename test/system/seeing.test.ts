/** What an operator sees of a running gateway: status, calls, metrics, alarms. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { McCallOptions } from '../../src/sim/index.js';
import { nextCall } from '../support/call-pair.js';
import { runSegyBeside } from '../support/cli.js';
import { FakePbx } from '../support/fake-pbx.js';
import { freePort } from '../support/ports.js';
import { ALICE, RADIO_1, Scene } from '../support/scene.js';
import { until, within } from '../support/waiting.js';

type Json = Record<string, unknown>;

describe('an operator who looks at the running gateway', function () {
  this.timeout(60_000);
  let pbx: FakePbx;
  let scene: Scene;
  let metricsPort: number;
  const told: Json[] = [];
  let refuseFirst = true;
  const hook = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      response.writeHead(refuseFirst ? 500 : 204).end();
      if (!refuseFirst) told.push(JSON.parse(body) as Json);
      refuseFirst = false;
    });
  });

  before(async () => {
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    metricsPort = await freePort();
    pbx = await FakePbx.start();
    const { port } = hook.address() as AddressInfo;
    scene = await Scene.start({
      pbx,
      allowClear: true,
      partner: { media: { policy: 'allow-clear' } },
      config: {
        limits: { setupSeconds: 2 },
        metrics: { listen: { port: metricsPort } },
        alarms: { webhook: { url: `http://127.0.0.1:${port}/alarm` }, certificateDays: 3650 },
      },
    });
  });
  after(async () => {
    await scene.stop();
    hook.close();
  });
  afterEach(async () => {
    for (const call of [...scene.mc.agent.calls, ...scene.radio.agent.calls]) call.bye();
    await pbx.hangUpAll();
  });

  const run = (...args: readonly string[]) =>
    runSegyBeside([...args, '--state', join(scene.folder, 'state')]);
  const json = async (...args: readonly string[]): Promise<Json> => {
    const { status, stdout, stderr } = await run(...args, '--json');
    assert.equal(status, 0, stdout + stderr);
    return JSON.parse(stdout) as Json;
  };

  async function connect(options: Partial<McCallOptions> = {}) {
    const taken = nextCall(scene.radio.agent, false);
    const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri, ...options });
    const radio = await within('the INVITE arrives', taken);
    pbx.park(radio, () => void radio.answer());
    assert.equal(await within('the call is answered', mc.up), true);
    return { mc, radio };
  }

  it('is told that nothing is up, and that the link to the PBX is', async () => {
    const status = await json('status');
    assert.deepEqual((status.calls as Json).total, 0);
    assert.deepEqual(status.pbx, { type: 'freeswitch', linked: true });
    assert.deepEqual([status.audit, status.store], ['ok', 'ok']);
    const threads = (status.lag as { thread: string }[]).map(({ thread }) => thread);
    assert.deepEqual(threads.sort(), ['crypto 0', 'main 0', 'media 0']);
    assert.match((await run('calls')).stdout, /no call is up/);
  });

  it('sees a call with both legs, its key, its packets and who talks, and sees it go', async () => {
    const { mc } = await connect();
    let calls: Json[] = [];
    await until('both talk', async () => {
      calls = (await json('calls')).calls as Json[];
      return String(calls[0]?.talking) === 'mc,radio';
    });
    const [call] = calls;
    assert.equal(calls.length, 1);
    assert.deepEqual([call?.caller, call?.called], [ALICE, RADIO_1.uri]);
    assert.deepEqual([call?.armed, call?.clear, call?.state], [true, false, 'confirmed']);
    assert.match(String(call?.keyId), /^1[0-9a-f]{7}$/);
    assert.deepEqual(call?.talking, ['mc', 'radio']);
    const session = String(call.session);
    const shown = await run('calls', 'show', session.slice(0, 8));
    assert.match(
      shown.stdout,
      new RegExp(`outer {2}leg {4}caller, up, tcp .*Call-ID ${mc.dialog.callId}`),
    );
    assert.match(shown.stdout, /inner {2}leg {4}called, up, udp 127\.0\.0\.1:/);
    assert.match(
      shown.stdout,
      /from MC {5}[1-9]\d* packets, .* 0 lost, jitter [\d.]+ ms; none dropped/,
    );
    assert.match(shown.stdout, /SRTP {8}1 streams, 0 ROC jumps, last authentic \d\.\d s ago/);
    const byCallId = (await json('calls', 'show', mc.dialog.callId)) as { call: Json };
    assert.equal(byCallId.call.session, session);
    const top = await run('top', '--count', '2');
    assert.match(top.stdout, /rate {7}[1-9]\d* packets\/s to the PBX/);
    const out = join(scene.folder, 'trace.json');
    assert.deepEqual((await json('trace', mc.dialog.callId, '--out', out)).live, true);
    const trace = JSON.parse(readFileSync(out, 'utf8')) as { audit: Json[]; call: Json };
    assert.deepEqual(
      trace.audit.map(({ action, keyId }) => [action, keyId]),
      [['opened', call.keyId]],
    );
    assert.equal(trace.call.session, session);
    mc.bye();
    await until('it is gone', async () => ((await json('calls')).calls as Json[]).length === 0);
    const gone = await run('calls', 'show', session, '--json');
    assert.match(gone.stdout, /SEGY_E_NOT_FOUND/);
  });

  it('is told of a call in clear by an alarm, the log, the metric and the webhook', async () => {
    const { mc } = await connect({ misbehave: { none: true } });
    await until('the alarm stands', async () =>
      ((await json('status')).alarms as Json[]).some(({ name }) => name === 'clear-call'),
    );
    await until('it is logged', () =>
      /WARN alarm\.raised alarm=clear-call subject=[0-9a-f]{32}/.test(scene.gateway.log()),
    );
    assert.match(await scrape(), /^segy_alarm\{name="clear-call"\} 1$/m);
    assert.match((await run('status')).stdout, /ALARM {6}warning clear-call/);
    await until(
      'the webhook was told, after it refused once',
      () => told.some(({ event, alarm }) => event === 'raised' && alarm === 'clear-call'),
      10_000,
    );
    mc.bye();
  });

  it('is told of certificates near their end', async () => {
    const { alarms } = (await json('status')) as { alarms: Json[] };
    const subjects = alarms
      .filter(({ name }) => name === 'certificate-expiry')
      .map(({ subject }) => subject);
    assert.deepEqual(subjects.sort(), ['mc-a kms.mc-a.example', 'own kms.lmr.example']);
    assert.match(
      await scrape(),
      /^segy_expiry_days\{kind="certificate",name="kms\.lmr\.example",owner="own"\} \d/m,
    );
  });

  it('is told that the PBX is lost, and that it is back', async () => {
    scene.link.cut();
    await until(
      'the alarm stands',
      () => scene.gateway.log().includes('alarm.raised alarm=pbx-down'),
      20_000,
    );
    assert.deepEqual(((await json('status')).pbx as Json).linked, false);
    await scene.link.mend();
    await until(
      'it is over',
      () => scene.gateway.log().includes('alarm.cleared alarm=pbx-down'),
      40_000,
    );
  });

  it('counts setups by how they ended', async () => {
    const { mc } = await connect();
    mc.bye();
    const refused = await scene.mc.call({ from: ALICE, to: 'sip:nobody@lmr.example' });
    await within('it is refused', refused.ended);
    await until('both are counted', async () => {
      const text = await scrape();
      return (
        /^segy_call_setups_total\{code="-",direction="mc-to-lmr",outcome="connected"\} [1-9]/m.test(
          text,
        ) &&
        /^segy_call_setups_total\{code="SEGY_E_UNKNOWN_CALLEE",direction="mc-to-lmr",outcome="refused"\} 1/m.test(
          text,
        )
      );
    });
  });

  it('gets nothing but the metrics from their port', async () => {
    const at = `http://127.0.0.1:${metricsPort}`;
    assert.equal((await fetch(`${at}/`)).status, 404);
    assert.equal((await fetch(`${at}/metrics`, { method: 'POST' })).status, 405);
  });

  async function scrape(): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    assert.match(answer.headers.get('content-type') ?? '', /text\/plain; version=0\.0\.4/);
    return answer.text();
  }
});
