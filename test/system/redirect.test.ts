/** KMS Redirect Responses from the running gateway: what a refusal for a KMS reason carries. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom } from '../../src/base/environment.js';
import { readRedirect, uidOf } from '../../src/kms/index.js';
import { makeIMessage } from '../../src/mikey/index.js';
import { SipHeaders, type SipResponse } from '../../src/sip/index.js';
import { ALICE, RADIO_1, Scene } from '../support/scene.js';
import { within } from '../support/waiting.js';

const GMS = 'sip:gms@mc-a.example';
const GROUP = 'sip:police@mc-a.example';
const NAMES = {
  purpose: 'Purpose',
  refusedKmsUri: 'Refused',
  kmsUri: 'Use',
  'purpose.responder-kms-wrong': 'a',
  'purpose.responder-kms-not-allowed': 'b',
  'purpose.initiator-kms-not-allowed': 'c',
};

describe('KMS Redirect Responses of the running gateway', function () {
  this.timeout(60_000);
  let scene: Scene;
  let folder: string;
  let sequence = 0;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'segy-redirect-'));
    scene = await Scene.start({
      capture: join(folder, 'redirect'),
      partner: {
        gms: [GMS],
        groups: [{ id: GROUP, pbx: 'police', speaker: RADIO_1.uri }],
        redirectResponse: { enabled: true, elements: NAMES },
      },
    });
  });
  after(async () => {
    await scene.stop();
    rmSync(folder, { recursive: true });
  });

  /** A group key that names other KMSs than it should. */
  async function deliver(kms: { initiator?: string; responder?: string }): Promise<SipResponse> {
    const { domain } = scene;
    const named = <T extends { kmsUri: string }>(certificate: T, kmsUri?: string): T =>
      kmsUri === undefined ? certificate : { ...certificate, kmsUri };
    const initiatorCertificate = named(domain.certificate, kms.initiator);
    const keySet = await domain.keySet(GMS);
    const userId = uidOf(initiatorCertificate, GMS, keySet.keyPeriodNo);
    const body = await makeIMessage(
      {
        keyType: 'GMK',
        key: systemRandom(16),
        keyId: Uint8Array.of(0x0a, 0, 0, 1),
        rand: systemRandom(16),
        initiatorUri: GMS,
        initiatorCertificate,
        initiatorKeySet: { ...keySet, userId },
        responderUri: RADIO_1.uri,
        responderCertificate: named(domain.certificateOf(RADIO_1.uri), kms.responder),
        keyParameters: { groups: [GROUP] },
      },
      { clock: systemClock, slow: domain.slow, random: systemRandom },
    );
    sequence += 1;
    const uri = `sip:radio1@${scene.outer.address}:${scene.outer.port}`;
    const headers = new SipHeaders([
      ['From', `<${GMS}>;tag=gms${sequence}`],
      ['To', `<${uri}>`],
      ['Call-ID', `redirect-${sequence}`],
      ['CSeq', `${sequence} MESSAGE`],
      ['Max-Forwards', '70'],
      ['Content-Type', 'application/mikey'],
    ]);
    const request = { kind: 'request', method: 'MESSAGE', uri, headers, body } as const;
    const transaction = scene.mc.agent.send(request, { ...scene.outer, protocol: 'tcp' });
    return within(
      'the MESSAGE is answered',
      new Promise<SipResponse>((resolve, reject) => {
        transaction.onFinal = resolve;
        transaction.onError = reject;
      }),
    );
  }

  const rows = [
    [{ responder: 'kms.old.example' }, 'responder-kms-wrong', 'kms.old.example', 'kms.lmr.example'],
    [{ initiator: 'kms.other.example' }, 'initiator-kms-not-allowed', 'kms.other.example', null],
  ] as const;
  for (const [kms, purpose, refused, use] of rows) {
    it(`say ${purpose} in the 488 of a key that names such a KMS`, async () => {
      const response = await deliver(kms);
      assert.equal(response.status, 488, response.headers.get('Warning'));
      const type = response.headers.get('Content-Type');
      assert.equal(type, 'application/vnd.3gpp.kmsredirectresponse+xml');
      const said = readRedirect(response.body, NAMES);
      assert.deepEqual([said.purpose, said.refusedKmsUri, said.kmsUri], [purpose, refused, use]);
    });
  }

  it('are not in the 200 of a key that is right', async () => {
    const response = await deliver({});
    assert.equal(response.status, 200);
    assert.equal(response.body.length, 0);
  });

  it('are relayed octet for octet when they come from behind the PBX, the nested one too', async () => {
    const type = 'application/vnd.3gpp.kmsredirectresponse+xml';
    const xml =
      '<KmsRedirectResponse xmlns="urn:3gpp:ns:mcsecKMSKRR:1.0" Version="1.0">' +
      '<Use>kms.further-in.example</Use>' +
      '<KmsRedirectResponse Version="1.0"><Refused>kms.lmr.example</Refused></KmsRedirectResponse>' +
      '</KmsRedirectResponse>';
    const { inner, outer } = scene.taps!;
    // an application behind the PBX would refuse so; Asterisk itself passes no body of a refusal
    inner.rewrite = (message) => {
      if (!/^SIP\/2\.0 [4-6]\d\d/.test(message)) return message;
      const [head = ''] = message
        .replace(/^SIP\/2\.0 \d+ [^\r]*/, 'SIP/2.0 488 Refused')
        .split('\r\n\r\n');
      const kept = head.split('\r\n').filter((line) => !/^Content-/i.test(line));
      const added = [`Content-Type: ${type}`, `Content-Length: ${xml.length}`];
      return `${[...kept, ...added].join('\r\n')}\r\n\r\n${xml}`;
    };
    scene.radio.agent.onCall = (call) => call.refuse(488);
    const call = await scene.mc.call({ from: ALICE, to: RADIO_1.uri });
    const end = await within('the call ends', call.ended);
    assert.equal(end.status, 488);
    assert.equal(end.headers?.get('Content-Type'), type);
    const came = outer.capture.packets
      .map(({ payload }) => payload.toString('latin1'))
      .find((text) => text.startsWith('SIP/2.0 488'));
    assert.equal(came?.split('\r\n\r\n')[1], xml);
    assert.doesNotMatch(came, /127\.0\.0\./);
  });
});
