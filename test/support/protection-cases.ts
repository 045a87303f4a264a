/**
 * What a partner may send under signalling protection, right and wrong, made of a recorded body, and
 * the code that each gets under a policy.
 */
import { concatBytes, utf8 } from '../../src/base/bytes.js';
import { systemRandom } from '../../src/base/environment.js';
import { eccsiSign } from '../../src/crypto/index.js';
import { attachEar, encodeEar, sealMessage, type Ear, type Spk } from '../../src/protect/index.js';
import { leafParts, makeMultipart, parseBody, SipHeaders } from '../../src/sip/index.js';
import type { SimDomain, SipBody } from '../../src/sim/index.js';
import { EAR_POINTS, EAR_ROLES, type Policy, type PolicyPartner } from './policies.js';
import { RADIO_1, RADIO_2 } from './scene-config.js';

/** One request and the code of its refusal; null where the policy takes it. */
export interface ProtectionCase {
  readonly name: string;
  readonly body: SipBody;
  readonly code: string | null;
}

export interface CaseMaker {
  readonly partner: PolicyPartner;
  /** signs EARs; null where the policy asks for none */
  readonly domain: SimDomain | null;
  /** a body as recorded; `fresh` where it may be taken, so that its key must be new */
  readonly recorded: (fresh: boolean) => Promise<SipBody>;
  /** an EAR that was taken before */
  readonly usedEar: Uint8Array | null;
}

interface Measures {
  readonly confidentiality: boolean;
  readonly integrity: boolean;
}

interface Part {
  readonly headers: SipHeaders;
  readonly body: Uint8Array;
}

const BOTH: Measures = { confidentiality: true, integrity: true };
const MINUTE_S = 60;

const textOf = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');
const octetsOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

/** A signed EAR of the partner's user. */
export async function earOf(
  { partner, domain }: Pick<CaseMaker, 'partner' | 'domain'>,
  change: Partial<Ear> = {},
  signer = change.sourceId ?? partner.alice,
): Promise<Uint8Array> {
  const message = encodeEar(
    {
      time: Math.floor(Date.now() / 1000),
      id: systemRandom(16),
      sourceRole: EAR_ROLES.user,
      sourceId: partner.alice,
      targetRole: EAR_ROLES.server,
      targetId: RADIO_1.uri,
      request: { type: 2, id: null, expiry: null },
      ...change,
    },
    EAR_POINTS,
  );
  if (domain === null) throw new Error('nobody signs the EAR');
  const { userId: id, ssk, pvt } = await domain.keySet(signer);
  const kpak = domain.certificate.pubAuthKey;
  return concatBytes(message, eccsiSign({ kpak, id, ssk, pvt, message, random: systemRandom }));
}

/** `body` with the protection that the partner's SPK gives. */
export function sealed(
  partner: PolicyPartner,
  body: SipBody,
  o: { measures?: Measures; spk?: Spk; p0?: string; ear?: Uint8Array | null } = {},
): SipBody {
  const { measures = BOTH, spk = partner.spk, ear = null } = o;
  const p0 = o.p0 ?? partner.identity;
  const headers = new SipHeaders([['Content-Type', body.type]]);
  const message = {
    kind: 'request',
    method: 'INVITE',
    uri: p0,
    headers,
    body: body.bytes,
  } as const;
  if (ear !== null) attachEar(message, ear, systemRandom);
  const key = { spk, p0, random: systemRandom };
  sealMessage(message, key, { ...measures, host: partner.peer.address, random: systemRandom });
  return { type: headers.get('Content-Type') ?? body.type, bytes: message.body };
}

const isSigned = ({ headers }: Part): boolean =>
  (headers.get('Content-Type') ?? '').includes('-signed+xml');
const isInfo = ({ headers }: Part): boolean =>
  (headers.get('Content-Type') ?? '').includes('mcptt-info+xml');

/** The parts of a body changed, and put together again. */
function remade({ type, bytes }: SipBody, change: (parts: Part[]) => Part[]): SipBody {
  const parts = leafParts(parseBody(type, bytes)).map(({ headers, body }) => ({ headers, body }));
  const { contentType, body } = makeMultipart(change(parts), systemRandom);
  return { type: contentType, bytes: body };
}

function inParts(
  body: SipBody,
  which: (part: Part) => boolean,
  change: (text: string) => string,
): SipBody {
  return remade(body, (parts) =>
    parts.map((part) =>
      which(part) ? { ...part, body: octetsOf(change(textOf(part.body))) } : part,
    ),
  );
}

const inInfo = (body: SipBody, change: (text: string) => string): SipBody =>
  inParts(body, isInfo, change);
const inSigned = (body: SipBody, change: (text: string) => string): SipBody =>
  inParts(body, isSigned, change);

/** Base64 of `octets` of a CipherValue, changed. */
const inCipher = (change: (octets: Uint8Array) => Uint8Array) => (text: string) =>
  text.replace(/<CipherValue>([^<]+)</, (_, value: string) => {
    const octets = new Uint8Array(Buffer.from(value, 'base64'));
    return `<CipherValue>${Buffer.from(change(octets)).toString('base64')}<`;
  });

const flipAt = (octets: Uint8Array, at: number): Uint8Array => {
  const changed = octets.slice();
  const index = (at + octets.length) % octets.length;
  changed[index] = (changed[index] ?? 0) ^ 1;
  return changed;
};

const XML_ENCRYPTED =
  '<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#" Type="http://www.w3.org/2001/04/xmlenc#Content">' +
  `<CipherData><CipherValue>${'A'.repeat(64)}</CipherValue></CipherData></EncryptedData>`;

/** Codes of what is right in itself and lacks a measure. */
function lacking(policy: Policy, did: Measures): string | null {
  if (policy.integrity && !did.integrity) return 'SEGY_E_XML_UNSIGNED';
  return policy.confidentiality && !did.confidentiality ? 'SEGY_E_XML_CLEAR' : null;
}

/** All cases of one kind of request under the partner's policy. */
export async function casesOf(maker: CaseMaker): Promise<ProtectionCase[]> {
  const { partner, usedEar } = maker;
  const { policy } = partner;
  const cases: ProtectionCase[] = [];
  const isExplicit = policy.ear === 'explicit';
  const ear = (): Promise<Uint8Array | null> => (isExplicit ? earOf(maker) : Promise.resolve(null));

  for (const [name, measures] of [
    ['right', BOTH],
    ['unsigned', { confidentiality: true, integrity: false }],
    ['clear-and-signed', { confidentiality: false, integrity: true }],
    ['bare', { confidentiality: false, integrity: false }],
  ] as const) {
    const code = lacking(policy, measures);
    const recorded = await maker.recorded(code === null);
    cases.push({ name, code, body: sealed(partner, recorded, { measures, ear: await ear() }) });
  }

  const base = await maker.recorded(false);
  const good = sealed(partner, base, { ear: await ear() });
  const add = (name: string, code: string, body: SipBody): void => {
    cases.push({ name, code, body });
  };
  const other = { ...partner.spk, key: systemRandom(16) };
  const signedOver = async (body: SipBody): Promise<SipBody> =>
    sealed(partner, body, {
      measures: { confidentiality: false, integrity: true },
      ear: await ear(),
    });
  const encrypted = (spk?: Spk, p0?: string): SipBody =>
    sealed(partner, base, {
      measures: { confidentiality: true, integrity: false },
      ...(spk && { spk }),
      ...(p0 !== undefined && { p0 }),
    });

  const signature = 'SEGY_E_XML_SIGNATURE';
  add('signed-with-another-key', signature, sealed(partner, base, { spk: other }));
  add('signed-as-another-identity', signature, sealed(partner, base, { p0: 'sip:m@x.example' }));
  add(
    'under-an-unknown-spk',
    'SEGY_E_SPK_UNKNOWN',
    sealed(partner, base, { spk: { ...other, keyName: 'MP///w==' } }),
  );
  add(
    'under-an-expired-spk',
    'SEGY_E_SPK_VALIDITY',
    sealed(partner, base, { spk: partner.expired }),
  );
  add(
    'signed-body-changed',
    signature,
    inInfo(good, (text) => text.replace('mcptt-Params>', 'mcptt-Params> ')),
  );
  add(
    'signature-changed',
    signature,
    inSigned(good, (text) =>
      text.replace(
        /(<SignatureValue>)(.)/,
        (_, tag: string, first: string) => `${tag}${first === 'A' ? 'B' : 'A'}`,
      ),
    ),
  );
  add(
    'digest-changed',
    signature,
    inSigned(good, (text) =>
      text.replace(
        /(<DigestValue>)(.)/,
        (_, tag: string, first: string) => `${tag}${first === 'A' ? 'B' : 'A'}`,
      ),
    ),
  );
  add(
    'signature-cut-short',
    'SEGY_E_XML',
    inSigned(good, (text) => text.slice(0, -20)),
  );
  const elsewhere = sealed(partner, base);
  const foreign = leafParts(parseBody(elsewhere.type, elsewhere.bytes)).find(isSigned);
  if (foreign === undefined) throw new Error('nothing was signed');
  add(
    'signature-of-another-message',
    signature,
    remade(good, (parts) => parts.map((part) => (isSigned(part) ? foreign : part))),
  );
  add(
    'two-signature-parts',
    signature,
    remade(good, (parts) => [...parts, ...parts.filter(isSigned)]),
  );
  add(
    'signed-body-doubled',
    signature,
    remade(good, (parts) => [...parts, ...parts.filter(isInfo)]),
  );
  add(
    'signed-body-behind-an-unsigned-one',
    'SEGY_E_XML_UNSIGNED',
    remade(good, (parts) => [
      ...parts.filter((part) => !isInfo(part) && !isSigned(part)),
      ...parts.filter(isInfo).map(({ body }) => ({
        headers: new SipHeaders([['Content-Type', 'application/vnd.3gpp.mcptt-info+xml']]),
        body,
      })),
      ...parts.filter((part) => isInfo(part) || isSigned(part)),
    ]),
  );
  add(
    'wrapped-signature',
    signature,
    inSigned(good, (text) => text.replace(/<Signature [\s\S]*<\/Signature>/, '<x>$&</x>')),
  );
  add(
    'encrypted-where-none-may-be',
    'SEGY_E_XML_PLACE',
    await signedOver(
      inInfo(base, (text) => text.replace(/(<session-type>)[^<]*/, `$1${XML_ENCRYPTED}`)),
    ),
  );
  const undecryptable = 'SEGY_E_XML_DECRYPT';
  const broken: [string, (text: string) => string][] = [
    ['tag-changed', inCipher((octets) => flipAt(octets, -1))],
    ['ciphertext-changed', inCipher((octets) => flipAt(octets, 14))],
    ['iv-changed', inCipher((octets) => flipAt(octets, 0))],
    ['ciphertext-cut', inCipher((octets) => octets.subarray(0, 20))],
    ['no-ciphertext', (text) => text.replace(/<CipherValue>[^<]+/, '<CipherValue>')],
  ];
  for (const [name, change] of broken) {
    add(name, undecryptable, await signedOver(inInfo(encrypted(), change)));
  }
  add('encrypted-with-another-key', undecryptable, await signedOver(encrypted(other)));
  add(
    'encrypted-as-another-identity',
    undecryptable,
    await signedOver(encrypted(undefined, 'sip:m@x.example')),
  );
  if (policy.ear !== 'none') {
    const claiming = inInfo(base, (text) => text.replaceAll(partner.alice, RADIO_2.uri));
    const body = sealed(partner, claiming, { ear: await ear() });
    add('claims-an-identity-of-ours', 'SEGY_E_NOT_EXTERNAL', body);
  }
  if (isExplicit) cases.push(...(await earCases(maker, base, usedEar)));
  return cases;
}

/** Cases of a policy that asks for EARs. */
async function earCases(
  maker: CaseMaker,
  base: SipBody,
  used: Uint8Array | null,
): Promise<ProtectionCase[]> {
  const { partner } = maker;
  const now = Math.floor(Date.now() / 1000);
  const right = await earOf(maker);
  const rows: [string, string, Uint8Array | null][] = [
    ['without-ear', 'REQUIRED', null],
    ['ear-for-another-target', 'TARGET', await earOf(maker, { targetId: 'sip:x@lmr.example' })],
    ['ear-of-yesterday', 'WINDOW', await earOf(maker, { time: now - 1440 * MINUTE_S })],
    [
      'ear-expired',
      'EXPIRED',
      await earOf(maker, { request: { type: 2, id: null, expiry: now - 1 } }),
    ],
    ['ear-of-another-role', 'ROLE', await earOf(maker, { sourceRole: EAR_ROLES.server })],
    [
      'ear-of-another-type',
      'ROLE',
      await earOf(maker, { request: { type: 1, id: null, expiry: null } }),
    ],
    ['ear-of-another-user', 'SOURCE', await earOf(maker, { sourceId: partner.bob })],
    ['ear-signed-by-another', 'SIGNATURE', await earOf(maker, {}, partner.bob)],
    ['ear-changed', 'SIGNATURE', flipAt(right, 10)],
    ['ear-cut-short', 'SYNTAX', right.subarray(0, 100)],
    ['ear-too-long', 'SYNTAX', concatBytes(right, utf8('x'))],
  ];
  if (used !== null) rows.push(['ear-used-before', 'REPLAYED', used]);
  return rows.map(([name, code, ear]) => ({
    name,
    code: `SEGY_E_EAR_${code}`,
    body: sealed(partner, base, { ear }),
  }));
}
