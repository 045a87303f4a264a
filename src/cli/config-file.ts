/** The configuration file as every command names and reads it. */
import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import { SegyError } from '../base/errors.js';

const DEFAULT_CONFIG_FILE = '/etc/segy/segy.yaml';

/** The option every command that reads the configuration has. */
export function configOption(): Option {
  return new Option('-c, --config <file>', 'configuration file').default(DEFAULT_CONFIG_FILE);
}

/** @throws SegyError SEGY_E_CONFIG when it cannot be read */
export function readConfigText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SegyError('SEGY_E_CONFIG', `${file} cannot be read`, { cause });
  }
}
