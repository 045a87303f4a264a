import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogFields } from '../../src/base/environment.js';
import { CertificateWatch } from '../../src/cli/certificate-watch.js';
import { TestAuthority } from '../sip/support/certificates.js';
import { fakeEnvironment, FakeTimers } from '../sip/support/fake-timers.js';

const DAY_MS = 86_400_000;

describe('cli/certificate-watch', () => {
  let folder: string;
  let authority: TestAuthority;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'segy-watch-'));
    authority = new TestAuthority();
  });
  after(() => {
    authority.remove();
    rmSync(folder, { recursive: true });
  });

  function setUp(days: number) {
    const file = join(folder, `${days}.pem`);
    writeFileSync(file, authority.issue('gw', 'DNS:gw.example', days).cert);
    const timers = new FakeTimers();
    timers.now = Date.now();
    const logged: { level: string; event: string; fields: LogFields }[] = [];
    const gauges: { value: number; labels: unknown }[] = [];
    const log =
      (level: string) =>
      (event: string, fields: LogFields = {}) =>
        void logged.push({ level, event, fields });
    const env = {
      ...fakeEnvironment(timers),
      log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
      metrics: {
        count: () => undefined,
        gauge: (_name: string, value: number, labels: unknown) =>
          void gauges.push({ value, labels }),
      },
    };
    const watch = new CertificateWatch(env, 30);
    return { file, timers, logged, gauges, watch };
  }

  it('gauges the days that are left, and is silent while there are many', () => {
    const { watch, file, gauges, logged, timers } = setUp(90);
    watch.watch([file]);
    assert.deepEqual(gauges, [{ value: 89, labels: { file } }]);
    timers.advance(2 * DAY_MS);
    assert.equal(gauges.at(-1)!.value, 87);
    assert.deepEqual(logged, []);
    watch.stop();
    assert.equal(timers.waiting, 0);
  });

  it('warns once a day of one that ends soon, and says when it has ended', () => {
    const { watch, file, logged, timers } = setUp(2);
    watch.watch([file]);
    timers.advance(3 * DAY_MS);
    watch.stop();
    const events = logged.map(({ event }) => event);
    assert.deepEqual(events.slice(0, 2), ['certificate.expiring', 'certificate.expiring']);
    assert.equal(events.at(-1), 'certificate.expired');
    assert.equal(events.length, 4);
    assert.equal(logged[0]!.fields.subject, 'CN=gw');
  });

  it('a file that cannot be read is told, and ends nothing', () => {
    const { watch, logged } = setUp(2);
    watch.watch([join(folder, 'none.pem')]);
    assert.equal(logged[0]!.event, 'certificate.unreadable');
    watch.stop();
  });
});
