/**
 * Two security domains whose secrets the tests know, and a writer of I_MESSAGEs that shares no code with
 * src/mikey: it puts any octets anywhere and signs them correctly.
 */
import { createCipheriv, createHmac } from 'node:crypto';
import { concatBytes, fromHex, toHex, utf8 } from '../../src/base/bytes.js';
import {
  createInlineCrypto,
  EccsiVerifier,
  eccsiExtract,
  eccsiPublicKey,
  eccsiSign,
  sakkeMasterPublic,
} from '../../src/crypto/index.js';
import { uidOf, type KmsCertificate, type KmsKeySet } from '../../src/kms/index.js';

export const slow = createInlineCrypto();
export const verifier = new EccsiVerifier({ cacheSize: 64 });

/** A deterministic stand-in for randomness: octets from a counter. */
export function countingRandom(seed = 1): (count: number) => Uint8Array {
  let counter = seed;
  return (count) => {
    const out = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      counter = (Math.imul(counter, 1_103_515_245) + 12_345) >>> 0;
      out[i] = counter >>> 16;
    }
    if (count === 32) out[0] = 0x3c;
    return out;
  };
}

export interface TestDomain {
  readonly certificate: KmsCertificate;
  readonly ksak: Uint8Array;
  readonly z: Uint8Array;
  keySet(uri: string, period: bigint): Promise<KmsKeySet>;
}

const keySetCache = new Map<string, Promise<KmsKeySet>>();

/** A security domain made of a seed octet. */
export function testDomain(
  seed: number,
  kmsUri: string,
  more: Partial<KmsCertificate> = {},
): TestDomain {
  const ksak = new Uint8Array(32).fill(seed);
  const z = new Uint8Array(32).fill(seed + 1);
  const certificate: KmsCertificate = {
    role: 'External',
    isSecurityGateway: false,
    kmsUri,
    revoked: false,
    userKeyPeriod: 2_592_000n,
    userKeyOffset: 0n,
    pubEncKey: sakkeMasterPublic(z),
    pubAuthKey: eccsiPublicKey(ksak),
    domains: [],
    ...more,
  };
  const issue = async (uri: string, period: bigint): Promise<KmsKeySet> => {
    const userId = uidOf(certificate, uri, period);
    const { ssk, pvt } = eccsiExtract({ ksak, id: userId, random: countingRandom(seed) });
    const rsk = await slow.extractRsk({ master: z, id: userId });
    return { kmsUri, userUri: uri, userId, keyPeriodNo: period, revoked: false, rsk, ssk, pvt };
  };
  return {
    certificate,
    ksak,
    z,
    keySet: async (uri, period) => {
      const name = `${kmsUri} ${uri} ${period} ${seed}`;
      const known = keySetCache.get(name) ?? issue(uri, period);
      keySetCache.set(name, known);
      return { ...(await known) };
    },
  };
}

const NTP_OFFSET = 2_208_988_800;

/** Octets of a T value. */
export function ntp(iso: string): Uint8Array {
  const seconds = (Date.parse(iso) / 1000 + NTP_OFFSET) % 2 ** 32;
  return fromHex(`${seconds.toString(16).padStart(8, '0')}00000000`);
}

export interface Part {
  readonly type: number;
  readonly body: Uint8Array;
}

const u8 = (value: number): Uint8Array => new Uint8Array([value]);
const u16 = (value: number): Uint8Array => new Uint8Array([value >> 8, value & 0xff]);

export const part = {
  t: (iso: string, tsType = 0): Part => ({ type: 5, body: concatBytes(u8(tsType), ntp(iso)) }),
  rand: (rand: Uint8Array): Part => ({ type: 11, body: concatBytes(u8(rand.length), rand) }),
  idr: (role: number, data: Uint8Array | string, idType = 1): Part => {
    const octets = typeof data === 'string' ? utf8(data) : data;
    return { type: 14, body: concatBytes(u8(role), u8(idType), u16(octets.length), octets) };
  },
  /** @param hex parameters as type, length, value */
  sp: (hex: string, policyNo = 0, protocol = 0): Part => {
    const octets = fromHex(hex);
    return {
      type: 10,
      body: concatBytes(u8(policyNo), u8(protocol), u16(octets.length), octets),
    };
  },
  sakke: (sed: Uint8Array, scheme = 2, parameters = 1): Part => ({
    type: 26,
    body: concatBytes(u8(parameters), u8(scheme), u16(sed.length), sed),
  }),
  ge: (extensionType: number, data: Uint8Array): Part => ({
    type: 21,
    body: concatBytes(u8(extensionType), u16(data.length), data),
  }),
};

/** A message before its signature. */
export interface Draft {
  version: number;
  dataType: number;
  /** V and PRF func */
  flags: number;
  csbId: Uint8Array;
  /** #CS, map type and map, in hexadecimal */
  map: string;
  parts: Part[];
  /** S type and length */
  signHeader: string;
  /** what the signature covers: all before it, or not the SIGN header */
  coverage: 'spec' | 'without header';
  /** payload type that the last part names as the next */
  afterLast: number;
  /** octets behind the signature */
  tail: Uint8Array;
}

/** The octets of a draft, signed by the key set under its KMS. */
export function assemble(draft: Draft, signer: KmsKeySet, kpak: Uint8Array): Uint8Array {
  const types = [...draft.parts.map(({ type }) => type), draft.afterLast];
  const head = concatBytes(
    u8(draft.version),
    u8(draft.dataType),
    u8(types[0] ?? 0),
    u8(draft.flags),
    draft.csbId,
    fromHex(draft.map),
    ...draft.parts.map(({ body }, i) => concatBytes(u8(types[i + 1] ?? 0), body)),
  );
  const header = fromHex(draft.signHeader);
  const signature = eccsiSign({
    kpak,
    id: signer.userId,
    ssk: signer.ssk,
    pvt: signer.pvt,
    message: draft.coverage === 'spec' ? concatBytes(head, header) : head,
    random: countingRandom(77),
  });
  return concatBytes(head, header, signature, draft.tail);
}

export interface ParameterOptions {
  /** content; default: valid, no times, no text */
  content?: string;
  messageType?: number;
  algorithm?: number;
  dppkId?: Uint8Array;
  /** key to derive the DPCK from, when not the transported one */
  key?: Uint8Array;
  /** added to the length of the payload element */
  lengthError?: number;
  tail?: string;
}

/** Protected key parameters (E.6.1), written from the dossier. */
export function keyParameters(
  key: Uint8Array,
  csbId: Uint8Array,
  options: ParameterOptions = {},
): Uint8Array {
  const tag = (csbId[0] ?? 0) >> 4;
  const groups = tag === 0 ? '000100' : '';
  const content = options.content ?? `0${tag}0000000100000000000000000000 0000${groups}`;
  const dppkId = options.dppkId ?? csbId;
  const iv = fromHex('a0a1a2a3a4a5a6a7a8a9aaabacadaeaf');
  const algorithm = options.algorithm ?? 1;
  const aad = concatBytes(
    u8(options.messageType ?? 0x43),
    fromHex('0000000001'),
    fromHex('0000000000'),
    u8(algorithm),
    iv,
    dppkId,
  );
  const mac = createHmac('sha256', options.key ?? key)
    .update(concatBytes(u8(0x53), dppkId, u16(4)))
    .digest();
  const name = algorithm === 2 ? 'aes-256-gcm' : 'aes-128-gcm';
  const cipher = createCipheriv(name, algorithm === 2 ? mac : mac.subarray(16), iv);
  cipher.setAAD(aad);
  const sealed = concatBytes(
    cipher.update(fromHex(content.replace(/ /g, ''))),
    cipher.final(),
    cipher.getAuthTag(),
  );
  return concatBytes(
    aad,
    u8(0),
    u16(sealed.length + (options.lengthError ?? 0)),
    sealed,
    fromHex(options.tail ?? ''),
  );
}

/** GUK-ID of a GMK-ID for a user (5.2.3), written from the dossier. */
export function gukIdOf(gmk: Uint8Array, gmkId: Uint8Array, uri: string): Uint8Array {
  const user = utf8(uri);
  const mac = createHmac('sha256', gmk)
    .update(concatBytes(u8(0x50), user, u16(user.length)))
    .digest();
  return gmkId.map((octet, i) => octet ^ ((mac[28 + i] ?? 0) & (i === 0 ? 0x0f : 0xff)));
}

const sedCache = new Map<string, Promise<Uint8Array>>();

/** SED of a key for a UID, computed once. */
export function sedFor(ssv: Uint8Array, id: Uint8Array, z: Uint8Array): Promise<Uint8Array> {
  const name = `${toHex(ssv)} ${toHex(id)} ${toHex(z).slice(0, 32)}`;
  const known = sedCache.get(name) ?? slow.encapsulate({ ssv, id, z });
  sedCache.set(name, known);
  return known;
}
