/** `segy group`: the configured talkgroups and the keys held for each. */
import type { Command } from 'commander';
import { SegyError } from '../base/errors.js';
import { parseConfig } from '../config/index.js';
import type { GroupView } from './actions/keys.js';
import { configOption, readConfigText } from './config-file.js';
import { keyLine } from './key-view.js';
import { homedGroups, registerHomedGroupCommands } from './group-homed.js';
import { print } from './output.js';
import { perform } from './perform.js';

interface GroupOptions {
  readonly config: string;
  readonly json: boolean;
}

export function registerGroupCommands(program: Command): void {
  const group = program.command('group').description('talkgroups, of partners and of ours');
  const command = (name: string, description: string): Command =>
    group
      .command(name)
      .description(description)
      .addOption(configOption())
      .option('--json', 'print one JSON object', false);
  command('list', 'every group and whether it has a key').action(list);
  command('show', 'one group and its keys, without their octets')
    .argument('<group>', 'MC group ID or its name on the PBX')
    .action(show);
  registerHomedGroupCommands(group);
}

async function list(options: GroupOptions): Promise<void> {
  const groups = await viewsOf(options);
  const homed = await homedGroups(options);
  print(options.json, { ok: true, groups, homed }, () =>
    groups.length + homed.length === 0
      ? ['no group is configured']
      : [
          ...groups.map(({ group, partner, pbx, sendsWith }) => {
            const key = sendsWith === null ? 'no usable key' : `sends with ${sendsWith}`;
            return `${pbx}  ${group}  ${partner}  ${key}`;
          }),
          ...homed.map(({ group: { id, pbx, members } }) => {
            return `${pbx}  ${id}  homed here  ${members.length} members`;
          }),
        ],
  );
}

async function show(name: string, options: GroupOptions): Promise<void> {
  const found = (await viewsOf(options)).filter(({ group, pbx }) => [group, pbx].includes(name));
  const [view] = found;
  if (view === undefined) throw new SegyError('SEGY_E_NOT_FOUND', `no group ${name}`);
  print(options.json, { ok: true, groups: found }, () =>
    found.flatMap((each) => [
      `group         ${each.group}`,
      `partner       ${each.partner}`,
      `on the PBX    ${each.pbx}`,
      `keyed by      ${each.gms.join(' ') || '(nobody: set gms)'}`,
      `speaker       ${each.speaker ?? 'the calling radio'}`,
      `sends with    ${each.sendsWith ?? 'no usable key'}`,
      ...each.keys.map((key) => `  ${keyLine(key)}`),
    ]),
  );
}

async function viewsOf({ config: file }: GroupOptions): Promise<GroupView[]> {
  const config = parseConfig(readConfigText(file), file);
  const target = {
    state: config.stateDir,
    masterKey: config.masterKeyFile,
    ...(config.admin.socket !== undefined && { socket: config.admin.socket }),
  };
  return (await perform('group/list', {}, target, { config })).groups;
}
