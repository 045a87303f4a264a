import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../src/base/bytes.js';
import { SegyError } from '../../src/base/errors.js';
import type { GroupPartner } from '../../src/clients/index.js';
import type { NewKeyParameters } from '../../src/mikey/index.js';
import {
  GMK,
  GMK_ID,
  gmkMessage,
  GMS,
  GROUP,
  groupScene,
  MINUTE,
  NOW,
  other,
  PARTNER,
  RADIO,
  RADIO2,
  type GroupMessage,
  type GroupScene,
} from './support.js';

const NAME = { partner: 'mc-a', keyId: GMK_ID };
const FIRE = 'sip:fire@mc-a.example';

describe('clients/group-keys', () => {
  let scene: GroupScene;
  beforeEach(async () => {
    scene = await groupScene();
  });

  const take = (
    message: Uint8Array,
    partner: GroupPartner = PARTNER,
    group: string | null = null,
  ) => scene.keys.take({ message, partner, group });
  const takeMade = async (change: GroupMessage = {}) => take(await gmkMessage(change));
  const outcome = (taken: Promise<{ result: string }>): Promise<string> =>
    taken.then(
      ({ result }) => result,
      (error: unknown) => (error instanceof SegyError ? error.code : String(error)),
    );
  const parameters = (more: NewKeyParameters): GroupMessage => ({
    keyParameters: { groups: [GROUP], ...more },
  });

  it('holds a GMK of the group’s GMS, after it was recorded as received', async () => {
    const taken = await takeMade();
    assert.deepEqual(taken, { result: 'new', keyType: 'GMK', keyId: '0a000001', groups: [GROUP] });
    const held = scene.ring.toSendWith('mc-a', GROUP, RADIO);
    assert.deepEqual([toHex(held.key), held.initiator, held.holders], [toHex(GMK), GMS, [RADIO]]);
    assert.deepEqual(
      scene.uses.map(({ action, keyId, responder }) => [action, keyId, responder]),
      [['received', '0a000001', RADIO]],
    );
  });

  it('holds the key of a temporary group with the groups that were regrouped, as they come', async () => {
    const temporary = 'sip:tmp-1@mc-a.example';
    const take = async (constituent: string, message: Promise<Uint8Array>) =>
      scene.keys.take({ message: await message, partner: PARTNER, group: temporary, constituent });
    const message = gmkMessage({ keyParameters: { groups: [temporary] } });
    await take(GROUP, message);
    assert.deepEqual(scene.keys.temporaryGroupsOf('mc-a', GROUP), [temporary]);
    await take(FIRE, message);
    assert.deepEqual(scene.keys.temporaryGroupsOf('mc-a', FIRE), [temporary]);
    assert.deepEqual(scene.keys.temporaryGroupsOf('mc-b', FIRE), []);
    await scene.ring.revoke(NAME);
    assert.deepEqual(scene.keys.temporaryGroupsOf('mc-a', FIRE), []);
  });

  it('refuses the key of a temporary group from a GMS that does not key the regrouped one', async () => {
    const partner = { ...PARTNER, groups: [{ id: GROUP, gms: 'sip:other-gms@mc-a.example' }] };
    const taken = scene.keys.take({
      message: await gmkMessage({ keyParameters: { groups: ['sip:tmp-1@mc-a.example'] } }),
      ...{ partner, group: 'sip:tmp-1@mc-a.example', constituent: GROUP },
    });
    assert.equal(await outcome(taken), 'SEGY_E_NOT_GROUP_GMS');
  });

  it('holds the key of a temporary group from the one GMS of the regrouped group', async () => {
    const [gms, temporary] = ['sip:gms2@mc-a.example', 'sip:tmp-1@mc-a.example'];
    const message = await gmkMessage({
      initiatorUri: gms,
      keyParameters: { groups: [temporary] },
    });
    const partner = { ...PARTNER, groups: [{ id: GROUP }, { id: FIRE, gms }] };
    const take = (constituent: string) =>
      outcome(scene.keys.take({ message, partner, group: temporary, constituent }));
    assert.equal(await take(GROUP), 'SEGY_E_NOT_GROUP_GMS');
    assert.equal(await take(FIRE), 'new');
  });

  it('keeps status, activation, expiry and text as the key parameters say', async () => {
    const activation = new Date(NOW + 60 * MINUTE);
    const expiry = new Date(NOW + 120 * MINUTE);
    await takeMade(parameters({ activation, expiry, text: 'watch', sharedWithGateway: true }));
    const held = scene.ring.find(NAME)!;
    assert.deepEqual(
      [held.activation, held.expiry, held.text, held.status],
      [activation, expiry, 'watch', 3],
    );
  });

  it('adds each member that received the key', async () => {
    await takeMade();
    assert.equal((await takeMade({ responderUri: RADIO2 })).result, 'unchanged');
    assert.deepEqual(scene.ring.find(NAME)!.holders, [RADIO, RADIO2]);
  });

  it('opens it under identity hiding, from the GMS whose UID signed to the user whose UID is named', async () => {
    await takeMade({ hideIdentities: true });
    const { initiator, holders } = scene.ring.find(NAME)!;
    assert.deepEqual([initiator, holders], [GMS, [RADIO]]);
  });

  for (const keyType of ['MKFC', 'MSCCK', 'MuSiK'] as const) {
    it(`holds a ${keyType} likewise`, async () => {
      const keyId = fromHex({ MKFC: '4a000001', MSCCK: '5a000001', MuSiK: '6a000001' }[keyType]);
      assert.equal((await takeMade({ keyType, keyId })).result, 'new');
      assert.equal(scene.ring.usable({ partner: 'mc-a', keyId }).keyType, keyType);
    });
  }

  describe('a message that came before', () => {
    it('changes nothing', async () => {
      const message = await gmkMessage();
      await take(message);
      assert.equal((await take(message)).result, 'replayed');
    });

    it('changes nothing after the key was revoked by a later one', async () => {
      const message = await gmkMessage();
      await take(message);
      await takeMade({ ...parameters({ revoked: true }), at: NOW + MINUTE });
      assert.equal((await take(message)).result, 'replayed');
      assert.throws(() => scene.ring.usable(NAME), { code: 'SEGY_E_MIKEY_REVOKED' });
    });

    it('changes nothing after the key has expired, though it gave it no end', async () => {
      const message = await gmkMessage();
      await take(message);
      const expiry = new Date(NOW - MINUTE);
      await takeMade({ ...parameters({ expiry }), at: NOW + MINUTE });
      assert.deepEqual(scene.ring.list(), []);
      assert.equal((await take(message)).result, 'replayed');
      assert.equal(await outcome(takeMade({ responderUri: RADIO2 })), 'SEGY_E_MIKEY_EXPIRED');
      assert.deepEqual(scene.ring.list(), []);
    });

    it('and was refused because its key has expired is refused again', async () => {
      const message = await gmkMessage(parameters({ expiry: new Date(NOW - MINUTE) }));
      for (const time of ['first', 'second']) {
        assert.equal(await outcome(take(message)), 'SEGY_E_MIKEY_EXPIRED', time);
      }
    });

    it('is taken when it could not be recorded the first time', async () => {
      const message = await gmkMessage();
      scene.audit = 'fails';
      await assert.rejects(take(message));
      assert.deepEqual(scene.ring.list(), []);
      scene.audit = 'works';
      assert.equal((await take(message)).result, 'new');
    });
  });

  describe('revocation', () => {
    const revoked = (at: number): GroupMessage => ({ ...parameters({ revoked: true }), at });

    it('by a later message ends the key', async () => {
      await takeMade();
      assert.equal((await takeMade(revoked(NOW + MINUTE))).result, 'revoked');
      assert.deepEqual(scene.ring.ofGroup('mc-a', GROUP), []);
    });

    it('by a later message that gives an expiry of the past ends the key for good', async () => {
      await takeMade();
      const expiry = new Date(NOW);
      const ending = { ...parameters({ revoked: true, expiry }), at: NOW + MINUTE };
      assert.equal((await takeMade(ending)).result, 'revoked');
      await scene.ring.expire();
      const older = takeMade({ responderUri: RADIO2 });
      assert.equal(await outcome(older), 'SEGY_E_MIKEY_REVOKED');
      assert.deepEqual(scene.ring.ofGroup('mc-a', GROUP), []);
    });

    it('by an earlier message does nothing', async () => {
      await takeMade();
      assert.equal((await takeMade(revoked(NOW - MINUTE))).result, 'unchanged');
      assert.equal(scene.ring.ofGroup('mc-a', GROUP).length, 1);
    });

    it('is not undone by an older valid message for another member', async () => {
      await takeMade();
      await takeMade(revoked(NOW + MINUTE));
      const older = takeMade({ responderUri: RADIO2 });
      assert.equal(await outcome(older), 'SEGY_E_MIKEY_REVOKED');
      assert.deepEqual(scene.ring.ofGroup('mc-a', GROUP), []);
      assert.throws(() => scene.ring.usable(NAME), { code: 'SEGY_E_MIKEY_REVOKED' });
    });

    it('names the groups that had the key, where the message lists none', async () => {
      await takeMade();
      const change = { keyParameters: { revoked: true }, at: NOW + MINUTE };
      assert.deepEqual((await takeMade(change)).groups, [GROUP]);
    });
  });

  it('keeps an older activation beside the newer one, which is sent with', async () => {
    const second = { keyId: fromHex('0a000002'), key: new Uint8Array(16).fill(2) };
    await takeMade();
    await takeMade({ ...second, ...parameters({ activation: new Date(NOW - 60 * MINUTE) }) });
    assert.equal(scene.ring.ofGroup('mc-a', GROUP).length, 2);
    assert.equal(toHex(scene.ring.toSendWith('mc-a', GROUP).keyId), '0a000001');
  });

  it('takes the group that the transport names for a key that lists none', async () => {
    const message = await gmkMessage({ keyParameters: null });
    assert.deepEqual((await take(message, PARTNER, FIRE)).groups, [FIRE]);
  });

  it('takes the one group of the GMS for a key without any name', async () => {
    const message = await gmkMessage({ keyParameters: null });
    const partner = { ...PARTNER, groups: [{ id: FIRE }] };
    assert.deepEqual((await take(message, partner)).groups, [FIRE]);
  });

  describe('refuses, and changes nothing', () => {
    const refusals: readonly [string, string, GroupMessage, GroupPartner?, string?][] = [
      [
        'a GMK signed by a user of the partner who is no GMS',
        'SEGY_E_NOT_GROUP_GMS',
        { initiatorUri: 'sip:alice@mc-a.example' },
      ],
      [
        'the same under identity hiding',
        'SEGY_E_NOT_GROUP_GMS',
        { initiatorUri: 'sip:alice@mc-a.example', hideIdentities: true },
      ],
      [
        'a GMK of a GMS that keys other groups',
        'SEGY_E_NOT_GROUP_GMS',
        {},
        { ...PARTNER, groups: [{ id: GROUP, gms: 'sip:gms2@mc-a.example' }] },
      ],
      [
        'a GMK of a GMS that keys one other group alone',
        'SEGY_E_NOT_GROUP_GMS',
        { initiatorUri: 'sip:gms2@mc-a.example' },
        { ...PARTNER, groups: [{ id: GROUP }, { id: FIRE, gms: 'sip:gms2@mc-a.example' }] },
      ],
      [
        'the same for a group that nobody configured',
        'SEGY_E_NOT_GROUP_GMS',
        {
          initiatorUri: 'sip:gms2@mc-a.example',
          keyParameters: { groups: [FIRE, 'sip:later@mc-a.example'] },
        },
        { ...PARTNER, groups: [{ id: FIRE, gms: 'sip:gms2@mc-a.example' }] },
      ],
      [
        'one cross-signed domain keying another’s group',
        'SEGY_E_MIKEY_KMS_NOT_ALLOWED',
        { from: other },
      ],
      [
        'a GMS outside the domains of its KMS',
        'SEGY_E_MIKEY_INITIATOR',
        { initiatorUri: 'sip:gms@elsewhere.example' },
        { ...PARTNER, gms: ['sip:gms@elsewhere.example'] },
      ],
      [
        'a member who is not ours',
        'SEGY_E_MIKEY_NOT_ADDRESSEE',
        { responderUri: 'sip:x@lmr.example' },
      ],
      [
        'a hidden member who is not ours',
        'SEGY_E_MIKEY_NOT_ADDRESSEE',
        { responderUri: 'sip:x@lmr.example', hideIdentities: true },
      ],
      ['T over 300 s ahead', 'SEGY_E_MIKEY_WINDOW', { at: NOW + 6 * MINUTE }],
      ['T before the previous key period', 'SEGY_E_MIKEY_WINDOW', { at: NOW - 70 * 86_400_000 }],
      ['a PCK', 'SEGY_E_MIKEY_KEY_TYPE', { keyType: 'PCK', keyId: fromHex('1a000001') }],
      ['a CSK', 'SEGY_E_MIKEY_KEY_TYPE', { keyType: 'CSK', keyId: fromHex('2a000001') }],
      [
        'a key that has expired',
        'SEGY_E_MIKEY_EXPIRED',
        { keyParameters: { groups: [GROUP], expiry: new Date(NOW - MINUTE) } },
      ],
      [
        'a key for another group than the transport names',
        'SEGY_E_IDENTITY_MISMATCH',
        {},
        PARTNER,
        FIRE,
      ],
    ];
    for (const [name, code, change, partner, group] of refusals) {
      it(name, async () => {
        const message = await gmkMessage(change);
        assert.equal(await outcome(take(message, partner, group)), code);
        assert.deepEqual(scene.ring.list(), []);
      });
    }

    it('the same GMK under another GMK-ID', async () => {
      await takeMade();
      const renamed = takeMade({ keyId: fromHex('0a000002'), at: NOW + MINUTE });
      assert.equal(await outcome(renamed), 'SEGY_E_KEY_CONFLICT');
      assert.equal(scene.ring.list().length, 1);
    });

    it('another GMK under a GMK-ID that is held', async () => {
      await takeMade();
      const swapped = takeMade({ key: new Uint8Array(16).fill(9), at: NOW + MINUTE });
      assert.equal(await outcome(swapped), 'SEGY_E_KEY_CONFLICT');
      assert.deepEqual(scene.ring.usable(NAME).key, GMK);
    });

    it('a message with any one of its octets altered', async () => {
      const message = await gmkMessage();
      const step = Math.floor(message.length / 20);
      for (let at = 0; at < message.length; at += step) {
        const altered = message.with(at, message[at]! ^ 1);
        await assert.rejects(take(altered), SegyError, `octet ${at}`);
        assert.deepEqual(scene.ring.list(), [], `octet ${at}`);
      }
    });
  });
});
