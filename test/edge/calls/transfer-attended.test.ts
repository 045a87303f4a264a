/** Attended transfers: REFERs whose Refer-To names a call to replace. */
import assert from 'node:assert/strict';
import { writePrivateCallInfo } from '../../../src/edge/messages/mcptt-info.js';
import { ALICE, Harness, keyMgmt, RADIO1, sdp, textOf, warningOf } from '../support/harness.js';
import { within } from '../support/peer.js';
import { accepted, BOB, PASS, RADIO2, referIn, referred, replaces } from '../support/transfer.js';

describe('edge: attended transfer', () => {
  let h: Harness;
  beforeEach(async () => {
    h = await Harness.start(PASS);
  });
  afterEach(() => h.stop());

  /** A second call of alice, to radio2. */
  const second = () =>
    h.establishIn({
      sdp: sdp('127.0.2.1', 42000, keyMgmt('10000002')),
      info: writePrivateCallInfo(RADIO2, ALICE),
    });

  it('names to the PBX the call that an attended transfer replaces, as the PBX knows it', async () => {
    const call = await h.establishIn();
    const other = await second();
    const request = await referred(
      h,
      call,
      `<${RADIO2}?Replaces=${replaces(other.callerDialog)}>`,
      [
        [
          'Target-Dialog',
          decodeURIComponent(replaces(other.callerDialog))
            .replace(/to-tag/, 'remote-tag')
            .replace(/from-tag/, 'local-tag'),
        ],
      ],
    );
    const text = request.headers.get('Refer-To') ?? '';
    const named = decodeURIComponent(/\?Replaces=([^>]*)>/.exec(text)?.[1] ?? '');
    const tag = (value: string): string => /;tag=([^;]+)/.exec(value)?.[1] ?? '';
    const { from, to, callId } = other.calleeDialog;
    assert.equal(named, `${callId};to-tag=${tag(from)};from-tag=${tag(to)}`);
    assert.equal(
      request.headers.get('Target-Dialog'),
      `${callId};remote-tag=${tag(from)};local-tag=${tag(to)}`,
    );
    assert.doesNotMatch(textOf(request), /127\.0\.2\.1/);
    // media and channels are those of the two calls, and nothing was armed anew
    assert.equal(h.port.channels.length, 2);
  });

  it('names to the MC side the call that the PBX replaces, as the MC side knows it', async () => {
    const call = await h.establishOut();
    const other = await h.establishOut({ uri: `sip:bob@${h.innerAt.address}:${h.innerAt.port}` });
    const made = within('REFER', 102, call.callerDialog, {
      headers: [['Refer-To', `<${BOB}?Replaces=${replaces(other.callerDialog)}>`]],
    });
    const request = await accepted(h.mc, h.pbx.send(made, h.innerAt));
    const tag = (value: string): string => /;tag=([^;]+)/.exec(value)?.[1] ?? '';
    const { from, to, callId } = other.calleeDialog;
    const named = encodeURIComponent(`${callId};to-tag=${tag(from)};from-tag=${tag(to)}`);
    assert.equal(request.headers.get('Refer-To'), `<${BOB}?Replaces=${named}>`);
    assert.doesNotMatch(textOf(request), /127\.0\.0\./);
  });

  it('refuses a Replaces that names no call, its own, or one with another than the target', async () => {
    const call = await h.establishIn();
    const other = await second();
    const unknown = replaces({ ...other.callerDialog, callId: 'guessed' });
    for (const [index, [target, value, status, code]] of (
      [
        [RADIO2, unknown, 481, 'SEGY_E_SIP_NO_DIALOG'],
        [RADIO1, replaces(call.callerDialog), 403, 'SEGY_E_REFER_TARGET'],
        [RADIO1, replaces(other.callerDialog), 403, 'SEGY_E_REFER_TARGET'],
      ] as const
    ).entries()) {
      const referTo: [string, string] = ['Refer-To', `<${target}?Replaces=${value}>`];
      const sent = h.mc.send(referIn(h, call.callerDialog, [referTo], 102 + index), h.outerAt);
      assert.equal(warningOf(await sent.expect(status)), code);
    }
    assert.equal(h.pbx.requests.waiting, 0);
  });

  it("refuses a Replaces of another user's call, though the partner is the same", async () => {
    const call = await h.establishIn();
    const other = await h.establishIn({
      sdp: sdp('127.0.2.1', 42000, keyMgmt('10000002', BOB)),
      info: writePrivateCallInfo(RADIO2, BOB),
    });
    const referTo: [string, string] = [
      'Refer-To',
      `<${RADIO2}?Replaces=${replaces(other.callerDialog)}>`,
    ];
    const sent = h.mc.send(referIn(h, call.callerDialog, [referTo]), h.outerAt);
    assert.equal(warningOf(await sent.expect(403)), 'SEGY_E_REFER_TARGET');
    assert.equal(h.pbx.requests.waiting, 0);
  });
});
