import assert from 'node:assert/strict';
import { toHex } from '../../../src/base/bytes.js';
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
} from '../support/harness.js';
import { callerDialog, within } from '../support/peer.js';

const HELD = 'a=sendonly';

describe('edge: within a dialog', () => {
  let h: Harness;
  beforeEach(async () => {
    h = await Harness.start();
  });
  afterEach(async () => h.stop());

  /** A re-INVITE of the MC side through to the ACK at the PBX. */
  async function reinviteFromMc(
    dialog: ReturnType<typeof callerDialog>,
    cseq: number,
    body: string,
    answer: string,
  ) {
    const request = within('INVITE', cseq, dialog, {
      sdp: body,
      headers: [['Contact', h.mc.contact]],
    });
    const sent = h.mc.send(request, h.outerAt);
    const tx = await h.pbx.expect('INVITE');
    h.pbx.answer(tx, 200, { sdp: answer });
    const response = await sent.expect(200);
    h.ack(h.mc, request, response);
    await h.pbx.acks.next('the ACK');
    return { tx, response };
  }

  it('passes hold and resume by re-INVITE, and sets the direction of the media', async () => {
    const call = await h.establishIn();
    const hold = await reinviteFromMc(
      call.callerDialog,
      102,
      sdp('127.0.2.1', 41000, keyMgmt(), HELD),
      sdp('127.0.0.1', 12000, 'a=recvonly'),
    );
    assert.match(bodyText(hold.tx.request), /a=sendonly/);
    assert.equal(hold.tx.request.headers.get('CSeq'), '102 INVITE');
    assert.match(bodyText(hold.response), /a=recvonly/);
    assert.equal(h.media.sessions[0]!.log.at(-1), 'direction in -');
    await reinviteFromMc(
      call.callerDialog,
      103,
      sdp('127.0.2.1', 41000, keyMgmt()),
      sdp('127.0.0.1', 12000),
    );
    assert.equal(h.media.sessions[0]!.log.at(-1), 'direction in out');
    assert.equal(h.clients.opened.length, 1, 'the same I_MESSAGE is not opened again');
  });

  it('times the stream by the clocks of the codecs that a re-INVITE brings', async () => {
    const call = await h.establishIn();
    const session = h.media.sessions[0]!;
    assert.deepEqual(session.clockRates, { 0: 8000 });
    const wide = (address: string, port: number, ...extra: string[]): string =>
      sdp(address, port, 'a=rtpmap:98 AMR-WB/16000', ...extra).replace('RTP/AVP 0', 'RTP/AVP 98 0');
    await reinviteFromMc(
      call.callerDialog,
      102,
      wide('127.0.2.1', 41000, keyMgmt()),
      wide('127.0.0.1', 12000),
    );
    assert.deepEqual(session.clockRates, { 0: 8000, 98: 16_000 });
  });

  it('carries no key in our re-offers where the peer made it', async () => {
    const call = await h.establishIn();
    const sent = h.pbx.send(
      within('INVITE', 5, call.calleeDialog, {
        sdp: sdp('127.0.0.1', 12002),
        headers: [['Contact', h.pbx.contact]],
      }),
      h.innerAt,
    );
    const tx = await h.mc.expect('INVITE');
    assert.doesNotMatch(bodyText(tx.request), /key-mgmt/);
    h.mc.answer(tx, 200, { sdp: sdp('127.0.2.1', 41000) });
    await sent.expect(200);
  });

  it('repeats our own I_MESSAGE octet for octet in our re-offers', async () => {
    const call = await h.establishOut();
    const first = /a=key-mgmt:.*/.exec(bodyText(call.offered))?.[0];
    const sent = h.pbx.send(
      within('INVITE', 102, call.callerDialog, {
        sdp: sdp('127.0.0.1', 12002, HELD),
        headers: [['Contact', h.pbx.contact]],
      }),
      h.innerAt,
    );
    const tx = await h.mc.expect('INVITE');
    assert.ok(first);
    assert.equal(/a=key-mgmt:.*/.exec(bodyText(tx.request))?.[0], first);
    h.mc.answer(tx, 200, { sdp: sdp('127.0.2.1', 41000, 'a=recvonly') });
    await sent.expect(200);
    assert.equal(h.media.sessions[0]!.rekeys.length, 0);
  });

  it('takes a new PCK of the peer beside the old one and swaps the roles when it is answered', async () => {
    const call = await h.establishOut();
    const session = h.media.sessions[0]!;
    const request = within('INVITE', 7, call.calleeDialog, {
      sdp: sdp('127.0.2.1', 41000, keyMgmt('1000000c')),
      headers: [['Contact', h.mc.contact]],
    });
    const sent = h.mc.send(request, h.outerAt);
    const tx = await h.pbx.expect('INVITE');
    assert.deepEqual(
      session.log.filter((entry) => /rekey|drop/.test(entry)),
      ['rekey receive'],
    );
    assert.equal(h.clients.opened[0]?.callee, RADIO1);
    assert.equal(h.clients.opened[0].caller, ALICE);
    h.pbx.answer(tx, 200, { sdp: sdp('127.0.0.1', 12000) });
    await sent.expect(200);
    assert.deepEqual(
      session.log.filter((entry) => /rekey|drop/.test(entry)),
      ['rekey receive', 'rekey receive send', 'drop old'],
    );
    assert.equal(toHex(session.rekeys[1]!.send!.key.mki), '1000000c');
    assert.doesNotMatch(bodyText(tx.request), /key-mgmt/);
  });

  it('keeps the old key when the offer of a new one is refused', async () => {
    const call = await h.establishIn();
    const sent = h.mc.send(
      within('INVITE', 102, call.callerDialog, {
        sdp: sdp('127.0.2.1', 41000, keyMgmt('1000000c')),
        headers: [['Contact', h.mc.contact]],
      }),
      h.outerAt,
    );
    h.pbx.answer(await h.pbx.expect('INVITE'), 488, { sdp: sdp('127.0.0.1', 0) });
    const refusal = await sent.expect(488);
    assert.match(bodyText(refusal), /m=audio 0 /);
    assert.doesNotMatch(textOf(refusal), /127\.0\.0\.1/);
    assert.deepEqual(
      h.media.sessions[0]!.log.filter((entry) => /rekey|drop/.test(entry)),
      ['rekey receive', 'drop new'],
    );
    assert.equal(h.edge.calls()[0]?.state, 'confirmed');
  });

  it('refuses a new PCK of another user and keeps the call', async () => {
    const call = await h.establishIn();
    const sent = h.mc.send(
      within('INVITE', 102, call.callerDialog, {
        sdp: sdp('127.0.2.1', 41000, keyMgmt('1000000c', 'sip:mallory@mc-a.example')),
      }),
      h.outerAt,
    );
    assert.equal(warningOf(await sent.expect(488)), 'SEGY_E_IDENTITY_MISMATCH');
    assert.equal(h.pbx.requests.waiting, 0);
    assert.equal(h.edge.calls()[0]?.state, 'confirmed');
  });

  it('passes a session refresh by UPDATE with its timers', async () => {
    const call = await h.establishIn();
    const sent = h.mc.send(
      within('UPDATE', 102, call.callerDialog, {
        headers: [
          ['Session-Expires', '1800;refresher=uac'],
          ['Supported', 'timer'],
          ['Contact', h.mc.contact],
        ],
      }),
      h.outerAt,
    );
    const tx = await h.pbx.expect('UPDATE');
    assert.equal(tx.request.headers.get('Session-Expires'), '1800;refresher=uac');
    h.pbx.answer(tx, 200, {
      headers: [
        ['Session-Expires', '1800;refresher=uac'],
        ['Require', 'timer'],
      ],
    });
    const response = await sent.expect(200);
    assert.equal(response.headers.get('Session-Expires'), '1800;refresher=uac');
    assert.equal(response.headers.get('Require'), 'timer');
    assert.match(response.headers.get('Contact') ?? '', /127\.0\.1\.1/);
  });

  it('carries reliable provisional responses end to end: RSeq, PRACK, RAck', async () => {
    const { request, sent } = h.fromMc({ headers: [['Supported', '100rel']] });
    const invite = await h.pbx.expect('INVITE');
    assert.equal(invite.request.headers.get('Supported'), '100rel');
    h.pbx.answer(invite, 183, {
      sdp: sdp('127.0.0.1', 12000),
      headers: [
        ['Require', '100rel'],
        ['RSeq', '73'],
      ],
    });
    const progress = await sent.expect(183);
    assert.equal(progress.headers.get('RSeq'), '73');
    assert.equal(progress.headers.get('Require'), '100rel');
    const prack = h.mc.send(
      within('PRACK', 102, callerDialog(request, progress), {
        headers: [['RAck', '73 101 INVITE']],
      }),
      h.outerAt,
    );
    const passed = await h.pbx.expect('PRACK');
    assert.equal(passed.request.headers.get('RAck'), '73 101 INVITE');
    ok(passed);
    await prack.expect(200);
    h.pbx.answer(invite, 200, { sdp: sdp('127.0.0.1', 12000) });
    await sent.expect(200);
  });

  it('rewrites the offer in a PRACK and the answer in its response', async () => {
    const { request, sent } = h.fromMc({ headers: [['Supported', '100rel']] });
    const invite = await h.pbx.expect('INVITE');
    h.pbx.answer(invite, 183, {
      sdp: sdp('127.0.0.1', 12000),
      headers: [
        ['Require', '100rel'],
        ['RSeq', '1'],
      ],
    });
    const progress = await sent.expect(183);
    const prack = h.mc.send(
      within('PRACK', 102, callerDialog(request, progress), {
        headers: [['RAck', '1 101 INVITE']],
        sdp: sdp('127.0.2.1', 43000, 'a=ptime:40'),
      }),
      h.outerAt,
    );
    const passed = await h.pbx.expect('PRACK');
    assert.match(bodyText(passed.request), /c=IN IP4 127\.0\.0\.2[^]*a=ptime:40/);
    h.pbx.answer(passed, 200, { sdp: sdp('127.0.0.1', 12000) });
    assert.match(bodyText(await prack.expect(200)), /c=IN IP4 127\.0\.1\.1/);
    assert.ok(h.media.sessions[0]!.log.includes('remote outer 127.0.2.1:43000'));
  });

  it('carries an offer in the 2xx and its answer in the ACK', async () => {
    const call = await h.establishIn();
    const request = within('INVITE', 102, call.callerDialog, {
      headers: [['Contact', h.mc.contact]],
    });
    const sent = h.mc.send(request, h.outerAt);
    const tx = await h.pbx.expect('INVITE');
    assert.equal(tx.request.body.length, 0);
    h.pbx.answer(tx, 200, { sdp: sdp('127.0.0.1', 12004) });
    const response = await sent.expect(200);
    assert.match(bodyText(response), /c=IN IP4 127\.0\.1\.1/);
    const ack = within('ACK', 102, call.callerDialog, { sdp: sdp('127.0.2.1', 45000) });
    h.mc.endpoint.sendAck(ack, h.outerAt);
    const passed = await h.pbx.acks.next('the ACK');
    assert.match(bodyText(passed), /c=IN IP4 127\.0\.0\.2/);
    assert.ok(h.media.sessions[0]!.log.includes('remote outer 127.0.2.1:45000'));
  });

  it('ends the call when the answer to an offer in a 2xx does not come with the ACK', async () => {
    const call = await h.establishIn();
    const request = within('INVITE', 102, call.callerDialog, {
      headers: [['Contact', h.mc.contact]],
    });
    const sent = h.mc.send(request, h.outerAt);
    h.pbx.answer(await h.pbx.expect('INVITE'), 200, { sdp: sdp('127.0.0.1', 12004) });
    h.ack(h.mc, request, await sent.expect(200));
    await h.pbx.acks.next('the ACK');
    ok(await h.pbx.expect('BYE'));
    ok(await h.mc.expect('BYE'));
  });

  it('ends the call when an accepted offer has no answer', async () => {
    const call = await h.establishIn();
    h.mc.send(
      within('UPDATE', 102, call.callerDialog, { sdp: sdp('127.0.2.1', 41000) }),
      h.outerAt,
    );
    ok(await h.pbx.expect('UPDATE'));
    ok(await h.pbx.expect('BYE'));
    ok(await h.mc.expect('BYE'));
  });

  it('goes back to the agreed addresses when a re-INVITE fails after early media', async () => {
    const call = await h.establishIn();
    const sent = h.mc.send(
      within('INVITE', 102, call.callerDialog, { sdp: sdp('127.0.2.1', 47000) }),
      h.outerAt,
    );
    const tx = await h.pbx.expect('INVITE');
    h.pbx.answer(tx, 183, { sdp: sdp('127.0.0.1', 12008) });
    await sent.expect(183);
    h.pbx.answer(tx, 486);
    await sent.expect(486);
    const remotes = h.media.sessions[0]!.log.filter((entry) => entry.startsWith('remote'));
    assert.deepEqual(remotes.slice(-2), [
      'remote outer 127.0.2.1:41000',
      'remote inner 127.0.0.1:12000',
    ]);
  });

  it('passes DTMF in INFO and refuses a body it does not know', async () => {
    const call = await h.establishIn();
    const dtmf = h.mc.send(
      within('INFO', 102, call.callerDialog, {
        body: ['application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n'],
      }),
      h.outerAt,
    );
    const tx = await h.pbx.expect('INFO');
    assert.equal(bodyText(tx.request), 'Signal=5\r\nDuration=160\r\n');
    ok(tx);
    await dtmf.expect(200);
    const other = h.mc.send(
      within('INFO', 103, call.callerDialog, { body: ['application/x-unknown', 'host=10.0.0.1'] }),
      h.outerAt,
    );
    assert.equal(warningOf(await other.expect(415)), 'SEGY_E_SIP_BODY');
  });

  it('passes OPTIONS in a dialog and rewrites SDP in its response', async () => {
    const call = await h.establishIn();
    const sent = h.mc.send(within('OPTIONS', 102, call.callerDialog), h.outerAt);
    h.pbx.answer(await h.pbx.expect('OPTIONS'), 200, { sdp: sdp('127.0.0.1', 12000) });
    const response = await sent.expect(200);
    assert.match(bodyText(response), /m=audio 0 RTP\/AVP 0/);
    assert.doesNotMatch(textOf(response), /127\.0\.0\.1/);
  });

  it('answers 491 to a re-INVITE that meets another, 500 to a second one of the same side', async () => {
    const call = await h.establishIn();
    const mine = h.mc.send(
      within('INVITE', 102, call.callerDialog, {
        sdp: sdp('127.0.2.1', 41000),
        headers: [['Contact', h.mc.contact]],
      }),
      h.outerAt,
    );
    const tx = await h.pbx.expect('INVITE');
    const theirs = h.pbx.send(
      within('INVITE', 9, call.calleeDialog, { sdp: sdp('127.0.0.1', 12000) }),
      h.innerAt,
    );
    await theirs.expect(491);
    const second = h.mc.send(
      within('INVITE', 103, call.callerDialog, { sdp: sdp('127.0.2.1', 41000) }),
      h.outerAt,
    );
    await second.expect(500);
    h.pbx.answer(tx, 200, { sdp: sdp('127.0.0.1', 12000) });
    await mine.expect(200);
  });

  it('passes the CANCEL of a re-INVITE and keeps the call', async () => {
    const call = await h.establishIn();
    const sent = h.mc.send(
      within('INVITE', 102, call.callerDialog, { sdp: sdp('127.0.2.1', 41000, HELD) }),
      h.outerAt,
    );
    h.pbx.answer(await h.pbx.expect('INVITE'), 180);
    await sent.expect(180);
    sent.transaction.cancel();
    await h.pbx.cancels.next('the CANCEL');
    await sent.expect(487);
    assert.equal(h.edge.calls()[0]?.state, 'confirmed');
    const again = h.mc.send(
      within('INVITE', 103, call.callerDialog, { sdp: sdp('127.0.2.1', 41000) }),
      h.outerAt,
    );
    h.pbx.answer(await h.pbx.expect('INVITE'), 200, { sdp: sdp('127.0.0.1', 12000) });
    await again.expect(200);
  });

  it('refuses a CSeq that does not grow, an unknown dialog and an unknown method', async () => {
    const call = await h.establishIn();
    await h.mc.send(within('INFO', 101, call.callerDialog), h.outerAt).expect(500);
    const elsewhere = { ...call.callerDialog, to: `${call.callerDialog.to}x` };
    await h.mc.send(within('INFO', 105, elsewhere), h.outerAt).expect(481);
    const odd = await h.mc.send(within('PUBLISH', 106, call.callerDialog), h.outerAt).expect(405);
    assert.ok(odd.headers.get('Allow')?.includes('INVITE'));
  });

  it('ends the call with BYE one above the highest CSeq when one side lost the dialog', async () => {
    const call = await h.establishIn();
    const sent = h.mc.send(
      within('UPDATE', 110, call.callerDialog, { headers: [['Contact', h.mc.contact]] }),
      h.outerAt,
    );
    h.pbx.answer(await h.pbx.expect('UPDATE'), 481);
    await sent.expect(481);
    const bye = await h.pbx.expect('BYE');
    assert.equal(bye.request.headers.get('CSeq'), '111 BYE');
    ok(bye);
    ok(await h.mc.expect('BYE'));
  });

  it('refuses a re-INVITE of the PBX to direct media and keeps the call as it is', async () => {
    const call = await h.establishIn();
    const sent = h.pbx.send(
      within('INVITE', 9, call.calleeDialog, { sdp: sdp('192.0.2.99', 12000) }),
      h.innerAt,
    );
    assert.equal(warningOf(await sent.expect(488)), 'SEGY_E_MEDIA_ADDRESS');
    assert.equal(h.mc.requests.waiting, 0);
  });
});
