import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from '../../src/admin/index.js';
import type { AlarmNews } from '../../src/admin/index.js';
import { silentLog, systemRandom } from '../../src/base/environment.js';
import { MetricRegistry } from '../../src/metrics/index.js';

const NEWS: AlarmNews = {
  event: 'raised',
  alarm: { name: 'pbx-down', subject: 'x', severity: 'critical', text: 'down', since: 0 },
};

describe('alarms told to a web address', () => {
  let server: Server;
  let answers: number[];
  let bodies: { subject: string }[];
  let authorizations: (string | undefined)[];
  let pauses: number[];
  let metrics: MetricRegistry;

  const webhook = (): Webhook =>
    new Webhook(
      {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alarms`,
        ...{ token: 'a token', gateway: 'gw' },
      },
      {
        clock: { now: () => 0 },
        timers: {
          setTimeout: (run, ms) => {
            pauses.push(ms);
            return setImmediate(run);
          },
          clearTimeout: () => undefined,
        },
        ...{ random: systemRandom, log: silentLog, metrics },
      },
    );
  const told = (subject: string): AlarmNews => ({ ...NEWS, alarm: { ...NEWS.alarm, subject } });
  const counted = (outcome: string): number =>
    metrics.value('segy_alarm_webhook_total', { outcome });
  async function until(is: () => boolean): Promise<void> {
    while (!is()) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  beforeEach(async () => {
    [answers, bodies, authorizations, pauses] = [[], [], [], []];
    metrics = new MetricRegistry();
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        bodies.push(JSON.parse(Buffer.concat(parts).toString()) as { subject: string });
        authorizations.push(request.headers.authorization);
        response.writeHead(answers.shift() ?? 204).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.close();
  });

  it('are sent in their order, each again with growing pauses until it is taken', async () => {
    answers = [500, 302, 503];
    const hook = webhook();
    for (const subject of ['1', '2']) hook.tell(told(subject));
    await until(() => counted('sent') === 2);
    assert.deepEqual(
      bodies.map(({ subject }) => subject),
      ['1', '1', '1', '1', '2'],
    );
    assert.deepEqual(pauses, [1000, 2000, 4000]);
    assert.deepEqual(new Set(authorizations), new Set(['Bearer a token']));
  });

  it('are given up after six attempts, and the next one is told', async () => {
    answers = Array.from({ length: 6 }, () => 500);
    const hook = webhook();
    for (const subject of ['1', '2']) hook.tell(told(subject));
    await until(() => counted('sent') === 1);
    assert.equal(counted('failed'), 1);
    assert.deepEqual([bodies.length, bodies.at(-1)?.subject], [7, '2']);
  });

  it('are tried no more once it is stopped', async () => {
    answers = Array.from({ length: 9 }, () => 500);
    const hook = webhook();
    hook.tell(told('1'));
    await until(() => bodies.length > 0);
    hook.stop();
    const before = bodies.length;
    await until(() => counted('failed') === 1);
    assert.ok(bodies.length <= before + 1);
  });
});
