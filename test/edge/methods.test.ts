/** What Allow says, and what a method gets where it has no place, for each who asks. */
import assert from 'node:assert/strict';
import { FakeGroups, GROUP, heldGmk, type Partner } from './support/fakes.js';
import { ALICE, Harness, RADIO1, sdp, warningOf, type Established } from './support/harness.js';
import { within, type Peer } from './support/peer.js';
import { referIn } from './support/transfer.js';

const CALL = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'PRACK', 'UPDATE', 'INFO', 'OPTIONS'];
const TRANSFER = ['REFER', 'NOTIFY', 'SUBSCRIBE'];

const uriOf = (name: string, uri: string): string =>
  `<${name} type="Normal"><mcpttURI>${uri}</mcpttURI></${name}>`;
const GROUP_CALL =
  '<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params><session-type>prearranged</session-type>' +
  uriOf('mcptt-request-uri', RADIO1) +
  uriOf('mcptt-calling-user-id', ALICE) +
  uriOf('mcptt-calling-group-id', GROUP) +
  '</mcptt-Params></mcpttinfo>';

describe('edge: methods', () => {
  let h: Harness;
  afterEach(() => h.stop());

  async function start(refer: 'pass' | 'refuse', withGroups = false): Promise<void> {
    const groups = new FakeGroups();
    groups.keys = [heldGmk('0a000001')];
    h = await Harness.start({
      ...(withGroups && { groups }),
      partner: (partner: Partner) => ({
        ...partner,
        refer,
        groups: [
          {
            ...{ id: GROUP, pbx: 'police-tg', withoutKey: 'refuse', whenRegrouped: 'own' },
            ...{ members: [], affiliate: [] },
          },
        ],
      }),
    });
  }

  const dialog = (callId: string) => ({
    from: '<sip:a@mc-a.example>;tag=1',
    to: '<sip:b@segy.example>',
    callId,
    uri: 'sip:b@segy.example',
  });
  const ask = async (peer: Peer, method: string, status: number) => {
    const at = peer === h.mc ? h.outerAt : h.innerAt;
    return peer.send(within(method, 1, dialog(`o-${method}`)), at).expect(status);
  };
  const groupCall = (): Promise<Established> =>
    h.establishIn({ sdp: sdp('127.0.2.1', 41000), info: GROUP_CALL });

  for (const [refer, withGroups, methods] of [
    ['refuse', false, CALL],
    ['pass', false, [...CALL, ...TRANSFER]],
    ['refuse', true, [...CALL, 'MESSAGE', 'NOTIFY']],
    ['pass', true, [...CALL, ...TRANSFER, 'MESSAGE']],
  ] as const) {
    const groups = withGroups ? 'with' : 'without';
    it(`are one and the same list in 200 to OPTIONS and in 405, ${groups} groups, REFER: ${refer}`, async () => {
      await start(refer, withGroups);
      for (const [method, status] of [
        ['OPTIONS', 200],
        ['PUBLISH', 405],
      ] as const) {
        const response = await ask(h.mc, method, status);
        assert.equal(response.headers.get('Allow'), methods.join(', '));
      }
    });
  }

  it('are those of calls alone for the PBX, which brings no keys', async () => {
    await start('refuse', true);
    for (const [method, status] of [
      ['OPTIONS', 200],
      ['MESSAGE', 405],
    ] as const) {
      const response = await ask(h.pbx, method, status);
      assert.equal(response.headers.get('Allow'), CALL.join(', '));
    }
  });

  for (const method of ['BYE', 'PRACK', 'UPDATE', 'INFO']) {
    it(`of dialogs alone get 481 outside one: ${method}`, async () => {
      await start('refuse');
      assert.equal(warningOf(await ask(h.mc, method, 481)), 'SEGY_E_SIP_NO_DIALOG');
    });
  }

  for (const refer of ['refuse', 'pass'] as const) {
    it(`let nobody start a call by a REFER outside one, on either side, with refer: ${refer}`, async () => {
      await start(refer, true);
      for (const peer of [h.mc, h.pbx]) {
        assert.equal(warningOf(await ask(peer, 'REFER', 403)), 'SEGY_E_REFER_REFUSED');
      }
      assert.equal(h.pbx.requests.waiting + h.mc.requests.waiting, 0);
    });
  }

  it('in a group call are none of transfers, whatever the profile passes', async () => {
    await start('pass', true);
    const call = await groupCall();
    assert.equal(call.offered.headers.get('Allow'), CALL.join(', '));
    for (const [index, method] of ['PUBLISH', 'NOTIFY', 'SUBSCRIBE'].entries()) {
      const sent = h.mc.send(within(method, 110 + index, call.callerDialog), h.outerAt);
      const response = await sent.expect(405);
      assert.equal(response.headers.get('Allow'), CALL.join(', '));
    }
    for (const [peer, sent] of [
      [
        h.mc,
        h.mc.send(referIn(h, call.callerDialog, [['Refer-To', `<${RADIO1}>`]], 120), h.outerAt),
      ],
      [
        h.pbx,
        h.pbx.send(
          within('REFER', 120, call.calleeDialog, { headers: [['Refer-To', `<${ALICE}>`]] }),
          h.innerAt,
        ),
      ],
    ] as const) {
      assert.equal(warningOf(await sent.expect(403)), 'SEGY_E_REFER_REFUSED', peer.contact);
    }
    assert.equal(h.edge.calls()[0]?.state, 'confirmed');
  });

  it('in a private call whose profile passes REFER are those of transfers too', async () => {
    await start('pass', true);
    const call = await h.establishIn();
    const odd = await h.mc.send(within('MESSAGE', 110, call.callerDialog), h.outerAt).expect(405);
    assert.equal(odd.headers.get('Allow'), [...CALL, ...TRANSFER].join(', '));
  });
});
