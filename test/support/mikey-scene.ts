/**
 * The usual case of the MIKEY tests: alice of domain A sends radio 1 of domain X a PCK, a GMK or a CSK.
 * A test alters one thing of the draft or of the surroundings.
 */
import { fromHex, toHex } from '../../src/base/bytes.js';
import type { KmsKeySet } from '../../src/kms/index.js';
import { ALL_TOLERANCES, type OpenContext } from '../../src/mikey/index.js';
import {
  assemble,
  type Draft,
  gukIdOf,
  keyParameters,
  part,
  type ParameterOptions,
  sedFor,
  slow,
  type TestDomain,
  testDomain,
  verifier,
} from './mikey-kit.js';

export const ALICE = 'sip:alice@mc-a.example';
export const MALLORY = 'sip:mallory@mc-a.example';
export const RADIO = 'sip:radio.1@segy.example';
export const OTHER_RADIO = 'sip:radio.2@segy.example';
export const T = '2026-11-20T12:00:00Z';
export const NOW = Date.parse(T) + 10_000;
/** Key period of T with 2,592,000 s. */
export const PERIOD = 1544n;

export const KEY = fromHex('000102030405060708090a0b0c0d0e0f');
export const KEY32 = fromHex('00'.repeat(16) + '0102030405060708090a0b0c0d0e0f10');
export const RAND = fromHex('c0c1c2c3c4c5c6c7c8c9cacbcccdcecf');
export const PCK_ID = fromHex('1a2b3c4d');
export const CSK_ID = fromHex('2a2b3c4d');
export const GMK_ID = fromHex('0a2b3c4d');

export const domainA = testDomain(0x21, 'kms.mc-a.example', { domains: ['mc-a.example'] });
export const domainX = testDomain(0x31, 'kms.segy.example', { isSecurityGateway: true });
/** A trusted domain that is nobody's here. */
export const domainB = testDomain(0x41, 'kms.mc-b.example', { domains: ['mc-b.example'] });
/** Nobody holds its certificate. */
export const domainZ = testDomain(0x51, 'kms.unknown.example');

/** AES-GCM 16/12, PRF 0, KDR 0, tag 16. */
export const SP_GCM = '000106 010110 04010c 050100 060100 140110'.replace(/ /g, '');

export interface SceneOptions {
  readonly type?: 'PCK' | 'GMK' | 'CSK';
  readonly hidden?: boolean;
  readonly key?: Uint8Array;
  /** whose UID the key is encapsulated to */
  readonly sakkeTo?: { domain: TestDomain; uri: string; period: bigint };
  readonly sed?: Uint8Array;
  readonly sp?: string | null;
  readonly initiatorKms?: string;
  readonly responderKms?: string;
  readonly initiator?: string;
  readonly responder?: string;
  readonly timestamp?: string;
  /** null: none; bytes: as they are */
  readonly parameters?: ParameterOptions | Uint8Array | null;
  /** payload of the key parameters before SAKKE */
  readonly extensionFirst?: boolean;
  readonly responderPeriod?: bigint;
  readonly initiatorPeriod?: bigint;
}

const KEY_ID = { PCK: PCK_ID, CSK: CSK_ID, GMK: GMK_ID };

function mapOf(type: 'PCK' | 'GMK' | 'CSK', csbId: Uint8Array): string {
  if (type === 'PCK') return '0001';
  return type === 'GMK'
    ? `0102 0400 0100 0000 08${toHex(GMK_ID)}${toHex(csbId)}`.replace(/ /g, '')
    : `0102 0600 0100 0000 04${toHex(csbId)}`.replace(/ /g, '');
}

/** A draft that opens, as Streamwide lays messages out. */
export async function makeDraft(options: SceneOptions = {}): Promise<Draft> {
  const type = options.type ?? 'PCK';
  const key = options.key ?? KEY;
  const initiator = options.initiator ?? ALICE;
  const responder = options.responder ?? RADIO;
  const csbId = type === 'GMK' ? gukIdOf(key, GMK_ID, responder) : KEY_ID[type];
  const initiatorSet = await domainA.keySet(initiator, options.initiatorPeriod ?? PERIOD);
  const responderSet = await domainX.keySet(responder, options.responderPeriod ?? PERIOD);
  const to = options.sakkeTo;
  const toUid =
    to === undefined ? responderSet.userId : (await to.domain.keySet(to.uri, to.period)).userId;
  const sed =
    options.sed ?? (await sedFor(key, toUid, (to?.domain ?? domainX).certificate.pubEncKey));
  const { parameters } = options;
  const data =
    parameters === null || parameters instanceof Uint8Array
      ? parameters
      : keyParameters(key, csbId, parameters);
  const extensions = data === null ? [] : [part.ge(7, data)];
  const sp = options.sp === undefined ? SP_GCM : options.sp;
  return {
    version: 1,
    dataType: 26,
    flags: 1,
    csbId,
    map: mapOf(type, csbId),
    parts: [
      part.t(options.timestamp ?? T),
      part.rand(RAND),
      options.hidden === true ? part.idr(8, initiatorSet.userId) : part.idr(1, initiator),
      options.hidden === true ? part.idr(9, responderSet.userId) : part.idr(2, responder),
      part.idr(6, options.initiatorKms ?? domainA.certificate.kmsUri),
      part.idr(7, options.responderKms ?? domainX.certificate.kmsUri),
      ...(sp === null ? [] : [part.sp(sp)]),
      ...(options.extensionFirst === true ? extensions : []),
      part.sakke(sed),
      ...(options.extensionFirst === true ? [] : extensions),
    ],
    signHeader: '2081',
    coverage: 'spec',
    afterLast: 4,
    tail: new Uint8Array(),
  };
}

/** Signs a draft as alice of domain A, or as another. */
export async function signDraft(
  draft: Draft,
  signer?: KmsKeySet,
  domain: TestDomain = domainA,
): Promise<Uint8Array> {
  const by = signer ?? (await domain.keySet(ALICE, PERIOD));
  return assemble(draft, by, domain.certificate.pubAuthKey);
}

export async function makeMessage(options: SceneOptions = {}): Promise<Uint8Array> {
  const signer = await domainA.keySet(
    options.initiator ?? ALICE,
    options.initiatorPeriod ?? PERIOD,
  );
  return signDraft(await makeDraft(options), signer);
}

/** Surroundings that hold the certificates of A, B and X and both radios' keys of the period. */
export async function makeContext(change: Partial<OpenContext> = {}): Promise<OpenContext> {
  const certificates = [domainA, domainB, domainX].map(({ certificate }) => certificate);
  const keySets = [await domainX.keySet(RADIO, PERIOD), await domainX.keySet(OTHER_RADIO, PERIOD)];
  return {
    clock: { now: () => NOW },
    slow,
    verifier,
    tolerances: ALL_TOLERANCES,
    findCertificate: (kmsUri) => certificates.find((certificate) => certificate.kmsUri === kmsUri),
    findKeySets: () => keySets,
    ...change,
  };
}

/** Surroundings with one certificate changed. */
export async function withCertificate(
  domain: TestDomain,
  change: Partial<TestDomain['certificate']>,
): Promise<OpenContext> {
  const context = await makeContext();
  return {
    ...context,
    findCertificate: (kmsUri) =>
      kmsUri === domain.certificate.kmsUri
        ? { ...domain.certificate, ...change }
        : context.findCertificate(kmsUri),
  };
}

/** Surroundings whose only key set is radio 1's, changed. */
export async function withKeySet(
  change: Partial<KmsKeySet>,
  period = PERIOD,
): Promise<OpenContext> {
  const keySet = { ...(await domainX.keySet(RADIO, period)), ...change };
  return makeContext({ findKeySets: () => [keySet] });
}
