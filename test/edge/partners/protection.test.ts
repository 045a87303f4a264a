import assert from 'node:assert/strict';
import { concatBytes, utf8 } from '../../../src/base/bytes.js';
import { systemRandom } from '../../../src/base/environment.js';
import type { ProtectionConfig } from '../../../src/config/index.js';
import { EccsiVerifier } from '../../../src/crypto/index.js';
import { writePrivateCallInfo } from '../../../src/edge/messages/mcptt-info.js';
import { periodAt, uidOf } from '../../../src/kms/index.js';
import { attachEar } from '../../../src/protect/index.js';
import { createResponse, type SipRequest } from '../../../src/sip/index.js';
import { ALICE, bodyText, RADIO1, sdp, warningOf, type Harness } from '../support/harness.js';
import { within } from '../support/peer.js';
import {
  BOTH,
  CERTIFICATE,
  ear,
  EAR,
  open,
  profile,
  ROLES,
  seal,
  SPK,
  start,
} from '../support/protection.js';

async function refused(h: Harness, invite: SipRequest, code: string, status = 403): Promise<void> {
  const response = await h.mc.send(invite, h.outerAt).expect(status);
  assert.equal(warningOf(response), code);
  assert.equal(h.pbx.requests.all.length, 0);
  assert.equal(h.clients.opened.length, 0);
}

describe('edge: signalling protected by an SPK', () => {
  let h: Harness;
  afterEach(async () => h.stop());

  it('takes a protected call from MC, and the PBX sees nothing of the protection', async () => {
    h = await start(profile());
    const invite = h.mcInvite();
    seal(invite);
    assert.doesNotMatch(bodyText(invite), /radio1|alice/);
    h.mc.send(invite, h.outerAt);
    const { request } = await h.pbx.expect('INVITE');
    assert.equal(request.headers.get('X-SeGy-Called'), RADIO1);
    assert.equal(request.headers.get('X-SeGy-Caller'), ALICE);
    assert.doesNotMatch(bodyText(request), /Encrypted|signature/i);
  });

  it('gives the PBX the clear bodies octet for octet where the operator wants them', async () => {
    h = await start(profile(), { mcBodies: true });
    const info = writePrivateCallInfo(RADIO1, ALICE);
    const invite = h.mcInvite({ info });
    seal(invite);
    h.mc.send(invite, h.outerAt);
    const { request } = await h.pbx.expect('INVITE');
    const text = bodyText(request);
    assert.ok(text.indexOf('application/sdp') < text.indexOf('mcptt-info+xml'));
    assert.ok(text.includes(info));
    assert.doesNotMatch(text, /Encrypted"|signed\+xml|key-mgmt|Content-ID/);
  });

  it('keeps a body with an access token from the PBX', async () => {
    h = await start(profile(), { mcBodies: true });
    const token =
      '<mcptt-access-token type="Normal"><mcpttString>t</mcpttString></mcptt-access-token>';
    const info = writePrivateCallInfo(RADIO1, ALICE).replace(
      '<session-type>',
      `${token}<session-type>`,
    );
    const invite = h.mcInvite({ info });
    seal(invite);
    h.mc.send(invite, h.outerAt);
    const { request } = await h.pbx.expect('INVITE');
    assert.equal(request.headers.get('Content-Type'), 'application/sdp');
  });

  it('sends a call to MC encrypted and signed, SDP first, and opens what answers it', async () => {
    h = await start(profile());
    const { offered } = await h.establishOut();
    const text = bodyText(offered);
    assert.match(text, /mcptt-signed\+xml/);
    assert.doesNotMatch(text, /radio1@|alice@/);
    assert.ok(text.indexOf('application/sdp') < text.indexOf('mcptt-info'));
    open(offered);
    assert.match(bodyText(offered), /sip:radio1@lmr\.example/);
  });

  it('ends a call to MC whose answer carries unsigned XML', async () => {
    h = await start(profile());
    const { sent } = h.fromPbx();
    const tx = await h.mc.expect('INVITE');
    const answer = h.mcInvite({ sdp: sdp('127.0.2.1', 41000) });
    const ok = createResponse(tx.request, 200);
    ok.headers.set('Contact', h.mc.contact);
    ok.headers.set('Content-Type', answer.headers.get('Content-Type') ?? '');
    ok.body = answer.body;
    tx.respond(ok);
    const response = await sent.expect(403);
    assert.equal(warningOf(response), 'SEGY_E_XML_UNSIGNED');
    await h.mc.acks.next('the ACK of the 2xx');
    await h.mc.expect('BYE');
  });

  it('refuses an INFO with unsigned XML alone, and the call goes on', async () => {
    h = await start(profile());
    const { callerDialog } = await h.establishIn({ protect: (request) => seal(request) });
    const info = within('INFO', 102, callerDialog, {
      body: ['application/media_control+xml', '<media_control/>'],
    });
    const response = await h.mc.send(info, h.outerAt).expect(403);
    assert.equal(warningOf(response), 'SEGY_E_XML_UNSIGNED');
    assert.equal(h.edge.calls()[0]?.state, 'confirmed');
  });

  for (const confidentiality of ['required', 'optional'] as const) {
    for (const integrity of ['required', 'optional'] as const) {
      for (const did of [
        { confidentiality: false, integrity: false },
        { confidentiality: true, integrity: false },
        { confidentiality: false, integrity: true },
        { confidentiality: true, integrity: true },
      ]) {
        const expected =
          integrity === 'required' && !did.integrity
            ? 'SEGY_E_XML_UNSIGNED'
            : confidentiality === 'required' && !did.confidentiality
              ? 'SEGY_E_XML_CLEAR'
              : null;
        const name = `${did.confidentiality ? 'encrypted' : 'clear'} and ${did.integrity ? 'signed' : 'unsigned'}`;
        it(`with encryption ${confidentiality} and signature ${integrity}, ${expected === null ? 'takes' : 'refuses'} an INVITE that is ${name}`, async () => {
          h = await start(profile({ receive: { confidentiality, integrity } }));
          const invite = h.mcInvite();
          seal(invite, did);
          if (expected !== null) return refused(h, invite, expected);
          h.mc.send(invite, h.outerAt);
          await h.pbx.expect('INVITE');
        });
      }
    }
  }

  for (const send of [
    { confidentiality: true, integrity: false },
    { confidentiality: false, integrity: true },
    { confidentiality: false, integrity: false },
  ]) {
    it(`sends as the profile says: ${JSON.stringify(send)}`, async () => {
      h = await start(profile({ send }));
      h.fromPbx();
      const { request } = await h.mc.expect('INVITE');
      assert.equal(bodyText(request).includes('EncryptedData'), send.confidentiality);
      assert.equal(bodyText(request).includes('signed+xml'), send.integrity);
    });
  }

  const broken: [string, (h: Harness, invite: SipRequest) => void, string][] = [
    [
      'under another key',
      (_, invite) => seal(invite, BOTH, { ...SPK, key: new Uint8Array(16) }),
      'SEGY_E_XML_SIGNATURE',
    ],
    [
      'under an unknown SPK',
      (_, invite) => seal(invite, BOTH, { ...SPK, keyName: 'MP///w==' }),
      'SEGY_E_SPK_UNKNOWN',
    ],
    [
      'under a key of another user',
      (_, invite) => seal(invite, BOTH, SPK, 'sip:m@x.example'),
      'SEGY_E_XML_SIGNATURE',
    ],
    [
      'with a changed octet in its info',
      (_, invite) => {
        seal(invite);
        const at = Buffer.from(invite.body).indexOf('private');
        invite.body = invite.body.slice();
        invite.body[at] = 0x50;
      },
      'SEGY_E_XML_SIGNATURE',
    ],
    [
      'signed over EncryptedData that does not decrypt',
      (_, invite) => {
        seal(
          invite,
          { confidentiality: true, integrity: false },
          { ...SPK, key: new Uint8Array(16) },
        );
        const sealed = { ...BOTH, confidentiality: false };
        seal(invite, sealed);
      },
      'SEGY_E_XML_DECRYPT',
    ],
  ];
  for (const [name, make, code] of broken) {
    it(`refuses an INVITE ${name}, and nothing of it reaches the PBX`, async () => {
      h = await start(profile());
      const invite = h.mcInvite();
      make(h, invite);
      await refused(h, invite, code);
    });
  }

  it('relays a KMS Redirect Response from further in, octet for octet and unsealed', async () => {
    h = await start(profile());
    const invite = h.mcInvite();
    seal(invite);
    const sent = h.mc.send(invite, h.outerAt);
    const tx = await h.pbx.expect('INVITE');
    const refusal = createResponse(tx.request, 488);
    const type = 'application/vnd.3gpp.kmsredirectresponse+xml';
    const xml =
      '<KmsRedirectResponse xmlns="urn:3gpp:ns:mcsecKMSKRR:1.0"><KmsRedirectResponse/></KmsRedirectResponse>';
    refusal.headers.set('Content-Type', type);
    refusal.body = utf8(xml);
    tx.respond(refusal);
    const response = await sent.expect(488);
    assert.equal(response.headers.get('Content-Type'), type);
    assert.equal(bodyText(response), xml);
  });

  it('tells an SPK outside its validity, and refuses to send without a valid one', async () => {
    const [spk] = profile().spks;
    h = await start(profile({ spks: [{ ...spk, validTo: '2021-01-01T00:00:00Z' }] }));
    const invite = h.mcInvite();
    seal(invite);
    await refused(h, invite, 'SEGY_E_SPK_VALIDITY');
    const response = await h.fromPbx().sent.expect(503);
    assert.equal(warningOf(response), 'SEGY_E_SPK_NONE');
    assert.equal(h.mc.requests.all.length, 0);
  });
});

describe('edge: requests authenticated between domains', () => {
  let h: Harness;
  afterEach(async () => h.stop());

  const explicit = (change: Record<string, unknown> = {}): ProtectionConfig =>
    profile({
      receive: { confidentiality: 'optional', integrity: 'optional' },
      ear: { ...EAR, ...change },
    });

  function inviteWith(octets: Uint8Array): SipRequest {
    const invite = h.mcInvite();
    attachEar(invite, octets, systemRandom);
    return invite;
  }

  it('in explicit mode takes a request with an EAR of the calling user for the called one', async () => {
    h = await start(explicit());
    h.mc.send(inviteWith(ear()), h.outerAt);
    const { request } = await h.pbx.expect('INVITE');
    assert.doesNotMatch(bodyText(request), /signalling-ear/);
  });

  it('puts an EAR into what it sends, signed by the calling radio user', async () => {
    h = await start(explicit());
    h.fromPbx();
    const { request } = await h.mc.expect('INVITE');
    const octets = open(request);
    assert.ok(octets !== null);
    const payload = octets.subarray(0, -129);
    const verifier = new EccsiVerifier({ cacheSize: 1 });
    const id = uidOf(CERTIFICATE, RADIO1, periodAt(CERTIFICATE, Date.now()));
    const kpak = CERTIFICATE.pubAuthKey;
    const signature = octets.subarray(-129);
    assert.ok(verifier.verify({ kpak, id, message: payload, signature }));
    assert.match(Buffer.from(payload).toString('latin1'), /sip:radio1@lmr\.example/);
  });

  const now = (): number => Math.floor(Date.now() / 1000);
  const refusals: [string, () => Uint8Array | null, string][] = [
    ['without an EAR', () => null, 'SEGY_E_EAR_REQUIRED'],
    ['for another target', () => ear({ targetId: 'sip:radio9@lmr.example' }), 'SEGY_E_EAR_TARGET'],
    ['made before the window', () => ear({ time: now() - 90 }), 'SEGY_E_EAR_WINDOW'],
    ['made after the window', () => ear({ time: now() + 90 }), 'SEGY_E_EAR_WINDOW'],
    [
      'that has expired',
      () => ear({ request: { type: 2, id: null, expiry: now() - 1 } }),
      'SEGY_E_EAR_EXPIRED',
    ],
    [
      'in a role the partner may not use',
      () => ear({ sourceRole: ROLES.server }),
      'SEGY_E_EAR_ROLE',
    ],
    [
      'of a type not allowed',
      () => ear({ request: { type: 1, id: null, expiry: null } }),
      'SEGY_E_EAR_ROLE',
    ],
    ['without a request', () => ear({ request: null }), 'SEGY_E_EAR_ROLE'],
    [
      'of another user of the partner',
      () => ear({ sourceId: 'sip:bob@mc-a.example' }),
      'SEGY_E_EAR_SOURCE',
    ],
    ['signed by another identity', () => ear({}, 'sip:bob@mc-a.example'), 'SEGY_E_EAR_SIGNATURE'],
    [
      'of another message type',
      () => Uint8Array.of(0x11, ...ear().subarray(1)),
      'SEGY_E_EAR_SYNTAX',
    ],
    ['with an octet more', () => concatBytes(ear(), new Uint8Array(1)), 'SEGY_E_EAR_SYNTAX'],
  ];
  for (const [name, make, code] of refusals) {
    it(`refuses an EAR ${name}`, async () => {
      h = await start(explicit());
      const octets = make();
      await refused(h, octets === null ? h.mcInvite() : inviteWith(octets), code);
    });
  }

  it('takes a server of the profile for any user of the partner', async () => {
    h = await start(explicit({ servers: ['sip:server@mc-a.example'] }));
    h.mc.send(inviteWith(ear({ sourceId: 'sip:server@mc-a.example' })), h.outerAt);
    await h.pbx.expect('INVITE');
  });

  it('takes one EAR in one dialog only', async () => {
    h = await start(explicit());
    const octets = ear();
    h.mc.send(inviteWith(octets), h.outerAt);
    await h.pbx.expect('INVITE');
    const response = await h.mc.send(inviteWith(octets), h.outerAt).expect(403);
    assert.equal(warningOf(response), 'SEGY_E_EAR_REPLAYED');
    assert.equal(h.pbx.requests.all.length, 1);
  });

  it('ends a call on both sides when the EAR that started it expires', async () => {
    h = await start(explicit());
    const octets = ear({ request: { type: 2, id: null, expiry: now() + 2 } });
    await h.establishIn({ protect: (request) => attachEar(request, octets, systemRandom) });
    await h.pbx.expect('BYE');
    await h.mc.expect('BYE');
    assert.ok(h.codes().includes('SEGY_E_EAR_EXPIRED'));
  });

  for (const receive of ['implicit', 'explicit'] as const) {
    it(`in ${receive} mode refuses a request that claims an identity of our own`, async () => {
      h = await start(explicit({ receive }));
      const info = writePrivateCallInfo(RADIO1, 'sip:radio2@lmr.example');
      await refused(h, h.mcInvite({ info }), 'SEGY_E_NOT_EXTERNAL');
    });

    it(`in ${receive} mode refuses an identity of a third domain`, async () => {
      h = await start(explicit({ receive }));
      const info = writePrivateCallInfo(RADIO1, 'sip:alice@mc-b.example');
      await refused(h, h.mcInvite({ info }), 'SEGY_E_NOT_EXTERNAL');
    });
  }

  it('in implicit mode takes an external identity without an EAR', async () => {
    h = await start(explicit({ receive: 'implicit' }));
    h.fromMc();
    await h.pbx.expect('INVITE');
  });
});
