import assert from 'node:assert/strict';
import { systemRandom } from '../../../src/base/environment.js';
import { utf8 } from '../../../src/base/bytes.js';
import { GroupNotifier } from '../../../src/edge/index.js';
import { writeUserInfo } from '../../../src/edge/messages/mcptt-info.js';
import { decodedContent, leafParts, makeMultipart, parseBody } from '../../../src/sip/index.js';
import { createResponse, SipHeaders } from '../../../src/sip/index.js';
import type { ServerTransaction, SipRequest, SipResponse } from '../../../src/sip/index.js';
import { FakeTimers } from '../../sip/support/fake-timers.js';
import type { Partner } from '../support/fakes.js';
import { ALICE, bodyText, Harness, ok, warningOf } from '../support/harness.js';
import { FakeHomeGroups, messageOf } from '../support/home-groups.js';
import { callerDialog, until } from '../support/peer.js';

const TALKGROUP = 'sip:tg1@lmr.example';
const OTHER_GROUP = 'sip:tg2@lmr.example';
const BEN = 'sip:ben@mc-a.example';
const CARLA = 'sip:carla@mc-b.example';
const GMS = 'sip:gms@mc-a.example';
const A = (user: string) => ({ partner: 'mc-a', user });
const EVERY_ACCEPT = 'application/xcap-diff+xml, application/mikey, multipart/mixed';

interface Ask {
  readonly user?: string | null;
  readonly groups?: readonly string[] | null;
  readonly expires?: string;
  readonly accept?: string;
  readonly event?: string;
  readonly cseq?: number;
  readonly dialog?: ReturnType<typeof callerDialog>;
  readonly callId?: string;
  readonly contact?: null;
}

describe('edge: the notifier of our groups (RFC 5875, RFC 6665)', () => {
  let h: Harness;
  let groups: FakeHomeGroups;
  let notifier: GroupNotifier;
  let timers: FakeTimers;
  let asked = 0;

  async function start(partner: (partner: Partner) => Partner = (same) => same): Promise<void> {
    groups = new FakeHomeGroups();
    groups.put(TALKGROUP, 'e1', A(ALICE), A(BEN), { partner: 'mc-b', user: CARLA });
    timers = new FakeTimers();
    h = await Harness.start({
      partner,
      notifier: (deps) => {
        const env = { ...deps.env, timers, clock: { now: () => timers.now } };
        notifier = new GroupNotifier({ ...deps, env }, groups, {
          xcapRoot: 'https://gms.lmr.example/xcap-root',
          longestSeconds: 3600,
        });
        return notifier;
      },
    });
  }
  afterEach(async () => {
    h.mc.endpoint.onRequest = ok;
    await h.stop();
  });

  function subscribe(o: Ask = {}) {
    asked += 1;
    const named = o.groups === undefined ? [TALKGROUP] : o.groups;
    const user = o.user === undefined ? ALICE : o.user;
    const entries = (named ?? []).map(
      (id) => `<entry uri="org.openmobilealliance.groups/global/byGroupID/${encodeURI(id)}"/>`,
    );
    const bodies = [
      ...(named === null
        ? []
        : [
            [
              'application/resource-lists+xml',
              `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>${entries.join('')}</list></resource-lists>`,
            ],
          ]),
      ...(user === null
        ? []
        : [['application/vnd.3gpp.mcptt-info+xml', writeUserInfo(user, null)]]),
    ].map(([type, text]) => ({
      headers: new SipHeaders([['Content-Type', type!]]),
      body: utf8(text!),
    }));
    const headers = new SipHeaders([
      ['From', o.dialog?.from ?? `<${user ?? ALICE}>;tag=sub-${asked}`],
      ['To', o.dialog?.to ?? '<sip:gms@lmr.example>'],
      ['Call-ID', o.dialog?.callId ?? o.callId ?? `sub-${asked}@127.0.2.1`],
      ['CSeq', `${o.cseq ?? 1} SUBSCRIBE`],
      ...(o.contact === null ? [] : [['Contact', h.mc.contact] as [string, string]]),
      ['Event', o.event ?? 'xcap-diff'],
      ['Accept', o.accept ?? EVERY_ACCEPT],
      ['Expires', o.expires ?? '600'],
    ]);
    const request: SipRequest = {
      kind: 'request',
      method: 'SUBSCRIBE',
      uri: o.dialog?.uri ?? 'sip:gms@lmr.example',
      headers,
      body: new Uint8Array(),
    };
    if (bodies.length > 0) {
      const { contentType, body } = makeMultipart(bodies, systemRandom);
      headers.set('Content-Type', contentType);
      request.body = body;
    }
    return { request, sent: h.mc.send(request, h.outerAt) };
  }

  /** Subscribed, with the first NOTIFY answered. */
  async function subscribed(o: Ask = {}) {
    const { request, sent } = subscribe(o);
    const response = await sent.expect(200);
    const notify = await h.mc.expect('NOTIFY');
    ok(notify);
    return { response, notify: notify.request, dialog: callerDialog(request, response) };
  }
  const stateOf = ({ headers }: SipRequest): string => headers.get('Subscription-State') ?? '';
  const nextNotify = async (): Promise<SipRequest> => {
    const transaction: ServerTransaction = await h.mc.expect('NOTIFY');
    ok(transaction);
    return transaction.request;
  };
  const partsOf = (request: SipRequest) =>
    leafParts(parseBody(request.headers.get('Content-Type') ?? '', request.body)).map((part) => ({
      type: part.contentType.type,
      octets: decodedContent(part),
    }));
  const refusalOf = async (o: Ask, status: number): Promise<SipResponse> => {
    const response = await subscribe(o).sent.expect(status);
    assert.equal(notifier.size, 0);
    assert.equal(h.mc.requests.all.length, 0, 'no NOTIFY follows a refusal');
    return response;
  };

  describe('a member that subscribes', () => {
    it('is granted its time and told of the document, with its keys as they are', async () => {
      await start();
      const { response, notify, dialog } = await subscribed();
      assert.equal(response.headers.get('Expires'), '600');
      assert.equal(stateOf(notify), 'active;expires=600');
      assert.equal(notify.headers.get('Event'), 'xcap-diff');
      assert.equal(notify.headers.get('Call-ID'), dialog.callId);
      const [diff, key, ...more] = partsOf(notify);
      assert.equal(diff!.type, 'application/xcap-diff+xml');
      assert.match(Buffer.from(diff!.octets).toString(), /tg1@lmr\.example" new-etag="e1"\/>/);
      assert.equal(key!.type, 'application/mikey');
      assert.deepEqual([...key!.octets], [...messageOf('GMK', ALICE)]);
      assert.deepEqual(more, [], 'and with no key of another member');
      await until(() => groups.taken.length > 0);
      assert.deepEqual(groups.taken, [`GMK ${ALICE}`]);
    });

    it('gets them in group key transport XML where its partner wants that, GMK and MKFC apart', async () => {
      await start((partner) => ({
        ...partner,
        distribution: { ...partner.distribution, form: 'gktp' },
      }));
      groups.keyTypes = ['GMK', 'MKFC'];
      const { notify } = await subscribed();
      const [, ...keys] = partsOf(notify);
      assert.deepEqual(
        keys.map(({ type }) => type),
        Array(2).fill('application/vnd.3gpp.mcptt-gktp+xml'),
      );
      for (const [index, type] of ['GMK', 'MKFC'].entries()) {
        const text = Buffer.from(keys[index]!.octets).toString();
        const base64 = Buffer.from(messageOf(type, ALICE)).toString('base64');
        assert.ok(text.includes(`<${type}-GKTPs xmlns="urn:3gpp:ns:mcpttGKTP:1.0">`), text);
        assert.ok(text.includes(`<GKTP id="${TALKGROUP}">${base64}</GKTP>`), text);
      }
    });

    it('gets no key where it takes no multipart body', async () => {
      await start();
      const { notify } = await subscribed({ accept: 'application/xcap-diff+xml' });
      assert.equal(notify.headers.get('Content-Type'), 'application/xcap-diff+xml');
      assert.deepEqual(groups.taken, []);
    });

    it('is told of every change of the document, with both entity tags', async () => {
      await start();
      await subscribed();
      groups.put(TALKGROUP, 'e2', A(ALICE));
      assert.match(bodyText(await nextNotify()), /new-etag="e2" previous-etag="e1"/);
      groups.onChange?.(TALKGROUP);
      groups.put(TALKGROUP, 'e3', A(ALICE));
      assert.match(bodyText(await nextNotify()), /new-etag="e3" previous-etag="e2"/);
    });

    it('is not taken for having keys that its NOTIFY was refused with', async () => {
      await start();
      const { sent } = subscribe();
      await sent.expect(200);
      const notify = await h.mc.expect('NOTIFY');
      notify.respond(createResponse(notify.request, 500));
      groups.put(TALKGROUP, 'e2', A(ALICE));
      await nextNotify();
      assert.deepEqual(groups.taken, []);
    });

    it('is told of those groups alone that it names', async () => {
      await start();
      groups.put(OTHER_GROUP, 'o1', A(ALICE));
      const { notify } = await subscribed({ groups: [OTHER_GROUP] });
      assert.match(bodyText(notify), /tg2@lmr/);
      assert.doesNotMatch(bodyText(notify), /tg1@lmr/);
    });

    it('that is the partner’s GMS gets the keys of its own domain’s members alone', async () => {
      await start();
      const { notify } = await subscribed({ user: GMS });
      const keys = partsOf(notify).slice(1);
      assert.deepEqual(
        keys.map(({ octets }) => [...octets]),
        [ALICE, BEN].map((user) => [...messageOf('GMK', user)]),
      );
    });
  });

  describe('a subscription', () => {
    it('lasts for its time anew when it is refreshed, with the whole state and no key again', async () => {
      await start();
      const { dialog } = await subscribed();
      timers.advance(500_000);
      const again = subscribe({ dialog, cseq: 2, expires: '900' });
      assert.equal((await again.sent.expect(200)).headers.get('Expires'), '900');
      const notify = await nextNotify();
      assert.equal(stateOf(notify), 'active;expires=900');
      assert.equal(notify.headers.get('Content-Type'), 'application/xcap-diff+xml');
      assert.match(bodyText(notify), /new-etag="e1"/);
      timers.advance(899_000);
      assert.equal(notifier.size, 1);
      timers.advance(1_000);
      assert.equal(stateOf(await nextNotify()), 'terminated;reason=timeout');
    });

    it('is granted for no longer than the configuration says', async () => {
      await start();
      const { response } = await subscribed({ expires: '999999' });
      assert.equal(response.headers.get('Expires'), '3600');
    });

    it('that asks for no time is one look: the state, and it is over', async () => {
      await start();
      const { response, notify } = await subscribed({ expires: '0' });
      assert.equal(response.headers.get('Expires'), '0');
      assert.equal(stateOf(notify), 'terminated;reason=timeout');
      assert.match(bodyText(notify), /new-etag="e1"/);
      assert.equal(notifier.size, 0);
      assert.deepEqual(groups.taken, []);
    });

    it('is over when its time is, and is told of no change after that', async () => {
      await start();
      await subscribed();
      timers.advance(600_000);
      assert.equal(stateOf(await nextNotify()), 'terminated;reason=timeout');
      assert.equal(notifier.size, 0);
      groups.put(TALKGROUP, 'e2', A(ALICE));
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.equal(h.mc.requests.waiting, 0);
    });

    it('ends by a refresh with Expires 0, and is found no more', async () => {
      await start();
      const { dialog } = await subscribed();
      await subscribe({ dialog, cseq: 2, expires: '0' }).sent.expect(200);
      assert.equal(stateOf(await nextNotify()), 'terminated;reason=timeout');
      assert.equal(notifier.size, 0);
      await subscribe({ dialog, cseq: 3 }).sent.expect(481);
    });

    it('stands beside another one under the same Call-ID, and ends alone', async () => {
      await start();
      const callId = 'reused@127.0.2.1';
      const first = await subscribed({ callId });
      const second = await subscribed({ callId, cseq: 2 });
      assert.equal(notifier.size, 2);
      assert.ok(partsOf(second.notify).some(({ type }) => type === 'application/mikey'));
      await subscribe({ dialog: first.dialog, cseq: 3, expires: '0' }).sent.expect(200);
      assert.equal(stateOf(await nextNotify()), 'terminated;reason=timeout');
      assert.equal(notifier.size, 1);
      groups.put(TALKGROUP, 'e2', A(ALICE));
      const told = await nextNotify();
      assert.equal(told.headers.get('To'), second.notify.headers.get('To'));
      await subscribe({ dialog: second.dialog, cseq: 3 }).sent.expect(200);
      assert.equal(stateOf(await nextNotify()), 'active;expires=600');
    });

    it('is refreshed by its own event alone', async () => {
      await start();
      const { dialog } = await subscribed({ event: 'xcap-diff;id=1' });
      await subscribe({ dialog, cseq: 2, event: 'xcap-diff;id=2' }).sent.expect(481);
      await subscribe({ dialog, cseq: 3, event: 'xcap-diff' }).sent.expect(481);
      await subscribe({ dialog, cseq: 4, event: 'presence;id=1' }).sent.expect(489);
      await subscribe({ dialog, cseq: 5, event: 'XCAP-Diff ; ID = 1' }).sent.expect(200);
      assert.equal((await nextNotify()).headers.get('Event'), 'xcap-diff;id=1');
    });

    it('is gone for a refresh that comes after its time', async () => {
      await start();
      const { dialog } = await subscribed();
      timers.advance(600_000);
      await nextNotify();
      await subscribe({ dialog, cseq: 2 }).sent.expect(481);
    });

    it('that asks for no time and does not answer the NOTIFY leaves nothing behind', async () => {
      await start();
      await subscribe({ expires: '0' }).sent.expect(200);
      await h.mc.expect('NOTIFY');
      assert.equal(notifier.size, 0);
    });

    for (const status of [401, 500, 503]) {
      it(`stands where a NOTIFY meets ${status}, which says nothing of the subscription`, async () => {
        await start();
        await subscribe().sent.expect(200);
        const notify = await h.mc.expect('NOTIFY');
        notify.respond(createResponse(notify.request, status));
        groups.put(TALKGROUP, 'e2', A(ALICE));
        assert.equal(stateOf(await nextNotify()), 'active;expires=600');
        assert.deepEqual(groups.taken, []);
      });
    }

    it('takes no refresh that comes out of order', async () => {
      await start();
      const { dialog } = await subscribed({ cseq: 7 });
      await subscribe({ dialog, cseq: 6, expires: '0' }).sent.expect(500);
      assert.equal(notifier.size, 1);
    });

    for (const status of [404, 410, 481, 482, 483, 489, 501, 604]) {
      it(`ends when a NOTIFY meets ${status}, and nothing more is sent`, async () => {
        await start();
        await subscribe().sent.expect(200);
        const notify = await h.mc.expect('NOTIFY');
        notify.respond(createResponse(notify.request, status));
        await until(() => notifier.size === 0);
        groups.put(TALKGROUP, 'e2', A(ALICE));
        await new Promise((resolve) => setTimeout(resolve, 30));
        assert.equal(h.mc.requests.waiting, 0);
        assert.deepEqual(groups.taken, []);
      });
    }

    it('ends when a NOTIFY meets no answer', async () => {
      await start();
      await subscribe().sent.expect(200);
      await h.mc.expect('NOTIFY');
      await until(() => notifier.size === 0);
      assert.ok(h.logged.some(({ event }) => event === 'subscription.notify.failed'));
    });

    it('is taken away from a user that is a member no more', async () => {
      await start();
      await subscribed();
      groups.put(TALKGROUP, 'e2', A(BEN));
      const last = await nextNotify();
      assert.equal(stateOf(last), 'terminated;reason=rejected');
      assert.equal(last.body.length, 0);
      assert.equal(notifier.size, 0);
    });

    it('ends with its group', async () => {
      await start();
      await subscribed();
      groups.delete(TALKGROUP);
      assert.equal(stateOf(await nextNotify()), 'terminated;reason=noresource');
    });

    it('carries keys that are made later, but none for whoever left meanwhile', async () => {
      await start();
      await subscribed({ user: GMS });
      const keys = [ALICE, BEN].map((user) => groups.keyOf('GMK', TALKGROUP, A(user)));
      const subscription = notifier.subscriptionFor(keys[0]!.delivery)!;
      groups.groups.get(TALKGROUP)!.members.splice(0, 1);
      const sending = notifier.send(subscription, keys);
      const sent = partsOf(await nextNotify());
      assert.equal((await sending)?.status, 200);
      assert.deepEqual(
        sent.map(({ octets }) => [...octets]),
        [[...messageOf('GMK', BEN)]],
      );
    });

    it('is for the member’s own keys, and for no other partner’s', async () => {
      await start();
      await subscribed();
      const found = (user: string, partner = 'mc-a') =>
        notifier.subscriptionFor(groups.keyOf('GMK', TALKGROUP, { partner, user }).delivery);
      assert.notEqual(found(ALICE), null);
      assert.equal(found(BEN), null);
      assert.equal(found(ALICE, 'mc-b'), null);
    });

    it('is ended as deactivated when the gateway stops, so that the subscriber asks anew', async () => {
      await start();
      await subscribed();
      const stopping = notifier.stop();
      assert.equal(stateOf(await nextNotify()), 'terminated;reason=deactivated');
      await stopping;
    });
  });

  describe('a SUBSCRIBE is refused', () => {
    it('to a user that is in none of the groups', async () => {
      await start();
      const response = await refusalOf({ user: 'sip:eve@mc-a.example' }, 403);
      assert.equal(warningOf(response), 'SEGY_E_NOT_GROUP_MEMBER');
    });

    it('to a member that asks for a group that it is not in', async () => {
      await start();
      groups.put(OTHER_GROUP, 'o1', A(BEN));
      const response = await refusalOf({ groups: [OTHER_GROUP] }, 403);
      assert.equal(warningOf(response), 'SEGY_E_NOT_GROUP_MEMBER');
    });

    it('for a member of another partner’s domain', async () => {
      await start();
      const response = await refusalOf({ user: CARLA }, 403);
      assert.equal(warningOf(response), 'SEGY_E_NOT_GROUP_MEMBER');
    });

    it('where it does not say whose it is', async () => {
      await start();
      const response = await refusalOf({ user: null }, 403);
      assert.equal(warningOf(response), 'SEGY_E_NOT_GROUP_MEMBER');
    });

    it('for another event, with the one that is served', async () => {
      await start();
      const response = await refusalOf({ event: 'presence' }, 489);
      assert.equal(response.headers.get('Allow-Events'), 'xcap-diff');
    });

    it('for too short a time, with the least', async () => {
      await start();
      const response = await refusalOf({ expires: '59' }, 423);
      assert.equal(response.headers.get('Min-Expires'), '60');
    });

    it('without a Contact to send its NOTIFYs to', async () => {
      await start();
      await refusalOf({ contact: null }, 400);
    });

    it('where Expires is no number', async () => {
      await start();
      const response = await refusalOf({ expires: 'soon' }, 400);
      assert.equal(warningOf(response), 'SEGY_E_SIP_SYNTAX');
    });

    it('to a partner that has as many as it may, and those stand', async () => {
      await start((partner) => ({
        ...partner,
        distribution: { ...partner.distribution, subscriptions: 1 },
      }));
      await subscribed();
      const response = await subscribe({ user: BEN }).sent.expect(503);
      assert.equal(warningOf(response), 'SEGY_E_BUSY');
      assert.equal(notifier.size, 1);
    });
  });
});
