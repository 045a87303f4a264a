/** `segy dscp`: rules for nftables that mark what leaves on the outer side. */
import type { Command } from 'commander';
import { SegyError } from '../base/errors.js';
import { parseConfig } from '../config/index.js';
import { configOption, readConfigText } from './config-file.js';
import { dscpRules } from './dscp.js';

export function registerDscpCommand(program: Command): void {
  program
    .command('dscp')
    .description('print rules for nft that mark SIP and RTP towards partners (outer.dscp)')
    .addOption(configOption())
    .action((options: { config: string }) => {
      const rules = dscpRules(parseConfig(readConfigText(options.config), options.config));
      if (rules === null) {
        throw new SegyError('SEGY_E_CONFIG', `${options.config} has no outer.dscp`);
      }
      process.stdout.write(rules);
    });
}
