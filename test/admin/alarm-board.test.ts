import assert from 'node:assert/strict';
import { AlarmBoard, Webhook } from '../../src/admin/index.js';
import type { AlarmNews } from '../../src/admin/index.js';
import { ALARMS } from '../../src/base/alarms.js';
import { MetricRegistry } from '../../src/metrics/index.js';
import { fakeEnvironment, FakeTimers } from '../sip/support/fake-timers.js';

describe('the alarm board', () => {
  let timers: FakeTimers;
  let metrics: MetricRegistry;
  let board: AlarmBoard;
  let news: string[];
  const env = () => ({ ...fakeEnvironment(timers), metrics });
  const seconds = (count: number): void => timers.advance(count * 1000);

  beforeEach(() => {
    timers = new FakeTimers();
    metrics = new MetricRegistry();
    news = [];
    board = new AlarmBoard(env());
    board.onNews(({ event, alarm }) => news.push(`${event} ${alarm.name} ${alarm.subject}`));
    board.start();
  });
  afterEach(() => board.stop());

  it('tells what holds for its time, once, and that it is over once it is for its time', () => {
    board.raise('partner-down', 'mc-a', 'no way answers');
    seconds(9);
    assert.deepEqual(news, []);
    assert.deepEqual(board.view(), []);
    seconds(2);
    assert.deepEqual(news, ['raised partner-down mc-a']);
    board.raise('partner-down', 'mc-a', 'still');
    assert.equal(board.view()[0]?.text, 'still');
    board.clear('partner-down', 'mc-a');
    seconds(29);
    assert.equal(news.length, 1);
    seconds(2);
    assert.deepEqual(news.slice(1), ['cleared partner-down mc-a']);
    assert.deepEqual(board.view(), []);
  });

  it('tells nothing of what is over before its time', () => {
    board.raise('pbx-down', 'asterisk', 'down');
    seconds(2);
    board.clear('pbx-down', 'asterisk');
    seconds(60);
    assert.deepEqual(news, []);
  });

  it('tells what flaps once', () => {
    board.raise('clear-call', 's', 'clear');
    for (let i = 0; i < 10; i += 1) {
      board.clear('clear-call', 's');
      seconds(20);
      board.raise('clear-call', 's', 'clear');
      seconds(1);
    }
    assert.deepEqual(news, ['raised clear-call s']);
  });

  it('lets an event stand for its time after the last one', () => {
    const lastsMs = ALARMS['group-key-refused'].lastsMs ?? 0;
    board.raise('group-key-refused', 'mc-a', 'SEGY_E_MIKEY_SIGNATURE');
    seconds(lastsMs / 2000);
    board.raise('group-key-refused', 'mc-a', 'SEGY_E_MIKEY_SIGNATURE');
    seconds(lastsMs / 2000 + 10);
    assert.equal(board.view().length, 1);
    seconds(lastsMs / 2000);
    assert.deepEqual(news, ['raised group-key-refused mc-a', 'cleared group-key-refused mc-a']);
  });

  it('counts those of a name that stand, zero for the others', () => {
    board.set(
      'certificate-expiry',
      new Map([
        ['a', 'x'],
        ['b', 'x'],
      ]),
    );
    assert.equal(metrics.value('segy_alarm', { name: 'certificate-expiry' }), 2);
    assert.match(metrics.expose(), /^segy_alarm\{name="pbx-down"\} 0$/m);
    board.set('certificate-expiry', new Map([['b', 'x']]));
    seconds(62);
    assert.equal(metrics.value('segy_alarm', { name: 'certificate-expiry' }), 1);
  });

  it('has room for a bounded number, and no room for long names', () => {
    for (let i = 0; i < 2000; i += 1)
      board.raise('clear-call', `${i}`.padEnd(5000, 'x'), 'y'.repeat(5000));
    assert.equal(board.view().length, 500);
    assert.ok(
      board.view().every(({ subject, text }) => subject.length <= 256 && text.length <= 256),
    );
    assert.equal(metrics.value('segy_alarms_dropped_total', { name: 'clear-call' }), 1500);
  });

  it('goes on when a listener throws', () => {
    board.onNews(() => {
      throw new Error('a defect');
    });
    board.raise('clear-call', 's', 'clear');
    assert.deepEqual(news, ['raised clear-call s']);
  });

  it('keeps a bounded number of messages for a webhook that does not answer', () => {
    const webhook = new Webhook({ url: 'http://127.0.0.1:1/', gateway: 'x' }, env());
    const alarm = {
      name: 'clear-call',
      subject: '',
      severity: 'warning',
      text: '',
      since: 0,
    } as const;
    const one: AlarmNews = { event: 'raised', alarm };
    for (let i = 0; i < 1000; i += 1) webhook.tell(one);
    assert.ok(metrics.value('segy_alarm_webhook_total', { outcome: 'dropped' }) >= 899);
    webhook.stop();
  });
});
