/** What the gateway says of itself: the commands that look, the gauges, and the trace of one call. */
import assert from 'node:assert/strict';
import { callReports, collectGauges, viewCommands } from '../../src/admin/index.js';
import type { AdminCommand, ExpiryView, GatewayViews, TraceLine } from '../../src/admin/index.js';

type CallView = ReturnType<GatewayViews['edge']['calls']>[number];

const NOW = 1_800_000_000_000;
const DAY_MS = 86_400_000;

function call(session: string, more: Partial<CallView> = {}): CallView {
  return {
    session,
    partner: 'mc-a',
    type: 'private',
    group: null,
    direction: 'mc-to-lmr',
    state: 'up',
    caller: 'sip:alice@mc-a.example',
    called: 'sip:r1@radio.example',
    startedAt: NOW - 20_000,
    connectedAt: NOW - 12_500,
    armed: true,
    clear: false,
    keyId: '1a000001',
    floor: null,
    talker: null,
    dialog: `dialog-of-${session}`,
    channel: null,
    legs: [],
    ...more,
  } as CallView;
}

function expiry(name: string, end: number | null): ExpiryView {
  return {
    ...{ kind: 'key', name, owner: 'mc-a', activation: 0, expiry: end },
    ...{ state: 'active', groups: [] },
  };
}

function gateway(calls: readonly CallView[], more: Partial<GatewayViews> = {}): GatewayViews {
  return {
    version: 'test',
    startedAt: NOW - 61_000,
    state: () => 'running',
    now: () => NOW,
    edge: { calls: () => calls },
    media: {
      stats: () =>
        Promise.resolve({
          ...{ workers: 1, workerRestarts: 0, sessions: calls.length },
          freePorts: { outer: 10, inner: 10 },
        }),
      totals: () => undefined,
      sessionStats: () => Promise.reject(new Error('the session ended')),
    },
    partners: () => [{ partner: 'mc-a', state: 'up', ways: [] }],
    pbx: () => ({ type: 'asterisk', linked: true }),
    expiries: () => [],
    health: () => ({ audit: null, store: null }),
    alarms: () => [],
    lags: () => [],
    metric: () => 0,
    ...more,
  };
}

const request = { signal: new AbortController().signal, event: () => Promise.resolve() };

function commandsOf(views: GatewayViews, lines: readonly TraceLine[] = []) {
  const asked: string[][] = [];
  const commands = viewCommands(views, {
    lines: (names) =>
      lines.filter(({ fields }) => Object.values(fields).some((value) => names.has(String(value)))),
    audit: (names, since) => {
      asked.push([...names, since.toISOString()]);
      return Promise.resolve(['record']);
    },
    config: () => ({ redacted: true }),
  });
  const run = (name: string, body: unknown = {}): Promise<unknown> => {
    const command: AdminCommand | undefined = commands[name];
    assert.ok(command, name);
    assert.equal(command.changes, false, `${name} only looks`);
    return command.run(body, request);
  };
  return { run, asked };
}

describe('what the gateway says of itself', () => {
  it('counts a call as clear only where it is armed, and tells what is not well', async () => {
    const calls = [
      call('a', { clear: true }),
      call('b', { clear: true, armed: false }),
      call('c', { type: 'group' }),
    ];
    const views = gateway(calls, { health: () => ({ audit: 'ENOSPC', store: null }) });
    const status = (await commandsOf(views).run('status')) as {
      readonly calls: object;
      readonly audit: string;
      readonly store: string;
      readonly uptimeSeconds: number;
    };
    assert.deepEqual(status.calls, { total: 3, private: 2, group: 1, armed: 2, clear: 1 });
    assert.deepEqual([status.audit, status.store, status.uptimeSeconds], ['ENOSPC', 'ok', 61]);
    const gauges = collectGauges(views);
    assert.deepEqual(gauges.segy_calls_clear, [[{}, 1]]);
    assert.deepEqual(gauges.segy_healthy, [
      [{ part: 'audit' }, 0],
      [{ part: 'store' }, 1],
    ]);
  });

  it('tells the three ends that come first, in days that go below zero, and none of what has no end', async () => {
    const ends = [NOW - DAY_MS, null, NOW + DAY_MS / 2, NOW + 2 * DAY_MS, NOW + 3 * DAY_MS];
    const expiries = () => ends.map((end, n) => expiry(`k${n}`, end));
    const status = (await commandsOf(gateway([], { expiries })).run('status')) as {
      readonly next: readonly { readonly name: string; readonly days: number | null }[];
    };
    assert.deepEqual(
      status.next.map(({ name, days }) => [name, days]),
      [
        ['k0', -1],
        ['k2', 0.5],
        ['k3', 2],
      ],
    );
  });

  it('says who talks by the packets of the last two seconds', () => {
    const totals = { toInnerAt: NOW - 1999, toOuterAt: NOW - 2001 };
    const views = gateway([call('a')]);
    const media = { ...views.media, totals: () => totals as never };
    const [report] = callReports({ ...views, media });
    assert.deepEqual([report?.talking, report?.durationSeconds], [['mc'], 12]);
    assert.deepEqual(callReports(views)[0]?.talking, []);
  });
});

describe('one call in full', () => {
  const leg = { callId: 'call-1@mc' } as CallView['legs'][number];
  const views = gateway([call('abc1', { legs: [leg] }), call('abc2')]);

  it('is found by the beginning of its session or a whole Call-ID, also when its media has ended', async () => {
    const { run } = commandsOf(views);
    for (const id of ['abc1', 'call-1@mc']) {
      const shown = (await run('calls/show', { id })) as { session: string; media: unknown };
      assert.deepEqual([shown.session, shown.media], ['abc1', null]);
    }
  });

  it('is refused where several begin so, none does, or none is named', async () => {
    const { run } = commandsOf(views);
    await assert.rejects(run('calls/show', { id: 'abc' }), { code: 'SEGY_E_NOT_FOUND' });
    await assert.rejects(run('calls/show', { id: 'call-1' }), { code: 'SEGY_E_NOT_FOUND' });
    for (const body of [{}, { id: '' }, { id: 5 }, null]) {
      await assert.rejects(run('calls/show', body), { code: 'SEGY_E_ARGUMENT' });
    }
  });

  it('is traced by every name its lines tell, from a minute before it began', async () => {
    const line = (at: number, fields: Record<string, string>): TraceLine => ({
      ...{ at, level: 'info', event: 'call.started', fields },
    });
    const lines = [
      line(NOW - 9000, { outerCallId: 'gone@mc', session: 'over' }),
      line(NOW - 8000, { session: 'over', innerCallId: 'in@pbx' }),
      line(NOW - 7000, { session: 'another' }),
    ];
    const { run, asked } = commandsOf(views, lines);
    const trace = (await run('trace', { id: 'gone@mc' })) as {
      readonly lines: readonly TraceLine[];
      readonly call: unknown;
      readonly config: unknown;
    };
    assert.deepEqual(trace.lines, lines.slice(0, 2));
    assert.deepEqual([trace.call, trace.config], [null, { redacted: true }]);
    assert.deepEqual(asked, [['gone@mc', 'over', new Date(NOW - 69_000).toISOString()]]);
    await assert.rejects(run('trace', { id: 'nobody' }), { code: 'SEGY_E_NOT_FOUND' });
  });
});
