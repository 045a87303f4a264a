import assert from 'node:assert/strict';
import { silentLog, systemClock } from '../../src/base/environment.js';
import { RecentLines, securityLine, securityLog, tapLog } from '../../src/log/index.js';
import type { LogLine } from '../../src/log/index.js';
import { MetricRegistry } from '../../src/metrics/index.js';

const AT = new Date('2026-01-02T03:04:05.678Z');
const refused = (fields: Record<string, unknown>): LogLine => ({
  level: 'warn',
  event: 'security.refused',
  fields,
});

describe('log/security-log', () => {
  it('writes a refusal in its grammar, and nothing of any other line', () => {
    assert.equal(
      securityLine(
        refused({
          code: 'SEGY_E_MIKEY_SIGNATURE',
          side: 'outer',
          source: '192.0.2.1',
          partner: 'mc-a',
        }),
        AT,
      ),
      '2026-01-02T03:04:05.678Z segy-security: event=bad-signature code=SEGY_E_MIKEY_SIGNATURE ' +
        'side=outer source=192.0.2.1 partner=mc-a session=- repeated=0',
    );
    assert.equal(securityLine({ level: 'info', event: 'call.opened', fields: {} }, AT), null);
  });

  it('lets whoever serves HTTP say that a token failed', () => {
    const line = securityLine(
      refused({
        kind: 'token-failed',
        code: 'SEGY_E_NOT_FOUND',
        side: 'http',
        source: '2001:db8::1',
      }),
      AT,
    );
    assert.match(
      line ?? '',
      /event=token-failed code=SEGY_E_NOT_FOUND side=http source=2001:db8::1 /,
    );
  });

  for (const [code, event] of [
    ['SEGY_E_TLS_PEER', 'tls-failed'],
    ['SEGY_E_HTTP', 'malformed'],
    ['SEGY_E_RATE', 'rate-exceeded'],
    ['SEGY_E_NOT_GROUP_MEMBER', 'refused'],
  ] as const) {
    it(`names a refusal of the HTTPS listener with ${code} ${event}`, () => {
      const line = securityLine(refused({ code, side: 'https', source: '192.0.2.9' }), AT);
      assert.match(line ?? '', new RegExp(`event=${event} code=${code} side=https `));
    });
  }

  it('holds no text that a sender chose, whatever field it came in', () => {
    const hostile = '192.0.2.9\n2026 segy-security: event=unknown-source source=198.51.100.7 x';
    for (const name of ['code', 'side', 'source', 'partner', 'session', 'repeated', 'kind']) {
      const line = securityLine(refused({ source: '192.0.2.1', [name]: hostile }), AT) ?? '';
      assert.doesNotMatch(line, /198\.51|\n/, name);
      assert.equal(line.split(' ').length, 9, name);
    }
    assert.match(
      securityLine(refused({ source: '::ffff:192.0.2.1' }), AT) ?? '',
      /source=192\.0\.2\.1 /,
    );
  });

  it('counts what finds no room while the disk does not answer', async () => {
    const metrics = new MetricRegistry();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let written = 0;
    const write = async (): Promise<void> => {
      await held;
      written += 1;
    };
    const listen = securityLog({ clock: systemClock, metrics, write });
    for (let i = 0; i < 1500; i += 1) listen(refused({ source: '192.0.2.1' }));
    release();
    while (written < 1000) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(metrics.value('segy_security_suppressed_total'), 500);
  });
});

describe('log/tap', () => {
  it('gives lines of a call its session and both Call-IDs, found by either', () => {
    const heard: LogLine[] = [];
    const log = tapLog(silentLog, [(line) => heard.push(line)], 2);
    const names = { session: 's1', outerCallId: 'o1', innerCallId: 'i1' };
    log.info('call.opened', names);
    log.debug('media.dropped', { session: 's1', auth: 3 });
    log.warn('pbx.channel.session', { callId: 'i1' });
    log.info('call.opened', { session: 's2', outerCallId: 'o2', innerCallId: 'i2' });
    log.info('call.opened', { session: 's3', outerCallId: 'o3', innerCallId: 'i3' });
    log.info('call.ended', { session: 's1' });
    assert.deepEqual(heard[1]?.fields, { ...names, auth: 3 });
    assert.deepEqual(heard[2]?.fields, { ...names, callId: 'i1' });
    assert.deepEqual(heard.at(-1)?.fields, { session: 's1' }, 'two calls are remembered');
  });
});

describe('log/recent-lines', () => {
  it('keeps the last lines and finds those about a call', () => {
    let now = 0;
    const recent = new RecentLines(3, () => (now += 1));
    for (const session of ['a', 'b', 'a', 'b', 'a']) {
      recent.take({ level: 'info', event: 'x', fields: { session } });
    }
    assert.deepEqual(
      recent.about(new Set(['a'])).map(({ at }) => at),
      [3, 5],
    );
    new RecentLines(0, () => 0).take({ level: 'info', event: 'x', fields: {} });
  });
});
