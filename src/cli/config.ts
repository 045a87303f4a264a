/** `segy config check`: what is wrong with the configuration, before anything runs on it. */
import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import type { Command } from 'commander';
import { SegyError } from '../base/errors.js';
import { checkConfigText, checkReferencedFiles } from '../config/index.js';
import type { ConfigFinding } from '../config/index.js';
import { createDns, unresolvedHosts } from './host-names.js';
import { print } from './output.js';

export const DEFAULT_CONFIG_FILE = '/etc/segy/segy.yaml';

/** The option every command that reads the configuration has. */
export function configOption(): Option {
  return new Option('-c, --config <file>', 'configuration file').default(DEFAULT_CONFIG_FILE);
}

export function readConfigText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SegyError('SEGY_E_CONFIG', `${file} cannot be read`, { cause });
  }
}

export function registerConfigCommands(program: Command): void {
  const config = program.command('config').description('the configuration file');
  config
    .command('check')
    .description('check the configuration and every file it names')
    .addOption(configOption())
    .option('--json', 'print one JSON object', false)
    .action(async (options: { config: string; json: boolean }) => {
      const text = readConfigText(options.config);
      const result = checkConfigText(text);
      const findings = result.ok ? checkReferencedFiles(result.config, text) : result.findings;
      const warnings = result.ok
        ? await unresolvedHosts(result.config, text, createDns(result.config))
        : [];
      const line = (finding: ConfigFinding, kind: string): string =>
        `${options.config}:${finding.line}: ${kind}${finding.path} ${finding.message}`;
      print(options.json, { ok: findings.length === 0, findings, warnings }, () => [
        ...(findings.length === 0 ? [`${options.config}: right`] : []),
        ...findings.map((finding) => line(finding, '')),
        ...warnings.map((warning) => line(warning, 'warning: ')),
      ]);
      if (findings.length > 0) process.exitCode = 1;
    });
}
