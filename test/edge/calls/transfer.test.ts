/** REFER and its reports within a private call, in both directions. */
import assert from 'node:assert/strict';
import { bodyText, Harness, ok, sdp, textOf, warningOf } from '../support/harness.js';
import { calleeDialog, within } from '../support/peer.js';
import {
  accepted,
  BOB,
  FRAG,
  PASS,
  RADIO2,
  referIn,
  referred,
  replied,
  report,
  type Headers,
} from '../support/transfer.js';

describe('edge: transfer of a private call', () => {
  let h: Harness;
  beforeEach(async () => {
    h = await Harness.start(PASS);
  });
  afterEach(() => h.stop());

  it('names the represented user to the PBX by its own name, and nothing of the MC side', async () => {
    const call = await h.establishIn();
    const request = await referred(h, call, `"Radio 2" <${RADIO2}>`, [
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
    await referred(h, call, `<${RADIO2}>`);
    const states = [
      ['active;expires=60', 'SIP/2.0 100 Trying by pbx.local\r\nVia: SIP/2.0/UDP 10.9.8.7\r\n'],
      ['terminated;reason=noresource;x=10.9.8.7', 'SIP/2.0 200 OK\r\nTo: <sip:2002@10.9.8.7>\r\n'],
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
    const sent = h.mc.send(referIn(h, call.callerDialog, [['Refer-To', `<${RADIO2}>`]]), h.outerAt);
    const tx = await h.pbx.expect('REFER');
    const early = report(5, call.calleeDialog, 'active', 'SIP/2.0 100 Trying\r\n');
    await replied(h.mc, 'NOTIFY', h.pbx.send(early, h.innerAt));
    h.pbx.answer(tx, 202);
    await sent.expect(202);
  });

  it('passes a refusal of the PBX, and no report on what was refused', async () => {
    const call = await h.establishIn();
    const sent = h.mc.send(referIn(h, call.callerDialog, [['Refer-To', `<${RADIO2}>`]]), h.outerAt);
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
    await referred(h, call, `<${RADIO2}>`);
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
    await referred(h, call, `<${RADIO2}>`);
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
    await referred(h, call, `<${RADIO2}>`);
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
      await referred(h, call, `<${RADIO2}>`);
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
    await referred(h, call, `<${RADIO2}>`);
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

describe('edge: transfer by default', () => {
  let h: Harness;
  afterEach(() => h.stop());

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
