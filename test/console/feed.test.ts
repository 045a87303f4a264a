/** What an open page is told: everything once, then what changed, as fast as it reads. */
import assert from 'node:assert/strict';
import { silentLog, systemClock, systemTimers } from '../../src/base/environment.js';
import { Feed } from '../../src/console/feed.js';
import type { FeedReader } from '../../src/console/feed.js';
import type { Change, Panels } from '../../src/console/model.js';
import { sleep, until } from '../support/waiting.js';
import { ConsoleKit, viewsOf } from './kit.js';
import { readPanels } from '../../src/console/index.js';

const MARKUP = '<img src=x onerror=alert(1)></script>\n\ndata: {"now":0}';

class Reader implements FeedReader {
  readonly told: Change[] = [];
  backlog = 0;
  isCut = false;
  waiting(): number {
    return this.backlog;
  }
  send(text: string): void {
    assert.match(text, /^data: [^\n]*\n\n$/);
    this.told.push(JSON.parse(text.slice('data: '.length)) as Change);
  }
  cut(): void {
    this.isCut = true;
  }
}

describe('what an open page is told', function () {
  this.timeout(20_000);
  const limits = { tickMs: 20, backlogOctets: 100, stalledMs: 300, heartbeatMs: 60_000 };
  const env = { clock: systemClock, timers: systemTimers, log: silentLog };
  let state = 'running';
  let alarms: { subject: string }[] = [];
  let reads = 0;
  let feed: Feed;

  beforeEach(() => {
    state = 'running';
    alarms = [];
    reads = 0;
    const read = readPanels(
      viewsOf({
        gateway: {
          state: () => state,
          alarms: () =>
            alarms.map(({ subject }) => ({
              ...{ name: 'clear-call', severity: 'warning', text: '', since: 1 },
              subject,
            })),
        },
      }),
    );
    feed = new Feed(
      (): Promise<Panels> => {
        reads += 1;
        return read();
      },
      env,
      limits,
    );
  });
  afterEach(() => feed.stop());

  it('is everything first, then only the rows that changed', async () => {
    const reader = new Reader();
    feed.add(reader);
    await until('it is told', () => reader.told.length === 1);
    assert.deepEqual(Object.keys(reader.told[0]?.panels ?? {}), [
      'gateway',
      'alarms',
      'calls',
      'partners',
      'calendar',
      'audit',
    ]);
    alarms = [{ subject: 'a' }, { subject: 'b' }];
    await until('it is told of the alarms', () => reader.told.length === 2);
    const order = ['clear-call a', 'clear-call b'];
    assert.deepEqual(Object.keys(reader.told[1]?.panels ?? {}), ['alarms']);
    assert.deepEqual(reader.told[1]?.panels.alarms?.order, order);
    alarms = [{ subject: 'b' }];
    await until('it is told that one is over', () => reader.told.length === 3);
    assert.deepEqual(reader.told[2]?.panels, { alarms: { order: order.slice(1), rows: [] } });
    await sleep(100);
    assert.equal(reader.told.length, 3);
  });

  it('is one line of JSON, whatever names hold, with what cannot be seen made visible', async () => {
    const reader = new Reader();
    alarms = [{ subject: MARKUP }];
    feed.add(reader);
    await until('it is told', () => reader.told.length === 1);
    const shown = MARKUP.replaceAll('\n', '\\u{a}');
    assert.equal(reader.told[0]?.panels.alarms?.rows[0]?.subject, shown);
  });

  it('is at most two events a second by default', async () => {
    const kit = await ConsoleKit.open({ gateway: { state: () => String(Math.random()) } });
    try {
      const stream = kit.follow(await kit.session());
      await until('it begins', () => stream.events.length > 0);
      const begin = performance.now();
      const before = stream.events.length;
      await sleep(2100);
      await until('it is told more', () => stream.events.length > before);
      const most = 2 + (2 * (performance.now() - begin)) / 1000;
      const more = stream.events.length - before;
      assert.ok(more <= most, `${more} events`);
      stream.stop();
    } finally {
      await kit.server.close();
    }
  });

  it('waits while it reads too slowly, and is everything anew afterwards', async () => {
    const reader = new Reader();
    feed.add(reader);
    await until('it is told', () => reader.told.length === 1);
    reader.backlog = 101;
    state = 'draining';
    await sleep(100);
    assert.equal(reader.told.length, 1);
    reader.backlog = 0;
    await until('it is told', () => reader.told.length === 2);
    assert.equal(reader.told[1]?.panels.gateway?.rows[0]?.state, 'draining');
    assert.ok(reader.told[1].panels.audit);
  });

  it('is nothing more once it reads nothing: it is cut off, others are not', async () => {
    const [slow, quick] = [new Reader(), new Reader()];
    feed.add(slow);
    feed.add(quick);
    await until('both are told', () => slow.told.length === 1 && quick.told.length === 1);
    slow.backlog = 1000;
    await until('it is cut off', () => slow.isCut);
    state = 'draining';
    await until('the other is told', () => quick.told.length === 2);
    assert.equal(feed.readers, 1);
  });

  it('reads nothing while no page is open', async () => {
    await sleep(60);
    assert.equal(reads, 0);
    const reader = new Reader();
    feed.add(reader);
    await until('it is told', () => reader.told.length === 1);
    feed.remove(reader);
    await sleep(30);
    const before = reads;
    await sleep(100);
    assert.equal(reads, before);
    feed.add(reader);
    await until('it is told everything again', () => reader.told.length === 2);
  });
});
