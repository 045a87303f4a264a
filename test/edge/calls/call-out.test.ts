import assert from 'node:assert/strict';
import { toHex } from '../../../src/base/bytes.js';
import { SegyError } from '../../../src/base/errors.js';
import { readMcpttInfo } from '../../../src/edge/messages/mcptt-info.js';
import { findPart, leafParts, parseBody, type SipRequest } from '../../../src/sip/index.js';
import {
  ALICE,
  bodyText,
  Harness,
  ok,
  RADIO1,
  sdp,
  tagOf,
  textOf,
  warningOf,
} from '../support/harness.js';
import type { Partner } from '../support/fakes.js';
import { invite, Peer, until, within } from '../support/peer.js';

const MIKEY = `a=key-mgmt:mikey ${Buffer.concat([Buffer.from('1000000a', 'hex'), Buffer.from(RADIO1)]).toString('base64')}`;

function partsOf(request: SipRequest) {
  return leafParts(parseBody(request.headers.get('Content-Type') ?? '', request.body));
}

describe('edge: private call from the radio to MC', () => {
  let h: Harness;
  afterEach(async () => h.stop());

  it('calls the partner’s service identity with SDP first, then mcptt-info', async () => {
    h = await Harness.start();
    const { offered } = await h.establishOut();
    assert.equal(offered.uri, 'sip:mcptt-private@mc-a.example');
    assert.deepEqual(
      partsOf(offered).map((part) => part.contentType.type),
      ['application/sdp', 'application/vnd.3gpp.mcptt-info+xml'],
    );
    assert.deepEqual(readMcpttInfo(partsOf(offered)[1]!.body), {
      sessionType: 'private',
      requestUri: ALICE,
      callingUserId: RADIO1,
      callingGroupId: null,
      level: 'normal',
    });
  });

  it('carries the service headers of TS 24.379 and Answer-Mode by profile', async () => {
    h = await Harness.start();
    const { offered } = await h.establishOut();
    const { headers } = offered;
    const icsi = '+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mcptt"';
    assert.match(headers.get('Contact') ?? '', /;\+g\.3gpp\.mcptt;/);
    assert.ok(headers.get('Contact')?.includes(icsi));
    assert.doesNotMatch(headers.get('Contact') ?? '', /isfocus/);
    assert.deepEqual(headers.getAll('Accept-Contact'), [
      '*;+g.3gpp.mcptt;require;explicit',
      `*;${icsi};require;explicit`,
    ]);
    assert.equal(headers.get('P-Asserted-Service'), 'urn:urn-7:3gpp-service.ims.icsi.mcptt');
    assert.equal(headers.get('P-Asserted-Identity'), '<sip:segy@lmr.example>');
    assert.equal(headers.get('Answer-Mode'), 'Auto');
    await h.stop();
    h = await Harness.start({
      partner: (p) => ({ ...p, outgoing: { ...p.outgoing, answerMode: null } }),
    });
    assert.equal((await h.establishOut()).offered.headers.get('Answer-Mode'), undefined);
  });

  it('puts the I_MESSAGE into the audio section, and nothing of the PBX anywhere', async () => {
    h = await Harness.start();
    const { offered, response } = await h.establishOut();
    const body = Buffer.from(
      findPart(parseBody(offered.headers.get('Content-Type')!, offered.body), 'application/sdp')!
        .body,
    ).toString();
    assert.ok(body.indexOf(MIKEY) > body.indexOf('m=audio 40000 RTP/AVP 0'));
    assert.doesNotMatch(textOf(offered), /127\.0\.0\.|asterisk|host\.internal|secret|2001/);
    assert.doesNotMatch(
      textOf(response),
      /127\.0\.2\.1|mc-a\.example|mc-agent|key-mgmt|host\.internal/,
    );
    assert.match(bodyText(response), /c=IN IP4 127\.0\.0\.2/);
  });

  it('puts the I_MESSAGE at the session level where the profile says so', async () => {
    h = await Harness.start({
      partner: (p) => ({ ...p, outgoing: { ...p.outgoing, keyMgmtLevel: 'session' } }),
    });
    const { offered } = await h.establishOut();
    const body = bodyText(offered);
    assert.ok(body.includes(MIKEY) && body.indexOf(MIKEY) < body.indexOf('m=audio'));
  });

  it('finds the PBX channel first and arms the media before the INVITE leaves', async () => {
    h = await Harness.start();
    h.port.auto = false;
    const { request } = h.fromPbx();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(h.clients.made.length, 0);
    assert.equal(h.mc.requests.all.length, 0);
    assert.equal(h.port.asked[0]?.callId, request.headers.get('Call-ID'));
    h.port.handOver();
    await h.mc.expect('INVITE');
    const armed = h.media.sessions[0]?.armed;
    assert.ok(armed && 'key' in armed.send);
    assert.equal(toHex(armed.send.key.mki), '1000000a');
    assert.equal(h.port.channels[0]?.variables.SEGY_STATUS, 'SECURE');
    assert.equal(h.port.channels[0].variables.SEGY_CALLED, ALICE);
    for (const key of h.clients.keys) assert.equal(toHex(key), '00'.repeat(16));
  });

  it('answers 503 when no channel dials with this Call-ID', async () => {
    h = await Harness.start({ limits: { outboundChannelMs: 40 } });
    h.port.auto = false;
    const refusal = await h.fromPbx().sent.expect(503);
    assert.equal(warningOf(refusal), 'SEGY_E_PBX_NO_CHANNEL');
    assert.equal(h.clients.made.length, 0);
  });

  it('refuses a caller nobody represents with 403, a target of no partner with 404', async () => {
    h = await Harness.start();
    const unknown = await h.fromPbx({ from: '<sip:9999@127.0.0.1>' }).sent.expect(403);
    assert.equal(warningOf(unknown), 'SEGY_E_UNKNOWN_CALLER');
    const nowhere = h.fromPbx({ uri: 'sip:bob@127.0.0.2;segy-domain=other.example' });
    assert.equal(warningOf(await nowhere.sent.expect(404)), 'SEGY_E_UNKNOWN_PARTNER');
    const unsafe = h.fromPbx({ uri: 'sip:b%26b@127.0.0.2' });
    assert.equal(warningOf(await unsafe.sent.expect(404)), 'SEGY_E_BAD_IDENTITY');
  });

  it('refuses an inner offer at an address outside the allowed ones, and one without SDP', async () => {
    h = await Harness.start();
    const direct = await h.fromPbx({ sdp: sdp('192.0.2.99', 12000) }).sent.expect(488);
    assert.equal(warningOf(direct), 'SEGY_E_MEDIA_ADDRESS');
    const none = await h.fromPbx({ sdp: null }).sent.expect(488);
    assert.equal(warningOf(none), 'SEGY_E_OFFER_REQUIRED');
    assert.equal(h.mc.requests.all.length, 0);
  });

  it('tells the dialplan why a key could not be made', async () => {
    h = await Harness.start();
    h.clients.refusal = new SegyError('SEGY_E_MIKEY_KMS_UNKNOWN', 'no certificate');
    await h.fromPbx().sent.expect(488);
    assert.deepEqual(h.port.channels[0]?.variables, {
      SEGY_STATUS: 'REFUSED',
      SEGY_CODE: 'SEGY_E_MIKEY_KMS_UNKNOWN',
    });
  });

  it('names no user or host of the PBX in Referred-By and Reason', async () => {
    h = await Harness.start();
    const call = await h.establishOut({
      headers: [
        ['Referred-By', '<sip:1002@127.0.0.1>'],
        ['Reason', 'SIP;cause=302;text="moved by 1002@pbx"'],
        ['History-Info', '<sip:1002@127.0.0.1>;index=1'],
      ],
    });
    const { headers } = call.offered;
    assert.match(headers.get('Referred-By') ?? '', /^<sip:segy@[^>]+>$/);
    assert.equal(headers.get('Reason'), 'SIP;cause=302;text="moved by ..."');
    assert.doesNotMatch(textOf(call.offered), /1002|127\.0\.0\.|@pbx/);
  });

  it('keeps forks apart and gives the audio to the one that answered', async () => {
    h = await Harness.start();
    const { request, sent } = h.fromPbx();
    const tx = await h.mc.expect('INVITE');
    h.mc.answer(tx, 183, { tag: 'one', sdp: sdp('127.0.2.1', 41000) });
    const first = await sent.expect(183);
    h.mc.answer(tx, 183, { tag: 'two', sdp: sdp('127.0.2.1', 42000) });
    const second = await sent.expect(183);
    assert.notEqual(tagOf(first.headers.get('To')!), tagOf(second.headers.get('To')!));
    h.mc.answer(tx, 200, { tag: 'two', sdp: sdp('127.0.2.1', 42000) });
    const answer = await sent.expect(200);
    assert.equal(answer.headers.get('To'), second.headers.get('To'));
    h.ack(h.pbx, request, answer);
    await h.mc.acks.next('the ACK');
    const { log } = h.media.sessions[0]!;
    assert.ok(log.includes('remote outer 127.0.2.1:41000 of one'));
    assert.ok(log.includes('remote outer 127.0.2.1:42000 of two'));
    assert.ok(log.includes('select two'));
    assert.ok(!log.includes('select one'));
  });

  it('acknowledges and ends a second fork that answers later', async () => {
    h = await Harness.start();
    const { request, sent } = h.fromPbx();
    const tx = await h.mc.expect('INVITE');
    h.mc.answer(tx, 200, { tag: 'one', sdp: sdp('127.0.2.1', 41000) });
    h.ack(h.pbx, request, await sent.expect(200));
    await h.mc.acks.next('the ACK of the first');
    h.mc.answer(tx, 200, { tag: 'two', sdp: sdp('127.0.2.1', 42000) });
    assert.equal(tagOf((await h.mc.acks.next('the ACK of the second')).headers.get('To')!), 'two');
    const bye = await h.mc.expect('BYE');
    assert.equal(tagOf(bye.request.headers.get('To')!), 'two');
    ok(bye);
    assert.equal(h.edge.calls()[0]?.state, 'confirmed');
  });

  it('passes over a provisional response beyond the forks it keeps, and the call goes on', async () => {
    const forks = 3;
    h = await Harness.start({ limits: { forks } });
    const { request, sent } = h.fromPbx();
    const tx = await h.mc.expect('INVITE');
    for (let fork = 0; fork <= forks; fork += 1) h.mc.answer(tx, 180, { tag: `fork${fork}` });
    for (let fork = 0; fork < forks; fork += 1) await sent.expect(180);
    h.mc.answer(tx, 200, { tag: `fork${forks}`, sdp: sdp('127.0.2.1', 41000) });
    const answer = await sent.expect(200);
    h.ack(h.pbx, request, answer);
    const ack = await h.mc.acks.next('the ACK');
    assert.equal(tagOf(ack.headers.get('To')!), `fork${forks}`);
    assert.equal(h.edge.calls()[0]?.state, 'confirmed');
  });

  it('follows a redirection only as far as the PBX can dial it', async () => {
    h = await Harness.start();
    const { sent } = h.fromPbx();
    h.mc.answer(await h.mc.expect('INVITE'), 302, {
      headers: [['Contact', '<sip:bob@sbc.mc-a.example;x=y>']],
    });
    const response = await sent.expect(302);
    assert.equal(
      response.headers.get('Contact'),
      `<sip:bob@${h.innerAt.address}:${h.innerAt.port}>`,
    );
    assert.deepEqual(h.port.channels[0]?.log, ['set', 'release']);
  });

  it('takes the call that the PBX makes of a redirection, on the channel and with the Call-ID of before', async () => {
    h = await Harness.start();
    const { request, sent } = h.fromPbx({
      uri: `sip:alice@${h.innerAt.address}:${h.innerAt.port};segy-domain=mc-a.example`,
    });
    h.mc.answer(await h.mc.expect('INVITE'), 302, {
      headers: [['Contact', '<sip:bob@mc-a.example>']],
    });
    const contact = (await sent.expect(302)).headers.get('Contact') ?? '';
    assert.match(contact, /^<sip:bob@[^>]*;segy-domain=mc-a\.example>$/);
    // As mod_sofia does: the handle of before, so that all but the URI and the number is the same.
    const again: SipRequest = {
      ...request,
      headers: request.headers.clone(),
      uri: contact.slice(1, -1),
    };
    again.headers.set('CSeq', '2 INVITE');
    again.headers.remove('Via');
    const followed = h.pbx.send(again, h.innerAt);
    const tx = await h.mc.expect('INVITE');
    const info = readMcpttInfo(partsOf(tx.request)[1]!.body);
    assert.equal(info.requestUri, 'sip:bob@mc-a.example');
    h.mc.answer(tx, 200, { sdp: sdp('127.0.2.1', 41000) });
    await followed.expect(200);
    assert.equal(h.edge.calls().length, 1);
  });

  it('turns a challenge into 403, since nobody here could meet it', async () => {
    h = await Harness.start();
    const { sent } = h.fromPbx();
    h.mc.answer(await h.mc.expect('INVITE'), 407, {
      headers: [['Proxy-Authenticate', 'Digest realm="core.mc-a.example"']],
    });
    assert.doesNotMatch(textOf(await sent.expect(403)), /mc-a\.example/);
  });

  it('tries the next address of the partner when the first cannot be reached', async () => {
    const dead = new Peer('127.0.2.9', 'dead');
    await dead.listen();
    await dead.endpoint.close();
    h = await Harness.start({
      partner: (p) => ({
        ...p,
        sip: {
          ...p.sip,
          addresses: [{ host: '127.0.2.9', port: dead.port, transport: 'tcp' }, ...p.sip.addresses],
        },
      }),
    });
    await h.establishOut();
  });

  const atFirst =
    (host: string, port: number) =>
    (p: Partner): Partner => ({
      ...p,
      sip: { ...p.sip, addresses: [{ host, port, transport: 'udp' }, ...p.sip.addresses] },
    });

  it('tries the next address when one stays silent, and ends what answers there too late', async () => {
    const slow = new Peer('127.0.2.9', 'slow');
    await slow.listen();
    h = await Harness.start({ partner: atFirst('127.0.2.9', slow.port), limits: { silentMs: 60 } });
    const { sent } = h.fromPbx();
    const late = await slow.expect('INVITE');
    h.mc.answer(await h.mc.expect('INVITE'), 200, { sdp: sdp('127.0.2.1', 41000) });
    await sent.expect(200);
    slow.answer(late, 200, { sdp: sdp('127.0.2.9', 41000) });
    await slow.acks.next('the ACK of the late 2xx');
    ok(await slow.expect('BYE'));
    assert.equal(h.edge.calls().length, 1);
    assert.deepEqual(h.addresses.lost, ['mc-a']);
    await slow.endpoint.close();
  });

  it('waits for an address that has said at least 100', async () => {
    const slow = new Peer('127.0.2.9', 'slow');
    await slow.listen();
    const partner = atFirst('127.0.2.9', slow.port);
    h = await Harness.start({ partner, limits: { silentMs: 800 } });
    const { sent } = h.fromPbx();
    const invited = await slow.expect('INVITE');
    slow.answer(invited, 100);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    slow.answer(invited, 486);
    await sent.expect(486);
    assert.equal(h.mc.requests.all.length, 0);
    await slow.endpoint.close();
  });

  it('calls a partner by host name at any address of it, and none while the name is unknown', async () => {
    h = new Harness();
    await h.mc.listen();
    const address = { host: 'is-proxy.mc-a.example', port: h.mc.port, transport: 'tcp' as const };
    await h.begin({ partner: (p) => ({ ...p, sip: { ...p.sip, addresses: [address] } }) });
    assert.equal(warningOf(await h.fromPbx().sent.expect(503)), 'SEGY_E_SIP_TRANSPORT');
    h.addresses.names.set('is-proxy.mc-a.example', ['127.0.2.9', '127.0.2.1']);
    await h.establishOut();
  });

  it('keeps a record without any key while the call is up, and removes it after', async () => {
    h = await Harness.start();
    const call = await h.establishOut();
    const [record] = h.records.entries.values();
    assert.deepEqual(Object.keys(record!).sort(), [
      'callId',
      'cseq',
      'local',
      'partner',
      'remote',
      'remoteTarget',
      'routeSet',
      'sessionId',
      'target',
    ]);
    assert.equal(record?.cseq, 101);
    const bye = h.pbx.send(within('BYE', 102, call.callerDialog), h.innerAt);
    await bye.expect(200);
    ok(await h.mc.expect('BYE'));
    await until(() => h.records.entries.size === 0);
  });

  it('refuses a call from anything on the inner side but the PBX', async () => {
    h = await Harness.start();
    const stranger = new Peer('127.0.0.9', 'stranger');
    await stranger.listen();
    stranger.send(
      invite(stranger, {
        uri: 'sip:alice@127.0.0.2',
        from: '<sip:2001@127.0.0.1>',
        sdp: sdp('127.0.0.1', 12000),
      }),
      h.innerAt,
    );
    await until(() => h.codes().includes('SEGY_E_UNKNOWN_SOURCE'));
    assert.equal(h.port.asked.length, 0);
    await stranger.endpoint.close();
  });
});
