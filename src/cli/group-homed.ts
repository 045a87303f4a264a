/** `segy group create|members|delete|rekey|retry|status`: talkgroups that live on the radio side. */
import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { SegyError } from '../base/errors.js';
import { parseConfig } from '../config/index.js';
import { GROUP_SERVICES } from '../gms/index.js';
import type { GroupService, GroupStatus } from '../gms/index.js';
import type { HomedGroupView } from './actions/groups.js';
import type { ActionName, BodyOf, ResultOf } from './actions/index.js';
import { configOption, readConfigText } from './config-file.js';
import { printable } from './printable.js';
import { print } from './output.js';
import { perform } from './perform.js';
import { ProgressBar } from './progress-bar.js';

interface Options {
  readonly config: string;
  readonly json: boolean;
}

interface MembersOptions extends Options {
  readonly membersFile?: string;
  readonly kms?: string;
}

interface CreateOptions extends MembersOptions {
  readonly name?: string;
  readonly pbx?: string;
  readonly speaker?: string;
  readonly member: readonly string[];
  readonly service: readonly GroupService[];
  readonly codec: readonly string[];
  readonly priority?: number;
  readonly clearMedia: boolean;
  readonly clearFloor: boolean;
  readonly multicastFloor: boolean;
  readonly chat: boolean;
}

interface RekeyOptions extends Options {
  readonly in?: number;
  readonly revokeNow: boolean;
  readonly wait: boolean;
}

interface Progress {
  readonly members: number;
  readonly delivered: number;
  readonly failing: number;
  readonly unreached: readonly string[];
}

export function registerHomedGroupCommands(group: Command): void {
  const command = (parent: Command, name: string, description: string): Command =>
    parent
      .command(name)
      .description(description)
      .addOption(configOption())
      .option('--json', 'print JSON', false);
  command(group, 'create', 'home a talkgroup here: it is keyed, and its document is served')
    .argument('<id>', 'MC group ID, in our own domain')
    .option('--name <text>', 'name that members read; default: the name on the PBX')
    .option('--pbx <name>', 'name on the PBX; default: the user part of the ID')
    .option('--speaker <uri>', 'identity that speaks for the radio side')
    .option('--member <uri>', 'a member, a user of a partner or of ours', gather, [])
    .option(
      '--members-file <file>',
      'members, one a line, each with its KMS where it is another one',
    )
    .option('--kms <uri>', 'KMS that keys them; default: the one of their domain')
    .option('--service <name>', `${GROUP_SERVICES.join(', ')}; default MCPTT`, gatherService, [])
    .option('--codec <name>', 'preferred encoding, the best first', gather, [])
    .option('--priority <number>', '0 to 255', wholeNumber)
    .option('--clear-media', 'do not protect its media', false)
    .option('--clear-floor', 'do not protect its floor control', false)
    .option('--multicast-floor', 'floor control is multicast: give out an MKFC', false)
    .option('--chat', 'members join by themselves and are not invited', false)
    .action(create);
  const members = group.command('members').description('who is in a talkgroup of ours');
  command(members, 'add', 'add members: they get the key')
    .argument('<group>', 'MC group ID or its name on the PBX')
    .argument('[uri...]')
    .option(
      '--members-file <file>',
      'members, one a line, each with its KMS where it is another one',
    )
    .option('--kms <uri>', 'KMS that keys them; default: the one of their domain')
    .action(addMembers);
  command(members, 'remove', 'remove members: the others get a new key')
    .argument('<group>')
    .argument('<uri...>')
    .action(removeMembers);
  command(group, 'delete', 'end a talkgroup of ours and revoke its keys')
    .argument('<group>')
    .action(remove);
  command(group, 'rekey', 'make a new key and give it to every member')
    .argument('<group>')
    .option('--in <seconds>', 'until all use it', wholeNumber)
    .option('--revoke-now', 'revoke what it replaces at once', false)
    .option('--no-wait', 'do not wait until every member has it')
    .action(rekey);
  command(group, 'retry', 'try members again at once that could not be reached')
    .argument('<group>')
    .action(retry);
  command(group, 'status', 'keys of a talkgroup of ours, and which members have them')
    .argument('<group>')
    .action(status);
}

/** What `segy group list` shows beside the partners' groups; none where no group is homed here. */
export async function homedGroups(options: Options): Promise<readonly HomedGroupView[]> {
  const config = parseConfig(readConfigText(options.config), options.config);
  if (config.gms === undefined) return [];
  return (await run('group/homed', {}, options)).groups;
}

async function create(id: string, options: CreateOptions): Promise<void> {
  const { name, pbx, speaker, priority, service, codec, json } = options;
  const made = await run(
    'group/create',
    {
      id,
      members: await membersOf(options.member, options),
      ...(name !== undefined && { displayName: name }),
      ...(pbx !== undefined && { pbx }),
      ...(speaker !== undefined && { speaker }),
      ...(priority !== undefined && { priority }),
      ...(service.length > 0 && { services: [...service] }),
      ...(codec.length > 0 && { codecs: [...codec] }),
      protectMedia: !options.clearMedia,
      protectFloorControl: !options.clearFloor,
      multicastFloorControl: options.multicastFloor,
      inviteMembers: !options.chat,
    },
    options,
  );
  print(json, { ok: true, ...made }, () => [
    `${printable(made.group)} is ${made.pbx} on the PBX, with ${made.members} members`,
  ]);
}

async function addMembers(
  group: string,
  uris: readonly string[],
  options: MembersOptions,
): Promise<void> {
  const members = await membersOf(uris, options);
  if (members.length === 0) throw new SegyError('SEGY_E_USAGE', 'name members or --members-file');
  const changed = await run('group/members/add', { group, members }, options);
  print(options.json, { ok: true, ...changed }, () => [`${changed.members} members`]);
}

async function removeMembers(
  group: string,
  uris: readonly string[],
  options: Options,
): Promise<void> {
  const changed = await run('group/members/remove', { group, members: [...uris] }, options);
  print(options.json, { ok: true, ...changed }, () => [`${changed.members} members`]);
}

async function remove(group: string, options: Options): Promise<void> {
  const gone = await run('group/delete', { group }, options);
  print(options.json, { ok: true, ...gone }, () => [`${printable(gone.group)} is deleted`]);
}

async function retry(group: string, options: Options): Promise<void> {
  const tried = await run('group/retry', { group }, options);
  print(options.json, { ok: true, ...tried }, () => [`${printable(tried.group)} is tried again`]);
}

/** With `--json` every report is a line of its own, the result the last. */
async function rekey(group: string, options: RekeyOptions): Promise<void> {
  const { in: activationSeconds, revokeNow, wait, json } = options;
  const bar = new ProgressBar('members with the new key');
  const onEvent = (value: unknown): void => {
    if (json) console.log(JSON.stringify({ event: value }));
    else {
      const { members, delivered, failing, unreached } = value as Progress;
      const refused = failing > 0 ? `, ${failing} refused` : '';
      const silent = unreached.length > 0 ? `, ${unreached.join(', ')} not reached` : '';
      bar.show(delivered, members, refused + silent);
    }
  };
  const body = {
    group,
    wait,
    revokeNow,
    ...(activationSeconds !== undefined && { activationSeconds }),
  };
  const made = await run('group/rekey', body, options, onEvent).finally(() => bar.end());
  print(json, { ok: true, ...made }, () => [
    `new keys: ${made.keys.join(' ')}`,
    ...(made.delivers ? [] : ['no gateway runs: members get them when it starts']),
    ...statusLines(made.status),
  ]);
}

async function status(group: string, options: Options): Promise<void> {
  const found = await run('group/status', { group }, options);
  print(options.json, { ok: true, ...found }, () => statusLines(found));
}

function statusLines({ group, keys, unreached, problems }: GroupStatus): string[] {
  return [
    printable(group),
    ...keys.map(({ keyId, keyType, state, activation, deliveries }) => {
      const { delivered, members } = deliveries;
      return `  ${keyType} ${keyId}  ${state}  from ${activation}  ${delivered} of ${members} members`;
    }),
    ...unreached.map(
      ({ partner, code, nextTry }) => `  ${partner} is not reached  ${code}  again at ${nextTry}`,
    ),
    ...problems.map((problem) => {
      const { member, code, status: sip, failures, nextTry, redirect } = problem;
      const answer = sip === null ? code : `${code} ${sip}`;
      const advice = redirect === null ? '' : `; KMS redirect: ${printable(redirect.advice)}`;
      return `  ${printable(member)}  ${answer}  ${failures} times, again at ${nextTry}${advice}`;
    }),
  ];
}

function run<N extends ActionName>(
  name: N,
  body: BodyOf<N>,
  options: Options,
  onEvent?: (value: unknown) => void,
): Promise<ResultOf<N>> {
  const config = parseConfig(readConfigText(options.config), options.config);
  const target = {
    state: config.stateDir,
    masterKey: config.masterKeyFile,
    ...(config.admin.socket !== undefined && { socket: config.admin.socket }),
  };
  return perform(name, body, target, { config, ...(onEvent && { onEvent }) });
}

/** Lines of a file are `URI` or `URI KMS-URI`; a line that begins with # is a remark. */
async function membersOf(
  uris: readonly string[],
  { membersFile, kms }: MembersOptions,
): Promise<{ uri: string; kmsUri?: string }[]> {
  let lines: string[] = [];
  try {
    if (membersFile !== undefined) lines = (await readFile(membersFile, 'utf8')).split(/\r?\n/);
  } catch (cause) {
    throw new SegyError('SEGY_E_IO', `cannot read ${membersFile ?? ''}`, { cause });
  }
  const listed = lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  return [...uris, ...listed].map((line) => {
    const [uri = '', kmsUri = kms, ...more] = line.split(/\s+/);
    if (more.length > 0) throw new SegyError('SEGY_E_USAGE', `not a member: ${printable(line)}`);
    return { uri, ...(kmsUri !== undefined && { kmsUri }) };
  });
}

function gather(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function gatherService(value: string, before: readonly GroupService[]): GroupService[] {
  const service = GROUP_SERVICES.find((each) => each === value);
  if (service === undefined) throw new InvalidArgumentError(`one of ${GROUP_SERVICES.join(', ')}`);
  return [...before, service];
}

function wholeNumber(value: string): number {
  if (!/^\d{1,6}$/.test(value)) throw new InvalidArgumentError('a whole number');
  return Number(value);
}
