/** Protection around each method: taken off what is right, and each broken request refused alone. */
import assert from 'node:assert/strict';
import { createResponse, parseNameAddr, type SipRequest } from '../../../src/sip/index.js';
import { bodyText, ok, sdp, warningOf, type Harness } from '../support/harness.js';
import { callerDialog, within } from '../support/peer.js';
import { open, profile, seal, start } from '../support/protection.js';

const CONTROL = '<media_control xmlns="urn:ietf:params:xml:ns:media_control"/>';
const CONTROL_TYPE = 'application/media_control+xml';

describe('edge: every method under protected signalling', () => {
  let h: Harness;
  beforeEach(async () => {
    h = await start(profile());
  });
  afterEach(() => h.stop());

  const established = () => h.establishIn({ protect: (request) => seal(request) });

  /** A request of the MC side in the dialog, with XML in its body. */
  function request(method: string, dialog: Parameters<typeof within>[2], cseq: number): SipRequest {
    const contact: [string, string][] = [['Contact', h.mc.contact]];
    const made = within(method, cseq, dialog, {
      headers: method === 'PRACK' ? [...contact, ['RAck', '1 101 INVITE']] : contact,
    });
    // SDP beside XML, as in an INVITE of the MC side
    const body = method === 'INFO' ? null : h.mcInvite({ sdp: sdp('127.0.2.1', 41000) });
    if (body === null) {
      made.headers.set('Content-Type', CONTROL_TYPE);
      made.body = new Uint8Array(Buffer.from(CONTROL));
    } else {
      made.headers.set('Content-Type', body.headers.get('Content-Type') ?? '');
      made.body = body.body;
    }
    return made;
  }

  for (const method of ['INVITE', 'UPDATE', 'INFO', 'OPTIONS']) {
    it(`takes the protection off a ${method} within a call`, async () => {
      const { callerDialog } = await established();
      const sealed = request(method, callerDialog, 102);
      seal(sealed);
      assert.match(bodyText(sealed), /signed\+xml/);
      const sent = h.mc.send(sealed, h.outerAt);
      const tx = await h.pbx.expect(method);
      assert.doesNotMatch(bodyText(tx.request), /Encrypted|signed\+xml|mc1-encrypted|key-mgmt/);
      if (method === 'INFO') assert.equal(bodyText(tx.request), CONTROL);
      if (method === 'INVITE' || method === 'UPDATE') {
        h.pbx.answer(tx, 200, { sdp: sdp('127.0.0.1', 12000) });
      } else ok(tx);
      await sent.expect(200);
    });
  }

  for (const method of ['INVITE', 'UPDATE', 'INFO', 'OPTIONS', 'PRACK', 'REFER', 'NOTIFY']) {
    it(`refuses an unsigned ${method} within a call alone, and the PBX sees nothing of it`, async () => {
      const { callerDialog } = await established();
      const before = h.pbx.requests.all.length;
      const sent = h.mc.send(request(method, callerDialog, 102), h.outerAt);
      assert.equal(warningOf(await sent.expect(403)), 'SEGY_E_XML_UNSIGNED');
      assert.equal(h.pbx.requests.all.length, before);
      assert.equal(h.edge.calls()[0]?.state, 'confirmed');
    });
  }

  it('takes the protection off a PRACK and its SDP, and the call goes on', async () => {
    const reliable: [string, string][] = [
      ['Require', '100rel'],
      ['RSeq', '7'],
    ];
    const { request: invite, sent } = h.fromMc({
      headers: [['Supported', '100rel']],
      protect: (made) => seal(made),
    });
    const tx = await h.pbx.expect('INVITE');
    h.pbx.answer(tx, 183, { sdp: sdp('127.0.0.1', 12000), headers: reliable });
    const dialog = callerDialog(invite, await sent.expect(183));
    const prack = request('PRACK', dialog, 102);
    prack.headers.set('RAck', '7 101 INVITE');
    seal(prack);
    const answered = h.mc.send(prack, h.outerAt);
    const passed = await h.pbx.expect('PRACK');
    assert.equal(passed.request.headers.get('RAck'), '7 101 INVITE');
    assert.match(bodyText(passed.request), /^m=audio/m);
    assert.doesNotMatch(bodyText(passed.request), /Encrypted|signed\+xml|mcpttinfo|127\.0\.2\./);
    h.pbx.answer(passed, 200, { sdp: sdp('127.0.0.1', 12000) });
    await answered.expect(200);
    h.pbx.answer(tx, 200, { sdp: sdp('127.0.0.1', 12000) });
    await sent.expect(200);
  });

  it('seals an INFO of the PBX', async () => {
    const { calleeDialog } = await established();
    const info = within('INFO', 7, calleeDialog, { body: [CONTROL_TYPE, CONTROL] });
    const sent = h.pbx.send(info, h.innerAt);
    const tx = await h.mc.expect('INFO');
    assert.match(bodyText(tx.request), /signed\+xml/);
    open(tx.request, parseNameAddr(tx.request.headers.get('From') ?? '').uri);
    assert.equal(bodyText(tx.request), CONTROL);
    tx.respond(createResponse(tx.request, 200));
    await sent.expect(200);
  });

  it('refuses a REFER within a call and outside, where the profile lets nobody transfer a radio', async () => {
    const { callerDialog } = await established();
    const before = h.pbx.requests.all.length;
    const outside = { ...callerDialog, to: '<sip:x@y>', callId: 'other' };
    for (const [dialog, status, code] of [
      [callerDialog, 403, 'SEGY_E_REFER_REFUSED'],
      [outside, 403, 'SEGY_E_REFER_REFUSED'],
    ] as const) {
      const refer = within('REFER', 103, dialog, {
        headers: [['Refer-To', '<sip:1002@127.0.0.1>']],
      });
      const response = await h.mc.send(refer, h.outerAt).expect(status);
      assert.equal(warningOf(response), code);
    }
    assert.equal(h.pbx.requests.all.length, before);
    assert.equal(h.edge.calls()[0]?.state, 'confirmed');
  });
});
