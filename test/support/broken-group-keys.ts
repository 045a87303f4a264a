/**
 * Group key messages of a scene's GMS with one thing wrong each, written by the tests' own writer of
 * I_MESSAGEs and, where nothing else is said, correctly signed by the GMS.
 */
import { concatBytes, fromHex, toHex } from '../../src/base/bytes.js';
import { systemRandom } from '../../src/base/environment.js';
import { periodAt, uidOf } from '../../src/kms/index.js';
import type { SimDomain } from '../../src/sim/index.js';
import type { TestGmk } from './group-side.js';
import { assemble, gukIdOf, keyParameters, part, type Draft } from './mikey-kit.js';

export interface BrokenKey {
  readonly name: string;
  /** of the refusal, without SEGY_E_ */
  readonly code: string;
  readonly octets: Uint8Array;
}

export interface BrokenKeysFrom {
  readonly domain: SimDomain;
  readonly gms: string;
  /** a user of the partner who is no GMS */
  readonly user: string;
  /** whom the keys are for, and another who is represented too */
  readonly member: string;
  readonly otherMember: string;
  readonly group: string;
  /** a key that is held under its identifier */
  readonly held: TestGmk;
}

interface Making {
  readonly key?: TestGmk;
  readonly signer?: string;
  readonly responder?: string;
  /** whose UID the key is encapsulated to */
  readonly sakkeTo?: string;
  /** T, milliseconds since 1970 */
  readonly at?: number;
  readonly csbId?: Uint8Array;
  readonly content?: string;
  /** what the key parameters are derived from */
  readonly parametersKey?: Uint8Array;
  readonly sp?: string;
  readonly alter?: (draft: Draft) => void;
}

const SP_GCM = '00010601011004010c050100060100140110';
const MINUTE = 60_000;
const DAY = 86_400_000;
const [T, RAND, IDRI, IDRKMSI, SAKKE] = [0, 1, 2, 4, 7];

const newKey = (id: string): TestGmk => ({
  id: fromHex(id),
  octets: systemRandom(16),
  rand: systemRandom(16),
});

/** Key parameters of a GMK for `group`; `expiry` in seconds since 1970, 0 for none. */
function contentFor(group: string, expiry = 0): string {
  const list = Buffer.concat([Buffer.from([1, 0x7b, 0, group.length]), Buffer.from(group)]);
  const length = list.length.toString(16).padStart(4, '0');
  const until = expiry.toString(16).padStart(10, '0');
  return `00 00000001 0000000000 ${until} 0000 ${length} ${list.toString('hex')}`;
}

/** Every one of them; the first is whole, for a test that the writer is right. */
export async function brokenGroupKeys(
  from: BrokenKeysFrom,
): Promise<{ whole: Uint8Array; broken: BrokenKey[] }> {
  const { domain, gms, group, held } = from;

  async function draftOf(making: Making): Promise<Draft> {
    const key = making.key ?? newKey('0a0000f0');
    const at = making.at ?? Date.now();
    const responder = making.responder ?? from.member;
    const theirs = domain.certificateOf(responder);
    const period = periodAt(theirs, Date.now());
    const csbId = making.csbId ?? gukIdOf(key.octets, key.id, responder);
    const sed = await domain.slow.encapsulate({
      ssv: key.octets,
      id: uidOf(theirs, making.sakkeTo ?? responder, period),
      z: theirs.pubEncKey,
    });
    const parameters = keyParameters(making.parametersKey ?? key.octets, csbId, {
      content: making.content ?? contentFor(group),
    });
    const draft: Draft = {
      version: 1,
      dataType: 26,
      flags: 1,
      csbId,
      map: `010204000100000008${toHex(key.id)}${toHex(csbId)}`,
      parts: [
        part.t(new Date(Math.floor(at / 1000) * 1000).toISOString()),
        part.rand(key.rand),
        part.idr(1, making.signer ?? gms),
        part.idr(2, responder),
        part.idr(6, domain.certificate.kmsUri),
        part.idr(7, theirs.kmsUri),
        part.sp(making.sp ?? SP_GCM),
        part.sakke(sed),
        part.ge(7, parameters),
      ],
      signHeader: '2081',
      coverage: 'spec',
      afterLast: 4,
      tail: new Uint8Array(),
    };
    making.alter?.(draft);
    return draft;
  }

  async function make(making: Making = {}): Promise<Uint8Array> {
    const signer = await domain.keySet(making.signer ?? gms, making.at ?? Date.now());
    return assemble(await draftOf(making), signer, domain.certificate.pubAuthKey);
  }

  const broken: BrokenKey[] = [];
  const add = async (name: string, code: string, making: Making): Promise<void> => {
    broken.push({ name, code, octets: await make(making) });
  };
  const whole = await make();
  const drop = (index: number) => (draft: Draft) => void draft.parts.splice(index, 1);
  const put = (index: number, other: Draft['parts'][number]) => (draft: Draft) =>
    void draft.parts.splice(index, 1, other);

  broken.push(
    { name: 'ten octets', code: 'MIKEY_TRUNCATED', octets: whole.slice(0, 10) },
    { name: 'the last octet missing', code: 'MIKEY_TRUNCATED', octets: whole.slice(0, -1) },
    {
      name: 'an octet behind the signature',
      code: 'MIKEY_SYNTAX',
      octets: concatBytes(whole, fromHex('00')),
    },
    {
      name: 'the signature altered',
      code: 'MIKEY_SIGNATURE',
      octets: whole.with(whole.length - 2, whole.at(-2)! ^ 1),
    },
    {
      name: 'the encapsulated key altered',
      code: 'MIKEY_SIGNATURE',
      octets: whole.with(whole.length - 300, whole.at(-300)! ^ 1),
    },
  );
  await add('version 2', 'MIKEY_VERSION', { alter: (draft) => void (draft.version = 2) });
  await add('a pre-shared key message', 'MIKEY_UNSUPPORTED', {
    alter: (draft) => void (draft.dataType = 0),
  });
  await add('PRF HMAC-SHA-1', 'MIKEY_UNSUPPORTED', { alter: (draft) => void (draft.flags = 0) });
  await add('no T', 'MIKEY_MISSING_PAYLOAD', { alter: drop(T) });
  await add('no RAND', 'MIKEY_MISSING_PAYLOAD', { alter: drop(RAND) });
  await add('no initiator', 'MIKEY_MISSING_PAYLOAD', { alter: drop(IDRI) });
  await add('no SAKKE', 'MIKEY_MISSING_PAYLOAD', { alter: drop(SAKKE) });
  await add('RAND twice', 'MIKEY_SYNTAX', {
    alter: (draft) => void draft.parts.push(part.rand(systemRandom(16))),
  });
  await add('a KMS that nobody knows', 'MIKEY_KMS_UNKNOWN', {
    alter: put(IDRKMSI, part.idr(6, 'kms.elsewhere.example')),
  });
  await add('T ten minutes ahead', 'MIKEY_WINDOW', { at: Date.now() + 10 * MINUTE });
  await add('T before the previous key period', 'MIKEY_WINDOW', { at: Date.now() - 70 * DAY });
  await add('signed by a user who is no GMS', 'NOT_GROUP_GMS', { signer: from.user });
  await add('for a user who is not represented', 'MIKEY_NOT_ADDRESSEE', {
    responder: 'sip:nobody@lmr.example',
  });
  await add('encapsulated to another user', 'MIKEY_SAKKE', { sakkeTo: from.otherMember });
  await add('a SED off the curve', 'MIKEY_SAKKE', {
    alter: (draft) => {
      const { body } = draft.parts[SAKKE]!;
      body[body.length - 17] = body.at(-17)! ^ 1;
    },
  });
  await add('an SPI that is not GMK-ID and GUK-ID', 'MIKEY_SYNTAX', {
    alter: (draft) => void (draft.map = draft.map.replace('0a0000f0', '0a0000f1')),
  });
  await add('key parameters that do not decrypt', 'MIKEY_KEY_PARAMETERS', {
    parametersKey: systemRandom(16),
  });
  await add('a key that has expired', 'MIKEY_EXPIRED', {
    content: contentFor(group, Math.floor(Date.now() / 1000) - 60),
  });
  await add('a cipher that is none', 'MIKEY_POLICY', { sp: SP_GCM.replace('000106', '000109') });
  await add('the purpose tag of a PCK', 'MIKEY_KEY_TYPE', {
    csbId: fromHex('1a0000f0'),
    alter: (draft) => void (draft.map = '0001'),
  });
  await add('the held key under another identifier', 'KEY_CONFLICT', {
    key: { ...held, id: fromHex('0a0000f2') },
  });
  await add('another key under the held identifier', 'KEY_CONFLICT', {
    key: { ...newKey(toHex(held.id)), rand: held.rand },
  });
  return { whole, broken };
}
