import assert from 'node:assert/strict';
import { utf8 } from '../../../src/base/bytes.js';
import { GroupKeySender } from '../../../src/edge/index.js';
import type { OutgoingKey } from '../../../src/edge/ports/home-groups-port.js';
import { createResponse, decodedContent, leafParts, parseBody } from '../../../src/sip/index.js';
import type { ServerTransaction, SipRequest } from '../../../src/sip/index.js';
import { freePort } from '../../support/ports.js';
import type { Partner } from '../support/fakes.js';
import { ALICE, Harness, ok } from '../support/harness.js';
import { FakeHomeGroups, messageOf } from '../support/home-groups.js';
import { Peer } from '../support/peer.js';

const TALKGROUP = 'sip:tg1@lmr.example';
const OWN_GMS = 'sip:gms@lmr.example';
const THEIR_GMS = 'sip:gms@mc-a.example';
const BEN = 'sip:ben@mc-a.example';
const REDIRECT_TYPE = 'application/vnd.3gpp.kmsredirectresponse+xml';

describe('edge: keys of our groups in MESSAGEs (TS 33.180 5.7.1)', () => {
  let h: Harness;
  let groups: FakeHomeGroups;
  let sender: GroupKeySender;
  let stopping: AbortController;

  async function start(change: (partner: Partner) => Partner = (same) => same): Promise<void> {
    groups = new FakeHomeGroups();
    groups.put(TALKGROUP, 'e1', { partner: 'mc-a', user: ALICE }, { partner: 'mc-a', user: BEN });
    h = await Harness.start({ partner: change });
    sender = new GroupKeySender(h.deps, OWN_GMS);
    stopping = new AbortController();
  }
  afterEach(async () => {
    h.mc.endpoint.onRequest = ok;
    await h.stop();
  });

  const keyOf = (user: string, keyType = 'GMK'): OutgoingKey =>
    groups.keyOf(keyType, TALKGROUP, { partner: 'mc-a', user });
  const send = (...keys: readonly OutgoingKey[]) => sender.send(keys, stopping.signal);
  const partsOf = ({ headers, body }: SipRequest) =>
    leafParts(parseBody(headers.get('Content-Type') ?? '', body)).map((part) => ({
      type: part.contentType.type,
      octets: [...decodedContent(part)],
      text: Buffer.from(decodedContent(part)).toString(),
    }));
  const nextMessage = (): Promise<ServerTransaction> => h.mc.expect('MESSAGE');
  const distribution =
    (change: Partial<Partner['distribution']>) =>
    (partner: Partner): Partner => ({
      ...partner,
      distribution: { ...partner.distribution, ...change },
    });

  it('name the member and our GMS, with each key as application/mikey, octet for octet', async () => {
    await start();
    const sending = send(keyOf(ALICE), keyOf(ALICE, 'MKFC'));
    const transaction = await nextMessage();
    const { request } = transaction;
    assert.equal(request.uri, ALICE);
    const [info, ...keys] = partsOf(request);
    assert.equal(info?.type, 'application/vnd.3gpp.mcptt-info+xml');
    assert.match(
      info.text,
      /mcptt-request-uri.*sip:alice@mc-a.*mcptt-calling-user-id.*sip:gms@lmr/,
    );
    assert.deepEqual(
      keys.map(({ type, octets }) => [type, octets]),
      ['GMK', 'MKFC'].map((type) => ['application/mikey', [...messageOf(type, ALICE)]]),
    );
    ok(transaction);
    assert.deepEqual(await sending, { kind: 'delivered' });
  });

  it('go to the partner’s GMS in batches, in key transport XML, where its profile says so', async () => {
    await start(distribution({ to: 'gms', form: 'gktp', batch: 5 }));
    assert.deepEqual(sender.routeOf(keyOf(ALICE).delivery), { route: 'gms', most: 5 });
    assert.deepEqual(sender.routeOf(keyOf(BEN).delivery), { route: 'gms', most: 5 });
    const sending = send(keyOf(ALICE), keyOf(BEN), keyOf(BEN, 'MKFC'));
    const transaction = await nextMessage();
    assert.equal(transaction.request.uri, THEIR_GMS);
    const [info, gmks, mkfcs, ...more] = partsOf(transaction.request);
    assert.match(info!.text, /mcptt-request-uri.*sip:gms@mc-a/);
    const entry = (type: string, user: string): string =>
      `<GKTP id="${TALKGROUP}">${Buffer.from(messageOf(type, user)).toString('base64')}</GKTP>`;
    assert.ok(gmks!.text.includes(entry('GMK', ALICE) + entry('GMK', BEN)), gmks!.text);
    assert.ok(mkfcs!.text.includes(`<MKFC-GKTPs xmlns="urn:3gpp:ns:mcpttGKTP:1.0">`));
    assert.ok(mkfcs!.text.includes(entry('MKFC', BEN)));
    assert.deepEqual(more, []);
    ok(transaction);
    assert.deepEqual(await sending, { kind: 'delivered' });
  });

  it('go to the address that the profile names', async () => {
    await start(distribution({ to: 'gms', requestUri: 'sip:keys@mc-a.example' }));
    const sending = send(keyOf(ALICE));
    const transaction = await nextMessage();
    assert.equal(transaction.request.uri, 'sip:keys@mc-a.example');
    assert.match(partsOf(transaction.request)[0]!.text, /mcptt-request-uri.*sip:gms@mc-a/);
    ok(transaction);
    await sending;
  });

  it('never leave for a user that is a member no more', async () => {
    await start();
    const key = keyOf(ALICE);
    groups.put(TALKGROUP, 'e2', { partner: 'mc-a', user: BEN });
    assert.deepEqual(await send(key), { kind: 'unreachable', code: 'SEGY_E_CANCELLED' });
    assert.equal(h.mc.requests.all.length, 0);
  });

  it('are not sent for members of two when only each of them is reached', async () => {
    await start();
    const outcome = await send(keyOf(ALICE), keyOf(BEN));
    assert.deepEqual(outcome, { kind: 'unreachable', code: 'SEGY_E_SIP_NO_DIALOG' });
    assert.equal(h.mc.requests.all.length, 0);
  });

  const redirect = (more: string): string =>
    `<KmsRedirectResponse xmlns="urn:3gpp:ns:mcsecKMSKRR:1.0">${more}</KmsRedirectResponse>`;
  async function answeredWith(status: number, headers: [string, string][] = [], body = '') {
    const sending = send(keyOf(ALICE));
    const { request, respond } = await nextMessage().then((transaction) => ({
      request: transaction.request,
      respond: transaction.respond.bind(transaction),
    }));
    const response = createResponse(request, status);
    for (const [name, value] of headers) response.headers.set(name, value);
    response.body = utf8(body);
    respond(response);
    return sending;
  }
  const withElements = (partner: Partner): Partner => ({
    ...partner,
    redirectResponse: {
      enabled: true,
      elements: {
        purpose: 'Purpose',
        refusedKmsUri: 'Refused',
        kmsUri: 'Use',
        'purpose.responder-kms-wrong': 'wrong',
      },
    },
  });

  it('that meet a KMS Redirect Response are refused with what it says', async () => {
    await start(withElements);
    const outcome = await answeredWith(
      488,
      [['Content-Type', REDIRECT_TYPE]],
      redirect('<Purpose>wrong</Purpose><Refused>kms.a</Refused><Use>kms.b</Use>'),
    );
    assert.equal(outcome.kind, 'refused');
    assert.ok(outcome.redirect !== null);
    const { purpose, refusedKmsUri, kmsUri, advice } = outcome.redirect;
    assert.equal(outcome.status, 488);
    assert.deepEqual([purpose, refusedKmsUri, kmsUri], ['responder-kms-wrong', 'kms.a', 'kms.b']);
    assert.notEqual(advice, '');
  });

  for (const [name, body] of [
    ['is no XML', '<KmsRedirectResponse'],
    ['is another document', '<other xmlns="urn:3gpp:ns:mcsecKMSKRR:1.0"/>'],
    [
      'has a DOCTYPE',
      '<!DOCTYPE x [<!ENTITY a "b">]><KmsRedirectResponse>&a;</KmsRedirectResponse>',
    ],
    ['is nested too deeply', redirect(redirect(redirect(redirect(redirect('')))))],
  ] as const) {
    it(`are refused without a redirect where its document ${name}`, async () => {
      await start(withElements);
      const outcome = await answeredWith(488, [['Content-Type', REDIRECT_TYPE]], body);
      assert.deepEqual(outcome, {
        kind: 'refused',
        code: 'SEGY_E_SIP_REFUSED',
        status: 488,
        retryAfterMs: null,
        redirect: null,
      });
    });
  }

  it('that are put off wait as long as Retry-After says', async () => {
    await start();
    const outcome = await answeredWith(503, [['Retry-After', '120 (busy)']]);
    assert.ok(outcome.kind === 'refused');
    assert.deepEqual([outcome.status, outcome.retryAfterMs], [503, 120_000]);
  });

  it('that nobody answers, or that time out on their way, say nothing of the member', async () => {
    await start();
    assert.equal((await answeredWith(408)).kind, 'unreachable');
    const sending = send(keyOf(ALICE));
    await nextMessage();
    assert.deepEqual(await sending, { kind: 'unreachable', code: 'SEGY_E_TIMEOUT' });
    assert.deepEqual(h.addresses.lost, ['mc-a']);
  });

  it('are tried at the next address where the first is silent or cannot be reached', async () => {
    const silent = new Peer('127.0.2.9', 'silent');
    await silent.listen();
    const closed = await freePort('127.0.2.9');
    await start((partner) => {
      const [own] = partner.sip.addresses;
      const dead = [
        { host: silent.address, port: silent.port, transport: 'udp' as const },
        { host: silent.address, port: closed, transport: 'tcp' as const },
      ];
      return { ...partner, sip: { ...partner.sip, addresses: [...dead, own!] } };
    });
    const sending = send(keyOf(ALICE));
    const first = await silent.expect('MESSAGE');
    const transaction = await nextMessage();
    assert.deepEqual(partsOf(first.request)[1], partsOf(transaction.request)[1]);
    const ids = [first, transaction].map(({ request }) => request.headers.get('Call-ID'));
    assert.equal(ids[0], ids[1], 'what is sent again is told by its Call-ID');
    ok(transaction);
    assert.deepEqual(await sending, { kind: 'delivered' });
    assert.deepEqual(h.addresses.lost, ['mc-a', 'mc-a']);
    await silent.endpoint.close();
  });

  it('are given up when the gateway stops', async () => {
    await start();
    const sending = send(keyOf(ALICE));
    const transaction = await nextMessage();
    stopping.abort();
    assert.deepEqual(await sending, { kind: 'unreachable', code: 'SEGY_E_CANCELLED' });
    ok(transaction);
  });

  it('too large for UDP go over TCP, and small ones do not (RFC 3261 clause 18.1.1)', async () => {
    await start(distribution({ to: 'gms', batch: 64 }));
    const large = Array.from({ length: 40 }, () => keyOf(ALICE));
    for (const [keys, protocol] of [
      [[keyOf(ALICE)], 'udp'],
      [large, 'tcp'],
    ] as const) {
      const sending = send(...keys);
      const transaction = await nextMessage();
      assert.equal(transaction.source.protocol, protocol);
      assert.match(transaction.request.headers.get('Via') ?? '', new RegExp(`/${protocol} `, 'i'));
      assert.equal(partsOf(transaction.request).length, keys.length + 1);
      ok(transaction);
      assert.deepEqual(await sending, { kind: 'delivered' });
    }
  });
});
