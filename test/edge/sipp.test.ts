/** SIPp as a second opinion: it plays the partner at which subscriptions and affiliations stand. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/ports.js';
import { FakeGroups, GROUP, type Partner } from './support/fakes.js';
import { Harness, RADIO1 } from './support/harness.js';
import { until } from '../support/waiting.js';
import { skipBecause } from '../support/skip.js';

const ADDRESS = '127.0.2.1';

/** Checks that a header of the received request matches. */
const demand = (header: string, regexp: string, variable: number): string =>
  `<ereg regexp="${regexp}" search_in="hdr" header="${header}:" check_it="true" assign_to="${variable}"/>`;
const keep = (header: string, variable: number): string =>
  `<ereg regexp=".*" search_in="hdr" header="${header}:" assign_to="${variable}"/>`;

/** A 200 to the request that came last. */
const ok = (...headers: string[]): string => `<send><![CDATA[

SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]TO_TAG
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:gms@[local_ip]:[local_port]>
${headers.map((header) => `${header}\n`).join('')}Content-Length: 0

]]></send>`;

const SUBSCRIPTION = `<scenario name="gms">
<recv request="SUBSCRIBE" rrs="true"><action>
${demand('Event', 'xcap-diff', 1)}${demand('Expires', '600', 2)}${demand('Accept', 'application/mikey', 3)}
${keep('From', 4)}${keep('To', 5)}
</action></recv>
${ok('Expires: 600').replace('TO_TAG', ';tag=gms[call_number]')}
<send retrans="500"><![CDATA[

NOTIFY [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From:[$5];tag=gms[call_number]
To:[$4]
Call-ID: [call_id]
CSeq: 7 NOTIFY
Contact: <sip:gms@[local_ip]:[local_port]>
Max-Forwards: 70
Event: xcap-diff
Subscription-State: active;expires=600
Content-Type: application/mikey
Content-Length: [len]

AQIDBA==
]]></send>
<recv response="200"/>
<send retrans="500"><![CDATA[

NOTIFY [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From:[$5];tag=gms[call_number]
To:[$4]
Call-ID: [call_id]
CSeq: 6 NOTIFY
Contact: <sip:gms@[local_ip]:[local_port]>
Max-Forwards: 70
Event: xcap-diff
Subscription-State: terminated;reason=deactivated
Content-Length: 0

]]></send>
<recv response="500"/>
<recv request="SUBSCRIBE"><action>${demand('Expires', '^ *0', 6)}${demand('To', 'tag=gms', 7)}</action></recv>
${ok('Expires: 0').replace('TO_TAG', '')}
<Reference variables="1,2,3,6,7"/>
</scenario>`;

const AFFILIATION = `<scenario name="mcptt-server">
<recv request="PUBLISH"><action>
${demand('Event', 'presence', 1)}${demand('Expires', '600', 2)}${demand('Content-Type', 'multipart/mixed', 3)}
</action></recv>
${ok('SIP-ETag: e1', 'Expires: 600').replace('TO_TAG', ';tag=srv[call_number]')}
<recv request="PUBLISH"><action>${demand('Expires', '^ *0', 4)}${demand('SIP-If-Match', 'e1', 5)}</action></recv>
${ok('SIP-ETag: e2', 'Expires: 0').replace('TO_TAG', ';tag=srv[call_number]')}
<Reference variables="1,2,3,4,5"/>
</scenario>`;

/** A NOTIFY in the dialog that the last SUBSCRIBE began. */
const notify = (cseq: number, body: string): string => `<send retrans="500"><![CDATA[

NOTIFY [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From:[$to];tag=gms[call_number]
To:[$from]
Call-ID: [call_id]
CSeq: ${cseq} NOTIFY
Contact: <sip:gms@[local_ip]:[local_port]>
Max-Forwards: 70
Event: xcap-diff
Subscription-State: active;expires=600
${body === '' ? '' : 'Content-Type: application/mikey\n'}Content-Length: [len]

${body}
]]></send>
<recv response="200"/>`;

const GMS_TAG = ';tag=gms[call_number]';

/** The first call is refreshed once and then forgotten, the second is the one asked for anew. */
const FORGOTTEN = `<scenario name="gms">
<Global variables="again"/>
<recv request="SUBSCRIBE" rrs="true" next="anew" test="again"><action>
${demand('CSeq', '^ *1 SUBSCRIBE', 1)}${demand('To', '^[^;]*$', 2)}
<ereg regexp=".*" search_in="hdr" header="From:" check_it="true" assign_to="from"/>
<ereg regexp=".*" search_in="hdr" header="To:" check_it="true" assign_to="to"/>
</action></recv>
${ok('Expires: 2').replace('TO_TAG', GMS_TAG)}
${notify(1, '')}
<recv request="SUBSCRIBE"><action>
${demand('CSeq', '^ *2 SUBSCRIBE', 3)}${demand('To', 'tag=gms', 4)}${demand('Expires', '^ *600', 5)}
${demand('Event', 'xcap-diff', 6)}
</action></recv>
${ok('Expires: 2').replace('TO_TAG', '')}
<recv request="SUBSCRIBE"><action>
${demand('CSeq', '^ *3 SUBSCRIBE', 7)}${demand('To', 'tag=gms', 8)}
<assign assign_to="again" value="1"/>
</action></recv>
<send next="end"><![CDATA[

SIP/2.0 481 Call/Transaction Does Not Exist
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
<label id="anew"/>
${ok('Expires: 600').replace('TO_TAG', GMS_TAG)}
${notify(1, 'AQIDBA==')}
<recv request="SUBSCRIBE"><action>${demand('Expires', '^ *0', 9)}${demand('To', 'tag=gms', 10)}</action></recv>
${ok('Expires: 0').replace('TO_TAG', '')}
<label id="end"/>
<Reference variables="1,2,3,4,5,6,7,8,9,10"/>
</scenario>`;

/** A publication that is refreshed by its entity tag, then unknown, then published anew. */
const REPUBLISHED = `<scenario name="mcptt-server">
<Global variables="again"/>
<recv request="PUBLISH" next="anew" test="again"><action>
${demand('CSeq', '^ *1 PUBLISH', 1)}${demand('Content-Type', 'multipart/mixed', 2)}
</action></recv>
${ok('SIP-ETag: e1', 'Expires: 2').replace('TO_TAG', ';tag=srv[call_number]')}
<recv request="PUBLISH"><action>
${demand('SIP-If-Match', '^ *e1$', 3)}${demand('Expires', '^ *600', 4)}${demand('Content-Type', 'multipart/mixed', 5)}
</action></recv>
${ok('SIP-ETag: e2', 'Expires: 2').replace('TO_TAG', ';tag=srv[call_number]')}
<recv request="PUBLISH"><action>
${demand('SIP-If-Match', '^ *e2$', 6)}
<assign assign_to="again" value="1"/>
</action></recv>
<send next="end"><![CDATA[

SIP/2.0 412 Conditional Request Failed
[last_Via:]
[last_From:]
[last_To:];tag=srv[call_number]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
<label id="anew"/>
${ok('SIP-ETag: e3', 'Expires: 600').replace('TO_TAG', ';tag=srv[call_number]')}
<recv request="PUBLISH"><action>${demand('Expires', '^ *0', 7)}${demand('SIP-If-Match', '^ *e3$', 8)}</action></recv>
${ok('SIP-ETag: e4', 'Expires: 0').replace('TO_TAG', ';tag=srv[call_number]')}
<label id="end"/>
<Reference variables="1,2,3,4,5,6,7,8"/>
</scenario>`;

describe('what stands at a partner, against SIPp', function () {
  this.timeout(30_000);
  let folder: string;

  before(function () {
    folder = mkdtempSync(join(tmpdir(), 'segy-sipp-'));
    if (spawnSync('sipp', ['-v']).error !== undefined) {
      skipBecause(this, 'the sipp command is not installed');
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Starts an edge at a SIPp with this scenario, lets it stand, stops it. */
  async function stand(
    scenario: string,
    settings: Partial<Partner>,
    isDone: (groups: FakeGroups, accepted: number) => boolean,
    calls = 1,
  ): Promise<FakeGroups> {
    const port = await freePort(ADDRESS);
    const sipp = runSipp(folder, scenario, port, calls);
    const groups = new FakeGroups();
    const harness = await Harness.start({
      groups,
      partner: (partner) => ({
        ...partner,
        groups: [
          {
            ...{ id: GROUP, pbx: 'police-tg', withoutKey: 'refuse', whenRegrouped: 'own' },
            ...{ members: [], affiliate: [RADIO1] },
          },
        ],
        sip: { ...partner.sip, addresses: [{ host: ADDRESS, port, transport: 'udp' }] },
        ...settings,
      }),
    });
    const accepted = (): number =>
      harness.logged.filter(({ event }) => event === 'standing.accepted').length;
    await until('it stands', () => accepted() > 0 && isDone(groups, accepted()));
    // SIPp has to have had the answers to its own requests
    await new Promise((resolve) => setTimeout(resolve, 500));
    const stopped = harness.stop();
    const { code, output } = await sipp;
    assert.equal(code, 0, output);
    await stopped;
    return groups;
  }

  it('is a subscription whose NOTIFY brings a key, one out of order 500, and that is withdrawn', async () => {
    const groups = await stand(
      SUBSCRIPTION,
      { subscription: { enabled: true, seconds: 600, per: 'user', accessToken: false } },
      ({ taken }) => taken.length === 1,
    );
    assert.deepEqual([...groups.taken[0]!.message], [1, 2, 3, 4]);
  });

  it('is a subscription that is refreshed in its dialog, and asked for anew in another after 481', async () => {
    const groups = await stand(
      FORGOTTEN,
      { subscription: { enabled: true, seconds: 600, per: 'user', accessToken: false } },
      ({ taken }, accepted) => taken.length === 1 && accepted === 3,
      2,
    );
    assert.deepEqual([...groups.taken[0]!.message], [1, 2, 3, 4]);
  });

  it('is an affiliation that is refreshed under its entity tag, and published anew after 412', async () => {
    await stand(
      REPUBLISHED,
      { affiliation: { mode: 'publish', seconds: 600, accessToken: false } },
      (_, accepted) => accepted === 3,
      2,
    );
  });

  it('is an affiliation that is withdrawn under the entity tag that it was given', async () => {
    await stand(
      AFFILIATION,
      { affiliation: { mode: 'publish', seconds: 600, accessToken: false } },
      () => true,
    );
  });
});

/** Plays the scenario for so many calls; ends by itself, or after ten seconds as a failure. */
function runSipp(
  folder: string,
  scenario: string,
  port: number,
  calls: number,
): Promise<{ code: number | null; output: string }> {
  const file = join(folder, `${port}.xml`);
  writeFileSync(file, `<?xml version="1.0" encoding="ISO-8859-1" ?>\n${scenario}\n`);
  const options = [
    ...['-sf', file, '-i', ADDRESS, '-p', String(port), '-m', String(calls)],
    ...['-timeout', '10s', '-timeout_error', '-nostdin', '-trace_err'],
  ];
  return new Promise((resolve, reject) => {
    const child = spawn('sipp', options, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output: output.slice(-3_000) }));
  });
}
