import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseXml } from '../../../src/xml/index.js';
import { PROJECT_ROOT } from '../../support/asterisk.js';
import { extension } from '../../support/each-pbx.js';
import { eslCommand } from '../../support/esl-command.js';
import { FakeFreeSwitch } from '../../support/esl-fake.js';
import { writeFreeSwitchConfig } from '../../support/freeswitch-config.js';
import { findFreeSwitch } from '../../support/freeswitch.js';

const SNIPPETS = join(PROJECT_ROOT, 'dialplan/freeswitch');
const PLAN = {
  edge: { address: '127.0.0.2', port: 15062 },
  radio: { address: '127.0.0.3', port: 15063 },
  sip: { address: '127.0.0.1', port: 15070 },
  trunk: { address: '127.0.0.1', port: 15071 },
  control: { address: '127.0.0.1', port: 18021 },
  password: 'secret-of-a-test',
  rtpStart: 20000,
  extensions: {},
};

describe('the FreeSWITCH that tests start', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'segy-fs-config-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const written = (name: string): string => readFileSync(join(folder, name), 'utf8');

  /** freeswitch.xml with its includes in place, as FreeSWITCH reads it. */
  const whole = (): string =>
    written('freeswitch.xml')
      .replace(/<X-PRE-PROCESS cmd="include" data="([^"]+)"\/>/g, (_, path: string) =>
        readFileSync(path, 'utf8'),
      )
      .replace(/<!--[^]*?-->/g, '')
      .replace(/<\/?include>/g, '');

  it('has the contexts of the snippets word for word', () => {
    writeFreeSwitchConfig(folder, PLAN);
    for (const name of ['segy.xml', 'segy_routes.xml', 'segy_groups.xml', 'segy_floor.xml']) {
      assert.equal(written(name), readFileSync(join(SNIPPETS, name), 'utf8'));
    }
  });

  it('differs from the other snippets only in lines that an operator edits', () => {
    writeFreeSwitchConfig(folder, PLAN);
    for (const name of ['segy_acl.xml', 'segy_event_socket.xml', 'segy_profile.xml']) {
      const before = readFileSync(join(SNIPPETS, name), 'utf8').split('\n');
      const after = written(name).split('\n');
      assert.equal(after.length, before.length);
      const changed = after.filter((line, index) => line !== before[index]);
      for (const line of changed) {
        assert.match(line, /"(proxy|realm|sip-ip|sip-port|rtp-ip|listen-port|password)"|cidr=/);
      }
    }
  });

  it('gets one well-formed document with every snippet in it', () => {
    writeFreeSwitchConfig(folder, PLAN);
    const text = whole();
    parseXml(text);
    for (const name of readdirSync(SNIPPETS)) assert.ok(written('freeswitch.xml').includes(name));
    for (const at of ['127.0.0.2:15062', '127.0.0.3:15063', '15070', '15071', '18021']) {
      assert.ok(text.includes(`"${at}"`), at);
    }
    assert.equal(text.includes('change-me'), false);
  });

  it('gets an extension of a test before those of the snippet', () => {
    const extensions = { 'from-segy': extension('1002', ['answer', '']) };
    writeFreeSwitchConfig(folder, { ...PLAN, extensions });
    const text = whole();
    parseXml(text);
    assert.ok(text.indexOf('test-1002') > text.indexOf('<context name="from-segy">'));
    assert.ok(text.indexOf('test-1002') < text.indexOf('hand-over'));
  });

  it('is not started with an extension for a context that there is not', () => {
    const plan = { ...PLAN, extensions: { elsewhere: extension('1', ['answer', '']) } };
    assert.throws(() => writeFreeSwitchConfig(folder, plan), /elsewhere/);
  });

  it('is the running one, before the prefix, before PATH', () => {
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/freeswitch'), '');
    const PATH = join(folder, 'bin');
    const program = join(PATH, 'freeswitch');
    assert.deepEqual(findFreeSwitch({ PATH }), { program, prefix: null });
    const named = { PATH, SEGY_TEST_FREESWITCH: folder };
    assert.deepEqual(findFreeSwitch(named), { program, prefix: folder });
    const link = { SEGY_TEST_ESL: '127.0.0.1:8021:a:b', SEGY_TEST_FS_SIP: '127.0.0.1:5070' };
    assert.deepEqual(findFreeSwitch({ ...named, ...link }), {
      control: { address: '127.0.0.1', port: 8021 },
      password: 'a:b',
      sip: { address: '127.0.0.1', port: 5070 },
    });
  });

  it('is missed with the reason and how to name one', () => {
    for (const env of [
      { PATH: folder },
      { SEGY_TEST_FREESWITCH: folder },
      { SEGY_TEST_ESL: '127.0.0.1:8021:x' },
      { SEGY_TEST_FS_SIP: '127.0.0.1:5070' },
    ]) {
      const found = findFreeSwitch(env);
      assert.ok('missing' in found);
      assert.match(found.missing, /SEGY_TEST_FREESWITCH=.*SEGY_TEST_ESL=.*SEGY_TEST_FS_SIP=/);
    }
  });

  it('is asked by commands over the event socket, and says when the password is wrong', async () => {
    const fake = await FakeFreeSwitch.start();
    const at = { address: '127.0.0.1', port: fake.port };
    try {
      assert.match(await eslCommand(at, fake.password, 'show channels as json'), /"row_count":0/);
      await assert.rejects(eslCommand(at, 'wrong', 'status'), /-ERR invalid/);
    } finally {
      await fake.stop();
    }
  });
});
