import assert from 'node:assert/strict';
import { systemRandom } from '../../../src/base/environment.js';
import type { AccessTokens } from '../../../src/edge/index.js';
import { attachEar } from '../../../src/protect/index.js';
import type { SipRequest } from '../../../src/sip/index.js';
import { FakeGroups, GROUP, heldGmk, type Partner } from '../support/fakes.js';
import { ALICE, bodyText, RADIO1, sdp, warningOf, type Harness } from '../support/harness.js';
import { within } from '../support/peer.js';
import { BOTH, ear, EAR, open, profile, seal, SPK, start } from '../support/protection.js';

const GMS = 'sip:gms@mc-a.example';
const KEY_MESSAGE = Buffer.from([1, 26, 0, 255]).toString('base64');
const GKTP = `<GMK-GKTPs xmlns="urn:3gpp:ns:mcpttGKTP:1.0"><GKTP id="${GROUP}">${KEY_MESSAGE}</GKTP></GMK-GKTPs>`;

const withGroup = (partner: Partner): Partner => ({
  ...partner,
  affiliation: { mode: 'publish', seconds: 600, accessToken: false },
  subscription: { enabled: true, seconds: 600, per: 'user', accessToken: false },
  groups: [
    {
      ...{ id: GROUP, pbx: 'police-tg', withoutKey: 'refuse', whenRegrouped: 'own' },
      ...{ members: [ALICE], affiliate: [RADIO1] },
    },
  ],
});

const element = (name: string, uri: string): string =>
  `<${name}><mcpttURI>${uri}</mcpttURI></${name}>`;
const CALL =
  '<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params><session-type>prearranged</session-type>' +
  element('mcptt-request-uri', RADIO1) +
  element('mcptt-calling-user-id', ALICE) +
  element('mcptt-calling-group-id', GROUP) +
  '</mcptt-Params></mcpttinfo>';

describe('edge: groups under protected signalling', () => {
  let h: Harness;
  let groups: FakeGroups;
  const begin = async (
    change: Record<string, unknown> = {},
    partner = withGroup,
    tokens?: AccessTokens,
  ): Promise<void> => {
    groups = new FakeGroups();
    groups.keys = [heldGmk('0a000001')];
    h = await start(profile(change), { groups, partner, ...(tokens && { tokens }) });
  };
  afterEach(() => h.stop());

  const invite = (protect?: (request: SipRequest) => void): SipRequest =>
    h.mcInvite({ sdp: sdp('127.0.2.1', 41000), info: CALL, ...(protect && { protect }) });

  /** A MESSAGE of the GMS with a group key in XML. */
  function keyMessage(): SipRequest {
    const dialog = {
      from: `<${GMS}>;tag=1`,
      to: '<sip:segy@lmr.example>',
      callId: 'keys',
      uri: 'sip:radio1@segy.example',
    };
    return within('MESSAGE', 1, dialog, { body: ['application/xml', GKTP] });
  }

  /** A NOTIFY of the GMS with a group key in XML. */
  function notifyOf(to: string, callId: string): SipRequest {
    const uri = `sip:segy@${h.outerAt.address}:${h.outerAt.port}`;
    const dialog = { from: `<${GMS}>;tag=notifier`, to, callId, uri };
    return within('NOTIFY', 1, dialog, {
      headers: [
        ['Contact', h.mc.contact],
        ['Event', 'xcap-diff'],
        ['Subscription-State', 'active;expires=600'],
      ],
      body: ['application/xml', GKTP],
    });
  }

  it('takes a protected group call, and tells the PBX its group', async () => {
    await begin();
    h.mc.send(
      invite((request) => seal(request)),
      h.outerAt,
    );
    const { request } = await h.pbx.expect('INVITE');
    assert.equal(request.headers.get('X-SeGy-Group'), GROUP);
  });

  it('encrypts and signs a group call of the radio side', async () => {
    await begin();
    h.fromPbx({ uri: `sip:police-tg@${h.innerAt.address}:${h.innerAt.port}` });
    const tx = await expectMethod('INVITE');
    assert.doesNotMatch(bodyText(tx), /police@|radio1@/);
    open(tx);
    assert.match(bodyText(tx), /sip:police@mc-a\.example/);
  });

  it('encrypts the access token of an affiliation', async () => {
    const withToken = (partner: Partner): Partner => ({
      ...withGroup(partner),
      affiliation: { mode: 'publish', seconds: 600, accessToken: true },
    });
    await begin({}, withToken, { tokenFor: () => Promise.resolve('TOKEN-OF-RADIO1') });
    const tx = await expectMethod('PUBLISH');
    assert.doesNotMatch(bodyText(tx), /TOKEN-OF/);
    open(tx);
    assert.match(bodyText(tx), /TOKEN-OF-RADIO1/);
  });

  /** The next request of that method at the MC system; others are left standing. */
  async function expectMethod(method: string): Promise<SipRequest> {
    for (;;) {
      const { request } = await h.mc.requests.next(`a ${method}`);
      if (request.method === method) return request;
    }
  }

  for (const method of ['SUBSCRIBE', 'PUBLISH']) {
    it(`signs what it sends by ${method}, with an EAR of the member`, async () => {
      await begin({ ear: { ...EAR, receive: 'none' } });
      const request = await expectMethod(method);
      assert.match(bodyText(request), /mcptt-signed\+xml/);
      const octets = open(request);
      assert.ok(octets !== null);
      assert.ok(Buffer.from(octets).includes(RADIO1));
    });
  }

  it('takes a group key from a signed MESSAGE', async () => {
    await begin();
    const message = keyMessage();
    seal(message, BOTH, SPK, GMS);
    await h.mc.send(message, h.outerAt).expect(200);
    assert.equal(groups.taken[0]?.group, GROUP);
  });

  it('takes a group key from a signed NOTIFY outside a dialog', async () => {
    await begin();
    const notify = notifyOf('<sip:segy@lmr.example>', 'keys');
    seal(notify, BOTH, SPK, GMS);
    await h.mc.send(notify, h.outerAt).expect(200);
    assert.equal(groups.taken[0]?.group, GROUP);
  });

  it('takes a group key from a signed NOTIFY of its subscription, and none from an unsigned one', async () => {
    await begin();
    const { headers } = await expectMethod('SUBSCRIBE');
    const notify = (): SipRequest =>
      notifyOf(headers.get('From') ?? '', headers.get('Call-ID') ?? '');
    const refused = await h.mc.send(notify(), h.outerAt).expect(403);
    assert.equal(warningOf(refused), 'SEGY_E_XML_UNSIGNED');
    assert.deepEqual(groups.taken, []);
    const signed = notify();
    seal(signed, BOTH, SPK, GMS);
    await h.mc.send(signed, h.outerAt).expect(200);
    assert.equal(groups.taken.length, 1);
  });

  it('takes a group key with an EAR of the GMS for the gateway', async () => {
    await begin({ ear: { ...EAR, ownTargets: ['sip:segy@lmr.example'] } });
    const message = keyMessage();
    attachEar(message, ear({ sourceId: GMS, targetId: 'sip:segy@lmr.example' }), systemRandom);
    seal(message, BOTH, SPK, GMS);
    await h.mc.send(message, h.outerAt).expect(200);
    assert.equal(groups.taken.length, 1);
  });

  const broken: [string, (request: SipRequest, p0: string) => void, string][] = [
    ['unsigned', () => undefined, 'SEGY_E_XML_UNSIGNED'],
    [
      'signed under another key',
      (request, p0) => seal(request, BOTH, { ...SPK, key: new Uint8Array(16) }, p0),
      'SEGY_E_XML_SIGNATURE',
    ],
    [
      'signed under an unknown SPK',
      (request, p0) => seal(request, BOTH, { ...SPK, keyName: 'MP///w==' }, p0),
      'SEGY_E_SPK_UNKNOWN',
    ],
  ];
  for (const [name, make, code] of broken) {
    it(`refuses a group call that is ${name}`, async () => {
      await begin();
      const theirs = 'sip:cntrl-psi@mc-a.example';
      const sent = h.mc.send(
        invite((request) => make(request, theirs)),
        h.outerAt,
      );
      assert.equal(warningOf(await sent.expect(403)), code);
      assert.equal(h.pbx.requests.all.length, 0);
    });

    it(`refuses a MESSAGE that is ${name}, and takes no key from it`, async () => {
      await begin();
      const message = keyMessage();
      make(message, GMS);
      assert.equal(warningOf(await h.mc.send(message, h.outerAt).expect(403)), code);
      assert.deepEqual(groups.taken, []);
    });
  }

  it('refuses a MESSAGE without an EAR in explicit mode', async () => {
    await begin({ ear: EAR });
    const message = keyMessage();
    seal(message, BOTH, SPK, GMS);
    const response = await h.mc.send(message, h.outerAt).expect(403);
    assert.equal(warningOf(response), 'SEGY_E_EAR_REQUIRED');
  });
});
