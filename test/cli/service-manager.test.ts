import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemTimers } from '../../src/base/environment.js';
import { ServiceManager } from '../../src/cli/service-manager.js';
import { noNotifySocket, NotifySocket } from '../support/notify-socket.js';
import { skipBecause } from '../support/skip.js';
import { sleep, until } from '../support/waiting.js';

describe('cli/service-manager: sd_notify', () => {
  let folder: string | undefined;
  let socket: NotifySocket | undefined;
  let healthy = true;
  before(async function () {
    const reason = noNotifySocket();
    if (reason !== null) skipBecause(this, `what the service manager is told is tested: ${reason}`);
    folder = mkdtempSync(join(tmpdir(), 'segy-notify-'));
    socket = await NotifySocket.open(join(folder, 'notify'));
  });
  after(() => {
    socket?.close();
    if (folder) rmSync(folder, { recursive: true });
  });

  const path = (): string => join(folder ?? '', 'notify');
  const lines = (): string[] => socket?.lines ?? [];
  const manager = (variables: Record<string, string>) =>
    new ServiceManager({
      env: { timers: systemTimers, log: silentLog },
      variables: { PATH: process.env.PATH, ...variables },
      isHealthy: () => healthy,
    });
  const count = (line: string): number => lines().filter((each) => each === line).length;

  it('tells in order that it is ready, reloads, is ready again and stops', async () => {
    const service = manager({ NOTIFY_SOCKET: path() });
    service.ready();
    service.reloading();
    service.ready();
    service.stopping('waiting');
    service.close();
    await until('all has come', () => lines().length >= 5);
    assert.deepEqual(lines(), [
      ...['READY=1', 'RELOADING=1', 'READY=1', 'STOPPING=1', 'STATUS=waiting'],
    ]);
  });

  it('feeds the watchdog three times in its time, and not while a thread hangs', async () => {
    const service = manager({ NOTIFY_SOCKET: path(), WATCHDOG_USEC: '600000' });
    service.ready();
    await until('it is fed', () => count('WATCHDOG=1') >= 3);
    healthy = false;
    await sleep(400);
    const before = count('WATCHDOG=1');
    await sleep(700);
    assert.equal(count('WATCHDOG=1'), before);
    service.close();
    healthy = true;
  });

  it('does nothing where no service manager asks', async () => {
    const before = lines().length;
    const service = manager({ WATCHDOG_USEC: '300000' });
    service.ready();
    await sleep(300);
    service.close();
    assert.equal(lines().length, before);
  });
});
