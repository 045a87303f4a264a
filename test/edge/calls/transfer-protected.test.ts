/** Transfers where the signalling with the partner is protected. */
import assert from 'node:assert/strict';
import { parseNameAddr, type SipRequest } from '../../../src/sip/index.js';
import { systemRandom } from '../../../src/base/environment.js';
import { attachEar, SpkSet } from '../../../src/protect/index.js';
import { decryptUri, encryptUri } from '../../../src/protect/encrypted-uri.js';
import { writePrivateCallInfo } from '../../../src/edge/messages/mcptt-info.js';
import { ALICE, Harness, textOf, warningOf, type Established } from '../support/harness.js';
import { within } from '../support/peer.js';
import { ear, EAR, profile, seal, SPK, start } from '../support/protection.js';
import { accepted, BOB, PASS, RADIO2, referIn } from '../support/transfer.js';

describe('edge: transfer under protected signalling', () => {
  let h: Harness;
  afterEach(() => h.stop());

  describe('where the signalling is protected', () => {
    beforeEach(async () => {
      h = await start(profile(), PASS);
    });

    /** A REFER with the MC bodies of the caller, sealed unless told otherwise. */
    const withBody = (call: Established, info: string, sealed = true): SipRequest => {
      const made = referIn(h, call.callerDialog, [['Refer-To', `<${RADIO2}>`]]);
      made.headers.set('Content-Type', 'application/vnd.3gpp.mcptt-info+xml');
      made.body = new Uint8Array(Buffer.from(info));
      if (sealed) seal(made);
      return made;
    };
    const established = () => h.establishIn({ protect: (request) => seal(request) });

    it('takes the protection off a REFER whose body agrees with the call, and passes no body', async () => {
      const call = await established();
      const sent = h.mc.send(withBody(call, writePrivateCallInfo(RADIO2, ALICE)), h.outerAt);
      const request = await accepted(h.pbx, sent);
      assert.equal(request.body.length, 0);
      assert.doesNotMatch(textOf(request), /Encrypted|signed\+xml|mcptt/);
    });

    it('refuses a REFER that is unsigned, or whose body names another user or target', async () => {
      const call = await established();
      const cases = [
        [withBody(call, writePrivateCallInfo(RADIO2, ALICE), false), 403, 'SEGY_E_XML_UNSIGNED'],
        [withBody(call, writePrivateCallInfo(RADIO2, BOB)), 488, 'SEGY_E_IDENTITY_MISMATCH'],
        [withBody(call, writePrivateCallInfo(BOB, ALICE)), 488, 'SEGY_E_IDENTITY_MISMATCH'],
      ] as const;
      for (const [index, [made, status, code]] of cases.entries()) {
        made.headers.set('CSeq', `${102 + index} REFER`);
        const response = await h.mc.send(made, h.outerAt).expect(status);
        assert.equal(warningOf(response), code);
      }
      assert.equal(h.pbx.requests.waiting, 0);
    });
    it('encrypts the identity in Refer-To where XML is encrypted, and reads one that is', async () => {
      const call = await established();
      const made = within('REFER', 5, call.calleeDialog, { headers: [['Refer-To', `<${BOB}>`]] });
      const request = await accepted(h.mc, h.pbx.send(made, h.innerAt), [['Refer-Sub', 'false']]);
      const { uri } = parseNameAddr(request.headers.get('Refer-To') ?? '');
      assert.match(
        uri,
        /^sip:[^@]+;key-id=MAECAw==;alg=128-aes-gcm@mc1-encrypted\.3gppnetwork\.org$/,
      );
      assert.doesNotMatch(textOf(request), /bob/);
      const from = parseNameAddr(request.headers.get('From') ?? '').uri;
      const spks = new SpkSet([SPK]);
      assert.equal(decryptUri(uri, { spks, p0: from, now: Date.now() }), BOB);

      const p0 = 'sip:cntrl-psi@mc-a.example';
      const theirs = encryptUri(RADIO2, { spk: SPK, p0, random: systemRandom });
      const sent = h.mc.send(
        referIn(h, call.callerDialog, [['Refer-To', `<${theirs}>`]]),
        h.outerAt,
      );
      const passed = await accepted(h.pbx, sent);
      assert.match(passed.headers.get('Refer-To') ?? '', /^<sip:2002@127\.0\.0\.1/);

      const broken = theirs.replace(/^sip:./, (head) => (head === 'sip:A' ? 'sip:B' : 'sip:A'));
      const bad = referIn(h, call.callerDialog, [['Refer-To', `<${broken}>`]], 103);
      const response = await h.mc.send(bad, h.outerAt).expect(403);
      assert.equal(warningOf(response), 'SEGY_E_XML_DECRYPT');
    });
  });

  it('asks for no EAR within a dialog that has passed one, and passes none on', async () => {
    h = await start(profile({ ear: EAR }), PASS);
    const authenticated = (request: SipRequest): void => {
      attachEar(request, ear(), systemRandom);
      seal(request);
    };
    const call = await h.establishIn({ protect: authenticated });
    const bare = referIn(h, call.callerDialog, [['Refer-To', `<${RADIO2}>`]]);
    await accepted(h.pbx, h.mc.send(bare, h.outerAt), [['Refer-Sub', 'false']]);
    const made = referIn(h, call.callerDialog, [['Refer-To', `<${RADIO2}>`]], 103);
    made.headers.set('Content-Type', 'application/vnd.3gpp.mcptt-info+xml');
    made.body = new Uint8Array(Buffer.from(writePrivateCallInfo(RADIO2, ALICE)));
    authenticated(made);
    const passed = await accepted(h.pbx, h.mc.send(made, h.outerAt));
    assert.equal(passed.body.length, 0);
  });
});
