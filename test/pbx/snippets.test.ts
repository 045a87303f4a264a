import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { attribute, parseXml, type XmlElement } from '../../src/xml/index.js';
import { PROJECT_ROOT } from '../support/asterisk.js';
import { needTool, runTool } from '../xmldsig/support.js';

const FREESWITCH = join(PROJECT_ROOT, 'dialplan/freeswitch');
const read = (name: string): string => readFileSync(join(FREESWITCH, name), 'utf8');

/** Comments are for operators; the strict reader takes none. */
const withoutComments = (name: string): string =>
  read(name)
    .replace(/<!--[^]*?-->/g, '')
    .trim();

interface Action {
  readonly application: string;
  readonly data: string;
}

/** What the extensions of a context do, in their order. */
function actionsOf(context: XmlElement): Action[] {
  const isAction = ({ localName }: XmlElement): boolean => /^(anti-)?action$/.test(localName);
  return context.children.flatMap((child) =>
    isAction(child)
      ? [
          {
            application: attribute(child, 'application') ?? '',
            data: attribute(child, 'data') ?? '',
          },
        ]
      : actionsOf(child),
  );
}

function contexts(): Map<string, Action[]> {
  const found = new Map<string, Action[]>();
  for (const name of ['segy.xml', 'segy_routes.xml', 'segy_groups.xml', 'segy_floor.xml']) {
    for (const context of parseXml(withoutComments(name)).children) {
      found.set(attribute(context, 'name') ?? '', actionsOf(context));
    }
  }
  return found;
}

describe('the files for FreeSWITCH', () => {
  for (const name of readdirSync(FREESWITCH)) {
    it(`${name} is well-formed`, () => {
      parseXml(withoutComments(name));
    });

    it(`${name} is well-formed to another parser, its comments included`, function () {
      needTool(this, 'xmllint');
      runTool('xmllint', ['--noout', '--nonet', '-'], read(name));
    });
  }

  it('take a user part into bridge, transfer or a variable only from the safe set', () => {
    const text = ['segy_groups.xml', 'segy_floor.xml']
      .map(withoutComments)
      .join(read('segy.xml') + read('segy_routes.xml'));
    const patterns = [...text.matchAll(/field="destination_number" expression="([^"]*)"/g)];
    assert.ok(patterns.length >= 10);
    for (const [, pattern = ''] of patterns) {
      const user = new RegExp(pattern);
      for (const good of ['radio7', '+4912', 'a.b_c-d']) assert.match(good, user);
      for (const bad of ['1&x', 'a,b', 'a|b', '${x}', 'a b', "a'b", 'x\ny', '.a', '']) {
        assert.doesNotMatch(bad, user);
      }
    }
  });

  it('end a parked call that no gateway takes', () => {
    const text = read('segy.xml');
    assert.ok(text.indexOf('park_timeout=') < text.indexOf('application="park"'));
    assert.match(text, /park_timeout=/);
  });

  it('lead from context to context, in the examples of their comments too, and nowhere else', () => {
    const known = contexts();
    const comments = read('segy_groups.xml').match(/<!--[^]*?-->/g) ?? [];
    const examples = comments
      .flatMap((text) => text.match(/<extension [^]*?<\/extension>/g) ?? [])
      .flatMap((text) => actionsOf(parseXml(text)));
    assert.ok(examples.length >= 7);
    const transfers = [...known.values(), examples]
      .flat()
      .filter(({ application }) => application === 'transfer');
    for (const { data } of transfers) {
      const [, dialplan, context = ''] = data.split(' ');
      assert.equal(dialplan, 'XML');
      assert.ok(known.has(context), data);
    }
  });

  it('mark every leg to the gateway, so that one that was killed finds and ends it', () => {
    for (const [name, actions] of contexts()) {
      for (const [at, { application, data }] of actions.entries()) {
        if (!data.includes('sofia/gateway/segy/')) continue;
        const before = actions.slice(0, at).map((action) => action.data);
        const marked =
          application === 'conference_set_auto_outcall'
            ? data.startsWith('{SEGY_SESSION=to-mc}')
            : before.includes('nolocal:SEGY_SESSION=to-mc');
        assert.ok(marked, `${name}: ${data}`);
      }
    }
  });

  it('carry no header and no part of a message from leg to leg, and no music to who is held', () => {
    for (const name of ['from-segy', 'to-segy', 'segy-group-dial']) {
      const exported = contexts()
        .get(name)!
        .filter(({ application }) => application === 'export')
        .map(({ data }) => data);
      for (const wanted of [
        'sip_copy_custom_headers=false',
        'sip_copy_multipart=false',
        'hold_music=silence',
      ]) {
        assert.ok(exported.includes(wanted), `${name}: ${wanted}`);
      }
    }
  });

  it('answer the caller with the codec of the called side, before either is dialled', () => {
    for (const [name, ends] of [
      ['from-segy', 'park'],
      ['to-segy', 'bridge'],
      ['segy-group-dial', 'bridge'],
    ] as const) {
      const actions = contexts().get(name)!;
      const before = actions.slice(
        0,
        actions.findIndex(({ application }) => application === ends),
      );
      assert.ok(
        before.some(({ data }) => data === 'inherit_codec=true'),
        name,
      );
    }
  });

  it('name the partner by a parameter of the dialled URI where there are several', () => {
    const actions = contexts().get('to-segy')!;
    assert.deepEqual(actions[0], {
      application: 'set',
      data: 'segy_parameter=;segy-domain=$1',
    });
    assert.equal(actions.at(-2)?.data, 'sofia/gateway/segy/$1${segy_parameter}');
  });

  it('let one of several groups have the talkgroup, and open the other call of a conference once', () => {
    const known = contexts();
    const shared = known.get('segy-group-shared')!.map(({ application }) => application);
    assert.ok(shared.indexOf('limit') < shared.indexOf('bridge'));
    const bridge = known.get('segy-group-bridge')!.map(({ application }) => application);
    assert.deepEqual(
      bridge.filter((application) => /conference|limit/.test(application)),
      ['conference_set_auto_outcall', 'limit', 'conference'],
    );
    assert.match(
      read('segy_groups.xml'),
      /limit_usage\(hash segy-conference [^)]*\)}" expression="\^0\$"/,
    );
    assert.ok(read('segy_groups.xml').includes('$1@segy+flags{mintwo}'));
    assert.match(read('segy_conference.xml'), /<profile name="segy">/);
  });

  it('make the channel known by the Call-ID, bind to loopback, take UPDATE, and leave PRACK off', () => {
    const profile = read('segy_profile.xml');
    assert.match(profile, /name="allow-update" value="true"/);
    assert.doesNotMatch(withoutComments('segy_profile.xml'), /100rel/);
    assert.match(profile, /name="dtmf-type" value="rfc2833"/);
    assert.match(profile, /name="suppress-cng" value="true"/);
    assert.match(profile, /name="send-display-update" value="false"/);
    assert.match(profile, /name="outbound-use-uuid-as-callid" value="true"/);
    assert.match(profile, /name="sip-ip" value="127\./);
    assert.match(profile, /name="rtp-ip" value="127\./);
    assert.match(read('segy_event_socket.xml'), /name="listen-ip" value="127\./);
  });
});
