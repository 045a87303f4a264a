import assert from 'node:assert/strict';
import { toHex, utf8 } from '../../src/base/bytes.js';
import { createInlineCrypto } from '../../src/crypto/index.js';
import { gukId, makeIMessage, newKeyId } from '../../src/mikey/index.js';
import { createSimKms, simCertificate } from '../../src/sim/domain-files.js';
import { SimDomain } from '../../src/sim/domain.js';
import type { SimCall } from '../../src/sim/call.js';
import { McSystem, type McMedia } from '../../src/sim/mc-system.js';
import { findTone } from '../../src/sim/tone.js';
import { createResponse, SipEndpoint, SipHeaders } from '../../src/sip/index.js';
import type { ServerTransaction, SipRequest, SipResponse } from '../../src/sip/index.js';
import { makeMultipart } from '../../src/sip/index.js';
import { quietEnvironment as env } from '../support/quiet-environment.js';
import { sleep, until, within } from '../support/waiting.js';

const ALICE = 'sip:alice@mc-a.example';
const BOB = 'sip:bob@mc-b.example';
const GMS = 'sip:gms@lmr.example';
const GROUP = 'sip:tg1@lmr.example';

interface Made {
  readonly keyId: Uint8Array;
  readonly key: Uint8Array;
  readonly rand: Uint8Array;
}

/** Two MC systems that call each other in a group which a third domain's GMS keys. */
describe('members of a talkgroup in simulated MC domains', function () {
  this.timeout(20_000);
  let a: McSystem;
  let b: McSystem;
  let gms: SimDomain;
  let endpoint: SipEndpoint;
  const requests: ServerTransaction[] = [];
  const ports = { a: 0, b: 0, gms: 0 };

  before(async () => {
    const slow = createInlineCrypto();
    const kmsOf = (domain: string) =>
      createSimKms({ kmsUri: `kms.${domain}`, domains: [domain], users: [] }, slow, env);
    const all = ['mc-a.example', 'mc-b.example', 'lmr.example'].map(kmsOf);
    const trusted = all.map(simCertificate);
    const [domainA, domainB, domainG] = all.map(
      (kms) => new SimDomain({ kms, trusted, slow }, env),
    );
    gms = domainG!;
    endpoint = new SipEndpoint({ name: 'gms', env });
    endpoint.onRequest = (transaction) => {
      requests.push(transaction);
    };
    ({ port: ports.gms } = await endpoint.listen({
      protocol: 'tcp',
      address: '127.0.3.23',
      port: 0,
    }));
    const system = (domain: SimDomain, user: string, address: string, peer: string, port: number) =>
      new McSystem(
        {
          domain,
          users: [user],
          address,
          protocol: 'tcp',
          gateway: { protocol: 'tcp', address: peer, port },
          requestUri: 'sip:psi@lmr.example',
          gms: GMS,
          toneHz: user === ALICE ? 1000 : 440,
        },
        env,
      );
    b = system(domainB!, BOB, '127.0.3.22', '127.0.3.23', ports.gms);
    ports.b = await b.open();
    a = system(domainA!, ALICE, '127.0.3.21', '127.0.3.22', ports.b);
    ports.a = await a.open();
  });
  after(async () => {
    requests.length = 0;
    endpoint.onRequest = (transaction) =>
      transaction.respond(createResponse(transaction.request, 200));
    await Promise.all([a.close(), b.close()]);
    await endpoint.close();
  });

  function newKey(): Made {
    return {
      keyId: newKeyId('GMK', env.random),
      key: env.random(16),
      rand: env.random(16),
    };
  }

  async function messageFor(
    user: string,
    made: Made,
    o: { revoked?: boolean; signer?: string; ahead?: number } = {},
  ): Promise<Uint8Array> {
    const signer = o.signer ?? GMS;
    return makeIMessage(
      {
        keyType: 'GMK',
        ...made,
        initiatorUri: signer,
        initiatorCertificate: gms.certificate,
        initiatorKeySet: await gms.keySet(signer),
        responderUri: user,
        responderCertificate: gms.certificateOf(user),
        timestamp: new Date(),
        keyParameters: {
          revoked: o.revoked ?? false,
          sharedWithGateway: true,
          activation: new Date(Date.now() + 1000 * (o.ahead ?? 0)),
          expiry: null,
          text: '',
          groups: [GROUP],
        },
      },
      { ...env, slow: gms.slow },
    );
  }

  /** Sends parts to a system by MESSAGE. @returns the status and reason of the answer */
  async function send(
    to: 'a' | 'b',
    parts: readonly { type: string; body: Uint8Array }[],
  ): Promise<SipResponse> {
    const address = to === 'a' ? '127.0.3.21' : '127.0.3.22';
    const { contentType, body } = makeMultipart(
      parts.map((part) => ({
        headers: new SipHeaders([['Content-Type', part.type]]),
        body: part.body,
      })),
      env.random,
    );
    const request: SipRequest = {
      kind: 'request',
      method: 'MESSAGE',
      uri: `sip:x@${address}`,
      headers: new SipHeaders([
        ['From', `<${GMS}>;tag=1`],
        ['To', `<sip:x@${address}>`],
        ['Call-ID', toHex(env.random(8))],
        ['CSeq', '1 MESSAGE'],
        ['Max-Forwards', '70'],
        ['Content-Type', contentType],
      ]),
      body,
    };
    const target = { protocol: 'tcp' as const, address, port: ports[to] };
    return within(
      'the MESSAGE is answered',
      new Promise((resolve, reject) => {
        const client = endpoint.request(request, target);
        client.onFinal = resolve;
        client.onError = reject;
      }),
    );
  }
  const mikey = (body: Uint8Array) => ({ type: 'application/mikey', body });

  it('have no call before they have a GMK', async () => {
    await assert.rejects(() => a.groupCall({ from: ALICE, group: GROUP }), {
      code: 'SEGY_E_NO_GROUP_KEY',
    });
  });

  it('refuse a key that another than the GMS signed, and one that is for nobody here', async () => {
    const made = newKey();
    const forged = await messageFor(ALICE, made, { signer: 'sip:mallory@lmr.example' });
    assert.equal((await send('a', [mikey(forged)])).reason, 'SEGY_E_MIKEY_INITIATOR');
    assert.equal(
      (await send('a', [mikey(await messageFor(BOB, made))])).reason,
      'SEGY_E_MIKEY_NOT_ADDRESSEE',
    );
    assert.equal((await send('a', [{ type: 'text/plain', body: utf8('x') }])).status, 415);
    assert.deepEqual(a.groups!.keys.list(), []);
  });

  it('take a key as a part and as key transport XML, and hear each other under it', async () => {
    const made = newKey();
    assert.equal((await send('a', [mikey(await messageFor(ALICE, made))])).status, 200);
    const gktp = `<GMK-GKTPs xmlns="urn:3gpp:ns:mcpttGKTP:1.0"><GKTP id="${GROUP}">${Buffer.from(
      await messageFor(BOB, made),
    ).toString('base64')}</GKTP></GMK-GKTPs>`;
    const part = { type: 'application/vnd.3gpp.mcptt-gktp+xml', body: utf8(gktp) };
    assert.equal((await send('b', [part])).status, 200);

    const call = await a.groupCall({ from: ALICE, group: GROUP });
    assert.equal(await within('Bob answers', call.up), true);
    const [other] = b.agent.calls;
    const hears = ({ media: { stream } }: SimCall<McMedia>, toneHz: number): boolean =>
      findTone(stream.recording(), toneHz, 8000).found;
    await until('Alice hears Bob', () => hears(call, 440));
    await until('Bob hears Alice', () => hears(other!, 1000));
    const mkiOf = (user: string): string =>
      toHex(made.keyId) + toHex(gukId(made.key, made.keyId, user));
    assert.deepEqual(call.media.group?.talkers, [mkiOf(BOB)]);
    assert.deepEqual(other!.media.group?.talkers, [mkiOf(ALICE)]);

    const next = newKey();
    for (const [to, user] of [
      ['a', ALICE],
      ['b', BOB],
    ] as const) {
      const later = await messageFor(user, next, { ahead: 1 });
      assert.equal((await send(to, [mikey(later)])).status, 200);
    }
    await until('both send under the new key', () =>
      [call, other!].every(({ media }) => media.group?.sentWith.length === 2),
    );
    for (const [to, user] of [
      ['a', ALICE],
      ['b', BOB],
    ] as const) {
      await send(to, [mikey(await messageFor(user, made, { revoked: true }))]);
    }
    call.media.stream.clearRecording();
    await until('he is heard after the roll too', () => hears(call, 440));
    assert.equal(call.media.stream.counters.authFailures, 0);

    for (const [to, user] of [
      ['a', ALICE],
      ['b', BOB],
    ] as const) {
      await send(to, [mikey(await messageFor(user, next, { revoked: true }))]);
    }
    // what was sent before is read in the next turns
    await sleep(100);
    const { received } = other!.media.stream.counters;
    await sleep(300);
    const after = other!.media.stream.counters.received;
    assert.equal(after, received, 'nothing is sent under a revoked key, and nothing in clear');
    call.bye();
    await within('the call ends', other!.ended);
  });

  it('subscribe, take the keys of the first NOTIFY, and end', async () => {
    requests.length = 0;
    const made = newKey();
    const subscribing = b.groups!.subscribe(BOB, [GROUP]);
    await until('SUBSCRIBE comes', () => requests.length === 1);
    const [subscribe] = requests;
    const { headers, body } = subscribe!.request;
    assert.equal(headers.get('Event'), 'xcap-diff');
    assert.match(Buffer.from(body).toString(), /byGroupID\/sip:tg1@lmr\.example/);
    const ok = createResponse(subscribe!.request, 200, 'OK', { toTag: 'gms' });
    ok.headers.set('Expires', '600');
    ok.headers.set('Contact', `<sip:gms@127.0.3.23:${ports.gms};transport=tcp>`);
    subscribe!.respond(ok);
    const subscription = await subscribing;
    const notify = (state: string, content: Uint8Array): Promise<SipResponse> =>
      new Promise((resolve, reject) => {
        const client = endpoint.request(
          {
            kind: 'request',
            method: 'NOTIFY',
            uri: 'sip:mc@127.0.3.22',
            headers: new SipHeaders([
              ['From', `<${GMS}>;tag=gms`],
              ['To', headers.get('From') ?? ''],
              ['Call-ID', headers.get('Call-ID') ?? ''],
              ['CSeq', `${state.length} NOTIFY`],
              ['Max-Forwards', '70'],
              ['Event', 'xcap-diff'],
              ['Subscription-State', state],
              ['Content-Type', 'application/mikey'],
            ]),
            body: content,
          },
          { protocol: 'tcp', address: '127.0.3.22', port: ports.b },
        );
        client.onFinal = resolve;
        client.onError = reject;
      });
    assert.equal((await notify('active;expires=600', await messageFor(BOB, made))).status, 200);
    assert.equal(await b.groups!.keys.awaitKey(GROUP, BOB, 1000), true);
    assert.equal(b.groups!.memberOf(GROUP), BOB);
    const ending = subscription.end();
    await until('the last SUBSCRIBE comes', () => requests.length === 2);
    assert.equal(requests[1]!.request.headers.get('Expires'), '0');
    assert.equal(requests[1]!.request.headers.get('To'), `<${GMS}>;tag=gms`);
    requests[1]!.respond(createResponse(requests[1]!.request, 200));
    await ending;
    assert.equal(subscription.state, 'ended');
  });
});
