import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkFreeSwitch } from '../../src/cli/check-freeswitch.js';
import type { SegyConfig } from '../../src/config/index.js';
import { PROJECT_ROOT } from '../support/asterisk.js';
import { FakeFreeSwitch } from '../support/esl-fake.js';

const SNIPPETS = join(PROJECT_ROOT, 'dialplan/freeswitch');
const PROFILE = 'xml_locate configuration configuration name sofia.conf';

const INNER = {
  address: '127.0.0.2',
  sipPort: 5062,
  transports: ['udp', 'tcp'],
  mediaPorts: [30_000, 39_999],
  allowedMediaAddresses: ['127.0.0.1'],
  allowNonLoopback: false,
  mcBodies: false,
} satisfies SegyConfig['inner'];

/** The snippets as FreeSWITCH has them: without comments, each context to be found by its name. */
function snippets(): Map<string, string> {
  const bare = (name: string): string =>
    readFileSync(join(SNIPPETS, name), 'utf8').replace(/<!--[^]*?-->/g, '');
  const profile = bare('segy_profile.xml').trim();
  const answers = new Map([
    ['sofia status profile segy', 'Name segy\n'],
    ['sofia status gateway segy', 'Name segy\n'],
    ['sofia status gateway radio', 'Name radio\n'],
    [PROFILE, `<configuration name="sofia.conf"><profiles>${profile}</profiles></configuration>\n`],
  ]);
  for (const file of readdirSync(SNIPPETS)) {
    const contexts = bare(file).matchAll(/<context name="([^"]+)">[^]*?<\/context>/g);
    for (const [context, name = ''] of contexts) {
      answers.set(`xml_locate dialplan context name ${name}`, `${context}\n`);
    }
  }
  return answers;
}

describe('segy config check with FreeSWITCH', () => {
  let fake: FakeFreeSwitch;
  let folder: string;
  let findings: string[];
  let warnings: string[];

  beforeEach(async () => {
    fake = await FakeFreeSwitch.start();
    folder = mkdtempSync(join(tmpdir(), 'segy-check-fs-'));
    writeFileSync(join(folder, 'secret'), `${fake.password}\n`);
    for (const [command, answer] of snippets()) fake.answers.set(command, answer);
  });
  afterEach(async () => {
    await fake.stop();
    rmSync(folder, { recursive: true });
  });

  async function check(): Promise<void> {
    const esl = { host: '127.0.0.1', port: fake.port, passwordFile: join(folder, 'secret') };
    findings = [];
    warnings = [];
    await checkFreeSwitch(
      { pbx: { esl, sip: { address: '127.0.0.1', port: 5070, transport: 'udp' } }, inner: INNER },
      (path, message, cure) => findings.push(`${path.join('.')}: ${message}; ${cure}`),
      (path, message, cure) => warnings.push(`${path.join('.')}: ${message}; ${cure}`),
    );
  }
  const context = (name: string): string => `xml_locate dialplan context name ${name}`;
  /** Changes what FreeSWITCH has loaded. */
  function edit(command: string, before: string | RegExp, after: string): void {
    const text = fake.answers.get(command) ?? '';
    const changed = text.replace(before, after);
    assert.notEqual(changed, text, `${command} has no ${String(before)}`);
    fake.answers.set(command, changed);
  }

  it('finds nothing wrong in the snippets as they are', async () => {
    await check();
    assert.deepEqual([findings, warnings], [[], []]);
  });

  it('sees a password that FreeSWITCH refuses, and does not tell it', async () => {
    writeFileSync(join(folder, 'secret'), 'wrong-one\n');
    await check();
    assert.equal(findings.length, 1);
    assert.match(findings[0]!, /pbx\.esl\.host: .*refuses the password/);
    assert.equal(findings.join().includes('wrong-one'), false);
  });

  it('sees that nobody listens', async () => {
    await fake.stop();
    await check();
    assert.match(findings.join(), /pbx\.esl\.host: FreeSWITCH does not let us in/);
  });

  it('sees that there is no profile, and asks for nothing more', async () => {
    fake.answers.delete('sofia status profile segy');
    await check();
    assert.equal(findings.length, 1);
    assert.match(findings[0]!, /pbx\.sip: FreeSWITCH has no profile segy/);
  });

  it('sees a profile that does not make the channel known by the Call-ID', async () => {
    edit(PROFILE, '<param name="outbound-use-uuid-as-callid" value="true"/>', '');
    await check();
    assert.equal(findings.length, 1);
    assert.match(findings[0]!, /pbx\.sip: .*lacks outbound-use-uuid-as-callid/);
    const off = '<param name="outbound-use-uuid-as-callid" value="false"/></settings>';
    edit(PROFILE, '</settings>', off);
    await check();
    assert.equal(findings.length, 1);
  });

  it('warns of enable-100rel', async () => {
    edit(PROFILE, '</settings>', '<param name="enable-100rel" value="true"/></settings>');
    await check();
    assert.deepEqual(findings, []);
    assert.match(warnings.join(), /enable-100rel/);
  });

  for (const [name, by] of [
    ['from-segy', 'profile segy'],
    ['to-segy', 'segy_routes.xml'],
    ['segy-checked', 'context from-segy'],
    ['segy-to-radio', 'context segy-checked'],
  ] as const) {
    it(`sees that context ${name} is missing, which ${by} names`, async () => {
      fake.answers.delete(context(name));
      await check();
      assert.equal(findings.length, 1, findings.join('\n'));
      assert.match(findings[0]!, new RegExp(`no context ${name}, which ${by} names`));
    });
  }

  it('only warns of a missing context where the dialplan may come from elsewhere', async () => {
    fake.answers.delete(context('segy-to-radio'));
    fake.answers.set('module_exists mod_xml_curl', 'true');
    await check();
    assert.deepEqual(findings, []);
    assert.match(warnings.join(), /no context segy-to-radio/);
  });

  it('looks into the context that the profile names', async () => {
    edit(PROFILE, 'name="context" value="from-segy"', 'name="context" value="public"');
    await check();
    assert.match(findings.join(), /no context public, which profile segy names/);
  });

  for (const [what, before, after, said] of [
    ['without park_timeout', /<action[^>]*park_timeout=[^>]*>/, '', /park_timeout/],
    [
      'with park_timeout set too late',
      /(<action[^>]*park_timeout=[^>]*>)\s*(<action application="park"\/>)/,
      '$2$1',
      /park_timeout/,
    ],
    ['without a park', '<action application="park"/>', '', /parks no call/],
    ['without SEGY_TARGET', /<action[^>]*SEGY_TARGET=[^>]*>/, '', /SEGY_TARGET/],
    ['without SEGY_CONTEXT', /<action[^>]*SEGY_CONTEXT=[^>]*>/, '', /SEGY_CONTEXT/],
  ] as const) {
    it(`sees a hand-over ${what}`, async () => {
      edit(context('from-segy'), before, after);
      await check();
      assert.equal(findings.length, 1, findings.join('\n'));
      assert.match(findings[0]!, said);
    });
  }

  it('sees a transfer to an extension that its context does not have', async () => {
    const transfer = '${destination_number} XML segy-to-radio';
    edit(context('segy-checked'), transfer, '*99 XML segy-to-radio');
    await check();
    assert.equal(findings.length, 1);
    assert.match(
      findings[0]!,
      /context segy-checked sends calls to the extension \*99.*segy-to-radio/,
    );
    edit(context('segy-checked'), '*99 XML segy-to-radio', 'dispatch XML segy-to-radio');
    await check();
    assert.deepEqual(findings, []);
  });

  it('sees a sofia gateway that FreeSWITCH does not have', async () => {
    edit(context('segy-to-radio'), 'sofia/gateway/radio/', 'sofia/gateway/trunk-9/');
    await check();
    assert.match(findings.join(), /sofia gateway trunk-9/);
  });

  it('sees modules without which nothing works, and asks for nothing more', async () => {
    fake.answers.set('module_exists mod_dptools', 'false');
    fake.answers.set('module_exists mod_dialplan_xml', 'false');
    await check();
    assert.equal(findings.length, 1, findings.join('\n'));
    assert.match(findings[0]!, /has not loaded mod_dptools, mod_dialplan_xml/);
  });

  it('sees a module that an application of the dialplan needs, where it is used', async () => {
    fake.answers.set('module_exists mod_hash', 'false');
    await check();
    assert.deepEqual(findings, []);
    const limit = '<action application="limit" data="hash segy-talkgroup $1 1 !USER_BUSY"/>';
    edit(
      context('segy-to-radio'),
      '<action application="bridge"',
      `${limit}<action application="bridge"`,
    );
    await check();
    assert.match(findings.join(), /context segy-to-radio needs mod_hash/);
  });

  it('sees that there is no channel list', async () => {
    fake.answers.set('show channels as json', '-ERR SQL disabled, no data available!\n');
    await check();
    assert.match(findings.join(), /no list of its channels/);
  });

  it('warns of so few new channels a second that calls at once are refused', async () => {
    fake.answers.set('status', '0 session(s) per Sec out of max 30, peak 0, last 5min 0 \n');
    await check();
    assert.deepEqual(findings, []);
    assert.match(warnings.join(), /30 new channels a second.*sessions-per-second/);
  });

  it('sees an access list that does not let the gateway in, and a profile that wants a log-in', async () => {
    fake.answers.set('acl 127.0.0.2 segy', 'false');
    await check();
    assert.match(findings.join(), /inner\.address: .*list segy does not let 127\.0\.0\.2 in/);
    fake.answers.delete('acl 127.0.0.2 segy');
    edit(PROFILE, '<param name="apply-inbound-acl" value="segy"/>', '');
    await check();
    assert.deepEqual(findings, []);
    edit(PROFILE, 'name="auth-calls" value="false"', 'name="auth-calls" value="true"');
    await check();
    assert.match(findings.join(), /asks the gateway to log in/);
  });

  for (const [what, before, after, said] of [
    [
      'at another port',
      'name="sip-port" value="5070"',
      'name="sip-port" value="5080"',
      /is at 127\.0\.0\.1 port 5080/,
    ],
    [
      'with media elsewhere',
      'name="rtp-ip" value="127.0.0.1"',
      'name="rtp-ip" value="10.1.1.1"',
      /media of profile segy is at 10\.1\.1\.1/,
    ],
    [
      'that dials elsewhere',
      'value="127.0.0.2:5062"',
      'value="sip:127.0.0.2;transport=udp"',
      /dials 127\.0\.0\.2 port 5060/,
    ],
    [
      'past which media goes',
      'name="inbound-bypass-media" value="false"',
      'name="inbound-bypass-media" value="true"',
      /inbound-bypass-media/,
    ],
  ] as const) {
    it(`sees a profile ${what}`, async () => {
      edit(PROFILE, before, after);
      await check();
      assert.equal(findings.length, 1, findings.join('\n'));
      assert.match(findings[0]!, said);
    });
  }

  it('warns of track-calls', async () => {
    edit(PROFILE, '</settings>', '<param name="track-calls" value="true"/></settings>');
    await check();
    assert.deepEqual(findings, []);
    assert.match(warnings.join(), /track-calls/);
  });

  it('ends with contexts that transfer to each other', async () => {
    const back = '<action application="transfer" data="x1 XML from-segy"/>';
    const extension = `<extension name="b"><condition>${back}</condition></extension>`;
    edit(context('segy-to-radio'), '</context>', `${extension}</context>`);
    await check();
    assert.deepEqual(findings, []);
  });

  it('says where it cannot read the configuration', async () => {
    fake.answers.set(PROFILE, '<configuration name="sofia.conf"><profiles>');
    await check();
    assert.deepEqual(findings, []);
    assert.match(warnings.join(), /cannot be seen from here/);
  });
});
