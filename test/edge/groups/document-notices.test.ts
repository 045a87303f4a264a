import assert from 'node:assert/strict';
import type { GroupDocumentsPort } from '../../../src/edge/index.js';
import { FakeGroups, GROUP, heldGmk, type Partner } from '../support/fakes.js';
import { ALICE, Harness, RADIO1 } from '../support/harness.js';
import { until, within, type Sent } from '../support/peer.js';

const SEL = `org.openmobilealliance.groups/global/byGroupID/${GROUP}`;
const DIFF_TYPE = 'application/xcap-diff+xml';
const diff = (inner: string): string =>
  '<?xml version="1.0"?><xcap-diff xmlns="urn:ietf:params:xml:ns:xcap-diff" ' +
  `xcap-root="https://gms.mc-a.example/xcap">${inner}</xcap-diff>`;

describe('edge: notices of partners’ group documents', () => {
  let h: Harness;
  let told: string[];
  const documents: GroupDocumentsPort = {
    changed: ({ name }, notices) => {
      for (const { selector, etag } of notices) told.push(`${name} ${selector} ${etag ?? '-'}`);
    },
    affiliated: ({ name }, user) => void told.push(`${name} affiliated ${user}`),
    documentOf: (_partner, group) => (group === GROUP ? { members: [ALICE] } : undefined),
  };
  const start = async (more: Partial<Partner>): Promise<void> => {
    told = [];
    const groups = new FakeGroups();
    groups.keys = [heldGmk('0a000001')];
    h = await Harness.start({
      groups,
      documents,
      partner: (partner) => ({
        ...partner,
        groups: [
          {
            id: GROUP,
            pbx: 'police-tg',
            withoutKey: 'refuse',
            whenRegrouped: 'own',
            members: [],
            affiliate: [RADIO1],
          },
        ],
        ...more,
      }),
    });
  };
  afterEach(() => h.stop());

  /** Answers the subscription and gives NOTIFYs with a body. */
  async function subscribed(): Promise<(body: string, type?: string) => Sent> {
    await start({
      subscription: { enabled: true, seconds: 600, per: 'user', accessToken: false },
    });
    const tx = await h.mc.expect('SUBSCRIBE');
    const { headers } = tx.request;
    h.mc.answer(tx, 200, { headers: [['Expires', '600']] });
    await until(() => h.logged.some(({ event }) => event === 'standing.accepted'));
    let cseq = 0;
    return (body, type = DIFF_TYPE) => {
      cseq += 1;
      const dialog = {
        from: `${headers.get('To')};tag=${tx.localTag}`,
        to: headers.get('From')!,
        callId: headers.get('Call-ID')!,
        uri: 'sip:segy@127.0.1.1',
      };
      const fields: [string, string][] = [
        ['Event', 'xcap-diff'],
        ['Subscription-State', 'active'],
      ];
      const message = within('NOTIFY', cseq, dialog, { headers: fields, body: [type, body] });
      return h.mc.send(message, h.outerAt);
    };
  }

  it('are told to who reads the documents, with the new entity tag', async () => {
    const notify = await subscribed();
    const entries =
      `<document sel="${SEL}" new-etag="two" previous-etag="one"/>` +
      `<document sel="${SEL}x"/><element sel="${SEL}/~~/group"/><document new-etag="x"/>`;
    await notify(diff(entries)).expect(200);
    assert.deepEqual(told, [`mc-a ${SEL} two`, `mc-a ${SEL}x -`, `mc-a ${SEL}/~~/group -`]);
  });

  it('are nothing where the document is another, and refused where it is malformed', async () => {
    const notify = await subscribed();
    await notify('<other><document sel="a"/></other>').expect(200);
    await notify(diff('<document sel="a"')).expect(400);
    await notify('<!DOCTYPE x><a/>').expect(400);
    const many = `<document sel="${SEL}"/>`.repeat(501);
    await notify(diff(many)).expect(400);
    await notify(diff(`<document sel="${'x'.repeat(2000)}"/>`)).expect(200);
    assert.deepEqual(told, []);
  });

  it('are not taken outside a subscription of ours', async () => {
    await subscribed();
    const dialog = {
      from: '<sip:gms@mc-a.example>;tag=1',
      to: '<sip:segy@127.0.1.1>;tag=none',
      callId: 'none',
      uri: 'sip:segy@127.0.1.1',
    };
    const body: [string, string] = [DIFF_TYPE, diff(`<document sel="${SEL}"/>`)];
    await h.mc.send(within('NOTIFY', 1, dialog, { body }), h.outerAt).expect(481);
    assert.deepEqual(told, []);
  });

  it('follow an affiliation that the partner took, once', async () => {
    await start({ affiliation: { mode: 'publish', seconds: 600, accessToken: false } });
    const tx = await h.mc.expect('PUBLISH');
    assert.deepEqual(told, []);
    h.mc.answer(tx, 200, {
      headers: [
        ['Expires', '600'],
        ['SIP-ETag', 'e1'],
      ],
    });
    await until(() => told.length > 0);
    assert.deepEqual(told, [`mc-a affiliated ${RADIO1}`]);
  });
});
