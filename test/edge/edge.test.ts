import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { utf8 } from '../../src/base/bytes.js';
import { SegyError } from '../../src/base/errors.js';
import type { ClientsPort, MediaPort } from '../../src/edge/index.js';
import type { PseudoClients } from '../../src/clients/index.js';
import type { MediaEngine } from '../../src/media/index.js';
import { parseSip, type SipResponse } from '../../src/sip/index.js';
import { bodyText, Harness, keyMgmt, ok, sdp, textOf, warningOf } from './support/harness.js';
import { Inbox, invite, Peer, until, within } from './support/peer.js';

/** Octets to the edge's outer side from `address`, and what comes back. */
async function raw(
  h: Harness,
  address: string,
  text: string,
  ms = 300,
): Promise<SipResponse | null> {
  const socket = dgram.createSocket('udp4');
  const answers = new Inbox<Buffer>();
  socket.on('message', (octets) => answers.put(octets));
  await new Promise<void>((resolve) => socket.bind(0, address, resolve));
  const filled = text.replaceAll('{port}', String(socket.address().port));
  socket.send(filled, h.outerAt.port, h.outerAt.address);
  try {
    const message = parseSip(await answers.next('an answer', ms));
    return message.kind === 'response' ? message : null;
  } catch {
    return null;
  } finally {
    socket.close();
  }
}

const MESSAGE = (line: string, ...fields: string[]) =>
  [
    line,
    'Via: SIP/2.0/UDP 127.0.2.1:{port};branch=z9hG4bKx1;rport',
    'From: <sip:a@mc-a.example>;tag=1',
    'To: <sip:b@segy.example>',
    'Call-ID: raw-1',
    'CSeq: 1 INVITE',
    'Max-Forwards: 70',
    ...fields,
    '',
    '',
  ].join('\r\n');

describe('edge', () => {
  let h: Harness;
  afterEach(async () => h.stop());

  it('fits the media engine and the pseudo clients as they are', async () => {
    h = await Harness.start();
    const media = (engine: MediaEngine): MediaPort => engine;
    const clients = (all: PseudoClients): ClientsPort => all;
    assert.ok(media.length === 1 && clients.length === 1);
  });

  it('answers a source that is no partner with 403 and a security log entry', async () => {
    h = await Harness.start();
    const stranger = new Peer('127.0.2.66', 'stranger');
    await stranger.listen();
    const sent = stranger.send(
      invite(stranger, {
        uri: 'sip:x@segy.example',
        from: '<sip:a@mc-a.example>',
        sdp: sdp('127.0.2.66', 9),
      }),
      h.outerAt,
    );
    assert.equal(warningOf(await sent.expect(403)), 'SEGY_E_UNKNOWN_SOURCE');
    await stranger.endpoint.close();
    const entry = h.logged.find((one) => one.event === 'security.refused');
    assert.deepEqual(
      { code: entry?.fields.code, source: entry?.fields.source, side: entry?.fields.side },
      { code: 'SEGY_E_UNKNOWN_SOURCE', source: '127.0.2.66', side: 'outer' },
    );
  });

  it('answers malformed SIP with 400 and logs it once a window', async () => {
    h = await Harness.start();
    for (let i = 0; i < 3; i += 1) {
      const answer = await raw(
        h,
        '127.0.2.1',
        MESSAGE('INVITE sip:b@segy.example SIP/2.0', 'Content-Length: x'),
      );
      assert.equal(answer?.status, 400);
    }
    assert.equal(h.logged.filter((one) => one.event === 'security.refused').length, 1);
    assert.equal(h.counted.filter((one) => one.labels.code === 'SEGY_E_SIP_SYNTAX').length, 3);
  });

  it('answers a request of ours that came back with 482', async () => {
    h = await Harness.start();
    const { offered } = await h.establishOut();
    const back = { ...offered, headers: offered.headers.clone() };
    back.headers.remove('Via');
    assert.equal(warningOf(await h.mc.send(back, h.outerAt).expect(482)), 'SEGY_E_SIP_LOOP');
  });

  it('answers the same INVITE over another branch with 482', async () => {
    h = await Harness.start();
    const request = h.mcInvite();
    h.mc.send(request, h.outerAt);
    await h.pbx.expect('INVITE');
    const merged = { ...request, headers: request.headers.clone() };
    merged.headers.remove('Via');
    await h.mc.send(merged, h.outerAt).expect(482);
  });

  it('refuses requests above the partner’s rate with 503 and Retry-After', async () => {
    h = await Harness.start({
      partner: (p) => ({ ...p, limits: { ...p.limits, requestsPerSecond: 1, burst: 1 } }),
    });
    h.fromMc();
    const refusal = await h.fromMc().sent.expect(503);
    assert.equal(warningOf(refusal), 'SEGY_E_RATE');
    assert.ok(refusal.headers.has('Retry-After'));
  });

  it('refuses a call above the limits of the gateway and of the partner', async () => {
    h = await Harness.start({ limits: { calls: 1 } });
    await h.establishIn();
    assert.equal(warningOf(await h.fromMc().sent.expect(503)), 'SEGY_E_BUSY');
    await h.stop();
    h = await Harness.start({ partner: (p) => ({ ...p, limits: { ...p.limits, calls: 1 } }) });
    await h.establishIn();
    assert.equal(warningOf(await h.fromMc().sent.expect(503)), 'SEGY_E_BUSY');
  });

  it('removes X-SeGy headers of either side and makes its own', async () => {
    h = await Harness.start();
    const forged: [string, string][] = [
      ['X-SeGy-Session', 'forged'],
      ['x-segy-caller', 'forged'],
      ['X-SeGy-Group', 'forged'],
    ];
    const inward = await h.establishIn({ headers: forged });
    assert.doesNotMatch(textOf(inward.offered), /forged/);
    const outward = await h.establishOut({ headers: forged });
    assert.doesNotMatch(textOf(outward.offered), /forged|X-SeGy/i);
  });

  it('answers OPTIONS outside a dialog itself, and 405 to what it does not serve', async () => {
    h = await Harness.start();
    const dialog = {
      from: '<sip:a@mc-a.example>;tag=1',
      to: '<sip:b@segy.example>',
      callId: 'o1',
      uri: 'sip:b@segy.example',
    };
    const options = await h.mc.send(within('OPTIONS', 1, dialog), h.outerAt).expect(200);
    assert.equal(
      options.headers.get('Allow'),
      'INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, INFO, OPTIONS',
    );
    const subscribe = await h.mc
      .send(within('SUBSCRIBE', 1, { ...dialog, callId: 'o2' }), h.outerAt)
      .expect(405);
    assert.equal(warningOf(subscribe), 'SEGY_E_SIP_METHOD');
    assert.equal(h.pbx.requests.all.length, 0);
  });

  it('carries a large INVITE over TCP towards the PBX address and back', async () => {
    h = await Harness.start();
    const attributes = Array.from(
      { length: 60 },
      (_, i) => `a=fmtp:0 filler-${i}=${'x'.repeat(20)}`,
    );
    const { offered } = await h.establishIn({
      sdp: sdp('127.0.2.1', 41000, keyMgmt(), ...attributes),
    });
    assert.match(offered.headers.get('Via') ?? '', /SIP\/2\.0\/TCP/);
  });

  it('gives a KMS Redirect Response where the hook has one', async () => {
    h = await Harness.start({
      redirectBody: ({ code }) => ({
        contentType: 'application/vnd.3gpp.kmsredirectresponse+xml',
        body: utf8(`<KmsRedirectResponse for="${code}"/>`),
      }),
    });
    h.clients.refusal = new SegyError('SEGY_E_MIKEY_KMS_UNKNOWN', 'x');
    const refusal = await h.fromMc().sent.expect(488);
    assert.equal(
      refusal.headers.get('Content-Type'),
      'application/vnd.3gpp.kmsredirectresponse+xml',
    );
    assert.match(bodyText(refusal), /SEGY_E_MIKEY_KMS_UNKNOWN/);
    h.clients.refusal = new SegyError('SEGY_E_MIKEY_SIGNATURE', 'x');
    assert.equal((await h.fromMc().sent.expect(488)).body.length, 0);
  });

  it('lets a partner touch no call of another, even with all its identifiers', async () => {
    const second = new Peer('127.0.2.2', 'mc-b');
    await second.listen();
    h = await Harness.start({
      others: (p) => [
        {
          ...p,
          name: 'mc-b',
          domains: ['mc-b.example'],
          sip: {
            ...p.sip,
            addresses: [{ host: '127.0.2.2', port: second.port, transport: 'udp' }],
          },
        },
      ],
    });
    const call = await h.establishIn();
    await second.send(within('BYE', 102, call.callerDialog), h.outerAt).expect(481);
    assert.equal(h.edge.calls()[0]?.state, 'confirmed');
    await second.endpoint.close();
  });

  it('keeps calls through a loss of the PBX link and refuses new ones', async () => {
    h = await Harness.start();
    await h.establishIn();
    h.port.linked = false;
    h.port.onLink?.(false);
    assert.equal(h.edge.calls()[0]?.state, 'confirmed');
    assert.ok(h.media.sessions[0]?.armed);
    await h.fromMc().sent.expect(503);
    await h.fromPbx().sent.expect(503);
  });

  it('ends after a resync the calls whose channel is gone, and no other', async () => {
    h = await Harness.start();
    await h.establishIn();
    await h.establishIn();
    h.port.onResync?.(new Set([h.port.channels[1]!.id]));
    assert.ok(h.media.sessions[0]?.log.includes('disarm'));
    ok(await h.mc.expect('BYE'));
    ok(await h.pbx.expect('BYE'));
    assert.equal(h.media.sessions[1]?.closed, false);
    await until(() => h.edge.calls().length === 1);
  });

  it('sends BYE for the dialogs of an earlier run and hangs its channels up', async () => {
    h = await Harness.start();
    const { offered } = await h.establishOut();
    const records = [...h.records.entries.values()];
    await h.stop();
    h = new Harness();
    h.port.orphans = 2;
    await h.mc.listen();
    for (const record of records) {
      h.records.entries.set(record.sessionId, {
        ...record,
        target: { ...record.target, port: h.mc.port },
      });
    }
    await h.begin({});
    const bye = await h.mc.expect('BYE');
    assert.equal(bye.request.headers.get('CSeq'), '102 BYE');
    assert.equal(bye.request.headers.get('Call-ID'), offered.headers.get('Call-ID'));
    assert.equal(bye.request.headers.get('From'), offered.headers.get('From'));
    ok(bye);
    await h.edge.recovered;
    assert.equal(h.records.entries.size, 0);
    assert.equal(h.port.orphansEnded, 2);
  });

  it('ends the call when the media worker dies', async () => {
    h = await Harness.start();
    await h.establishIn();
    h.media.sessions[0]!.emit({ type: 'ended' });
    ok(await h.mc.expect('BYE'));
    ok(await h.pbx.expect('BYE'));
  });

  it('shows its calls to the operator without any key or media address', async () => {
    h = await Harness.start();
    await h.establishIn();
    const [view] = h.edge.calls();
    assert.ok(view);
    const { session, startedAt, connectedAt, keyId, legs, dialog, ...rest } = view;
    assert.notEqual(dialog, '');
    assert.deepEqual(rest, {
      partner: 'mc-a',
      type: 'private',
      group: null,
      direction: 'mc-to-lmr',
      state: 'confirmed',
      caller: 'sip:alice@mc-a.example',
      called: 'sip:radio1@lmr.example',
      armed: true,
      clear: false,
      floor: null,
      talker: null,
      channel: 'PJSIP/segy-00000001',
    });
    assert.match(session, /^[0-9a-f]{32}$/);
    assert.match(keyId ?? '', /^1[0-9a-f]{7}$/);
    assert.ok(startedAt <= (connectedAt ?? 0));
    assert.deepEqual(
      legs.map(({ side, role, state, dialogs }) => ({ side, role, state, dialogs })),
      [
        { side: 'outer', role: 'caller', state: 'up', dialogs: 1 },
        { side: 'inner', role: 'called', state: 'up', dialogs: 1 },
      ],
    );
  });

  it('says BYE to both sides when it stops', async () => {
    h = await Harness.start({ limits: { stopMs: 500 } });
    await h.establishIn();
    const stopping = h.edge.stop();
    ok(await h.mc.expect('BYE'));
    ok(await h.pbx.expect('BYE'));
    await stopping;
    assert.deepEqual(h.edge.calls(), []);
  });

  it('leaves the record of a dialog whose BYE was not answered to the next start', async () => {
    h = await Harness.start();
    await h.establishIn();
    await h.establishOut();
    const stopping = h.edge.stop();
    ok(await h.mc.expect('BYE'));
    await stopping;
    const [left, ...others] = h.records.entries.values();
    assert.equal(others.length, 0);
    const silent = await h.mc.expect('BYE');
    assert.equal(left?.callId, silent.request.headers.get('Call-ID'));
  });

  it('repeats an unanswered BYE at three starts, and says none to who is no partner any more', async () => {
    h = await Harness.start();
    await h.establishOut();
    const [made] = h.records.entries.values();
    const dead = { protocol: 'tcp' as const, address: '127.0.2.9', port: 9 };
    const record = { ...made!, target: dead };
    for (const left of [1, 1, 0]) {
      const { entries } = h.records;
      const kept = [...entries.values()].find(({ attempts }) => attempts !== undefined) ?? record;
      await h.stop();
      h = new Harness();
      await h.mc.listen();
      h.records.entries.set('old', { ...kept, sessionId: 'old' });
      h.records.entries.set('gone', { ...record, sessionId: 'gone', partner: 'mc-z' });
      await h.begin({});
      await h.edge.recovered;
      assert.equal(h.records.entries.size, left);
    }
  });

  it('wipes every key and frees every port however calls end', async () => {
    h = await Harness.start();
    await h.establishIn();
    h.port.channels[0]!.end();
    ok(await h.mc.expect('BYE'));
    ok(await h.pbx.expect('BYE'));
    const cancelled = h.fromMc();
    h.pbx.answer(await h.pbx.expect('INVITE'), 180);
    await cancelled.sent.expect(180);
    cancelled.sent.transaction.cancel();
    await cancelled.sent.expect(487);
    await until(() => h.edge.calls().length === 0);
    assert.ok(h.media.sessions.every((session) => session.closed && session.armed === null));
    for (const key of h.clients.keys) assert.ok(key.every((octet) => octet === 0));
  });
});
