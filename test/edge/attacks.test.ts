import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { utf8 } from '../../src/base/bytes.js';
import { checkOuter } from '../../src/edge/sdp/sdp-rules.js';
import { readSdp } from '../../src/edge/sdp/sdp-read.js';
import { hideHosts, rewriteReason } from '../../src/edge/messages/hide-hosts.js';
import { SegyError } from '../../src/base/errors.js';
import type { OpenedPck } from '../../src/edge/index.js';
import type { SipRequest } from '../../src/sip/index.js';
import { assertCheap } from '../support/effort.js';
import type { Partner } from './support/fakes.js';
import { bodyText, Harness, keyMgmt, ok, sdp, textOf, warningOf } from './support/harness.js';
import { callerDialog, Peer, until, within } from './support/peer.js';

/** The same request as a new transaction. */
function again(request: SipRequest, cseq: number): SipRequest {
  const copy = { ...request, headers: request.headers.clone() };
  copy.headers.remove('Via');
  copy.headers.set('CSeq', `${cseq} INVITE`);
  return copy;
}

describe('edge: attacks', () => {
  let h: Harness;
  let second: Peer | null = null;
  afterEach(async () => {
    await h.stop();
    await second?.endpoint.close();
    second = null;
  });

  /** A further partner, mc-b, at an address of its own. */
  async function withSecondPartner(change: Partial<Partner> = {}): Promise<Peer> {
    const peer = new Peer('127.0.2.2', 'mc-b');
    await peer.listen();
    second = peer;
    const addresses = [{ host: '127.0.2.2', port: peer.port, transport: 'udp' as const }];
    const other = (p: Partner): Partner => ({
      ...p,
      name: 'mc-b',
      domains: ['mc-b.example'],
      sip: { ...p.sip, addresses },
    });
    h = await Harness.start({ partner: (p) => ({ ...p, ...change }), others: (p) => [other(p)] });
    return peer;
  }

  it('an I_MESSAGE of an ended call, replayed in an INVITE with its Call-ID and tag, is in another dialog', async () => {
    h = await Harness.start();
    const request = h.mcInvite({ callId: 'replay@mc' });
    const first = h.mc.send(request, h.outerAt);
    h.pbx.answer(await h.pbx.expect('INVITE'), 200, { sdp: sdp('127.0.0.1', 12000) });
    h.ack(h.mc, request, await first.expect(200));
    await h.pbx.acks.next('the ACK');
    h.port.channels[0]!.end();
    ok(await h.mc.expect('BYE'));
    ok(await h.pbx.expect('BYE'));
    await until(() => h.edge.calls().length === 0);
    h.mc.send(again(request, 102), h.outerAt);
    await until(() => h.clients.opened.length === 2);
    assert.notEqual(h.clients.opened[1]!.dialogKey, h.clients.opened[0]!.dialogKey);
  });

  it('an INVITE that was refused before its media was armed may come again in the same dialog', async () => {
    h = await Harness.start();
    h.media.full = true;
    const request = h.mcInvite({ callId: 'again@mc' });
    await h.mc.send(request, h.outerAt).expect(503);
    h.media.full = false;
    h.mc.send(again(request, 102), h.outerAt);
    await h.pbx.expect('INVITE');
    assert.equal(h.clients.opened[1]!.dialogKey, h.clients.opened[0]!.dialogKey);
  });

  it('a partner gets no key that waits for the retry of another partner', async () => {
    const b = await withSecondPartner();
    h.port.auto = false;
    const request = h.mcInvite({ callId: 'retry@mc' });
    const first = h.mc.send(request, h.outerAt);
    h.pbx.answer(await h.pbx.expect('INVITE'), 422, { headers: [['Min-SE', '600']] });
    await first.expect(422);
    h.clients.refusal = new SegyError('SEGY_E_MIKEY_KMS_NOT_ALLOWED', 'not of mc-b');
    const refusal = await b.send(again(request, 102), h.outerAt).expect(488);
    assert.equal(warningOf(refusal), 'SEGY_E_MIKEY_KMS_NOT_ALLOWED');
    assert.equal(h.pbx.requests.waiting, 0);
  });

  it('a partner cannot take the dialog of another over by Replaces', async () => {
    const b = await withSecondPartner();
    const call = await h.establishIn();
    const tag = (value: string): string => /tag=([^;]+)/.exec(value)?.[1] ?? '';
    const { callId, from, to } = call.callerDialog;
    const replaces = `${callId};to-tag=${tag(to)};from-tag=${tag(from)}`;
    const parts = { callId: 'thief@mc-b', headers: [['Replaces', replaces] as [string, string]] };
    await b.send(h.mcInvite(parts), h.outerAt).expect(481);
    assert.equal(h.pbx.requests.waiting, 0);
  });

  it('an INVITE takes over no call of its own partner, so that none is lost past the dialplan', async () => {
    h = await Harness.start({ partner: (p) => ({ ...p, refer: 'pass' }) });
    const call = await h.establishIn();
    const tag = (value: string): string => /tag=([^;]+)/.exec(value)?.[1] ?? '';
    const { callId, from, to } = call.callerDialog;
    for (const name of ['Replaces', 'Join']) {
      const value = `${callId};to-tag=${tag(to)};from-tag=${tag(from)}`;
      const { sent } = h.fromMc({ callId: `over-${name}`, headers: [[name, value]] });
      assert.equal(warningOf(await sent.expect(403)), 'SEGY_E_REFER_REFUSED');
    }
    assert.equal(h.pbx.requests.waiting, 0);
    assert.equal(h.edge.calls()[0]?.state, 'confirmed');
  });

  it('a partner can neither refer in a call of another nor into one', async () => {
    const radio2 = 'sip:radio2@lmr.example';
    const b = await withSecondPartner({ refer: 'pass' });
    const call = await h.establishIn();
    const tag = (value: string): string => /tag=([^;]+)/.exec(value)?.[1] ?? '';
    const { callId, from, to } = call.callerDialog;
    const foreign = within('REFER', 102, call.callerDialog, {
      headers: [['Refer-To', `<${radio2}>`]],
    });
    await b.send(foreign, h.outerAt).expect(481);
    const theirs = h.mcInvite({ callId: 'own@mc-b' });
    const sent = b.send(theirs, h.outerAt);
    h.pbx.answer(await h.pbx.expect('INVITE'), 200, { sdp: sdp('127.0.0.1', 12000) });
    const response = await sent.expect(200);
    h.ack(b, theirs, response);
    await h.pbx.acks.next('the ACK');
    const replaces = encodeURIComponent(`${callId};to-tag=${tag(to)};from-tag=${tag(from)}`);
    const into = within('REFER', 102, callerDialog(theirs, response), {
      headers: [['Refer-To', `<${radio2}?Replaces=${replaces}>`]],
    });
    assert.equal(warningOf(await b.send(into, h.outerAt).expect(481)), 'SEGY_E_SIP_NO_DIALOG');
    assert.equal(h.pbx.requests.waiting, 0);
  });

  it('a partner cannot cancel the INVITE of another by its branch', async () => {
    await withSecondPartner();
    h.port.auto = false;
    const { sent } = h.fromMc();
    const tx = await h.pbx.expect('INVITE');
    h.pbx.answer(tx, 180);
    await sent.expect(180);
    const { headers, uri } = sent.transaction.request;
    const lines = ['Via', 'From', 'To', 'Call-ID'].map(
      (name) => `${name}: ${headers.get(name) ?? ''}`,
    );
    const cancel = [`CANCEL ${uri} SIP/2.0`, ...lines, 'CSeq: 101 CANCEL', 'Max-Forwards: 70'];
    const socket = createSocket('udp4').bind(0, '127.0.2.2');
    await once(socket, 'listening');
    const answered = once(socket, 'message') as Promise<[Buffer]>;
    socket.send([...cancel, 'Content-Length: 0', '', ''].join('\r\n'), h.outerAt.port, '127.0.1.1');
    assert.match((await answered)[0].toString(), /^SIP\/2\.0 481 /);
    socket.close();
    assert.equal(h.edge.calls()[0]?.state, 'calling');
  });

  it('media is not sent to this host alone because a partner names its loopback address', () => {
    const own = { v4: '192.0.2.1', v6: '2001:db8::1' };
    const at = (family: string, address: string): string =>
      sdp(address, 41000).replaceAll('IN IP4', `IN ${family}`);
    const refused = (text: string, address: string): void =>
      assert.throws(() => checkOuter(readSdp(utf8(text)), address), { code: 'SEGY_E_MEDIA' });
    for (const host of ['127.0.0.1', '127.8.9.1', '0.1.2.3']) refused(at('IP4', host), own.v4);
    for (const host of ['::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1']) {
      refused(at('IP6', host), own.v6);
    }
    checkOuter(readSdp(utf8(at('IP4', '198.51.100.7'))), own.v4);
    checkOuter(readSdp(utf8(at('IP6', '2001:db8::ffff:1'))), own.v6);
    checkOuter(readSdp(utf8(at('IP4', '127.0.2.1'))), '127.0.1.1');
  });

  it('a key that is opened after the call ended reaches no media session', async () => {
    h = await Harness.start();
    const call = await h.establishIn();
    const open = h.clients.openPck.bind(h.clients);
    let letGo: () => void = () => undefined;
    h.clients.openPck = async (request): Promise<OpenedPck> => {
      const opened = await open(request);
      await new Promise<void>((resolve) => (letGo = resolve));
      return opened;
    };
    h.mc.send(
      within('INVITE', 102, call.callerDialog, {
        sdp: sdp('127.0.2.1', 41000, keyMgmt('1000000c')),
      }),
      h.outerAt,
    );
    await until(() => h.clients.opened.length === 2);
    h.port.channels[0]!.end();
    letGo();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(h.media.sessions[0]!.rekeys, []);
  });

  it('a CSeq that leaves no room for our BYE is refused, so that no PBX leg is left hanging', async () => {
    h = await Harness.start();
    const refusal = await h.fromMc({ cseq: 2 ** 31 - 1 }).sent.expect(400);
    assert.equal(warningOf(refusal), 'SEGY_E_SIP_SYNTAX');
    const call = await h.establishIn();
    const info = within('INFO', 2 ** 31 - 1, call.callerDialog);
    await h.mc.send(info, h.outerAt).expect(400);
    await h.mc.send(within('BYE', 102, call.callerDialog), h.outerAt).expect(200);
    assert.equal((await h.pbx.expect('BYE')).request.headers.get('CSeq'), '102 BYE');
  });

  it('a text of one letter over the whole header line costs no quadratic time', () => {
    for (const text of ['a'.repeat(200_000), '\\"'.repeat(100_000), '1:'.repeat(100_000)]) {
      assertCheap('its rewriting', 100, () => {
        hideHosts(text);
        rewriteReason(`SIP;text=${text}`);
      });
    }
  });

  it('a stream title that names a host is not shown to the other side', async () => {
    h = await Harness.start();
    const { offered } = await h.establishIn({
      sdp: sdp('127.0.2.1', 41000, 'i=speech of ptt7.internal', keyMgmt()),
    });
    assert.doesNotMatch(textOf(offered), /ptt7/);
    const named = await h.establishIn({ sdp: sdp('127.0.2.1', 41000, 'i=speech', keyMgmt()) });
    assert.match(bodyText(named.offered), /i=speech\r\n/);
  });
});
