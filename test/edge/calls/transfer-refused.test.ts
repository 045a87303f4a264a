/** Hostile and misplaced REFERs: each is refused with its code, and the call goes on. */
import assert from 'node:assert/strict';
import { Harness, sdp, warningOf } from '../support/harness.js';
import { within } from '../support/peer.js';
import { BOB, PASS, RADIO2, referIn } from '../support/transfer.js';

describe('edge: transfers that are refused', () => {
  let h: Harness;
  beforeEach(async () => {
    h = await Harness.start(PASS);
  });
  afterEach(() => h.stop());

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
    await Promise.race([sent.responses.next('a refusal'), sent.errors.next('a closed connection')]);
    assert.equal(h.pbx.requests.waiting, 0);
    assert.equal(h.edge.calls()[0]?.state, 'confirmed');
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
    assert.equal(warningOf(await alone.expect(403)), 'SEGY_E_REFER_REFUSED');
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
});
