import assert from 'node:assert/strict';
import { SegyError } from '../../src/base/errors.js';
import type { PbxPort } from '../../src/edge/ports/pbx-port.js';
import type { ChannelFacts, LinkListener, PbxDriver, PbxLink } from '../../src/pbx/driver.js';
import { type PortOptions, createPort } from '../../src/pbx/port.js';
import { quietEnvironment } from '../support/quiet-environment.js';
import { until } from './conformance.js';

const PARKED: ChannelFacts = { id: '1', name: 'one', callId: 'call', handedOver: true };

/** A driver whose every answer the test decides. */
class ScriptedDriver implements PbxDriver {
  readonly name = 'scripted';
  attempts = 0;
  readonly attemptedAt: number[] = [];
  closed = 0;
  listener: LinkListener | undefined;
  list: ChannelFacts[] = [];
  /** Call-IDs that were looked for, by question */
  readonly asked: (readonly string[])[] = [];
  /** channels that exist whatever the list says; those of the list where it is not set */
  existing: string[] | undefined;
  failing = false;
  /** what the commands do; by default all succeed */
  command: (name: string) => Promise<string> = () => Promise.resolve('');

  connect(listener: LinkListener): Promise<PbxLink> {
    this.attempts++;
    this.attemptedAt.push(performance.now());
    if (this.failing) return Promise.reject(new SegyError('SEGY_E_PBX_DOWN', 'refused'));
    this.listener = listener;
    const run = (name: string) => async (): Promise<void> => {
      await this.command(name);
    };
    return Promise.resolve({
      listChannels: async () => {
        await this.command('list all');
        return this.list;
      },
      dialledChannels: async (callIds) => {
        this.asked.push(callIds);
        await this.command('list dialled');
        return this.list;
      },
      exists: async (id) => {
        await this.command(`exists ${id}`);
        return (this.existing ?? this.list.map((facts) => facts.id)).includes(id);
      },
      sessionHeader: () => this.command('session'),
      getVariable: () => this.command('getVariable'),
      setVariables: run('setVariables'),
      tell: run('tell'),
      proceed: run('proceed'),
      refuse: run('refuse'),
      hangup: run('hangup'),
      probe: run('probe'),
      close: () => {
        this.closed++;
        return Promise.resolve();
      },
    });
  }
}

const never = (): Promise<string> => new Promise(() => undefined);
const inbound = { callId: 'call', sessionId: 's', timeoutMs: 200 };

describe('pbx/port', () => {
  let driver: ScriptedDriver;
  let port: PbxPort;

  const start = async (options: PortOptions = {}): Promise<void> => {
    port = createPort(driver, quietEnvironment, { backOffMs: 4, commandMs: 40, ...options });
    await port.start();
    if (!driver.failing) await until('the link is up', () => port.linked);
  };

  beforeEach(() => {
    driver = new ScriptedDriver();
  });
  afterEach(async () => {
    await port.stop();
  });

  it('reads one list at a time, of dialled channels only, for however many calls wait', async () => {
    const asked: string[] = [];
    driver.command = async (name) => {
      asked.push(name);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return '';
    };
    await start();
    driver.list = [{ id: 'c7', name: 'leg', callId: 'call-7', handedOver: false }];
    const waits = Array.from({ length: 60 }, (_, at) =>
      port.outboundChannel({ callId: `call-${at}`, timeoutMs: 150 }).then(
        (channel) => channel.id,
        () => '',
      ),
    );
    assert.deepEqual((await Promise.all(waits)).filter(Boolean), ['c7']);
    assert.deepEqual(new Set(asked.slice(1)), new Set(['list dialled']));
    assert.ok(asked.length <= 4, asked.join());
    assert.equal(new Set(driver.asked.flat()).size, 60);
  });

  it('tries for ever, ever more slowly up to its limit', async () => {
    driver.failing = true;
    await start({ backOffLimitMs: 8 });
    await until('it has tried often', () => driver.attempts > 12);
    driver.failing = false;
    await until('the link is up', () => port.linked);
  });

  it('does not hammer a PBX that refuses: the waits double', async () => {
    driver.failing = true;
    await start({ backOffMs: 40, backOffLimitMs: 10_000 });
    await until('it has tried five times', () => driver.attemptedAt.length >= 5);
    const at = driver.attemptedAt;
    for (const [n, leastMs] of [20, 40, 80, 160].entries()) {
      const waited = at[n + 1]! - at[n]!;
      assert.ok(waited > leastMs - 2, `${waited} ms before the attempt after ${n + 1}`);
    }
  });

  it('takes a link for dead whose probe is not answered', async () => {
    await start({ probeEveryMs: 10 });
    driver.command = (name) => (name === 'probe' ? never() : Promise.resolve(''));
    await until('a new link was opened', () => driver.attempts > 1);
    assert.ok(driver.closed > 0);
  });

  it('drops a link whose channel list cannot be had, and tries again', async () => {
    driver.command = (name) =>
      name.startsWith('list')
        ? Promise.reject(new SegyError('SEGY_E_PBX', 'no'))
        : Promise.resolve('');
    port = createPort(driver, quietEnvironment, { backOffMs: 4 });
    await port.start();
    await until('it has tried again', () => driver.attempts > 2);
    assert.equal(port.linked, false);
    assert.ok(driver.closed >= driver.attempts - 1);
  });

  it('ends a command that is never answered with SEGY_E_TIMEOUT', async () => {
    driver.list = [PARKED];
    driver.command = (name) => Promise.resolve(name === 'session' ? 's' : '');
    await start();
    const channel = await port.inboundChannel(inbound);
    driver.command = never;
    await assert.rejects(channel.proceed(), { code: 'SEGY_E_TIMEOUT' });
    assert.equal(channel.gone, false);
  });

  it('ends a command at once with SEGY_E_PBX_DOWN when the link is lost meanwhile', async () => {
    driver.list = [PARKED];
    driver.command = (name) => Promise.resolve(name === 'session' ? 's' : '');
    await start({ commandMs: 60_000 });
    const channel = await port.inboundChannel(inbound);
    driver.command = (name) => (name === 'proceed' ? never() : Promise.resolve(''));
    const proceeding = channel.proceed();
    driver.listener?.down('cut');
    await assert.rejects(proceeding, { code: 'SEGY_E_PBX_DOWN' });
  });

  it('takes «not found» as the end of the channel and says so once', async () => {
    driver.list = [PARKED];
    driver.command = (name) => Promise.resolve(name === 'session' ? 's' : '');
    await start();
    const channel = await port.inboundChannel(inbound);
    let ends = 0;
    channel.onGone = () => ends++;
    driver.command = () => Promise.reject(new SegyError('SEGY_E_NOT_FOUND', 'gone'));
    await assert.rejects(channel.proceed(), { code: 'SEGY_E_PBX' });
    driver.listener?.event({ kind: 'gone', id: '1' });
    assert.equal(ends, 1);
    assert.equal(channel.gone, true);
  });

  it('gives out no channel that ended while its session was read', async () => {
    driver.list = [PARKED];
    await start();
    driver.command = (name) => {
      if (name === 'session') driver.listener?.event({ kind: 'gone', id: '1' });
      return Promise.resolve('s');
    };
    await assert.rejects(port.inboundChannel(inbound), { code: 'SEGY_E_PBX_NO_CHANNEL' });
  });

  it('refuses a call whose Call-ID two channels have', async () => {
    driver.list = [PARKED, { ...PARKED, id: '2' }];
    await start();
    await assert.rejects(port.inboundChannel(inbound), { code: 'SEGY_E_PBX_NO_CHANNEL' });
  });

  it('finds an outbound channel whose event was missed in one list', async () => {
    await start();
    driver.list = [{ ...PARKED, handedOver: false }];
    const channel = await port.outboundChannel({ callId: 'call', timeoutMs: 500 });
    assert.equal(channel.id, '1');
  });

  for (const [what, listed, exists] of [
    ['keeps a channel that exists and that a lagging list has not', false, true],
    ['ends a channel that does not exist any more and that a lagging list still has', true, false],
  ] as const) {
    it(`${what}, when the link is back`, async () => {
      driver.list = [PARKED];
      driver.command = (name) => Promise.resolve(name === 'session' ? 's' : '');
      await start();
      const channel = await port.inboundChannel(inbound);
      let live: ReadonlySet<string> | undefined;
      port.onResync = (ids) => (live = ids);
      driver.list = listed ? [PARKED] : [];
      driver.existing = exists ? ['1'] : [];
      driver.listener?.down('cut');
      await until('the resync is done', () => live !== undefined);
      assert.equal(channel.gone, !exists);
      assert.equal(live?.has('1'), exists);
    });
  }

  it('is not up before it knows of every claimed channel whether it exists', async () => {
    driver.list = [PARKED];
    driver.command = (name) => Promise.resolve(name === 'session' ? 's' : '');
    await start();
    const channel = await port.inboundChannel(inbound);
    driver.command = (name) => (name.startsWith('exists') ? never() : Promise.resolve(''));
    driver.listener?.down('cut');
    await until('it has tried again', () => driver.attempts > 2);
    assert.equal(port.linked, false);
    assert.equal(channel.gone, false);
    driver.command = () => Promise.resolve('');
    await until('the link is back', () => port.linked);
    assert.equal(channel.gone, false);
  });

  it('refuses with a SIP status only', async () => {
    driver.list = [PARKED];
    driver.command = (name) => Promise.resolve(name === 'session' ? 's' : '');
    await start();
    const channel = await port.inboundChannel(inbound);
    for (const status of [200, 302, 700, 404.5, Number.NaN]) {
      await assert.rejects(channel.refuse(status), { code: 'SEGY_E_ARGUMENT' });
    }
  });

  it('stays up when a listener of the link throws', async () => {
    port = createPort(driver, quietEnvironment, { backOffMs: 4 });
    port.onLink = () => {
      throw new Error('a listener with a defect');
    };
    await port.start();
    await until('the link is up', () => port.linked);
    assert.equal(driver.attempts, 1);
  });

  it('reports nothing after stop, and can be started again', async () => {
    await start();
    const { listener } = driver;
    await port.stop();
    assert.equal(port.linked, false);
    listener?.event({ kind: 'channel', channel: PARKED });
    driver.command = (name) => Promise.resolve(name === 'session' ? 's' : '');
    await port.start();
    await until('the link is up', () => port.linked);
    await assert.rejects(port.inboundChannel({ ...inbound, timeoutMs: 20 }), {
      code: 'SEGY_E_PBX_NO_CHANNEL',
    });
  });

  it('waits for no channel while the link is down', async () => {
    driver.failing = true;
    await start();
    await assert.rejects(port.inboundChannel(inbound), { code: 'SEGY_E_PBX_DOWN' });
    await assert.rejects(port.hangUpOrphans(), { code: 'SEGY_E_PBX_DOWN' });
  });
});
