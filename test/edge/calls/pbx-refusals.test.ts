/** Final answers of the PBX to a call from MC, in the forms in which FreeSWITCH gives them. */
import assert from 'node:assert/strict';
import { Harness } from '../support/harness.js';

describe('edge: a call from MC that the PBX redirects or has no room for', () => {
  let h: Harness;
  beforeEach(async () => {
    h = await Harness.start();
  });
  afterEach(async () => h.stop());

  // What the dialplan applications redirect and deflect of FreeSWITCH make of their argument.
  for (const contact of [
    '"unknown" <sip:2002@127.0.0.1:5070>',
    '<sip:2002@127.0.0.1:5070;transport=udp>;q=0.8',
    'sip:2002@127.0.0.1',
    '<sip:2002@radio.example;user=phone>;expires=60',
    '"unknown" <sip:9999@127.0.0.1>;q=0.129,"unknown" <sip:2002@127.0.0.1:5070>;q=0.128',
    '<sip:gw+segy@127.0.0.1:5070;transport=udp;gw=segy>, <sip:2002@127.0.0.1>',
    'tel:+492002, <sip:2002@127.0.0.1>',
  ]) {
    for (const status of [300, 301, 302, 305]) {
      it(`names the MC user of a ${status} of the PBX with the Contact ${contact}, and nothing else`, async () => {
        const { sent } = h.fromMc();
        h.pbx.answer(await h.pbx.expect('INVITE'), status, { headers: [['Contact', contact]] });
        const response = await sent.expect(status);
        assert.deepEqual(response.headers.getAll('Contact'), ['<sip:radio2@lmr.example>']);
        assert.equal(JSON.stringify(response.headers.entries()).includes(':5070'), false);
      });
    }
  }

  for (const contact of [
    '<sip:gw+segy@127.0.0.1:5070;transport=udp;gw=segy>',
    '<sip:mod_sofia@127.0.0.1:5070>',
    'sip:127.0.0.1:5070',
    '<sip:2002%40lmr.example@127.0.0.1>',
    '*',
    '<sip:2002@127.0.0.1',
    '',
  ]) {
    it(`says 480 for a 302 of the PBX with the Contact ${contact || 'left out'}`, async () => {
      const { sent } = h.fromMc();
      h.pbx.answer(await h.pbx.expect('INVITE'), 302, {
        headers: contact === '' ? [] : [['Contact', contact]],
      });
      const response = await sent.expect(480);
      assert.equal(response.headers.get('Contact'), undefined);
    });
  }

  for (const [asked, passed] of [
    ['300', '10'],
    ['3', '3'],
    ['999999999 (full);duration=3600', '10'],
    [null, undefined],
  ] as const) {
    it(`says 500 for a 503 with Retry-After ${asked ?? 'left out'}, and no wait longer than the gateway's own`, async () => {
      const { sent } = h.fromMc();
      h.pbx.answer(await h.pbx.expect('INVITE'), 503, {
        headers: asked === null ? [] : [['Retry-After', asked]],
      });
      const response = await sent.expect(500);
      assert.equal(response.headers.get('Retry-After'), passed);
    });
  }

  it('passes the Retry-After of a 480, which the called user gave and not a server', async () => {
    const { sent } = h.fromMc();
    h.pbx.answer(await h.pbx.expect('INVITE'), 480, { headers: [['Retry-After', '300']] });
    assert.equal((await sent.expect(480)).headers.get('Retry-After'), '300');
  });
});
