/** `segy run`: the gateway in the foreground, until SIGTERM or SIGINT. */
import type { Command } from 'commander';
import { systemClock, systemRandom, systemTimers } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { checkReferencedFiles, parseConfig } from '../config/index.js';
import type { SegyConfig } from '../config/index.js';
import { createLog } from '../log/index.js';
import { MetricRegistry } from '../metrics/index.js';
import { configOption, readConfigText } from './config.js';
import { startGateway } from './gateway.js';

export function registerRunCommand(program: Command): void {
  program
    .command('run')
    .description('run the gateway')
    .addOption(configOption())
    .action((options: { config: string }) => run(readConfig(options.config)));
}

function readConfig(file: string): SegyConfig {
  const text = readConfigText(file);
  const config = parseConfig(text, file);
  const findings = checkReferencedFiles(config, text);
  if (findings.length === 0) return config;
  throw new SegyError(
    'SEGY_E_CONFIG',
    findings.map(({ line, path, message }) => `${file}:${line}: ${path} ${message}`).join('\n'),
  );
}

async function run(config: SegyConfig): Promise<void> {
  const log = createLog({ level: config.logLevel, format: config.logFormat });
  // Heard from the beginning: a stop that comes while the gateway starts ends it in order afterwards.
  const stopSignal = new Promise<string>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, resolve);
  });
  const gateway = await startGateway(config, {
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    log,
    metrics: new MetricRegistry(),
  });
  log.info('gateway.ready');
  log.info('gateway.stopping', { signal: await stopSignal });
  await gateway.stop();
  log.info('gateway.stopped');
}
