import assert from 'node:assert/strict';
import { toHex, utf8 } from '../../../src/base/bytes.js';
import { SegyError } from '../../../src/base/errors.js';
import { gukId } from '../../../src/mikey/index.js';
import { takeKeyDocument, type AccessTokens } from '../../../src/edge/index.js';
import { readMcpttInfo } from '../../../src/edge/messages/mcptt-info.js';
import { leafParts, parseBody, type SipRequest } from '../../../src/sip/index.js';
import { FakeGroups, GROUP, heldGmk, type Partner } from '../support/fakes.js';
import { ALICE, Harness, ok, RADIO1, sdp, textOf, warningOf } from '../support/harness.js';
import { until, within, type Sent } from '../support/peer.js';

const PBX_NAME = 'police-tg';
type Group = Partner['groups'][number];

const groupOf = (more: Partial<Group> = {}): Group => ({
  id: GROUP,
  pbx: PBX_NAME,
  withoutKey: 'refuse',
  whenRegrouped: 'own',
  members: [ALICE],
  affiliate: [],
  ...more,
});
const withGroup =
  (group: Partial<Group> = {}, more: Partial<Partner> = {}) =>
  (partner: Partner): Partner => ({ ...partner, groups: [groupOf(group)], ...more });

const info = (type: string, ...params: string[]): string =>
  `<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params><session-type>${type}</session-type>${params.join('')}</mcptt-Params></mcpttinfo>`;
const param = (name: string, value: string): string =>
  `<${name}><mcpttURI>${value}</mcpttURI></${name}>`;
const CALL = info(
  'prearranged',
  param('mcptt-request-uri', RADIO1),
  param('mcptt-calling-user-id', ALICE),
  param('mcptt-calling-group-id', GROUP),
);

describe('edge: groups', () => {
  let h: Harness;
  let groups: FakeGroups;
  let tokens: AccessTokens | undefined;
  const start = async (partner = withGroup(), ...keys: ReturnType<typeof heldGmk>[]) => {
    groups = new FakeGroups();
    groups.keys = keys;
    h = await Harness.start({ groups, partner, ...(tokens && { tokens }) });
  };
  beforeEach(() => {
    tokens = undefined;
  });
  afterEach(() => h.stop());

  const mcCall = (text = CALL) => ({ sdp: sdp('127.0.2.1', 41000), info: text });
  const session = () => h.media.sessions[0]!;
  const received = (keys: readonly { gmkId: Uint8Array; state: string }[] | undefined) =>
    keys?.map(({ gmkId, state }) => `${toHex(gmkId)} ${state}`);
  const armed = () => {
    const { receive, send } = session().armed!;
    return {
      receive: 'group' in receive ? received(receive.group) : receive,
      send: 'key' in send ? toHex(send.key.mki) : send,
    };
  };
  const FIRST = heldGmk('0a000001');
  const SECOND = heldGmk('0a000002');
  const mki = (key = FIRST): string => toHex(key.keyId) + toHex(gukId(key.key, key.keyId, RADIO1));

  describe('a group call from MC', () => {
    it('reaches the PBX under the group’s name, with its type and group, and no key', async () => {
      await start(withGroup(), FIRST);
      const { offered } = await h.establishIn(mcCall());
      assert.match(offered.uri, /^sip:police-tg@/);
      assert.equal(offered.headers.get('X-SeGy-Call-Type'), 'group');
      assert.equal(offered.headers.get('X-SeGy-Group'), GROUP);
      assert.equal(offered.headers.get('X-SeGy-Caller'), ALICE);
      const { SEGY_CALL_TYPE, SEGY_GROUP, SEGY_STATUS, SEGY_KEY_ID } =
        h.port.channels[0]!.variables;
      assert.deepEqual(
        [SEGY_CALL_TYPE, SEGY_GROUP, SEGY_STATUS, SEGY_KEY_ID],
        ['group', GROUP, 'SECURE', '0a000001'],
      );
    });

    it('is heard under every GMK held, and sent to with the invited member’s GUK-ID', async () => {
      await start(withGroup(), FIRST, SECOND);
      await h.establishIn(mcCall());
      assert.deepEqual(armed(), {
        receive: ['0a000001 usable', '0a000002 usable'],
        send: mki(SECOND),
      });
    });

    it('tells its media the GUK-IDs of the configured members, under each GMK that is usable', async () => {
      const ben = 'sip:ben@mc-a.example';
      const ended = { ...SECOND, status: 0, key: new Uint8Array() };
      await start(withGroup({ members: [ALICE, ben] }), FIRST, ended);
      await h.establishIn(mcCall());
      const { receive } = session().armed!;
      assert.ok('group' in receive);
      const guk = (uri: string): number =>
        Buffer.from(gukId(FIRST.key, FIRST.keyId, uri)).readUInt32BE();
      assert.deepEqual(
        receive.group.map(({ members }) => [...(members ?? [])]),
        [[ALICE, ben].map(guk), []],
      );
    });

    it('is taken as chat too, with the group as request URI', async () => {
      await start(withGroup(), FIRST);
      await h.establishIn(mcCall(info('chat', param('mcptt-request-uri', GROUP))));
      assert.equal(armed().send, mki());
    });

    describe('into a temporary group', () => {
      const TEMPORARY = 'sip:tmp-1@mc-a.example';
      const FIRE = 'sip:fire@mc-a.example';
      const two = (partner: Partner): Partner => ({
        ...partner,
        groups: [
          groupOf(),
          groupOf({
            id: FIRE,
            pbx: 'fire-tg',
            members: ['sip:ben@mc-a.example'],
            affiliate: [RADIO1],
          }),
        ],
      });
      const key = { ...heldGmk('0a000007'), groups: [TEMPORARY], constituents: [GROUP, FIRE] };
      const call = CALL.replaceAll(GROUP, TEMPORARY);

      it('reaches the PBX under the name of the regrouped one that the invited member is in', async () => {
        await start(two, key);
        const { offered } = await h.establishIn(mcCall(call));
        assert.match(offered.uri, /^sip:fire-tg@/);
        assert.equal(offered.headers.get('X-SeGy-Group'), TEMPORARY);
        assert.deepEqual(armed(), { receive: ['0a000007 usable'], send: mki(key) });
      });

      it('is refused without a usable key of its own, whatever keys the regrouped ones have', async () => {
        await start(two, FIRST, { ...key, status: 0, key: new Uint8Array() });
        const { sent } = h.fromMc(mcCall(call));
        assert.equal(warningOf(await sent.expect(488)), 'SEGY_E_NO_GROUP_KEY');
      });

      it('is refused with 404 where no group of ours was regrouped into it', async () => {
        await start(two, { ...key, constituents: ['sip:others@mc-a.example'] });
        const { sent } = h.fromMc(mcCall(call));
        assert.equal(warningOf(await sent.expect(404)), 'SEGY_E_UNKNOWN_GROUP');
      });

      it('follows the keys of the temporary group while it lasts', async () => {
        await start(two, key);
        await h.establishIn(mcCall(call));
        groups.keys = [{ ...key, status: 0, key: new Uint8Array() }];
        groups.onChange?.('mc-a', [TEMPORARY]);
        await until(() => session().groupChanges.length === 1);
        assert.deepEqual(received(session().groupChanges[0]!.keys), ['0a000007 revoked']);
      });
    });

    it('changes over to a rolled GMK, forgets a revoked one and keeps the channel', async () => {
      await start(withGroup(), FIRST);
      await h.establishIn(mcCall());
      groups.change(FIRST, SECOND);
      await until(() => session().groupChanges.length === 1);
      const [roll] = session().groupChanges;
      assert.deepEqual(received(roll!.keys), ['0a000001 usable', '0a000002 usable']);
      assert.equal(toHex(roll!.send!.key.mki), mki(SECOND));
      groups.change({ ...FIRST, status: 0, key: new Uint8Array() }, SECOND);
      await until(() => session().groupChanges.length === 2);
      const [, revoked] = session().groupChanges;
      assert.deepEqual(received(revoked!.keys), ['0a000001 revoked', '0a000002 usable']);
      assert.equal('send' in revoked!, false);
      assert.equal(h.port.channels.length, 1);
    });

    it('takes in a key that comes while its media is being armed', async () => {
      await start(withGroup(), FIRST);
      h.media.whileArming = async () => {
        groups.change(FIRST, SECOND);
        await new Promise((resolve) => setTimeout(resolve, 20));
      };
      await h.establishIn(mcCall());
      await until(() => session().groupChanges.length === 1);
      assert.equal(armed().send, mki());
      assert.equal(toHex(session().groupChanges[0]!.send!.key.mki), mki(SECOND));
    });

    it('is sent to no more when its last GMK is revoked', async () => {
      await start(withGroup(), FIRST);
      await h.establishIn(mcCall());
      groups.change({ ...FIRST, status: 0, key: new Uint8Array() });
      await until(() => session().groupChanges.length === 1);
      assert.equal(session().groupChanges[0]!.send, null);
    });

    it('counts packets under a GMK that expired as that', async () => {
      await start(withGroup(), FIRST, SECOND);
      await h.establishIn(mcCall());
      groups.change(SECOND);
      await until(() => session().groupChanges.length === 1);
      const [change] = session().groupChanges;
      assert.deepEqual(received(change!.keys), ['0a000002 usable', '0a000001 expired']);
    });

    it('tells the PBX who talks: a configured member by name, another by GUK-ID', async () => {
      await start(withGroup(), FIRST);
      await h.establishIn(mcCall());
      const talks = (user: string): void =>
        session().emit({
          type: 'talker',
          mki: toHex(FIRST.keyId) + toHex(gukId(FIRST.key, FIRST.keyId, user)),
        });
      talks(ALICE);
      const told = () => {
        const { event, variables } = h.port.channels[0]!.told.at(-1)!;
        return [event, variables.SEGY_TALKER, variables.SEGY_SESSION];
      };
      assert.deepEqual(told(), ['segy_talker', ALICE, session().id]);
      talks('sip:stranger@mc-a.example');
      assert.match(told()[1]!, /^[0-9a-f]{8}$/);
    });

    it('of an unknown group is refused with 404', async () => {
      await start(withGroup(), FIRST);
      const { sent } = h.fromMc(
        mcCall(info('chat', param('mcptt-request-uri', 'sip:x@mc-a.example'))),
      );
      assert.equal(warningOf(await sent.expect(404)), 'SEGY_E_UNKNOWN_GROUP');
    });

    it('of a group without a usable GMK is refused with 488', async () => {
      for (const keys of [[], [{ ...FIRST, status: 0, key: new Uint8Array() }]]) {
        await start(withGroup(), ...keys);
        const { sent } = h.fromMc(mcCall());
        assert.equal(warningOf(await sent.expect(488)), 'SEGY_E_NO_GROUP_KEY');
        if (keys.length === 0) await h.stop();
      }
    });

    it('is never clear while a GMK is held in any state, whatever the policy', async () => {
      const clear = { media: { policy: 'allow-clear' } } as const;
      await start(withGroup({}, clear), { ...FIRST, status: 0, key: new Uint8Array() });
      const { sent } = h.fromMc(mcCall());
      assert.equal(warningOf(await sent.expect(488)), 'SEGY_E_NO_GROUP_KEY');
    });

    it('may wait for its GMK where the group says so, and starts when it comes', async () => {
      await start(withGroup({ withoutKey: 'wait', speaker: RADIO1 }));
      await h.establishIn(mcCall());
      assert.deepEqual(armed(), { receive: [], send: { none: true } });
      groups.change(FIRST);
      await until(() => session().groupChanges.length === 1);
      assert.equal(toHex(session().groupChanges[0]!.send!.key.mki), mki());
    });
  });

  describe('a group call from the radio', () => {
    const dial = () => ({ uri: `sip:${PBX_NAME}@127.0.0.2` });
    const infoOf = (request: SipRequest) => {
      const body = parseBody(request.headers.get('Content-Type')!, request.body);
      return readMcpttInfo(leafParts(body)[1]!.body);
    };

    it('names the group and brings no key', async () => {
      await start(withGroup({ speaker: RADIO1 }), FIRST);
      const { offered } = await h.establishOut(dial());
      assert.deepEqual(infoOf(offered), {
        sessionType: 'prearranged',
        requestUri: GROUP,
        callingUserId: RADIO1,
        callingGroupId: null,
        level: 'normal',
      });
      assert.doesNotMatch(textOf(offered), /key-mgmt/);
      assert.equal(armed().send, mki());
      assert.equal(h.port.channels[0]!.variables.SEGY_GROUP, GROUP);
    });

    it('needs no represented caller where a speaker is configured', async () => {
      await start(withGroup({ speaker: RADIO1 }), FIRST);
      await h.establishOut({ ...dial(), from: '<sip:conference@127.0.0.1>' });
      assert.equal(armed().send, mki());
    });

    it('is sent as the calling radio where no speaker is configured', async () => {
      await start(withGroup(), FIRST);
      await h.establishOut(dial());
      assert.equal(armed().send, mki());
    });

    it('goes to the temporary group while it is regrouped, where its settings say so', async () => {
      const temporary = 'sip:tmp-1@mc-a.example';
      const key = { ...heldGmk('0a000007'), groups: [temporary], constituents: [GROUP] };
      await start(withGroup({ whenRegrouped: 'temporary' }), FIRST, key);
      await h.establishOut(dial());
      assert.equal(armed().send, mki(key));
    });

    it('goes to the group itself while it is regrouped, unless its settings say otherwise', async () => {
      const key = { ...heldGmk('0a000007'), groups: ['sip:t@mc-a.example'], constituents: [GROUP] };
      await start(withGroup(), key, FIRST);
      await h.establishOut(dial());
      assert.equal(armed().send, mki());
    });

    it('of a radio that holds no GMK of the group is refused with 488', async () => {
      await start(withGroup(), { ...FIRST, holders: ['sip:radio2@lmr.example'] });
      const { sent } = h.fromPbx(dial());
      assert.equal(warningOf(await sent.expect(488)), 'SEGY_E_NO_GROUP_KEY');
    });
  });

  describe('keys in MESSAGE and NOTIFY', () => {
    const bring = (
      method: string,
      type: string,
      body: Uint8Array,
      toTag = '',
      encoding: string | null = null,
    ) => {
      const dialog = {
        from: '<sip:gms@mc-a.example>;tag=1',
        to: `<sip:segy@lmr.example>${toTag}`,
        callId: `keys-${method}-${type.length}-${body.length}`,
        uri: 'sip:radio1@segy.example',
      };
      const request = within(method, 1, dialog);
      request.headers.set('Contact', h.mc.contact);
      request.headers.set('Content-Type', type);
      if (encoding !== null) request.headers.set('Content-Transfer-Encoding', encoding);
      if (method === 'NOTIFY') {
        request.headers.set('Event', 'xcap-diff');
        request.headers.set('Subscription-State', 'active');
      }
      return h.mc.send({ ...request, body }, h.outerAt);
    };
    const MESSAGE = new Uint8Array([1, 26, 0, 255]);

    for (const method of ['MESSAGE', 'NOTIFY']) {
      it(`are taken from a ${method} and answered with 200`, async () => {
        await start();
        await bring(method, 'application/mikey', MESSAGE).expect(200);
        assert.deepEqual(
          groups.taken.map(({ message, group, partner }) => [toHex(message), group, partner.name]),
          [[toHex(MESSAGE), null, 'mc-a']],
        );
      });
    }

    it('are taken with the transfer encoding of the whole body undone', async () => {
      await start();
      const xml = `<GMK-GKTPs xmlns="urn:3gpp:ns:mcpttGKTP:1.0"><GKTP id="${GROUP}">AQIDBA==</GKTP></GMK-GKTPs>`;
      const body = utf8(Buffer.from(xml).toString('base64'));
      await bring('MESSAGE', 'application/xml', body, '', 'base64').expect(200);
      assert.equal(groups.taken[0]?.group, GROUP);
      const response = await bring('MESSAGE', 'application/mikey', MESSAGE, '', 'x-uu').expect(400);
      assert.equal(warningOf(response), 'SEGY_E_SIP_SYNTAX');
    });

    it('are taken for the group that the transport names', async () => {
      await start();
      const xml = `<GMK-GKTPs xmlns="urn:3gpp:ns:mcpttGKTP:1.0"><GKTP id="${GROUP}">${Buffer.from(MESSAGE).toString('base64')}</GKTP></GMK-GKTPs>`;
      await bring('MESSAGE', 'application/xml', utf8(xml)).expect(200);
      assert.equal(groups.taken[0]?.group, GROUP);
    });

    it('are warned of where nothing says which group they are for', async () => {
      await start();
      const warnings = () => h.logged.filter(({ event }) => event === 'keys.without.group').length;
      await bring('MESSAGE', 'application/mikey', MESSAGE).expect(200);
      assert.equal(warnings(), 1);
    });

    it('that are refused are answered with the status and code of the refusal', async () => {
      await start();
      groups.refusals.set(1, new SegyError('SEGY_E_MIKEY_SIGNATURE', 'forged'));
      const response = await bring('MESSAGE', 'application/mikey', MESSAGE).expect(488);
      assert.equal(warningOf(response), 'SEGY_E_MIKEY_SIGNATURE');
    });

    it('signed by one who is not the GMS raise an alarm', async () => {
      await start();
      groups.refusals.set(1, new SegyError('SEGY_E_NOT_GROUP_GMS', 'not the GMS'));
      await bring('MESSAGE', 'application/mikey', MESSAGE).expect(488);
      assert.ok(h.logged.some(({ event, fields }) => event === 'alarm' && fields.code));
    });

    it('are not looked for in a MESSAGE of another type', async () => {
      await start();
      const response = await bring('MESSAGE', 'text/plain', utf8('hello')).expect(415);
      assert.equal(warningOf(response), 'SEGY_E_SIP_BODY');
    });

    it('are taken from a key document that came otherwise, each with the group that was regrouped', async () => {
      await start();
      const temporary = 'sip:tmp-1@mc-a.example';
      const document = utf8(
        '<GMK-GKTPs xmlns="urn:3gpp:ns:mcpttGKTP:1.0">' +
          `<on-network-regrouped-GKTPs temporary-MCPTT-group-ID="${temporary}">` +
          `<GKTP id="${GROUP}">AQIDBA==</GKTP></on-network-regrouped-GKTPs></GMK-GKTPs>`,
      );
      assert.equal(await takeKeyDocument(h.deps, h.deps.partners[0]!, document), null);
      assert.deepEqual(
        groups.taken.map(({ group, constituent }) => [group, constituent]),
        [[temporary, GROUP]],
      );
      groups.refusals.set(1, new SegyError('SEGY_E_NOT_GROUP_GMS', 'another'));
      const refused = await takeKeyDocument(h.deps, h.deps.partners[0]!, document);
      assert.equal(refused?.code, 'SEGY_E_NOT_GROUP_GMS');
    });

    it('in a NOTIFY of a dialog that is not ours are refused with 481', async () => {
      await start();
      await bring('NOTIFY', 'application/mikey', MESSAGE, ';tag=none').expect(481);
      assert.deepEqual(groups.taken, []);
    });
  });

  describe('what stands at the partner', () => {
    const subscribed = withGroup(
      { affiliate: [RADIO1] },
      { subscription: { enabled: true, seconds: 600, per: 'user', accessToken: false } },
    );
    const affiliated = withGroup(
      { affiliate: [RADIO1] },
      { affiliation: { mode: 'publish', seconds: 600, accessToken: false } },
    );

    it('is a subscription to the group’s document at its GMS, whose NOTIFY brings keys', async () => {
      await start(subscribed);
      const tx = await h.mc.expect('SUBSCRIBE');
      const { headers, uri } = tx.request;
      assert.equal(uri, 'sip:gms@mc-a.example');
      assert.deepEqual([headers.get('Event'), headers.get('Expires')], ['xcap-diff', '600']);
      assert.match(textOf(tx.request), /byGroupID\/sip:police@mc-a.example/);
      h.mc.answer(tx, 200, { headers: [['Expires', '600']] });
      const dialog = {
        from: `${headers.get('To')};tag=${tx.localTag}`,
        to: headers.get('From')!,
        callId: headers.get('Call-ID')!,
        uri: 'sip:segy@127.0.1.1',
      };
      const notify = within('NOTIFY', 1, dialog, {
        headers: [
          ['Event', 'xcap-diff'],
          ['Subscription-State', 'active'],
        ],
        body: ['application/mikey', 'AQIDBA=='],
      });
      await h.mc.send(notify, h.outerAt).expect(200);
      assert.equal(groups.taken.length, 1);
    });

    /** Answers the subscription and gives NOTIFYs in its dialog, as the GMS or as one who claims to be. */
    async function subscribe(): Promise<
      (state: string, more?: { tag?: string; cseq?: number }) => Sent
    > {
      await start(subscribed);
      const tx = await h.mc.expect('SUBSCRIBE');
      const { headers } = tx.request;
      h.mc.answer(tx, 200, { headers: [['Expires', '600']] });
      await until(() => h.logged.some(({ event }) => event === 'standing.accepted'));
      let next = 0;
      return (state, { tag = tx.localTag, cseq = (next += 1) } = {}) => {
        const dialog = {
          from: `${headers.get('To')};tag=${tag}`,
          to: headers.get('From')!,
          callId: headers.get('Call-ID')!,
          uri: 'sip:segy@127.0.1.1',
        };
        const fields: [string, string][] = [
          ['Event', 'xcap-diff'],
          ['Subscription-State', state],
        ];
        return h.mc.send(within('NOTIFY', cseq, dialog, { headers: fields }), h.outerAt);
      };
    }

    it('is asked for anew in another dialog when the GMS deactivates it', async () => {
      const notify = await subscribe();
      await notify('Terminated ; reason=deactivated').expect(200);
      const again = await h.mc.expect('SUBSCRIBE');
      assert.doesNotMatch(again.request.headers.get('To') ?? '', /tag=/);
      h.mc.answer(again, 200);
    });

    it('is not asked for anew at once when the GMS rejects it', async () => {
      const notify = await subscribe();
      await notify('terminated;reason=rejected;retry-after=1').expect(200);
      const ended = h.logged.find(({ event }) => event === 'subscription.ended');
      assert.deepEqual([ended?.fields.reason, ended?.fields.waitMs], ['rejected', 3_600_000]);
    });

    it('takes no NOTIFY of another than the one that answered', async () => {
      const notify = await subscribe();
      await notify('active', { tag: 'someone' }).expect(481);
    });

    it('answers 500 to a NOTIFY that comes after a later one, and takes nothing of it', async () => {
      const notify = await subscribe();
      await notify('active', { cseq: 7 }).expect(200);
      await notify('terminated;reason=deactivated', { cseq: 6 }).expect(500);
      assert.equal(
        h.logged.some(({ event }) => event === 'subscription.ended'),
        false,
      );
      await notify('active', { cseq: 8 }).expect(200);
    });

    it('carries the user’s access token at the partner where the profile asks for it', async () => {
      const asked: string[] = [];
      tokens = {
        tokenFor: ({ name }, user) => {
          asked.push(`${name} ${user}`);
          return Promise.resolve('abc.DEF-1_2.x~y');
        },
      };
      await start(
        withGroup(
          { affiliate: [RADIO1] },
          {
            subscription: { enabled: true, seconds: 600, per: 'user', accessToken: true },
            affiliation: { mode: 'publish', seconds: 600, accessToken: true },
          },
        ),
      );
      const [publish, subscribed] = [await h.mc.expect('PUBLISH'), await h.mc.expect('SUBSCRIBE')];
      for (const { request } of [publish, subscribed]) {
        assert.match(
          textOf(request),
          /<mcptt-access-token type="Normal"><mcpttString>abc\.DEF-1_2\.x~y</,
        );
      }
      assert.deepEqual(asked, [`mc-a ${RADIO1}`, `mc-a ${RADIO1}`]);
      assert.doesNotMatch(JSON.stringify(h.logged), /abc\.DEF/);
      [publish, subscribed].forEach((tx) => h.mc.answer(tx, 200));
    });

    it('is asked for with another token after a refusal that may be the token’s', async () => {
      const rejected: string[] = [];
      let n = 0;
      tokens = {
        tokenFor: () => Promise.resolve(`t${(n += 1)}`),
        reject: ({ name }, user, token) => void rejected.push(`${name} ${user} ${token}`),
      };
      await start(
        withGroup(
          { affiliate: [RADIO1] },
          { affiliation: { mode: 'publish', seconds: 600, accessToken: true } },
        ),
      );
      h.mc.answer(await h.mc.expect('PUBLISH'), 503);
      await until(() => h.logged.some(({ event }) => event === 'standing.refused'));
      assert.deepEqual(rejected, []);
      h.mc.answer(await h.mc.expect('PUBLISH'), 403);
      await until(() => rejected.length > 0);
      assert.deepEqual(rejected, [`mc-a ${RADIO1} t2`]);
      h.mc.answer(await h.mc.expect('PUBLISH'), 200);
    });

    it('is not sent while the profile asks for a token and none, or no clean one, can be had', async () => {
      for (const token of [null, 'two words', 'a\r\nVia: x', '']) {
        tokens = { tokenFor: () => Promise.resolve(token) };
        await start(
          withGroup(
            { affiliate: [RADIO1] },
            { affiliation: { mode: 'publish', seconds: 600, accessToken: true } },
          ),
        );
        await until(() => h.logged.some(({ event }) => event === 'standing.failed'));
        const failed = h.logged.find(({ event }) => event === 'standing.failed');
        assert.equal(failed?.fields.code, 'SEGY_E_ACCESS_TOKEN');
        assert.equal(h.mc.requests.waiting, 0);
        await h.stop();
      }
      await start();
    });

    it('is one subscription for the groups of all users where the profile says so', async () => {
      const second = 'sip:fire@mc-a.example';
      await start((partner) => ({
        ...partner,
        groups: [
          groupOf({ affiliate: [RADIO1] }),
          groupOf({ id: second, pbx: 'fire-tg', affiliate: ['sip:radio2@lmr.example', RADIO1] }),
        ],
        subscription: { enabled: true, seconds: 600, per: 'partner', accessToken: false },
      }));
      const tx = await h.mc.expect('SUBSCRIBE');
      const text = textOf(tx.request);
      assert.equal(text.match(/<entry /g)?.length, 2);
      for (const id of [GROUP, second]) assert.match(text, new RegExp(`byGroupID/${id}`));
      h.mc.answer(tx, 200);
      await until(() => h.logged.some(({ event }) => event === 'standing.accepted'));
      assert.equal(h.mc.requests.waiting, 0);
    });

    it('is an affiliation by PUBLISH for each member, withdrawn at the end', async () => {
      await start(affiliated);
      const tx = await h.mc.expect('PUBLISH');
      assert.equal(tx.request.headers.get('Event'), 'presence');
      assert.match(textOf(tx.request), /affiliation group="sip:police@mc-a.example"/);
      assert.match(textOf(tx.request), /entity="sip:radio1@lmr.example"/);
      h.mc.answer(tx, 200, {
        headers: [
          ['SIP-ETag', 'e1'],
          ['Expires', '600'],
        ],
      });
      await until(() => h.logged.some(({ event }) => event === 'standing.accepted'));
      const stopped = h.edge.stop();
      const end = await h.mc.expect('PUBLISH');
      const { headers } = end.request;
      assert.deepEqual([headers.get('Expires'), headers.get('SIP-If-Match')], ['0', 'e1']);
      ok(end);
      await stopped;
    });
  });
});
