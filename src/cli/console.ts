/** `segy console token`, `logout`: who may look at the running gateway's console. */
import type { Command } from 'commander';
import { addLookOptions, look } from './look.js';
import type { LookOptions } from './look.js';
import { print } from './output.js';

interface IssuedToken {
  readonly address: string;
  readonly token: string;
  readonly seconds: number;
}

export function registerConsoleCommands(program: Command): void {
  const group = program.command('console').description('the page that shows the running gateway');
  addLookOptions(group.command('token'))
    .description('print a token that logs in to the console once')
    .action(async (options: LookOptions) => {
      const issued = await look<IssuedToken>('console/token', options);
      print(options.json, { ok: true, ...issued }, () => [
        `address  ${issued.address}`,
        `token    ${issued.token}`,
        `         good once, for ${issued.seconds / 60} minutes`,
      ]);
    });
  addLookOptions(group.command('logout'))
    .description('log everybody out of the console')
    .action(async (options: LookOptions) => {
      const { ended } = await look<{ ended: number }>('console/logout', options);
      print(options.json, { ok: true, ended }, () => [`${ended} sessions ended`]);
    });
}
