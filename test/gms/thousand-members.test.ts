import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { bytesToUint, concatBytes, fromHex, toHex, uintToBytes } from '../../src/base/bytes.js';
import { hashToIntegerRange } from '../../src/crypto/hash-to-integer-range.js';
import type { SlowCrypto } from '../../src/crypto/index.js';
import { BASE_POINT, decodePoint, encodePoint } from '../../src/crypto/sakke-curve.js';
import type { HeldKey } from '../../src/keys/index.js';
import { periodAt, uidOf } from '../../src/kms/index.js';
import { gukId, parseIMessage } from '../../src/mikey/index.js';
import { slow } from '../clients/support.js';
import { FakeTimers } from '../sip/support/fake-timers.js';
import { textbookPair } from '../support/textbook-sakke.js';
import { hasSecondOpener, openable, openElsewhere } from '../support/second-opener.js';
import { skipBecause } from '../support/skip.js';
import {
  DELIVERED,
  DOMAIN_A,
  DOMAIN_B,
  GMS_URI,
  gmsScene,
  NOW,
  own,
  ringKey,
  SECOND,
} from './gms-scene.js';
import type { Sent } from './gms-scene.js';
import { member, memorySpace, newGroup, RADIO, TALKGROUP } from './support.js';

const MEMBERS = Array.from(
  { length: 1000 },
  (_, i) => `sip:u${i}@mc-${i % 2 === 0 ? 'a' : 'b'}.example`,
);
/** keyed by true SAKKE and opened by the textbook's, where the others get a stand-in that is quick */
const SAMPLE = [0, 1, 499, 998].map((i) => MEMBERS[i]!);
const LEAVER = MEMBERS[500]!;
const NAME = 'Fire & rescue, Zürich';
/** E.6.11 and E.6.9 */
const GMK_TAG = 0;
const VALID_AND_SHARED = 3;

const domainOf = (uri: string) => (uri.endsWith('@mc-a.example') ? DOMAIN_A : DOMAIN_B);
const keySetOf = (uri: string) => {
  const domain = domainOf(uri);
  return domain.issue(uri, periodAt(domain.certificate, NOW));
};

/** A point that is one, and the SSV under a mask that only this identity in this domain has. */
const R = encodePoint(BASE_POINT);
function quickMask(ssv: Uint8Array, id: Uint8Array, z: Uint8Array): Uint8Array {
  const mask = createHash('sha256').update(id).update(z).digest();
  return ssv.map((octet, i) => octet ^ mask[i]!);
}

async function mixedCrypto(): Promise<
  SlowCrypto & { dead: boolean; real: boolean; count: number }
> {
  const sets = await Promise.all(SAMPLE.map(keySetOf));
  const sampled = new Set(sets.map(({ userId }) => toHex(userId)));
  const crypto = {
    ...slow,
    dead: false,
    real: false,
    count: 0,
    encapsulate: (request: Parameters<SlowCrypto['encapsulate']>[0]): Promise<Uint8Array> => {
      if (crypto.dead) return new Promise(() => undefined);
      crypto.count += 1;
      const { ssv, id, z } = request;
      if (crypto.real || sampled.has(toHex(id))) return slow.encapsulate(request);
      return Promise.resolve(concatBytes(R, quickMask(ssv, id, z)));
    },
  };
  return crypto;
}

function sedOf(message: Uint8Array): Uint8Array {
  for (const payload of parseIMessage(message).payloads) {
    if (payload.name === 'SAKKE') return payload.sed;
  }
  throw new Error('no SAKKE payload');
}

/** Checks that each message gives its member this key, under the member's own GUK-ID. */
async function assertOpens(sent: readonly Sent[], key: Uint8Array, keyId: string): Promise<void> {
  const csbIds = new Set<string>();
  for (const { member: uri, message } of sent) {
    const { certificate } = domainOf(uri);
    const csbId = toHex(parseIMessage(message).header.csbId);
    assert.equal(csbId, toHex(gukId(key, fromHex(keyId), uri)), uri);
    csbIds.add(csbId);
    const sed = sedOf(message);
    const hint = sed.subarray(257);
    if (!SAMPLE.includes(uri)) {
      const uid = uidOf(certificate, uri, periodAt(certificate, NOW));
      assert.equal(toHex(quickMask(hint, uid, certificate.pubEncKey)), toHex(key), uri);
      continue;
    }
    const { rsk } = await keySetOf(uri);
    const w = textbookPair(decodePoint(rsk, 'rsk'), decodePoint(sed.subarray(0, 257), 'R_b'));
    const mask = hashToIntegerRange(uintToBytes(w, 128), 1n << 128n);
    assert.equal(bytesToUint(hint) ^ mask, bytesToUint(key), uri);
  }
  assert.equal(csbIds.size, sent.length, 'a GUK-ID of its own each');
}

/**
 * Checks in another implementation that each message gives its member this key, under the member's own
 * GUK-ID, and the parameters of the key: opened with the member's RSK.
 */
async function assertOpensElsewhere(
  sent: readonly Sent[],
  key: HeldKey,
  activation: Date,
): Promise<void> {
  const opening = await Promise.all(
    openable(sent).map(async ({ member: uri, message }) => ({
      message,
      member: uri,
      rsk: (await keySetOf(uri)).rsk,
      theirs: domainOf(uri).certificate,
      initiator: GMS_URI,
      ours: own.certificate,
    })),
  );
  assert.deepEqual(new Set(opening.map(({ theirs }) => theirs.kmsUri)).size, 2);
  const csbIds = new Set<string>();
  for (const answer of await openElsewhere(opening)) {
    const { member: uri, csbId } = answer;
    csbIds.add(csbId);
    assert.equal(csbId, toHex(gukId(key.key, key.keyId, uri)), uri);
    assert.deepEqual(
      [answer.key, answer.keyId, answer.rand],
      [key.key, key.keyId, key.rand].map(toHex),
      uri,
    );
    assert.deepEqual(answer.parameters, {
      keyType: GMK_TAG,
      status: VALID_AND_SHARED,
      activation: activation.getTime() / 1000,
      expiry: 0,
      text: NAME,
      groups: [TALKGROUP],
    });
  }
  assert.equal(csbIds.size, opening.length, 'a GUK-ID of its own each');
}

const group = () =>
  newGroup({ displayName: NAME, members: [RADIO, ...MEMBERS].map((uri) => member(uri)) });
const membersOf = (sent: readonly Sent[]) => sent.map((each) => each.member).sort();

describe('a group of a thousand members in two domains', function () {
  this.timeout(600_000);

  it('is keyed, and after a removal keyed anew for all but the removed one', async function () {
    if (!hasSecondOpener())
      skipBecause(this, 'messages are opened by python3: it is not installed');
    const crypto = await mixedCrypto();
    const scene = await gmsScene({ slow: crypto });
    await scene.gms.groups.put(group());
    await scene.gms.start();
    await scene.rest();
    const [first] = scene.gms.status(TALKGROUP).keys;
    assert.deepEqual(membersOf(scene.sent), [...MEMBERS].sort());
    await assertOpens(scene.sent, ringKey(scene, first!.keyId).key, first!.keyId);

    crypto.real = true;
    await slow.prepare({ z: DOMAIN_A.certificate.pubEncKey });
    await slow.prepare({ z: DOMAIN_B.certificate.pubEncKey });
    await scene.gms.groups.change(TALKGROUP, (before) => ({
      ...before,
      members: before.members.filter(({ uri }) => uri !== LEAVER),
    }));
    await scene.rest();
    const second = scene.gms.status(TALKGROUP).keys.at(-1)!;
    const later = scene.sent.slice(MEMBERS.length);
    assert.ok(later.every(({ keyId, says }) => keyId === second.keyId && says === 'valid'));
    assert.deepEqual(membersOf(later), MEMBERS.filter((uri) => uri !== LEAVER).sort());
    const activation = new Date(second.activation);
    assert.equal(activation.getTime() % SECOND, 0, 'the members are told whole seconds');
    await assertOpensElsewhere(later, ringKey(scene, second.keyId), activation);
    await scene.advance(20 * SECOND);
    assert.equal(scene.gms.status(TALKGROUP).keys.at(-1)?.state, 'active');
    await scene.gms.stop();
  });

  it('is keyed to the end after a kill: nobody gets a second message, nobody is left out', async () => {
    const space = await memorySpace();
    const crypto = await mixedCrypto();
    let answered = 0;
    const killed = await gmsScene({
      space,
      slow: crypto,
      answer: () => {
        answered += 1;
        crypto.dead ||= answered > 400;
        return crypto.dead ? new Promise(() => undefined) : DELIVERED;
      },
    });
    await killed.gms.groups.put(group());
    await killed.gms.start();
    await killed.rest();
    // the process is gone: nothing was stopped or closed, and the exchanges under way have no end
    const before = new Map(killed.sent.map((each) => [each.member, toHex(each.message)]));
    assert.ok(before.size > 400 && before.size < 1000, String(before.size));

    const timers = new FakeTimers();
    timers.now = killed.timers.now + SECOND;
    const again = await gmsScene({ space, timers, slow: await mixedCrypto() });
    await again.gms.start();
    await again.rest();
    const [key, ...more] = again.gms.status(TALKGROUP).keys;
    assert.deepEqual(more, []);
    assert.equal(key!.deliveries.delivered, 1000);
    for (const { member: uri, message } of again.sent) {
      assert.equal(before.get(uri) ?? toHex(message), toHex(message), `${uri} got another message`);
    }
    const both = new Map([...killed.sent, ...again.sent].map((each) => [each.member, each]));
    assert.deepEqual([...both.keys()].sort(), [...MEMBERS].sort());
    assert.ok(again.sent.length <= 1000 - 400, 'who took it before is not sent it again');
    assert.equal(new Set(again.sent.map((each) => each.member)).size, again.sent.length);
    await assertOpens([...both.values()], ringKey(again, key!.keyId).key, key!.keyId);
    await again.gms.stop();
  });
});
