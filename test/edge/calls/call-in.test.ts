import assert from 'node:assert/strict';
import { toHex } from '../../../src/base/bytes.js';
import { SegyError } from '../../../src/base/errors.js';
import { writePrivateCallInfo } from '../../../src/edge/messages/mcptt-info.js';
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
import { receiveKeyOf } from '../support/fakes.js';
import { until, within } from '../support/peer.js';

describe('edge: private call from MC to the radio', () => {
  let h: Harness;
  afterEach(async () => h.stop());

  it('reaches the PBX with the called radio, clear media and the X-SeGy headers', async () => {
    h = await Harness.start();
    const { offered } = await h.establishIn();
    assert.equal(offered.uri, `sip:2001@127.0.0.1:${h.pbx.port}`);
    assert.match(offered.headers.get('From') ?? '', /^<sip:alice@127\.0\.0\.2>;tag=/);
    const session = offered.headers.get('X-SeGy-Session') ?? '';
    assert.match(session, /^[0-9a-f]{32}$/);
    assert.equal(h.port.asked[0]!.sessionId, session);
    assert.equal(h.port.asked[0]!.callId, offered.headers.get('Call-ID'));
    assert.equal(offered.headers.get('X-SeGy-Caller'), ALICE);
    assert.equal(offered.headers.get('X-SeGy-Called'), RADIO1);
    assert.equal(offered.headers.get('X-SeGy-Partner'), 'mc-a');
    assert.equal(offered.headers.get('Content-Type'), 'application/sdp');
    assert.match(bodyText(offered), /c=IN IP4 127\.0\.0\.2/);
    assert.match(bodyText(offered), /m=audio 30000 RTP\/AVP 0/);
  });

  it('gives neither side a host, name or key of the other', async () => {
    h = await Harness.start();
    const { offered, response } = await h.establishIn();
    assert.doesNotMatch(
      textOf(offered),
      /mc-a\.example>|127\.0\.2\.1|127\.0\.1\.1|key-mgmt|mcpttinfo|host\.internal|mc-agent/,
    );
    assert.doesNotMatch(textOf(response), /127\.0\.0\.|host\.internal|secret|asterisk/);
  });

  it('arms the media before the dialplan goes on, with CS ID 1 for what it sends', async () => {
    h = await Harness.start();
    await h.establishIn();
    const [channel] = h.port.channels;
    const [session] = h.media.sessions;
    assert.deepEqual(channel?.log, ['set', 'proceed']);
    assert.deepEqual(channel.variables, {
      SEGY_STATUS: 'SECURE',
      SEGY_CALL_TYPE: 'private',
      SEGY_CALLER: ALICE,
      SEGY_CALLED: RADIO1,
      SEGY_PARTNER: 'mc-a',
      SEGY_KEY_ID: '10000001',
      SEGY_PRIORITY: 'normal',
      SEGY_SESSION: session?.id,
    });
    const { receive, send } = session!.armed!;
    assert.ok('keys' in receive && 'key' in send);
    assert.equal(toHex(receive.keys[0]!.mki), '10000001');
    assert.notEqual(toHex(receive.keys[0]!.masterKey), toHex(send.key.masterKey));
    assert.ok(session!.log.includes('remote outer 127.0.2.1:41000'));
    assert.ok(session!.log.includes('remote inner 127.0.0.1:12000'));
    for (const key of h.clients.keys) assert.equal(toHex(key), '00'.repeat(16));
  });

  it('holds the answer until the media is armed, and lets ringing through', async () => {
    h = await Harness.start();
    h.port.auto = false;
    const { sent } = h.fromMc();
    const tx = await h.pbx.expect('INVITE');
    h.pbx.answer(tx, 180);
    await sent.expect(180);
    h.pbx.answer(tx, 200, { sdp: sdp('127.0.0.1', 12000) });
    await new Promise((resolve) => setTimeout(resolve, 60));
    // 180 again where the INVITE was, on a busy machine
    assert.ok(sent.responses.all.every(({ status }) => status === 180));
    h.port.handOver();
    await sent.expect(200);
    assert.ok(h.media.sessions[0]?.armed);
  });

  it('acknowledges and ends the PBX leg and answers 480 when the dialplan answers without Stasis', async () => {
    h = await Harness.start({ limits: { setupMs: 1000 } });
    h.port.auto = false;
    const { sent } = h.fromMc();
    const tx = await h.pbx.expect('INVITE');
    h.pbx.answer(tx, 200, { sdp: sdp('127.0.0.1', 12000) });
    const refusal = await sent.expect(480);
    assert.equal(warningOf(refusal), 'SEGY_E_PBX_NO_CHANNEL');
    await h.pbx.acks.next('the ACK');
    ok(await h.pbx.expect('BYE'));
    assert.ok(h.media.sessions[0]?.closed);
    assert.equal(h.media.sessions[0].armed, null);
  });

  it('cancels the PBX leg and answers 480 when the channel never appears', async () => {
    h = await Harness.start({ limits: { setupMs: 1000 } });
    h.port.auto = false;
    const { sent } = h.fromMc();
    const tx = await h.pbx.expect('INVITE');
    h.pbx.answer(tx, 180);
    await sent.expect(180);
    await sent.expect(480);
    await h.pbx.cancels.next('the CANCEL');
  });

  it('passes a 404 of the dialplan on and forgets the call', async () => {
    h = await Harness.start();
    h.port.auto = false;
    const { sent } = h.fromMc();
    h.pbx.answer(await h.pbx.expect('INVITE'), 404);
    await sent.expect(404);
    assert.deepEqual(h.edge.calls(), []);
    assert.ok(h.media.sessions[0]?.closed);
  });

  it('ends the call when the PBX channel ends, contexts first', async () => {
    h = await Harness.start();
    await h.establishIn();
    h.port.channels[0]!.end();
    assert.ok(h.media.sessions[0]!.log.includes('disarm'));
    ok(await h.mc.expect('BYE'));
    ok(await h.pbx.expect('BYE'));
  });

  it('passes a BYE from either side and answers it at once', async () => {
    h = await Harness.start();
    const one = await h.establishIn();
    const bye = h.mc.send(within('BYE', 102, one.callerDialog), h.outerAt);
    await bye.expect(200);
    const passed = await h.pbx.expect('BYE');
    assert.equal(passed.request.headers.get('CSeq'), '102 BYE');
    ok(passed);
    const two = await h.establishIn();
    const other = h.pbx.send(within('BYE', 7, two.calleeDialog), h.innerAt);
    await other.expect(200);
    ok(await h.mc.expect('BYE'));
    assert.ok(h.media.sessions.every((session) => session.closed));
  });

  it('cancels the PBX leg when the caller cancels', async () => {
    h = await Harness.start();
    const { sent } = h.fromMc();
    const tx = await h.pbx.expect('INVITE');
    h.pbx.answer(tx, 180);
    await sent.expect(180);
    sent.transaction.cancel();
    await sent.expect(487);
    await h.pbx.cancels.next('the CANCEL');
  });

  it('ends a PBX leg that answers while the CANCEL is on its way', async () => {
    h = await Harness.start();
    const { sent } = h.fromMc();
    const tx = await h.pbx.expect('INVITE');
    tx.onCancel = () => h.pbx.answer(tx, 200, { sdp: sdp('127.0.0.1', 12000) });
    h.pbx.answer(tx, 180);
    await sent.expect(180);
    sent.transaction.cancel();
    await sent.expect(487);
    await h.pbx.acks.next('the ACK');
    ok(await h.pbx.expect('BYE'));
  });

  it('lets a clear call pass where the partner allows it, as CLEAR', async () => {
    const alarms: string[] = [];
    h = await Harness.start({
      partner: (p) => ({ ...p, media: { policy: 'allow-clear' } }),
      alarms: {
        raise: (name, subject, text) => alarms.push(`raised ${name} ${subject} ${text}`),
        clear: (name, subject) => alarms.push(`cleared ${name} ${subject}`),
      },
    });
    await h.establishIn({ sdp: sdp('127.0.2.1', 41000) });
    assert.equal(h.port.channels[0]?.variables.SEGY_STATUS, 'CLEAR');
    assert.deepEqual(h.media.sessions[0]?.armed?.receive, { clear: true });
    const session = h.edge.calls()[0]?.session ?? '';
    assert.deepEqual(alarms, [`raised clear-call ${session} ${ALICE} to ${RADIO1}, mc-a`]);
    await h.edge.stop();
    assert.equal(alarms[1], `cleared clear-call ${session}`);
  });

  it('takes the callee from a resource list of one entry', async () => {
    h = await Harness.start();
    const info = writePrivateCallInfo('X', ALICE).replace(
      /<mcptt-request-uri.*<\/mcptt-request-uri>/,
      '',
    );
    const lists = `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list><entry uri="${RADIO1}"/></list></resource-lists>`;
    const { offered } = await h.establishIn({ info, lists });
    assert.equal(offered.headers.get('X-SeGy-Called'), RADIO1);
  });

  it('says 480 instead of a redirection nobody can follow', async () => {
    h = await Harness.start();
    const { sent } = h.fromMc();
    h.pbx.answer(await h.pbx.expect('INVITE'), 302, {
      headers: [['Contact', '<sip:9999@127.0.0.1>']],
    });
    await sent.expect(480);
    const again = h.fromMc();
    h.pbx.answer(await h.pbx.expect('INVITE'), 302, {
      headers: [['Contact', '<sip:2002@127.0.0.1>']],
    });
    assert.equal((await again.sent.expect(302)).headers.get('Contact'), '<sip:radio2@lmr.example>');
  });

  const refusals: [string, Partial<Parameters<Harness['fromMc']>[0]>, number, string][] = [
    ['an INVITE without an offer', { sdp: null }, 488, 'SEGY_E_OFFER_REQUIRED'],
    [
      'a protected partner’s INVITE without key-mgmt',
      { sdp: sdp('127.0.2.1', 41000) },
      488,
      'SEGY_E_KEY_REQUIRED',
    ],
    [
      'a callee nobody represents',
      { info: writePrivateCallInfo('sip:nobody@lmr.example', ALICE) },
      404,
      'SEGY_E_UNKNOWN_CALLEE',
    ],
    [
      'a callee that injects a Dial destination',
      { info: writePrivateCallInfo('sip:1&PJSIP%2Fx@lmr.example', ALICE) },
      404,
      'SEGY_E_BAD_IDENTITY',
    ],
    [
      'a caller that would break out of a variable',
      { info: writePrivateCallInfo(RADIO1, 'sip:a${x}@mc-a.example') },
      404,
      'SEGY_E_BAD_IDENTITY',
    ],
    [
      'a caller in SIP other than in MIKEY',
      { info: writePrivateCallInfo(RADIO1, 'sip:mallory@mc-a.example') },
      488,
      'SEGY_E_IDENTITY_MISMATCH',
    ],
    [
      'a session that is not private',
      { info: writePrivateCallInfo(RADIO1, ALICE).replace('private', 'prearranged') },
      403,
      'SEGY_E_CALL_TYPE',
    ],
    ['broken XML', { info: '<mcpttinfo' }, 400, 'SEGY_E_XML'],
    ['broken SDP', { sdp: 'v=1\r\n' }, 400, 'SEGY_E_SIP_SYNTAX'],
    [
      'key-mgmt without base64',
      { sdp: sdp('127.0.2.1', 41000, 'a=key-mgmt:mikey %%%') },
      488,
      'SEGY_E_MIKEY_SYNTAX',
    ],
    ['Max-Forwards of zero', { headers: [['Max-Forwards', '0']] }, 483, 'SEGY_E_SIP_TOO_MANY_HOPS'],
    [
      'a Replaces of no call here',
      { headers: [['Replaces', 'x@y;to-tag=a;from-tag=b']] },
      481,
      'SEGY_E_SIP_NO_DIALOG',
    ],
  ];
  for (const [name, parts, status, code] of refusals) {
    it(`refuses ${name} with ${status} ${code}, and the PBX sees nothing`, async () => {
      h = await Harness.start();
      const refusal = await h.fromMc(parts).sent.expect(status);
      assert.equal(warningOf(refusal), code);
      assert.equal(h.pbx.requests.all.length, 0);
      assert.equal(h.media.sessions.length, 0);
      assert.ok(h.counted.some((c) => c.name === 'segy_refused_total' && c.labels.code === code));
      assert.ok(h.codes().includes(code));
    });
  }

  for (const code of [
    'SEGY_E_MIKEY_SIGNATURE',
    'SEGY_E_MIKEY_SAKKE',
    'SEGY_E_MIKEY_NOT_ADDRESSEE',
    'SEGY_E_MIKEY_WINDOW',
    'SEGY_E_MIKEY_REPLAYED',
    'SEGY_E_MIKEY_KMS_UNKNOWN',
    'SEGY_E_MIKEY_KMS_NOT_ALLOWED',
    'SEGY_E_MIKEY_INITIATOR',
  ] as const) {
    it(`refuses a message that fails with ${code} before the PBX sees anything`, async () => {
      h = await Harness.start();
      h.clients.refusal = new SegyError(code, 'refused in the test');
      const refusal = await h.fromMc().sent.expect(488);
      assert.equal(warningOf(refusal), code);
      assert.equal(h.pbx.requests.all.length, 0);
    });
  }

  it('refuses before the PBX is called when no media port is free', async () => {
    h = await Harness.start();
    h.media.full = true;
    const refusal = await h.fromMc().sent.expect(503);
    assert.equal(warningOf(refusal), 'SEGY_E_MEDIA_PORTS');
    assert.equal(h.pbx.requests.all.length, 0);
  });

  it('answers 503 with Retry-After while the PBX link is down', async () => {
    h = await Harness.start();
    h.port.linked = false;
    const refusal = await h.fromMc().sent.expect(503);
    assert.equal(refusal.headers.get('Retry-After'), '10');
    assert.equal(warningOf(refusal), 'SEGY_E_PBX_DOWN');
  });

  it('answers 503 with Retry-After when the PBX does not answer SIP', async () => {
    h = await Harness.start();
    await h.pbx.endpoint.close();
    const refusal = await h.fromMc().sent.responses.next('the refusal');
    assert.equal(refusal.status, 503);
    assert.ok(refusal.headers.has('Retry-After'));
  });

  it('refuses direct media of the PBX with 488 and an alarm', async () => {
    h = await Harness.start();
    const { sent } = h.fromMc();
    h.pbx.answer(await h.pbx.expect('INVITE'), 200, { sdp: sdp('192.0.2.99', 12000) });
    const refusal = await sent.expect(488);
    assert.equal(warningOf(refusal), 'SEGY_E_MEDIA_ADDRESS');
    await h.pbx.acks.next('the ACK');
    ok(await h.pbx.expect('BYE'));
    assert.ok(h.logged.some((entry) => entry.level === 'error' && entry.event === 'alarm'));
  });

  for (const [status, name, value] of [
    [420, 'Unsupported', '100rel'],
    [422, 'Min-SE', '600'],
  ] as const) {
    it(`opens the key once for an INVITE and its retry after ${status}`, async () => {
      h = await Harness.start();
      h.port.auto = false;
      const request = h.mcInvite({ sdp: sdp('127.0.2.1', 41000, keyMgmt()), callId: 'retry@mc' });
      const first = h.mc.send(request, h.outerAt);
      h.pbx.answer(await h.pbx.expect('INVITE'), status, { headers: [[name, value]] });
      assert.equal((await first.expect(status)).headers.get(name), value);
      const retry = { ...request, headers: request.headers.clone() };
      retry.headers.remove('Via');
      retry.headers.set('CSeq', '102 INVITE');
      h.mc.send(retry, h.outerAt);
      await h.pbx.expect('INVITE');
      assert.equal(h.clients.opened.length, 1);
      assert.equal(h.clients.opened[0]?.caller, ALICE);
      assert.equal(h.clients.opened[0].callee, RADIO1);
      h.port.handOver();
      await until(() => (h.media.sessions[1]?.armed ?? null) !== null);
      assert.notEqual(receiveKeyOf(h.media.sessions[1]!), '00'.repeat(16));
    });
  }
});
