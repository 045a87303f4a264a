/**
 * `segy run`: the gateway in the foreground. SIGHUP reloads; SIGTERM and SIGINT let calls end, a second
 * one ends them.
 */
import type { Command } from 'commander';
import { systemClock, systemRandom, systemTimers } from '../base/environment.js';
import type { Log } from '../base/environment.js';
import { toSegyError } from '../base/errors.js';
import type { SegyConfig } from '../config/index.js';
import { MetricRegistry } from '../metrics/index.js';
import { requireRunnable } from './check-offline.js';
import { makeLog } from './compose-log.js';
import { configOption } from './config-file.js';
import { turnCoreDumpsOff } from './core-dumps.js';
import { startGateway } from './gateway.js';
import type { Gateway } from './gateway.js';
import { ServiceManager } from './service-manager.js';

export function registerRunCommand(program: Command): void {
  program
    .command('run')
    .description('run the gateway')
    .addOption(configOption())
    .action((options: { config: string }) =>
      run(() => requireRunnable(options.config, systemClock.now())),
    );
}

async function run(read: () => SegyConfig): Promise<void> {
  const config = read();
  const metrics = new MetricRegistry();
  const { log, recent } = makeLog(config, systemClock, metrics);
  const env = {
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    log,
    metrics,
    recent,
  };
  if (!turnCoreDumpsOff())
    log.warn('process.core-dumps', { message: 'a core dump can be written' });
  const signals = new StopSignals();
  const running: { gateway?: Gateway } = {};
  const service = new ServiceManager({
    env,
    variables: process.env,
    isHealthy: () => running.gateway?.isHealthy() ?? true,
  });
  const reload = (): void => void running.gateway?.reload().catch(() => undefined);
  // what comes during the start is answered by the start itself
  process.on('SIGHUP', reload);
  const gateway = await startGateway(config, env, {
    read,
    onReload: (begins) => (begins ? service.reloading() : service.ready()),
  });
  running.gateway = gateway;
  service.ready();
  log.info('gateway.ready');
  log.info('gateway.draining', { signal: await signals.next() });
  service.stopping('waiting for the last call to end');
  await drain(gateway, signals, config.limits.drainSeconds, log);
  log.info('gateway.stopping');
  service.stopping('ending calls');
  await gateway.stop();
  process.off('SIGHUP', reload);
  signals.close();
  service.close();
  log.info('gateway.stopped');
}

/** Waits for the last call to end, for the limit, or for another signal. */
async function drain(
  gateway: Gateway,
  signals: StopSignals,
  seconds: number,
  log: Log,
): Promise<void> {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    limit = setTimeout(() => resolve('limit'), seconds * 1000);
  });
  const why = await Promise.race([
    gateway.edge.drain().then(() => 'empty'),
    signals.next().then(() => 'signal'),
    late,
  ]).catch((error: unknown) => toSegyError(error).message);
  clearTimeout(limit);
  log.info('gateway.drained', { by: why, calls: gateway.edge.calls().length });
}

/** SIGTERM and SIGINT, one after the other; each is taken from the moment this is made. */
class StopSignals {
  readonly #waiting: ((signal: string) => void)[] = [];
  readonly #come: string[] = [];
  readonly #listener = (signal: NodeJS.Signals): void => {
    const next = this.#waiting.shift();
    if (next === undefined) this.#come.push(signal);
    else next(signal);
  };

  constructor() {
    process.on('SIGTERM', this.#listener);
    process.on('SIGINT', this.#listener);
  }

  next(): Promise<string> {
    const come = this.#come.shift();
    if (come !== undefined) return Promise.resolve(come);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    process.off('SIGTERM', this.#listener);
    process.off('SIGINT', this.#listener);
  }
}
