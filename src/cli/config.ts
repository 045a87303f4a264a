/** `segy config check`: what is wrong with the configuration, before anything runs on it. */
import type { Command } from 'commander';
import { systemClock } from '../base/environment.js';
import { findingText } from '../config/index.js';
import { checkOffline } from './check-offline.js';
import { configOption, readConfigText } from './config-file.js';
import { print } from './output.js';

interface CheckOptions {
  readonly config: string;
  readonly offline: boolean;
  readonly asterisk: string;
  readonly json: boolean;
}

export function registerConfigCommands(program: Command): void {
  const config = program.command('config').description('the configuration file');
  config
    .command('check')
    .description('check the configuration, the files it names and what it needs around it')
    .addOption(configOption())
    .option('--offline', 'look at files only: no port, PBX, clock, store or name', false)
    .option('--asterisk <command>', 'how the command line of Asterisk is reached', 'asterisk')
    .option('--json', 'print one JSON object', false)
    .action(check);
}

async function check(options: CheckOptions): Promise<void> {
  const text = readConfigText(options.config);
  const offline = checkOffline(text, systemClock.now());
  const findings = [...offline.findings];
  const warnings = [...offline.warnings];
  if (!options.offline && offline.config !== null && findings.length === 0) {
    const { checkLive } = await import('./check-live.js');
    const live = await checkLive(offline.config, text, options.asterisk.split(' '));
    findings.push(...live.findings);
    warnings.push(...live.warnings);
  }
  print(options.json, { ok: findings.length === 0, findings, warnings }, () => [
    ...(findings.length === 0 ? [`${options.config}: right`] : []),
    ...findings.map((finding) => findingText(finding, options.config)),
    ...warnings.map((warning) => findingText(warning, options.config, 'warning: ')),
  ]);
  if (findings.length > 0) process.exitCode = 1;
}
