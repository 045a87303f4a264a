/** KMS Redirect Responses from the running gateway: what a refusal for a KMS reason carries. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRedirect } from '../../src/kms/index.js';
import type { SipResponse } from '../../src/sip/index.js';
import { groupKeyMessage, requestOutside } from '../support/group-key-message.js';
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
    const { initiator: initiatorKms, responder: responderKms } = kms;
    const bytes = await groupKeyMessage({
      ...{ domain: scene.domain, gms: GMS, group: GROUP, to: RADIO_1.uri },
      ...(initiatorKms !== undefined && { initiatorKms }),
      ...(responderKms !== undefined && { responderKms }),
    });
    sequence += 1;
    const request = requestOutside({
      ...{ method: 'MESSAGE', from: GMS, name: `redirect-${sequence}` },
      uri: `sip:radio1@${scene.outer.address}:${scene.outer.port}`,
      body: { type: 'application/mikey', bytes },
    });
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
