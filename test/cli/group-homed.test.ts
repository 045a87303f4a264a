import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSegy } from '../support/cli.js';

const TALKGROUP = 'sip:tg1@x.example';
const ALICE = 'sip:alice@mc-a.example';
const BOB = 'sip:bob@mc-a.example';
const RADIO = 'sip:radio1@x.example';

interface Answer {
  readonly ok: boolean;
  readonly code?: string;
  readonly message?: string;
  readonly members?: number;
  readonly pbx?: string;
  readonly delivers?: boolean;
  readonly keys?: readonly string[] | readonly KeyLine[];
  readonly homed?: readonly {
    group: { id: string; members: readonly { uri: string; kmsUri: string }[] };
  }[];
}

interface KeyLine {
  readonly keyId: string;
  readonly keyType: string;
  readonly state: string;
  readonly deliveries: { readonly members: number; readonly waiting: number };
}

describe('segy group, while no gateway runs', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'segy-homed-'));
  const at = (name: string): string => join(folder, name);
  const state = ['--state', at('x'), '--master-key', at('x.key')];
  const said: string[] = [];

  function segy(...args: readonly string[]): { status: number | null; text: string } {
    const { status, stdout, stderr } = runSegy([...args, '--config', at('segy.yaml')]);
    said.push(stdout, stderr);
    return { status, text: stdout + stderr };
  }
  function json(...args: readonly string[]): Answer {
    const { text } = segy(...args, '--json');
    return JSON.parse(text.trim().split('\n').at(-1) ?? '') as Answer;
  }
  const done = (...args: readonly string[]): Answer => {
    const answer = json(...args);
    assert.equal(answer.ok, true, JSON.stringify(answer));
    return answer;
  };
  const refusal = (...args: readonly string[]): string | undefined => {
    const answer = json(...args);
    assert.equal(answer.ok, false, JSON.stringify(answer));
    return answer.code;
  };
  const keysOf = (group: string): readonly KeyLine[] =>
    done('group', 'status', group).keys as readonly KeyLine[];
  const membersOf = (group: string): string[] =>
    done('group', 'list')
      .homed!.filter(({ group: { id } }) => id === group)
      .flatMap(({ group: { members } }) => members.map(({ uri }) => uri));

  /** @param more lines at the end of the configuration */
  function configure(...more: readonly string[]): void {
    writeFileSync(
      at('segy.yaml'),
      [
        `stateDir: ${at('x')}`,
        `masterKeyFile: ${at('x.key')}`,
        `pbx: { type: asterisk, ari: { url: 'http://127.0.0.1:8088', username: segy, passwordFile: ${at('x.key')} } }`,
        'outer: { mediaAddress: 127.0.1.1, listeners: [{ transport: udp, address: 127.0.1.1, port: 5060 }] }',
        `users: [{ uri: '${RADIO}', pbx: '1001' }]`,
        'partners:',
        '  - name: mc-a',
        '    domains: [mc-a.example]',
        '    kmsUris: [kms.mc-a.example, kms.new.mc-a.example]',
        '    sip:',
        '      addresses: [{ host: 127.0.2.1, transport: udp }]',
        '      requestUri: sip:psi@mc-a.example',
        ...more,
        '',
      ].join('\n'),
    );
  }
  const HOME = "gms: { uri: 'sip:gms@x.example', keys: { activationSeconds: 0 } }";

  before(() => {
    runSegy(['kms', 'init', ...state, '--kms-uri', 'kms.x.example', '--domain', 'x.example']);
    const made = runSegy([
      ...['sim', 'init', '--json', '--domain', at('mc-a'), '--kms-uri', 'kms.mc-a.example'],
      ...['--mc-domain', 'mc-a.example', '--user', ALICE, BOB],
    ]);
    const { fingerprint } = JSON.parse(made.stdout) as { fingerprint: string };
    const trusted = runSegy([
      ...['kms', 'trust', 'add', join(at('mc-a'), 'kms-certificate.xml'), ...state],
      ...['--partner', 'mc-a', '--fingerprint', fingerprint],
    ]);
    assert.equal(trusted.status, 0, trusted.stderr);
    configure(HOME);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('needs a gms in the configuration', () => {
    configure();
    assert.equal(refusal('group', 'create', TALKGROUP), 'SEGY_E_CONFIG');
    configure(HOME);
  });

  it('makes a group with its key, which waits for the members until a gateway runs', () => {
    writeFileSync(at('members'), `# night watch\n${ALICE}\n\n`);
    const made = done(
      ...['group', 'create', TALKGROUP, '--name', 'Fire', '--speaker', RADIO],
      ...['--members-file', at('members'), '--member', RADIO],
    );
    assert.deepEqual([made.members, made.pbx], [2, 'tg1']);
    const [key, ...more] = keysOf('tg1');
    assert.deepEqual(more, []);
    assert.deepEqual([key?.keyType, key?.state], ['GMK', 'active']);
    assert.deepEqual([key?.deliveries.members, key?.deliveries.waiting], [1, 1]);
  });

  for (const [name, args, code] of [
    ['a group that is there already', ['create', TALKGROUP], 'SEGY_E_CHANGED'],
    ['a group without a domain', ['create', 'tg9'], 'SEGY_E_GROUP'],
    [
      'a name that another group has',
      ['create', 'sip:o@x.example', '--pbx', 'tg1'],
      'SEGY_E_GROUP',
    ],
    ['a name that a user has', ['create', 'sip:o@x.example', '--pbx', '1001'], 'SEGY_E_GROUP'],
    [
      'a member of nobody’s domain',
      ['create', 'sip:o@x.example', '--member', 'sip:eve@elsewhere.example'],
      'SEGY_E_GROUP',
    ],
    [
      'a list of members that cannot be read',
      ['members', 'add', 'tg1', '--members-file', 'none'],
      'SEGY_E_IO',
    ],
    ['to add nobody', ['members', 'add', 'tg1'], 'SEGY_E_USAGE'],
    ['to remove whoever is no member', ['members', 'remove', 'tg1', BOB], 'SEGY_E_NOT_FOUND'],
    ['to roll a group that is not there', ['rekey', 'tg9'], 'SEGY_E_NOT_FOUND'],
    ['to show a group that is not there', ['status', 'tg9'], 'SEGY_E_NOT_FOUND'],
    ['to delete a group that is not there', ['delete', 'tg9'], 'SEGY_E_NOT_FOUND'],
  ] as const) {
    it(`refuses ${name}: ${code}`, () => assert.equal(refusal('group', ...args), code));
  }

  it('has changed nothing by what it refused', () => {
    assert.deepEqual(membersOf(TALKGROUP), [RADIO, ALICE]);
    assert.equal(done('group', 'list').homed!.length, 1);
  });

  it('refuses a service, a priority and a time that are none as wrong usage', () => {
    for (const args of [
      ['create', 'sip:o@x.example', '--service', 'MCFax'],
      ['create', 'sip:o@x.example', '--priority', 'high'],
      ['rekey', 'tg1', '--in', '-1'],
    ]) {
      assert.equal(segy('group', ...args).status, 2, args.join(' '));
    }
  });

  it('adds a member, who waits for the same key', () => {
    assert.equal(done('group', 'members', 'add', 'tg1', BOB).members, 3);
    const [key, ...more] = keysOf(TALKGROUP);
    assert.deepEqual(more, []);
    assert.equal(key?.deliveries.waiting, 2);
  });

  it('takes the KMS of a member from the line or the option, and none that is not its partner’s', () => {
    const kmsOf = (uri: string): string | undefined =>
      done('group', 'list')
        .homed!.flatMap(({ group: { members } }) => members)
        .find((each) => each.uri === uri)?.kmsUri;
    assert.equal(kmsOf(BOB), 'kms.mc-a.example');
    writeFileSync(at('moved'), `${BOB}  kms.new.mc-a.example\n`);
    done('group', 'members', 'add', 'tg1', '--members-file', at('moved'));
    assert.equal(kmsOf(BOB), 'kms.new.mc-a.example');
    done('group', 'members', 'add', 'tg1', BOB, '--kms', 'kms.mc-a.example');
    assert.equal(kmsOf(BOB), 'kms.mc-a.example');
    const foreign = ['group', 'members', 'add', 'tg1', BOB, '--kms', 'kms.elsewhere.example'];
    assert.equal(refusal(...foreign), 'SEGY_E_GROUP');
    writeFileSync(at('moved'), `${BOB} kms.mc-a.example and more\n`);
    assert.equal(
      refusal('group', 'members', 'add', 'tg1', '--members-file', at('moved')),
      'SEGY_E_USAGE',
    );
  });

  it('makes a new key, and says that no gateway runs', () => {
    const { text, status } = segy('group', 'rekey', 'tg1');
    assert.equal(status, 0, text);
    assert.match(text, /no gateway runs: members get them when it starts/);
    const rolled = done('group', 'rekey', 'tg1', '--in', '3600');
    assert.equal(rolled.delivers, false);
    assert.deepEqual(keysOf('tg1').at(-1)?.state, 'pending');
    assert.equal(rolled.keys?.at(-1), keysOf('tg1').at(-1)?.keyId);
  });

  it('removes a member, and what waited for it waits no more', () => {
    assert.equal(done('group', 'members', 'remove', 'tg1', BOB).members, 2);
    assert.ok(keysOf('tg1').every(({ deliveries }) => deliveries.members <= 1));
    assert.deepEqual(membersOf(TALKGROUP), [RADIO, ALICE]);
  });

  it('makes an MKFC beside the GMK where floor control is multicast, and no key for clear media', () => {
    done('group', 'create', 'sip:m@x.example', '--multicast-floor', '--member', ALICE);
    assert.deepEqual(
      keysOf('m').map(({ keyType }) => keyType),
      ['GMK', 'MKFC'],
    );
    done('group', 'create', 'sip:c@x.example', '--clear-media', '--member', ALICE);
    assert.deepEqual(keysOf('c'), []);
    assert.equal(refusal('group', 'rekey', 'c'), 'SEGY_E_GROUP');
  });

  it('deletes a group with its keys', () => {
    done('group', 'delete', 'm');
    assert.equal(refusal('group', 'status', 'm'), 'SEGY_E_NOT_FOUND');
  });

  it('leaves to the configuration file what that decides on', () => {
    const listed = (uri: string): string =>
      `gms: { uri: 'sip:gms@x.example', groups: [{ id: 'sip:conf@x.example', displayName: C, pbx: conf, members: [{ uri: '${uri}' }] }] }`;
    configure(listed(ALICE));
    assert.equal(keysOf('conf').length, 1);
    assert.equal(refusal('group', 'delete', 'conf'), 'SEGY_E_GROUP');
    assert.equal(refusal('group', 'members', 'add', 'conf', BOB), 'SEGY_E_GROUP');
    configure(listed(BOB));
    done('group', 'rekey', 'conf');
    assert.deepEqual(membersOf('sip:conf@x.example'), [BOB]);
    configure(listed('sip:eve@elsewhere.example'));
    assert.equal(refusal('group', 'status', 'conf'), 'SEGY_E_CONFIG');
    configure(HOME);
    done('group', 'rekey', 'tg1');
    assert.deepEqual(membersOf('sip:conf@x.example'), []);
  });

  it('notes every change in the audit log, and shows no key', () => {
    const { stdout } = runSegy(['audit', 'show', '--state', at('x'), '--json']);
    for (const action of ['group-created', 'group-changed', 'group-rekeyed', 'group-deleted']) {
      assert.ok(stdout.includes(action), action);
    }
    assert.doesNotMatch(said.join(''), /[0-9a-f]{32}/);
  });
});
