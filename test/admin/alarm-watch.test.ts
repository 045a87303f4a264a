import assert from 'node:assert/strict';
import { AlarmBoard, AlarmWatch } from '../../src/admin/index.js';
import type { ExpiryView, GatewayViews } from '../../src/admin/index.js';
import { MetricRegistry } from '../../src/metrics/index.js';
import { fakeEnvironment, FakeTimers } from '../sip/support/fake-timers.js';

const DAY_MS = 86_400_000;

describe('the alarm watch', () => {
  let timers: FakeTimers;
  let metrics: MetricRegistry;
  let board: AlarmBoard;
  let watch: AlarmWatch;
  let gateway: {
    linked: boolean;
    partner: 'unknown' | 'up' | 'down';
    audit: string | null;
    store: string | null;
    expiries: ExpiryView[];
  };

  beforeEach(() => {
    timers = new FakeTimers();
    metrics = new MetricRegistry();
    gateway = { linked: true, partner: 'up', audit: null, store: null, expiries: [] };
    const env = { ...fakeEnvironment(timers), metrics };
    const views: GatewayViews = {
      version: 'test',
      startedAt: 0,
      state: () => 'running',
      now: () => timers.now,
      edge: { calls: () => [] },
      media: {
        stats: () => Promise.reject(new Error('nobody asks')),
        totals: () => undefined,
        sessionStats: () => Promise.reject(new Error('nobody asks')),
      },
      partners: () => [{ partner: 'mc-a', state: gateway.partner, ways: [] }],
      pbx: () => ({ type: 'asterisk', linked: gateway.linked }),
      expiries: () => gateway.expiries,
      health: () => ({ audit: gateway.audit, store: gateway.store }),
      alarms: () => [],
      lags: () => [],
      metric: (name, labels) => metrics.value(name, labels),
    };
    board = new AlarmBoard(env);
    board.start();
    watch = new AlarmWatch(views, board, env, { certificateDays: 30, keyDays: 2 });
    watch.start();
  });
  afterEach(() => {
    watch.stop();
    board.stop();
  });

  const seconds = (count: number): void => timers.advance(count * 1000);
  const standing = (): string[] =>
    board
      .view()
      .map(({ name, subject }) => `${name} ${subject}`.trim())
      .sort();
  const expiry = (more: Partial<ExpiryView>): ExpiryView => ({
    kind: 'key',
    name: 'GMK 0a000001',
    owner: 'mc-a',
    activation: 0,
    expiry: timers.now + DAY_MS,
    state: 'active',
    groups: ['sip:police@mc-a.example'],
    ...more,
  });

  it('finds nothing where nothing is wrong', () => {
    seconds(60);
    assert.deepEqual(standing(), []);
  });

  it('lets a PBX and a partner that are down stand until they are back', () => {
    Object.assign(gateway, { linked: false, partner: 'down' });
    seconds(20);
    assert.deepEqual(standing(), ['partner-down mc-a', 'pbx-down asterisk']);
    Object.assign(gateway, { linked: true, partner: 'up' });
    seconds(40);
    assert.deepEqual(standing(), []);
  });

  it('tells at once that the audit log or the store fails', () => {
    Object.assign(gateway, { audit: 'ENOSPC', store: 'EIO' });
    seconds(2);
    assert.deepEqual(standing(), ['audit-failed', 'store-failed']);
  });

  it('tells of a certificate that ends within its days, and of one that has ended', () => {
    const days = (count: number): number => timers.now + count * DAY_MS;
    gateway.expiries = [
      expiry({ kind: 'certificate', name: 'kms.a', expiry: days(29) }),
      expiry({ kind: 'tls', name: '/tls.crt', owner: 'own', expiry: days(-1) }),
      expiry({ kind: 'certificate', name: 'kms.b', expiry: days(31) }),
      expiry({ kind: 'certificate', name: 'kms.c', expiry: null }),
    ];
    seconds(2);
    assert.deepEqual(standing(), [
      'certificate-expiry mc-a kms.a',
      'certificate-expiry own /tls.crt',
    ]);
  });

  it('tells of the last key of a group, and of none that has a follower', () => {
    gateway.expiries = [expiry({})];
    seconds(2);
    assert.deepEqual(standing(), ['key-expiry mc-a GMK 0a000001']);
    const later = { name: 'GMK 0a000002', expiry: timers.now + 9 * DAY_MS };
    gateway.expiries = [expiry({}), expiry({ ...later, state: 'revoked' })];
    seconds(2);
    assert.equal(standing().length, 1, 'a revoked key follows nobody');
    gateway.expiries = [expiry({}), expiry({ ...later, state: 'pending' })];
    seconds(70);
    assert.deepEqual(standing(), []);
  });

  it('takes several time stamps outside the window for a clock that is wrong', () => {
    const refuse = (): void =>
      metrics.count('segy_refused_total', { code: 'SEGY_E_MIKEY_WINDOW', side: 'outer' });
    refuse();
    seconds(10);
    assert.deepEqual(standing(), []);
    refuse();
    refuse();
    seconds(2);
    assert.deepEqual(standing(), ['clock-off window']);
    seconds(1300);
    assert.deepEqual(standing(), []);
  });

  it('tells of a media worker that ended', () => {
    metrics.count('segy_media_worker_restarts_total');
    seconds(2);
    assert.deepEqual(standing(), ['worker-lost']);
  });
});
