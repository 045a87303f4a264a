/** Wrong in who, whom and when: KMS, identities, clock, key period, signature. */
import { concatBytes } from '../../../src/base/bytes.js';
import { NO_TOLERANCES } from '../../../src/mikey/index.js';
import {
  ALICE,
  domainA,
  domainB,
  domainX,
  domainZ,
  makeContext,
  makeDraft,
  makeMessage,
  MALLORY,
  NOW,
  PERIOD,
  RADIO,
  signDraft,
  T,
  withCertificate,
  withKeySet,
} from '../../support/mikey-scene.js';
import { altered, flip, refusedBy, scene, type Broken } from './entry.js';

const people: readonly Broken[] = [
  scene('IDRkmsi that nobody knows', 'KMS_UNKNOWN', {
    initiatorKms: domainZ.certificate.kmsUri,
  }),
  scene('IDRkmsr that nobody knows', 'KMS_UNKNOWN', {
    responderKms: domainZ.certificate.kmsUri,
  }),
  scene('IDRkmsi in other letter case', 'KMS_UNKNOWN', { initiatorKms: 'KMS.mc-a.example' }),
  refusedBy('a KMS that is not this partner’s', 'KMS_NOT_ALLOWED', () =>
    makeContext({ allowInitiatorKms: () => false }),
  ),
  refusedBy('initiator’s certificate revoked', 'KMS_NOT_ALLOWED', () =>
    withCertificate(domainA, { revoked: true }),
  ),
  refusedBy('initiator’s certificate expired', 'KMS_NOT_ALLOWED', () =>
    withCertificate(domainA, { validTo: new Date(NOW - 1000) }),
  ),
  refusedBy('initiator’s certificate not yet valid', 'KMS_NOT_ALLOWED', () =>
    withCertificate(domainA, { validFrom: new Date(NOW + 1000) }),
  ),
  refusedBy('receiver’s certificate revoked', 'KMS_NOT_ALLOWED', () =>
    withCertificate(domainX, { revoked: true }),
  ),
  scene('IDRkmsr a known KMS, but not that of our user', 'KMS_NOT_ALLOWED', {
    responderKms: domainB.certificate.kmsUri,
  }),
  scene('IDRr nobody of ours, under a KMS that issued us nothing', 'NOT_ADDRESSEE', {
    responder: 'sip:x@segy.example',
    responderKms: domainB.certificate.kmsUri,
  }),
  scene('IDRr a user who is not ours', 'NOT_ADDRESSEE', { responder: 'sip:x@segy.example' }),
  scene('IDRuidr a user who is not ours', 'NOT_ADDRESSEE', {
    responder: 'sip:x@segy.example',
    hidden: true,
  }),
  scene('IDRr of ours in other letter case', 'NOT_ADDRESSEE', {
    responder: RADIO.toUpperCase(),
  }),
  refusedBy('initiator outside the KmsDomainList of its KMS', 'INITIATOR', () =>
    withCertificate(domainA, { domains: ['mc-c.example'] }),
  ),
  {
    name: 'one cross-signed domain signing as another’s user',
    code: 'INITIATOR',
    message: async () => {
      const draft = await makeDraft({ initiatorKms: domainB.certificate.kmsUri });
      return signDraft(draft, await domainB.keySet(ALICE, PERIOD), domainB);
    },
  },
  scene('initiator in a domain that only ends like an allowed one', 'INITIATOR', {
    initiator: 'sip:alice@evil-mc-a.example',
  }),
  scene('initiator whose user part holds the allowed domain', 'INITIATOR', {
    initiator: 'sip:alice@mc-a.example@evil.example',
  }),
  refusedBy('another initiator than expected', 'INITIATOR', () => makeContext({ from: MALLORY })),
  scene('another hidden initiator than expected', 'INITIATOR', { hidden: true }, () =>
    makeContext({ from: MALLORY }),
  ),
  refusedBy('a key type that is not taken here', 'KEY_TYPE', () =>
    makeContext({ keyTypes: ['GMK'] }),
  ),
];

const times: readonly Broken[] = [
  refusedBy('T 301 s behind', 'WINDOW', () =>
    makeContext({ clock: { now: () => Date.parse(T) + 301_000 } }),
  ),
  refusedBy('T 301 s ahead', 'WINDOW', () =>
    makeContext({ clock: { now: () => Date.parse(T) - 301_000 } }),
  ),
  scene('a GMK 301 s ahead', 'WINDOW', { type: 'GMK' }, () =>
    makeContext({ clock: { now: () => Date.parse(T) - 301_000 } }),
  ),
  scene('a GMK of two key periods ago', 'WINDOW', { type: 'GMK' }, () =>
    makeContext({ clock: { now: () => Date.parse(T) + 2 * 2_592_000_000 } }),
  ),
  refusedBy('a message seen in another dialog', 'REPLAYED', () =>
    makeContext({ replay: { seen: () => 'replayed', enter: () => undefined } }),
  ),
  refusedBy('a key period that is not held', 'PERIOD', () => withKeySet({}, PERIOD - 2n)),
  scene('a key period that is not held, hidden', 'PERIOD', { hidden: true }, () =>
    withKeySet({}, PERIOD - 2n),
  ),
  refusedBy('our key set revoked', 'REVOKED', () => withKeySet({ revoked: true })),
  refusedBy('our key set expired before T', 'EXPIRED', () =>
    withKeySet({ validTo: new Date(Date.parse(T) - 400_000) }),
  ),
];

const signatures: readonly Broken[] = [
  altered('an octet of RAND changed', 'SIGNATURE', (m) => flip(m, 30)),
  altered('an octet of T changed', 'SIGNATURE', (m) => flip(m, 19)),
  altered('r changed', 'SIGNATURE', (m) => flip(m, -129)),
  altered('s changed', 'SIGNATURE', (m) => flip(m, -97)),
  altered('PVT changed, off the curve', 'SIGNATURE', (m) => flip(m, -1)),
  altered('a signature of zeros', 'SIGNATURE', (m) => new Uint8Array(m).fill(0, m.length - 129)),
  altered('an octet of the key parameters changed', 'SIGNATURE', (m) => flip(m, -150)),
  altered('the CSB ID changed', 'SIGNATURE', (m) => flip(m, 7)),
  {
    name: 'signed by another user of the domain',
    code: 'SIGNATURE',
    message: async () => signDraft(await makeDraft(), await domainA.keySet(MALLORY, PERIOD)),
  },
  {
    name: 'signed with the key of two periods ago',
    code: 'SIGNATURE',
    message: async () => signDraft(await makeDraft(), await domainA.keySet(ALICE, PERIOD - 2n)),
  },
  {
    name: 'signed under the receiver’s KMS',
    code: 'SIGNATURE',
    message: async () => signDraft(await makeDraft(), await domainX.keySet(ALICE, PERIOD), domainX),
  },
  {
    name: 'the signature of one message on another',
    code: 'SIGNATURE',
    message: async () => {
      const other = await makeMessage({ type: 'CSK' });
      const mine = await makeMessage();
      return concatBytes(mine.subarray(0, mine.length - 129), other.subarray(-129));
    },
  },
  {
    name: 'the SIGN header not covered, where that is not tolerated',
    code: 'SIGNATURE',
    message: async () => signDraft({ ...(await makeDraft()), coverage: 'without header' }),
    context: () => makeContext({ tolerances: NO_TOLERANCES }),
  },
];

export const PEOPLE = [...people, ...times, ...signatures];
