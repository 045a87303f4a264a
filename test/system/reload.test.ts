/** Changing, draining and ending a gateway that carries calls. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { SegyConfig } from '../../src/config/index.js';
import {
  callMc,
  callRadio,
  expectUp,
  nextCall,
  settle,
  type CallPair,
} from '../support/call-pair.js';
import { runSegyBeside } from '../support/cli.js';
import { GatewayProcess } from '../support/gateway.js';
import { noNotifySocket, NotifySocket } from '../support/notify-socket.js';
import { ALICE, RADIO_1, Scene } from '../support/scene.js';
import { skipBecause } from '../support/skip.js';
import { sleep, until, within } from '../support/waiting.js';

/** Reloads during how many calls; the whole count is SEGY_TEST_RELOADS=500 SEGY_TEST_RELOAD_CALLS=50. */
const RELOADS = Number(process.env.SEGY_TEST_RELOADS ?? 20);
const CALLS = Number(process.env.SEGY_TEST_RELOAD_CALLS ?? 4);

describe('a gateway that carries calls', function () {
  this.timeout(600_000);
  let scene: Scene;
  const events = (name: string): number => scene.gateway.log().split(name).length - 1;

  beforeEach(async () => {
    scene = await Scene.start();
  });
  afterEach(async () => {
    await scene.stop();
  });

  function change(edit: (config: { partners: SegyConfig['partners']; users: object[] }) => void) {
    const file = join(scene.folder, 'segy.yaml');
    const config = parse(readFileSync(file, 'utf8')) as never;
    edit(config);
    writeFileSync(file, stringify(config));
  }

  const streams = (pairs: readonly CallPair[]) =>
    pairs.flatMap(({ mc, radio }) => [
      { from: mc.media.stream, to: radio.media.stream },
      { from: radio.media.stream, to: mc.media.stream },
    ]);

  it(`loses no packet of ${CALLS} calls in ${RELOADS} reloads`, async () => {
    const pairs: CallPair[] = [];
    for (let i = 0; i < CALLS; i++) pairs.push(await (i % 2 === 0 ? callRadio : callMc)(scene));
    const all = streams(pairs);
    const quiet = async (): Promise<{ sent: number; received: number }[]> => {
      for (const { from } of all) from.stop();
      await sleep(500);
      await settle('speech', () => all.reduce((sum, { to }) => sum + to.counters.received, 0));
      return all.map(({ from, to }) => ({
        sent: from.counters.sent,
        received: to.counters.received,
      }));
    };
    const before = await quiet();
    for (const { from } of all) from.start();
    for (let i = 0; i < RELOADS; i++) {
      // each of them changes something: a user and a limit of the partner come and go
      change(({ partners, users }) => {
        const limits = { ...partners[0]!.limits, calls: 400 + (i % 2) };
        partners[0] = { ...partners[0]!, limits };
        users.splice(2, 1, ...(i % 2 === 0 ? [{ uri: 'sip:late@lmr.example', pbx: '1099' }] : []));
      });
      scene.gateway.signal('SIGHUP');
      await until('the reload is done', () => events('reload.done') > i);
    }
    const after = await quiet();
    const counts = after.map(({ sent, received }, i) => ({
      sent: sent - before[i]!.sent,
      received: received - before[i]!.received,
    }));
    const sent = counts.reduce((sum, count) => sum + count.sent, 0);
    const received = counts.reduce((sum, count) => sum + count.received, 0);
    const counted = `${RELOADS} reloads during ${CALLS} calls: ${sent} sent, ${received} received`;
    process.stdout.write(`    ${counted}\n`);
    assert.ok(sent > 0);
    assert.equal(received, sent);
    for (const { mc } of pairs) mc.bye();
  });

  it('takes a new user by segy reload, and nothing of a file that is wrong', async () => {
    const reload = () =>
      runSegyBeside(['reload', '--socket', join(scene.folder, 'state/segy.sock'), '--json']);
    const LATE = 'sip:late@lmr.example';
    const refusedBy = async () => {
      const call = await scene.mc.call({ from: ALICE, to: LATE });
      return (await within('the call ends', call.ended)).status;
    };
    assert.equal(await refusedBy(), 404);
    change(({ users }) => users.push({ uri: LATE, pbx: '1001x' }));
    change((config) => Object.assign(config, { logLevel: 'debug', partnrs: [] }));
    const wrong = await reload();
    assert.equal(wrong.status, 1);
    assert.match(wrong.stdout, /SEGY_E_CONFIG.*partnrs/);
    assert.equal(await refusedBy(), 404);
    change((config) => Object.assign(config, { partnrs: undefined }));
    const fixed = await reload();
    assert.match(fixed.stdout, /logLevel cannot change/);
    change((config) => Object.assign(config, { logLevel: undefined }));
    const right = await reload();
    assert.equal(right.status, 0, right.stdout);
    assert.equal((JSON.parse(right.stdout) as { users: number }).users, 3);
    const taken = nextCall(scene.radio.agent);
    await expectUp(await scene.mc.call({ from: ALICE, to: LATE }));
    await within('the radio takes the call', taken);
  });

  it('ends with its last call after SIGTERM, and takes no other until then', async () => {
    const { mc, radio } = await callRadio(scene);
    scene.gateway.signal('SIGTERM');
    await until('it drains', () => events('gateway.draining') > 0);
    const refused = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
    const end = await within('the new call ends', refused.ended);
    assert.equal(end.status, 503);
    assert.match(end.headers?.get('Retry-After') ?? '', /^\d+$/);
    await sleep(1000);
    assert.equal(events('gateway.stopped'), 0);
    mc.bye();
    await within('the radio call ends', radio.ended);
    await within('the gateway ends', scene.gateway.exited);
    assert.match(scene.gateway.log(), /gateway\.drained.*empty/);
  });

  it('a second SIGTERM ends the calls and the gateway at once', async () => {
    const { mc, radio } = await callRadio(scene);
    scene.gateway.signal('SIGTERM');
    await until('it drains', () => events('gateway.draining') > 0);
    scene.gateway.signal('SIGTERM');
    await within('the gateway ends', scene.gateway.exited);
    assert.equal((await within('MC gets BYE', mc.ended)).by, 'peer');
    assert.equal((await within('the radio gets BYE', radio.ended)).by, 'peer');
  });

  it('writes no core dump', () => {
    const limits = readFileSync(`/proc/${scene.gateway.pid}/limits`, 'utf8');
    assert.match(limits, /Max core file size\s+0\s+0/);
    const filter = readFileSync(`/proc/${scene.gateway.pid}/coredump_filter`, 'utf8');
    assert.match(filter, /^0+$/m);
  });
});

describe('a gateway under a service manager', function () {
  this.timeout(120_000);
  let scene: Scene | undefined;
  let socket: NotifySocket | undefined;

  before(async function () {
    const reason = noNotifySocket();
    if (reason !== null) skipBecause(this, `what the service manager is told is tested: ${reason}`);
    scene = await Scene.start();
    await scene.gateway.stop();
    socket = await NotifySocket.open(join(scene.folder, 'notify'));
  });
  after(async () => {
    socket?.close();
    await scene?.stop();
  });

  it('says when it is ready, reloads, lives and stops', async () => {
    const { folder } = scene!;
    const lines = (): string[] => socket!.lines;
    const gateway = new GatewayProcess(join(folder, 'segy.yaml'), join(folder, 'managed.log'), {
      NOTIFY_SOCKET: join(folder, 'notify'),
      WATCHDOG_USEC: '3000000',
    });
    const comes = (line: string): Promise<void> =>
      until(`${line} comes`, () => lines().includes(line));
    await gateway.start();
    await comes('READY=1');
    await comes('WATCHDOG=1');
    gateway.signal('SIGHUP');
    await comes('RELOADING=1');
    await until('it is ready again', () => {
      const all = lines();
      return all.indexOf('READY=1', all.indexOf('RELOADING=1')) > 0;
    });
    gateway.signal('SIGTERM');
    await within('the gateway ends', gateway.exited);
    await comes('STOPPING=1');
  });
});
