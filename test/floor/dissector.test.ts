import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '../../src/base/bytes.js';
import {
  FLOOR_MESSAGE_TYPES,
  type FloorFields,
  type FloorMessage,
  writeFloorMessage,
} from '../../src/floor/index.js';
import { Capture } from '../support/pcap.js';
import { skipBecause } from '../support/skip.js';
import { LOCATIONS, sample, SAMPLES } from './samples.js';

/** What Wireshark calls each message type (its name for 14 is that of Release 17). */
const MESSAGE_NAMES: Readonly<Record<FloorMessage['type'], string>> = {
  request: 'Floor Request',
  granted: 'Floor Granted',
  taken: 'Floor Taken',
  deny: 'Floor Deny',
  release: 'Floor Release',
  idle: 'Floor Idle',
  revoke: 'Floor Revoke',
  queuePositionRequest: 'Floor Queue Position Request',
  queuePositionInfo: 'Floor Queue Position Info',
  ack: 'Floor Ack',
  unicastMediaFlowControl: 'Unicast Media Flow Control',
  queuedFloorRequests: 'Floor Queued Cancel',
  releaseMultiTalker: 'Floor Release Multi Talker',
};

/** What Wireshark calls each field: its column, and the value as it prints it. */
const FIELD_NAMES: {
  readonly [K in keyof Required<FloorFields>]: readonly [number, string];
} = {
  priority: [0, 'Floor Priority'],
  duration: [1, 'Duration'],
  rejectCause: [2, 'Reject Cause'],
  queueInfo: [3, 'Queue Info'],
  grantedParty: [4, "Granted Party's Identity"],
  permissionToRequest: [5, 'Permission to Request the Floor'],
  userId: [6, 'User ID'],
  queueSize: [7, 'Queue Size'],
  sequenceNumber: [8, 'Message Sequence-Number'],
  queuedUserId: [9, 'Queued User ID'],
  source: [10, 'Source'],
  trackInfo: [11, 'Track Info'],
  acknowledged: [12, 'Message Type'],
  indicator: [13, 'Floor Indicator'],
  mediaSsrc: [14, 'SSRC'],
  grantedUsers: [15, 'List of Granted Users'],
  mediaSsrcs: [16, 'List of SSRCs'],
  functionalAlias: [17, 'Functional Alias'],
  functionalAliases: [18, 'List of Functional Aliases'],
  location: [19, 'Location'],
  locations: [20, 'List of Locations'],
  queuedPurpose: [21, 'Queued Floor Requests Purpose'],
  queuedUsers: [22, 'List of Queued Users'],
  responseState: [23, 'Response State'],
  mediaFlowControl: [24, 'Media Flow Control Indicator'],
};

const mcptt = (name: string): string => `rtcp.app_data.mcptt.${name}`;
const numbers = (...values: readonly (number | undefined)[]): string[] =>
  values.filter((value) => value !== undefined).map(String);
const given = <T>(...values: readonly (T | undefined)[]): T[] =>
  values.filter((value): value is T & {} => value !== undefined);

/** Column of Wireshark → values it must show for a message, in its order. */
const COLUMNS: Readonly<Record<string, (m: FloorMessage) => readonly string[]>> = {
  [mcptt('priority')]: (m) => numbers(m.priority),
  [mcptt('duration')]: (m) => numbers(m.duration),
  [mcptt('rej_cause.floor_deny')]: (m) =>
    numbers(m.type === 'deny' && !m.ackRequired ? m.rejectCause?.cause : undefined),
  [mcptt('rej_cause.floor_revoke')]: (m) =>
    numbers(m.type === 'revoke' ? m.rejectCause?.cause : undefined),
  'rtcp.mcptt.rej_phrase': (m) => given(m.rejectCause?.phrase),
  [mcptt('queue_pos_inf')]: (m) => numbers(m.queueInfo?.position),
  [mcptt('queue_pri_lev')]: (m) => numbers(m.queueInfo?.priority),
  'rtcp.mcptt.granted_partys_id': (m) => given(m.grantedParty),
  [mcptt('perm_to_req_floor')]: (m) =>
    numbers(m.permissionToRequest === undefined ? undefined : Number(m.permissionToRequest)),
  [mcptt('user_id')]: (m) => [...given(m.userId), ...(m.grantedUsers ?? [])],
  [mcptt('num_users')]: (m) => numbers(m.grantedUsers?.length),
  [mcptt('queue_size')]: (m) => numbers(m.queueSize),
  [mcptt('msg_seq_num')]: (m) => numbers(m.sequenceNumber),
  'rtcp.mcptt.queued_user_id': (m) => given(m.queuedUserId),
  [mcptt('source')]: (m) => numbers(m.source),
  [mcptt('queueing_cap')]: (m) => numbers(m.trackInfo?.queueingCapability),
  'rtcp.mcptt.participant_type': (m) => given(m.trackInfo?.participantType),
  [mcptt('floor_participant_ref')]: (m) => numbers(...(m.trackInfo?.references ?? [])),
  [mcptt('msg_type')]: (m) => numbers(m.acknowledged),
  [mcptt('floor_ind')]: (m) => numbers(m.indicator),
  [mcptt('rtcp')]: (m) => numbers(m.mediaSsrc, ...(m.mediaSsrcs ?? [])),
  [mcptt('num_ssrc')]: (m) => numbers(m.mediaSsrcs?.length),
  'rtcp.mcptt.func_alias': (m) => [...given(m.functionalAlias), ...(m.functionalAliases ?? [])],
  [mcptt('num_fa')]: (m) => numbers(m.functionalAliases?.length),
  [mcptt('num_loc')]: (m) => numbers(m.locations?.length),
  [mcptt('cellid')]: (m) =>
    numbers(m.location?.kind === 'ecgi' ? m.location.cell % 256 : undefined),
  [mcptt('enodebid')]: (m) =>
    numbers(m.location?.kind === 'ecgi' ? m.location.cell >>> 8 : undefined),
  [mcptt('tac')]: (m) => numbers(m.location?.kind === 'trackingArea' ? m.location.code : undefined),
  [mcptt('mbms_serv_area')]: (m) =>
    numbers(m.location?.kind === 'mbmsServiceArea' ? m.location.area : undefined),
  [mcptt('mbsfn_area_id')]: (m) =>
    [m.location, ...(m.locations ?? [])].flatMap((l) =>
      l?.kind === 'mbsfnArea' ? [String(l.area)] : [],
    ),
  [mcptt('lat')]: (m) =>
    numbers(m.location?.kind === 'coordinates' ? m.location.latitude : undefined),
  [mcptt('long')]: (m) =>
    numbers(m.location?.kind === 'coordinates' ? m.location.longitude : undefined),
  'rtcp.mcptt.fld_val': (m) => {
    const values = [m.queuedPurpose, m.queuedUsers, m.responseState, m.mediaFlowControl];
    return given<number | Uint8Array>(...values).map((value) =>
      typeof value === 'number' ? value.toString(16).padStart(4, '0') : toHex(value),
    );
  },
};

const MESSAGES = [
  ...SAMPLES,
  ...LOCATIONS.filter(({ kind }) => kind !== 'other').map((location) =>
    sample({ type: 'request', location }),
  ),
];
const PORT = 5002;
const SEPARATOR = '\u0001';

describe('Floor messages in Wireshark', () => {
  let directory: string;
  let capture: string;

  function tshark(...args: string[]): string {
    const run = spawnSync('tshark', ['-r', capture, '-d', `udp.port==${PORT},rtcp`, ...args], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    assert.equal(run.status, 0, run.stderr);
    return run.stdout;
  }

  before(function () {
    if (spawnSync('tshark', ['--version']).status !== 0) skipBecause(this, 'tshark is missing');
    directory = mkdtempSync(join(tmpdir(), 'segy-floor-'));
    capture = join(directory, 'floor.pcap');
    const pcap = new Capture(capture);
    const from = { address: '10.0.0.1', port: 5000 };
    for (const message of MESSAGES) {
      pcap.add(from, { address: '10.0.0.2', port: PORT }, writeFloorMessage(message));
    }
  });

  after(() => rmSync(directory, { recursive: true, force: true }));

  it('are a sample of every message type and every field', () => {
    const types = new Set(SAMPLES.map((message) => message.type));
    assert.deepEqual([...types].sort(), Object.keys(FLOOR_MESSAGE_TYPES).sort());
    const fields = new Set(SAMPLES.flatMap((message) => Object.keys(message)));
    for (const name of Object.keys(FIELD_NAMES)) assert.ok(fields.has(name), name);
  });

  it('have the names that were meant, with the request for an acknowledgement', () => {
    const lines = tshark('-T', 'fields', '-e', 'rtcp.app.subtype', '-e', '_ws.col.Info')
      .trim()
      .split('\n');
    assert.equal(lines.length, MESSAGES.length);
    MESSAGES.forEach((message, i) => {
      const subtype = FLOOR_MESSAGE_TYPES[message.type] + (message.ackRequired ? 16 : 0);
      const name = MESSAGE_NAMES[message.type] + (message.ackRequired ? '(ack req)' : '');
      const [number, info] = (lines[i] ?? '').split('\t');
      assert.equal(number, String(subtype));
      assert.ok(info?.startsWith(`(MCPT) ${name}`), `${info} is not ${name}`);
    });
  });

  it('have the fields that were meant, each under its name', () => {
    const text = tshark('-V', '-O', 'rtcp');
    const blocks = text.split(/^Frame \d+:.*$/m).slice(1);
    MESSAGES.forEach((message, i) => {
      const shown = [...(blocks[i] ?? '').matchAll(/Field Id: (.*) \((\d+)\)/g)];
      const meant = Object.entries(FIELD_NAMES).filter(([name]) => name in message);
      const names = shown.map(([, name, id]) => `${id} ${name}`);
      assert.deepEqual(
        names,
        meant.map(([, [id, name]]) => `${id} ${name}`),
        `message ${i}`,
      );
    });
  });

  it('have the values that were meant', () => {
    const columns = Object.keys(COLUMNS);
    const output = tshark(
      ...['-T', 'fields', '-E', 'occurrence=a', '-E', `aggregator=${SEPARATOR}`],
      ...columns.flatMap((column) => ['-e', column]),
    );
    const rows = output.split('\n');
    MESSAGES.forEach((message, i) => {
      const shown = (rows[i] ?? '').split('\t');
      columns.forEach((column, c) => {
        const meant = COLUMNS[column]?.(message) ?? [];
        assert.equal(shown[c] ?? '', meant.join(SEPARATOR), `message ${i}, ${column}`);
      });
    });
  });

  it('are well-formed to it, but for a list of locations, whose padding it counts twice', () => {
    const faults = tshark(
      '-Y',
      '_ws.malformed || rtcp.length_check == 0',
      '-T',
      'fields',
      '-e',
      'frame.number',
    );
    const lists = MESSAGES.flatMap((m, i) => (m.locations ? [String(i + 1)] : []));
    assert.deepEqual(faults.trim().split('\n'), lists);
  });
});
