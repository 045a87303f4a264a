/** The keys of a group call while it lasts: which of them its media get, and what if they do not. */
import assert from 'node:assert/strict';
import { toHex } from '../../../src/base/bytes.js';
import { silentLog } from '../../../src/base/environment.js';
import { SegyError } from '../../../src/base/errors.js';
import { GroupMedia } from '../../../src/edge/groups/group-media.js';
import { FakeGroups, FakeMediaSession, GROUP, heldGmk, type Partner } from '../support/fakes.js';
import { ALICE, Harness, RADIO1, sdp } from '../support/harness.js';

const CALL =
  '<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params><session-type>prearranged</session-type>' +
  `<mcptt-request-uri><mcpttURI>${RADIO1}</mcpttURI></mcptt-request-uri>` +
  `<mcptt-calling-user-id><mcpttURI>${ALICE}</mcpttURI></mcptt-calling-user-id>` +
  `<mcptt-calling-group-id><mcpttURI>${GROUP}</mcpttURI></mcptt-calling-group-id>` +
  '</mcptt-Params></mcpttinfo>';
const FIRST = heldGmk('0a000001');
const police: Partner['groups'][number] = {
  id: GROUP,
  pbx: 'police-tg',
  withoutKey: 'refuse',
  whenRegrouped: 'own',
  members: [ALICE],
  affiliate: [],
};

describe('edge: the media of a group call', () => {
  let h: Harness;
  let groups: FakeGroups;
  const start = async (...keys: ReturnType<typeof heldGmk>[]): Promise<void> => {
    groups = new FakeGroups();
    groups.keys = keys;
    h = await Harness.start({ groups, partner: (partner) => ({ ...partner, groups: [police] }) });
  };
  afterEach(() => h.stop());
  const establish = () => h.establishIn({ sdp: sdp('127.0.2.1', 41000), info: CALL });
  const session = () => h.media.sessions[0]!;

  it('is heard under the GMKs activated last, and counts those revoked last, of more than its media take', async () => {
    const id = (n: number): string => `0a0000${n.toString(16).padStart(2, '0')}`;
    const at = (n: number): Date => new Date(n * 1_000);
    const usable = Array.from({ length: 100 }, (_, n) => heldGmk(id(n), { activation: at(n) }));
    const revoked = Array.from({ length: 100 }, (_, n) =>
      heldGmk(id(100 + n), { status: 0, key: new Uint8Array(), stamp: at(n) }),
    );
    await start(...revoked, ...usable);
    await establish();
    const { receive: given } = session().armed!;
    assert.ok('group' in given && given.group.length <= 64);
    const receive = given.group.map(({ gmkId, state }) => `${toHex(gmkId)} ${state}`);
    assert.deepEqual(
      [id(99), id(60), id(59)].map((gmk) => receive.includes(`${gmk} usable`)),
      [true, true, false],
    );
    assert.deepEqual(
      [id(199), id(192), id(191)].map((gmk) => receive.includes(`${gmk} revoked`)),
      [true, true, false],
    );
  });

  it('ends where a change of its keys does not reach its media, which may go on under a revoked one', async () => {
    await start(FIRST);
    await establish();
    session().changeGroup = () => Promise.reject(new SegyError('SEGY_E_STORE', 'disk full'));
    groups.keys = [{ ...FIRST, status: 0, key: new Uint8Array() }];
    groups.onChange?.('mc-a', [GROUP]);
    await h.mc.expect('BYE');
    assert.equal(session().closed, true);
  });

  it('is not armed any more once it has ended', async () => {
    await start(FIRST);
    const media = new GroupMedia({
      ...{ groups, log: silentLog, partner: 'mc-a', speaker: RADIO1 },
      group: police,
    });
    const ended = new FakeMediaSession('ended', 9);
    const arming = media.arm(ended, {});
    media.close();
    await arming;
    assert.equal(ended.armed, null);
  });
});
