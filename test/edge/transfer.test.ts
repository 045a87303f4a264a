/** REFER and its reports within a private call, in both directions, and each hostile form of it. */
import assert from 'node:assert/strict';
import { systemRandom } from '../../src/base/environment.js';
import { SpkSet } from '../../src/protect/index.js';
import { decryptUri, encryptUri } from '../../src/protect/encrypted-uri.js';
import { createResponse, parseNameAddr, type SipRequest } from '../../src/sip/index.js';
import { writePrivateCallInfo } from '../../src/edge/mcptt-info.js';
import {
  ALICE,
  bodyText,
  Harness,
  keyMgmt,
  ok,
  RADIO1,
  sdp,
  textOf,
  warningOf,
  type Established,
  type HarnessOptions,
} from './support/harness.js';
import { calleeDialog, within, type Peer, type Sent } from './support/peer.js';
import { profile, seal, SPK, start } from './support/protection.js';

const RADIO2 = 'sip:radio2@lmr.example';
const BOB = 'sip:bob@mc-a.example';
const PASS: HarnessOptions = { partner: (partner) => ({ ...partner, refer: 'pass' }) };
const FRAG = 'message/sipfrag;version=2.0';

type Dialog = Parameters<typeof within>[2];
type Headers = [string, string][];

function referIn(h: Harness, dialog: Dialog, headers: Headers, cseq = 102): SipRequest {
  return within('REFER', cseq, dialog, { headers: [['Contact', h.mc.contact], ...headers] });
}

/** A dialog as Replaces names it, for who sends it: `own` is the tag of the other side's peer, us. */
function replaces({ from, to, callId }: Dialog): string {
  const tag = (value: string): string => /;tag=([^;]+)/.exec(value)?.[1] ?? '';
  return encodeURIComponent(`${callId};to-tag=${tag(to)};from-tag=${tag(from)}`);
}

async function accepted(peer: Peer, sent: Sent, headers: Headers = []): Promise<SipRequest> {
  const tx = await peer.expect('REFER');
  peer.answer(tx, 202, { headers });
  await sent.expect(202);
  return tx.request;
}

function report(cseq: number, dialog: Dialog, state: string, frag: string | null, event = 'refer') {
  return within('NOTIFY', cseq, dialog, {
    headers: [
      ['Event', event],
      ['Subscription-State', state],
    ],
    ...(frag !== null && { body: [FRAG, frag] as [string, string] }),
  });
}

describe('edge: transfer of a private call', () => {
  let h: Harness;
  afterEach(() => h.stop());

  describe('where the profile passes REFER', () => {
    beforeEach(async () => {
      h = await Harness.start(PASS);
    });

    const refer = async (call: Established, referTo: string, more: Headers = []) => {
      const sent = h.mc.send(
        referIn(h, call.callerDialog, [['Refer-To', referTo], ...more]),
        h.outerAt,
      );
      return { sent, request: await accepted(h.pbx, sent) };
    };

    it('names the represented user to the PBX by its own name, and nothing of the MC side', async () => {
      const call = await h.establishIn();
      const { request } = await refer(call, `"Radio 2" <${RADIO2}>`, [
        ['Referred-By', '<sip:mallory@10.1.2.3>;cid="x@10.1.2.3"'],
        ['Call-Info', '<http://10.1.2.3/>'],
      ]);
      assert.equal(request.headers.get('Refer-To'), `<sip:2002@${h.pbx.address}:${h.pbx.port}>`);
      assert.match(request.headers.get('Referred-By') ?? '', /^<sip:alice@127\.0\.0\.2>$/);
      assert.doesNotMatch(textOf(request), /127\.0\.[12]\.1|mc-a|lmr\.example|10\.1\.2\.3|mallory/);
      assert.equal(request.headers.get('CSeq'), '102 REFER');
      assert.match(request.headers.get('Contact') ?? '', /segy@127\.0\.0\.2/);
    });

    it('relays each report with its status alone, and none after the last one', async () => {
      const call = await h.establishIn();
      await refer(call, `<${RADIO2}>`);
      const states = [
        ['active;expires=60', 'SIP/2.0 100 Trying by pbx.local\r\nVia: SIP/2.0/UDP 10.9.8.7\r\n'],
        [
          'terminated;reason=noresource;x=10.9.8.7',
          'SIP/2.0 200 OK\r\nTo: <sip:2002@10.9.8.7>\r\n',
        ],
      ] as const;
      for (const [index, [state, frag]] of states.entries()) {
        const sent = h.pbx.send(
          report(5 + index, call.calleeDialog, state, frag, 'refer;id=102'),
          h.innerAt,
        );
        const { request } = await replied(h.mc, 'NOTIFY', sent);
        assert.equal(request.headers.get('Event'), 'refer;id=102');
        assert.equal(request.headers.get('Content-Type'), FRAG);
        assert.doesNotMatch(textOf(request), /10\.9\.8\.7|pbx|asterisk/);
        assert.equal(
          bodyText(request),
          index === 0 ? 'SIP/2.0 100 Trying\r\n' : 'SIP/2.0 200 OK\r\n',
        );
        assert.equal(
          request.headers.get('Subscription-State'),
          index === 0 ? 'active;expires=60' : 'terminated;reason=noresource',
        );
      }
      const late = report(9, call.calleeDialog, 'active', 'SIP/2.0 200 OK\r\n');
      await h.pbx.send(late, h.innerAt).expect(481);
      assert.equal(h.edge.calls()[0]?.state, 'confirmed');
    });

    it('takes a report that overtakes the 202', async () => {
      const call = await h.establishIn();
      const sent = h.mc.send(
        referIn(h, call.callerDialog, [['Refer-To', `<${RADIO2}>`]]),
        h.outerAt,
      );
      const tx = await h.pbx.expect('REFER');
      const early = report(5, call.calleeDialog, 'active', 'SIP/2.0 100 Trying\r\n');
      await replied(h.mc, 'NOTIFY', h.pbx.send(early, h.innerAt));
      h.pbx.answer(tx, 202);
      await sent.expect(202);
    });

    it('passes a refusal of the PBX, and no report on what was refused', async () => {
      const call = await h.establishIn();
      const sent = h.mc.send(
        referIn(h, call.callerDialog, [['Refer-To', `<${RADIO2}>`]]),
        h.outerAt,
      );
      h.pbx.answer(await h.pbx.expect('REFER'), 603);
      await sent.expect(603);
      const late = report(5, call.calleeDialog, 'active', 'SIP/2.0 100 Trying\r\n');
      await h.pbx.send(late, h.innerAt).expect(481);
      assert.equal(h.edge.calls()[0]?.state, 'confirmed');
    });

    it('leaves no subscription where both sides say Refer-Sub: false', async () => {
      const call = await h.establishIn();
      const none: Headers = [
        ['Refer-Sub', 'false'],
        ['Supported', 'norefersub'],
      ];
      const sent = h.mc.send(
        referIn(h, call.callerDialog, [['Refer-To', `<${RADIO2}>`], ...none]),
        h.outerAt,
      );
      const request = await accepted(h.pbx, sent, [['Refer-Sub', 'false']]);
      assert.equal(request.headers.get('Refer-Sub'), 'false');
      assert.equal(request.headers.get('Supported'), 'norefersub');
      const late = report(5, call.calleeDialog, 'active', 'SIP/2.0 100 Trying\r\n');
      await h.pbx.send(late, h.innerAt).expect(481);
    });

    it('lets who referred end the reports by SUBSCRIBE', async () => {
      const call = await h.establishIn();
      await refer(call, `<${RADIO2}>`);
      const end = within('SUBSCRIBE', 103, call.callerDialog, {
        headers: [
          ['Event', 'refer;id=102'],
          ['Expires', '0'],
        ],
      });
      const { request } = await replied(h.pbx, 'SUBSCRIBE', h.mc.send(end, h.outerAt));
      assert.equal(request.headers.get('Expires'), '0');
      assert.equal(request.headers.get('Event'), 'refer;id=102');
      const other = within('SUBSCRIBE', 104, call.callerDialog, {
        headers: [['Event', 'presence']],
      });
      await h.mc.send(other, h.outerAt).expect(481);
    });

    it('ends the reports with the dialog', async () => {
      const call = await h.establishIn();
      await refer(call, `<${RADIO2}>`);
      const bye = h.pbx.send(within('BYE', 5, call.calleeDialog), h.innerAt);
      ok(await h.mc.expect('BYE'));
      await bye.expect(200);
      const late = report(6, call.calleeDialog, 'terminated', 'SIP/2.0 200 OK\r\n');
      await h.pbx.send(late, h.innerAt).expect(481);
      assert.equal(h.mc.requests.waiting, 0);
    });

    it('passes no report to a side that referred nobody, and none on another event', async () => {
      const call = await h.establishIn();
      const none = report(5, call.calleeDialog, 'active', 'SIP/2.0 200 OK\r\n');
      await h.pbx.send(none, h.innerAt).expect(481);
      await refer(call, `<${RADIO2}>`);
      const wrongWay = report(103, call.callerDialog, 'active', 'SIP/2.0 200 OK\r\n');
      await h.mc.send(wrongWay, h.outerAt).expect(481);
      for (const [index, event] of ['refer;id=99', 'presence', 'refer;id=x'].entries()) {
        const odd = report(6 + index, call.calleeDialog, 'active', 'SIP/2.0 200 OK\r\n', event);
        await h.pbx.send(odd, h.innerAt).expect(481);
      }
      assert.equal(h.mc.requests.waiting, 0);
    });

    for (const [what, type, body] of [
      ['SDP', 'application/sdp', sdp('127.0.0.1', 12000)],
      ['a sipfrag without a status line', FRAG, 'INVITE sip:x@10.0.0.1 SIP/2.0\r\n'],
      ['a status line of another protocol', FRAG, 'HTTP/1.1 200 OK\r\n'],
    ] as const) {
      it(`passes no report made of ${what}`, async () => {
        const call = await h.establishIn();
        await refer(call, `<${RADIO2}>`);
        const odd = report(5, call.calleeDialog, 'active', body);
        odd.headers.set('Content-Type', type);
        const response = await h.pbx.send(odd, h.innerAt).expect(415);
        assert.equal(warningOf(response), 'SEGY_E_SIP_BODY');
        assert.equal(h.mc.requests.waiting, 0);
      });
    }

    it('carries four transfers under way in one call, and refuses the fifth', async () => {
      const call = await h.establishIn();
      for (let cseq = 102; cseq < 106; cseq += 1) {
        const sent = h.mc.send(
          referIn(h, call.callerDialog, [['Refer-To', `<${RADIO2}>`]], cseq),
          h.outerAt,
        );
        await accepted(h.pbx, sent);
      }
      const fifth = referIn(h, call.callerDialog, [['Refer-To', `<${RADIO2}>`]], 106);
      const response = await h.mc.send(fifth, h.outerAt).expect(503);
      assert.equal(warningOf(response), 'SEGY_E_BUSY');
    });

    it('ends a subscription that is reported on without end', async () => {
      const call = await h.establishIn();
      await refer(call, `<${RADIO2}>`);
      for (let cseq = 5; cseq < 69; cseq += 1) {
        const one = report(cseq, call.calleeDialog, 'active', 'SIP/2.0 100 Trying\r\n');
        await replied(h.mc, 'NOTIFY', h.pbx.send(one, h.innerAt));
      }
      const more = (cseq: number) =>
        h.pbx.send(report(cseq, call.calleeDialog, 'active', 'SIP/2.0 100 Trying\r\n'), h.innerAt);
      assert.equal(warningOf(await more(69).expect(503)), 'SEGY_E_BUSY');
      await more(70).expect(481);
    });

    it('passes a REFER of the PBX to users of the partner and to radios, by their MC identities', async () => {
      const call = await h.establishOut();
      const at = `${h.innerAt.address}:${h.innerAt.port}`;
      const cases = [
        [`<${BOB}>`, BOB],
        [`<sip:bob@${at}>`, BOB],
        [`<sip:bob@${at};segy-domain=mc-a.example>`, BOB],
        [`<sip:2002@${at}>`, RADIO2],
        [`<${RADIO2}>`, RADIO2],
      ] as const;
      for (const [index, [referTo, expected]] of cases.entries()) {
        const made = within('REFER', 102 + index, call.callerDialog, {
          headers: [
            ['Contact', h.pbx.contact],
            ['Refer-To', referTo],
            ['Referred-By', '<sip:2001@127.0.0.1>'],
            ['Refer-Sub', 'false'],
          ],
        });
        const sent = h.pbx.send(made, h.innerAt);
        const request = await accepted(h.mc, sent, [['Refer-Sub', 'false']]);
        assert.equal(request.headers.get('Refer-To'), `<${expected}>`);
        assert.equal(request.headers.get('Referred-By'), '<sip:segy@lmr.example>');
        assert.doesNotMatch(textOf(request), /127\.0\.0\.|2001|2002|asterisk/);
      }
    });

    for (const referTo of [
      '<sip:bob@elsewhere.example>',
      '<sip:bob@10.0.0.1>',
      '<sip:bob@127.0.0.2;segy-domain=elsewhere.example>',
      '<sip:bob@mc-a.example;transport=tcp>',
      '<tel:+15551234>',
    ]) {
      it(`passes no REFER of the PBX to ${referTo}`, async () => {
        const call = await h.establishOut();
        const made = within('REFER', 102, call.callerDialog, { headers: [['Refer-To', referTo]] });
        const response = await h.pbx.send(made, h.innerAt).expect(403);
        assert.equal(warningOf(response), 'SEGY_E_REFER_TARGET');
        assert.equal(h.mc.requests.waiting, 0);
      });
    }

    for (const referTo of [
      `<${BOB}>`,
      '<sip:2002@127.0.0.1>',
      '<sip:2002@lmr.example>',
      '<sip:radio2@LMR.example>',
      '<sip:radio2@lmr.example;user=phone>',
      '<sip:nobody@lmr.example>',
      '<sip:*8@127.0.0.1>',
      '<tel:2002>',
    ]) {
      it(`passes no REFER of the MC side to ${referTo}, who is no user represented here`, async () => {
        const call = await h.establishIn();
        const sent = h.mc.send(referIn(h, call.callerDialog, [['Refer-To', referTo]]), h.outerAt);
        assert.equal(warningOf(await sent.expect(403)), 'SEGY_E_REFER_TARGET');
        assert.equal(h.pbx.requests.waiting, 0);
        assert.equal(h.edge.calls()[0]?.state, 'confirmed');
      });
    }

    const twice = encodeURIComponent(encodeURIComponent('a;to-tag=b;from-tag=c'));
    for (const [what, referTo] of [
      ['another header', `<${RADIO2}?Route=%3Csip%3A10.0.0.1%3E>`],
      ['a body', `<${RADIO2}?body=v%3D0>`],
      ['a body and a Replaces', `<${RADIO2}?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc&body=x>`],
      ['two Replaces', `<${RADIO2}?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc&Replaces=d>`],
      ['a nested Refer-To', `<${RADIO2}?Refer-To=%3Csip%3Ax%40y%3FRefer-To%3Dz%3E>`],
      [
        'line ends in its Replaces',
        `<${RADIO2}?Replaces=a%0D%0AVia%3A%20x%3Bto-tag%3Db%3Bfrom-tag%3Dc>`,
      ],
      ['a Replaces without tags', `<${RADIO2}?Replaces=a>`],
      ['a Replaces with one tag twice', `<${RADIO2}?Replaces=a%3Bto-tag%3Db%3Bto-tag%3Dc>`],
      ['a Replaces that is escaped twice', `<${RADIO2}?Replaces=${twice}>`],
      ['a Replaces that is no UTF-8', `<${RADIO2}?Replaces=%FF%FE>`],
      ['a password', '<sip:radio2:secret@lmr.example>'],
      ['a list', `<${RADIO2}>, <${RADIO2}>`],
      ['a Content-ID', '<cid:list@mc-a.example>'],
      ['a web address', '<https://10.0.0.1/>'],
      ['nothing', ''],
      ['no end', `<${RADIO2}`],
      ['8 kB', `<sip:${'r'.repeat(8000)}@lmr.example>`],
    ] as const) {
      it(`refuses a Refer-To with ${what}`, async () => {
        const call = await h.establishIn();
        const sent = h.mc.send(referIn(h, call.callerDialog, [['Refer-To', referTo]]), {
          ...h.outerAt,
          protocol: 'tcp',
        });
        assert.equal(warningOf(await sent.expect(400)), 'SEGY_E_REFER_TO');
        assert.equal(h.pbx.requests.waiting, 0);
      });
    }

    for (const parameter of ['method=INVITE', 'method=BYE', 'maddr=10.0.0.1', 'ttl=1', 'lr']) {
      it(`passes no Refer-To with ;${parameter}`, async () => {
        const call = await h.establishIn();
        const referTo: [string, string] = ['Refer-To', `<${RADIO2};${parameter}>`];
        const sent = h.mc.send(referIn(h, call.callerDialog, [referTo]), h.outerAt);
        assert.equal(warningOf(await sent.expect(403)), 'SEGY_E_REFER_TARGET');
        assert.equal(h.pbx.requests.waiting, 0);
      });
    }

    it('refuses two Refer-To and none', async () => {
      const call = await h.establishIn();
      const one: [string, string] = ['Refer-To', `<${RADIO2}>`];
      for (const [index, headers] of [[], [one, one]].entries()) {
        const sent = h.mc.send(referIn(h, call.callerDialog, headers, 102 + index), h.outerAt);
        assert.equal(warningOf(await sent.expect(400)), 'SEGY_E_REFER_TO');
      }
    });

    it('drops a Refer-To of 64 KiB with its message, and the call goes on', async () => {
      const call = await h.establishIn();
      const huge = referIn(h, call.callerDialog, [['Refer-To', `<sip:${'r'.repeat(65_536)}@x>`]]);
      const sent = h.mc.send(huge, { ...h.outerAt, protocol: 'tcp' });
      await Promise.race([
        sent.responses.next('a refusal'),
        sent.errors.next('a closed connection'),
      ]);
      assert.equal(h.pbx.requests.waiting, 0);
      assert.equal(h.edge.calls()[0]?.state, 'confirmed');
    });

    /** A second call of alice, to radio2. */
    const second = () =>
      h.establishIn({
        sdp: sdp('127.0.2.1', 42000, keyMgmt('10000002')),
        info: writePrivateCallInfo(RADIO2, ALICE),
      });

    it('names to the PBX the call that an attended transfer replaces, as the PBX knows it', async () => {
      const call = await h.establishIn();
      const other = await second();
      const { request } = await refer(
        call,
        `<${RADIO2}?Replaces=${replaces(other.callerDialog)}>`,
        [
          [
            'Target-Dialog',
            decodeURIComponent(replaces(other.callerDialog))
              .replace(/to-tag/, 'remote-tag')
              .replace(/from-tag/, 'local-tag'),
          ],
        ],
      );
      const text = request.headers.get('Refer-To') ?? '';
      const named = decodeURIComponent(/\?Replaces=([^>]*)>/.exec(text)?.[1] ?? '');
      const tag = (value: string): string => /;tag=([^;]+)/.exec(value)?.[1] ?? '';
      const { from, to, callId } = other.calleeDialog;
      assert.equal(named, `${callId};to-tag=${tag(from)};from-tag=${tag(to)}`);
      assert.equal(
        request.headers.get('Target-Dialog'),
        `${callId};remote-tag=${tag(from)};local-tag=${tag(to)}`,
      );
      assert.doesNotMatch(textOf(request), /127\.0\.2\.1/);
      // media and channels are those of the two calls, and nothing was armed anew
      assert.equal(h.port.channels.length, 2);
    });

    it('names to the MC side the call that the PBX replaces, as the MC side knows it', async () => {
      const call = await h.establishOut();
      const other = await h.establishOut({ uri: `sip:bob@${h.innerAt.address}:${h.innerAt.port}` });
      const made = within('REFER', 102, call.callerDialog, {
        headers: [['Refer-To', `<${BOB}?Replaces=${replaces(other.callerDialog)}>`]],
      });
      const request = await accepted(h.mc, h.pbx.send(made, h.innerAt));
      const tag = (value: string): string => /;tag=([^;]+)/.exec(value)?.[1] ?? '';
      const { from, to, callId } = other.calleeDialog;
      const named = encodeURIComponent(`${callId};to-tag=${tag(from)};from-tag=${tag(to)}`);
      assert.equal(request.headers.get('Refer-To'), `<${BOB}?Replaces=${named}>`);
      assert.doesNotMatch(textOf(request), /127\.0\.0\./);
    });

    it('refuses a Replaces that names no call, its own, or one with another than the target', async () => {
      const call = await h.establishIn();
      const other = await second();
      const unknown = replaces({ ...other.callerDialog, callId: 'guessed' });
      for (const [index, [target, value, status, code]] of (
        [
          [RADIO2, unknown, 481, 'SEGY_E_SIP_NO_DIALOG'],
          [RADIO1, replaces(call.callerDialog), 403, 'SEGY_E_REFER_TARGET'],
          [RADIO1, replaces(other.callerDialog), 403, 'SEGY_E_REFER_TARGET'],
        ] as const
      ).entries()) {
        const referTo: [string, string] = ['Refer-To', `<${target}?Replaces=${value}>`];
        const sent = h.mc.send(referIn(h, call.callerDialog, [referTo], 102 + index), h.outerAt);
        assert.equal(warningOf(await sent.expect(status)), code);
      }
      assert.equal(h.pbx.requests.waiting, 0);
    });

    it("refuses a Replaces of another user's call, though the partner is the same", async () => {
      const call = await h.establishIn();
      const other = await h.establishIn({
        sdp: sdp('127.0.2.1', 42000, keyMgmt('10000002', BOB)),
        info: writePrivateCallInfo(RADIO2, BOB),
      });
      const referTo: [string, string] = [
        'Refer-To',
        `<${RADIO2}?Replaces=${replaces(other.callerDialog)}>`,
      ];
      const sent = h.mc.send(referIn(h, call.callerDialog, [referTo]), h.outerAt);
      assert.equal(warningOf(await sent.expect(403)), 'SEGY_E_REFER_TARGET');
      assert.equal(h.pbx.requests.waiting, 0);
    });

    for (const name of ['Target-Dialog', 'Replaces']) {
      it(`refuses a REFER whose ${name} names no dialog here`, async () => {
        const call = await h.establishIn();
        const sent = h.mc.send(
          referIn(h, call.callerDialog, [
            ['Refer-To', `<${RADIO2}>`],
            [name, 'x@10.0.0.1;to-tag=a;from-tag=b'],
          ]),
          h.outerAt,
        );
        assert.equal(warningOf(await sent.expect(481)), 'SEGY_E_SIP_NO_DIALOG');
        assert.equal(h.pbx.requests.waiting, 0);
        assert.equal(h.edge.calls()[0]?.state, 'confirmed');
      });
    }

    it('passes a REFER of the side that has answered while its ACK is still on the way', async () => {
      const { request, sent } = h.fromMc();
      const tx = await h.pbx.expect('INVITE');
      h.pbx.answer(tx, 200, { sdp: sdp('127.0.0.1', 12000) });
      const response = await sent.expect(200);
      const made = within('REFER', 5, calleeDialog(tx), { headers: [['Refer-To', `<${BOB}>`]] });
      const passed = await accepted(h.mc, h.pbx.send(made, h.innerAt));
      assert.equal(passed.headers.get('Refer-To'), `<${BOB}>`);
      h.ack(h.mc, request, response);
      await h.pbx.acks.next('the ACK');
      assert.equal(h.edge.calls()[0]?.state, 'confirmed');
    });

    it('refuses a REFER before the call is up, and outside a call', async () => {
      const { request, sent } = h.fromMc();
      const tx = await h.pbx.expect('INVITE');
      h.pbx.answer(tx, 180);
      const ringing = await sent.expect(180);
      const dialog = {
        from: request.headers.get('From') ?? '',
        to: ringing.headers.get('To') ?? '',
        callId: request.headers.get('Call-ID') ?? '',
        uri: request.uri,
      };
      const early = h.mc.send(referIn(h, dialog, [['Refer-To', `<${RADIO2}>`]]), h.outerAt);
      assert.equal(warningOf(await early.expect(403)), 'SEGY_E_REFER_REFUSED');
      const outside = { ...dialog, to: '<sip:radio1@lmr.example>', callId: 'other' };
      const alone = h.mc.send(referIn(h, outside, [['Refer-To', `<${RADIO2}>`]]), h.outerAt);
      assert.equal(warningOf(await alone.expect(405)), 'SEGY_E_SIP_METHOD');
      h.pbx.answer(tx, 486);
      await sent.expect(486);
    });

    for (const [type, body] of [
      ['text/plain', 'hello'],
      ['application/sdp', sdp('127.0.2.1', 41000)],
      ['message/sipfrag', 'SIP/2.0 200 OK\r\n'],
    ] as const) {
      it(`passes no REFER with a body of ${type}`, async () => {
        const call = await h.establishIn();
        const made = referIn(h, call.callerDialog, [
          ['Refer-To', `<${RADIO2}>`],
          ['Content-Type', type],
        ]);
        made.body = new Uint8Array(Buffer.from(body));
        const response = await h.mc.send(made, h.outerAt).expect(415);
        assert.equal(warningOf(response), 'SEGY_E_SIP_BODY');
        assert.equal(h.pbx.requests.waiting, 0);
      });
    }

    it('tells in Allow that it takes REFER', async () => {
      const options = within('OPTIONS', 1, {
        from: '<sip:x@mc-a.example>;tag=1',
        to: '<sip:y@lmr.example>',
        callId: 'o1',
        uri: 'sip:y@lmr.example',
      });
      const response = await h.mc.send(options, h.outerAt).expect(200);
      assert.match(response.headers.get('Allow') ?? '', /REFER, NOTIFY, SUBSCRIBE/);
    });
  });

  describe('where the signalling is protected', () => {
    beforeEach(async () => {
      h = await start(profile(), PASS);
    });

    /** A REFER with the MC bodies of the caller, sealed unless told otherwise. */
    const withBody = (call: Established, info: string, sealed = true): SipRequest => {
      const made = referIn(h, call.callerDialog, [['Refer-To', `<${RADIO2}>`]]);
      made.headers.set('Content-Type', 'application/vnd.3gpp.mcptt-info+xml');
      made.body = new Uint8Array(Buffer.from(info));
      if (sealed) seal(made);
      return made;
    };
    const established = () => h.establishIn({ protect: (request) => seal(request) });

    it('takes the protection off a REFER whose body agrees with the call, and passes no body', async () => {
      const call = await established();
      const sent = h.mc.send(withBody(call, writePrivateCallInfo(RADIO2, ALICE)), h.outerAt);
      const request = await accepted(h.pbx, sent);
      assert.equal(request.body.length, 0);
      assert.doesNotMatch(textOf(request), /Encrypted|signed\+xml|mcptt/);
    });

    it('refuses a REFER that is unsigned, or whose body names another user or target', async () => {
      const call = await established();
      const cases = [
        [withBody(call, writePrivateCallInfo(RADIO2, ALICE), false), 403, 'SEGY_E_XML_UNSIGNED'],
        [withBody(call, writePrivateCallInfo(RADIO2, BOB)), 488, 'SEGY_E_IDENTITY_MISMATCH'],
        [withBody(call, writePrivateCallInfo(BOB, ALICE)), 488, 'SEGY_E_IDENTITY_MISMATCH'],
      ] as const;
      for (const [index, [made, status, code]] of cases.entries()) {
        made.headers.set('CSeq', `${102 + index} REFER`);
        const response = await h.mc.send(made, h.outerAt).expect(status);
        assert.equal(warningOf(response), code);
      }
      assert.equal(h.pbx.requests.waiting, 0);
    });
    it('encrypts the identity in Refer-To where XML is encrypted, and reads one that is', async () => {
      const call = await established();
      const made = within('REFER', 5, call.calleeDialog, { headers: [['Refer-To', `<${BOB}>`]] });
      const request = await accepted(h.mc, h.pbx.send(made, h.innerAt), [['Refer-Sub', 'false']]);
      const { uri } = parseNameAddr(request.headers.get('Refer-To') ?? '');
      assert.match(
        uri,
        /^sip:[^@]+;key-id=MAECAw==;alg=128-aes-gcm@mc1-encrypted\.3gppnetwork\.org$/,
      );
      assert.doesNotMatch(textOf(request), /bob/);
      const from = parseNameAddr(request.headers.get('From') ?? '').uri;
      const spks = new SpkSet([SPK]);
      assert.equal(decryptUri(uri, { spks, p0: from, now: Date.now() }), BOB);

      const p0 = 'sip:cntrl-psi@mc-a.example';
      const theirs = encryptUri(RADIO2, { spk: SPK, p0, random: systemRandom });
      const sent = h.mc.send(
        referIn(h, call.callerDialog, [['Refer-To', `<${theirs}>`]]),
        h.outerAt,
      );
      const passed = await accepted(h.pbx, sent);
      assert.match(passed.headers.get('Refer-To') ?? '', /^<sip:2002@127\.0\.0\.1/);

      const broken = theirs.replace(/^sip:./, (head) => (head === 'sip:A' ? 'sip:B' : 'sip:A'));
      const bad = referIn(h, call.callerDialog, [['Refer-To', `<${broken}>`]], 103);
      const response = await h.mc.send(bad, h.outerAt).expect(403);
      assert.equal(warningOf(response), 'SEGY_E_XML_DECRYPT');
    });
  });

  it('refuses a REFER of either side by default, and the call goes on', async () => {
    h = await Harness.start();
    const call = await h.establishIn();
    const theirs = h.mc.send(
      referIn(h, call.callerDialog, [['Refer-To', `<${RADIO2}>`]]),
      h.outerAt,
    );
    assert.equal(warningOf(await theirs.expect(403)), 'SEGY_E_REFER_REFUSED');
    const ours = within('REFER', 5, call.calleeDialog, { headers: [['Refer-To', `<${BOB}>`]] });
    assert.equal(warningOf(await h.pbx.send(ours, h.innerAt).expect(403)), 'SEGY_E_REFER_REFUSED');
    assert.equal(h.edge.calls()[0]?.state, 'confirmed');
    assert.equal(h.mc.requests.waiting + h.pbx.requests.waiting, 0);
  });
});

/** Answers `method` at `peer` with 200 and waits for it at who sent it. */
async function replied(peer: Peer, method: string, sent: Sent) {
  const tx = await peer.expect(method);
  tx.respond(createResponse(tx.request, 200));
  await sent.expect(200);
  return tx;
}
