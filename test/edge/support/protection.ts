/** Profiles, keys and messages of a partner whose signalling with the edge is protected. */
import { concatBytes, fromHex } from '../../../src/base/bytes.js';
import { systemClock, systemRandom } from '../../../src/base/environment.js';
import { SegyError } from '../../../src/base/errors.js';
import type { ProtectionConfig } from '../../../src/config/index.js';
import { protectionSchema } from '../../../src/config/protection-schema.js';
import {
  eccsiExtract,
  eccsiPublicKey,
  eccsiSign,
  EccsiVerifier,
} from '../../../src/crypto/index.js';
import { periodAt, uidOf, type KmsCertificate, type KmsKeySet } from '../../../src/kms/index.js';
import {
  encodeEar,
  openMessage,
  sealMessage,
  SpkSet,
  SignallingProtection,
  type Ear,
  type Spk,
} from '../../../src/protect/index.js';
import type { SipMessage } from '../../../src/sip/index.js';
import { ALICE, Harness, RADIO1, type HarnessOptions } from './harness.js';

const KEY_HEX = '000102030405060708090a0b0c0d0e0f';
export const POINTS = {
  messageType: 0x91,
  requestIei: 0x70,
  requestIdIei: 0x21,
  requestExpiryIei: 0x22,
};
export const ROLES = { user: 1, server: 2 };
const KSAK = fromHex('11'.repeat(32));

export function profile(change: Record<string, unknown> = {}): ProtectionConfig {
  return protectionSchema.parse({
    spks: [
      {
        id: '30010203',
        keyFile: 'spk',
        rand: '00'.repeat(16),
        validFrom: '2020-01-01T00:00:00Z',
        validTo: '2099-01-01T00:00:00Z',
      },
    ],
    ...change,
  });
}

export const EAR = {
  receive: 'explicit',
  send: true,
  codePoints: { ...POINTS, roles: ROLES, signature: 'appended' },
  sourceRole: 'user',
  targetRole: 'server',
  acceptRoles: ['user'],
};

export const CERTIFICATE: KmsCertificate = {
  role: 'External',
  isSecurityGateway: false,
  kmsUri: 'kms.mc-a.example',
  revoked: false,
  userKeyPeriod: 2_592_000n,
  userKeyOffset: 0n,
  pubEncKey: new Uint8Array(257),
  pubAuthKey: eccsiPublicKey(KSAK),
  domains: ['mc-a.example'],
};

const keySets = new Map<string, KmsKeySet>();

function keySetOf(uri: string): KmsKeySet {
  const known = keySets.get(uri) ?? makeKeySet(uri);
  keySets.set(uri, known);
  return known;
}

function makeKeySet(uri: string): KmsKeySet {
  const keyPeriodNo = periodAt(CERTIFICATE, Date.now());
  const userId = uidOf(CERTIFICATE, uri, keyPeriodNo);
  const { ssk, pvt } = eccsiExtract({ ksak: KSAK, id: userId, random: systemRandom });
  const rsk = new Uint8Array(257);
  const kmsUri = CERTIFICATE.kmsUri;
  return { kmsUri, userUri: uri, userId, keyPeriodNo, revoked: false, rsk, ssk, pvt };
}

/** A harness whose partner has this profile, and the partner's own end of the protection. */
export async function start(
  protection: ProtectionConfig,
  o: HarnessOptions = {},
): Promise<Harness> {
  const used = new Map<string, string>();
  return Harness.start({
    ...o,
    partner: (partner) => ({ ...(o.partner?.(partner) ?? partner), protection }),
    protection: (partners) =>
      new SignallingProtection({
        partners,
        readKeyFile: () => `${KEY_HEX}\n`,
        host: 'segy.example',
        clock: systemClock,
        random: systemRandom,
        verifier: new EccsiVerifier({ cacheSize: 4 }),
        keys: {
          certificateFor: (uri) => {
            if (uri.endsWith('@mc-a.example')) return CERTIFICATE;
            throw new SegyError('SEGY_E_MIKEY_KMS_UNKNOWN', 'no KMS');
          },
          signer: (uri) => Promise.resolve({ certificate: CERTIFICATE, keySet: keySetOf(uri) }),
        },
        replay: {
          enter: (id, dialog) => {
            if ((used.get(id) ?? dialog) !== dialog) {
              return Promise.reject(new SegyError('SEGY_E_MIKEY_REPLAYED', 'again'));
            }
            used.set(id, dialog);
            return Promise.resolve();
          },
        },
      }),
  });
}

export const SPK: Spk = {
  id: fromHex('30010203'),
  keyName: 'MAECAw==',
  key: fromHex(KEY_HEX),
  rand: new Uint8Array(16),
  csId: 6,
  validFrom: 0,
  validTo: Infinity,
  sendFrom: 0,
};
/** From of the MC system's INVITE: P0 by the rule "user". */
const THEIRS = 'sip:cntrl-psi@mc-a.example';
const OURS = 'sip:segy@lmr.example';
export const BOTH = { confidentiality: true, integrity: true };

export function seal(request: SipMessage, measures = BOTH, key = SPK, p0 = THEIRS): void {
  const made = { ...measures, host: 'mc-a.example', random: systemRandom };
  sealMessage(request, { spk: key, p0, random: systemRandom }, made);
}

export function open(message: SipMessage, p0 = OURS): Uint8Array | null {
  const keys = { spks: new SpkSet([SPK]), p0, now: Date.now() };
  return openMessage(message, keys, BOTH, systemRandom);
}

/** An EAR as the MC system makes it, changed before it is signed. */
export function ear(change: Partial<Ear> = {}, signer = change.sourceId ?? ALICE): Uint8Array {
  const payload = encodeEar(
    {
      time: Math.floor(Date.now() / 1000),
      id: systemRandom(16),
      sourceRole: ROLES.user,
      sourceId: ALICE,
      targetRole: ROLES.server,
      targetId: RADIO1,
      request: { type: 2, id: null, expiry: null },
      ...change,
    },
    POINTS,
  );
  const { ssk, pvt, userId: id } = keySetOf(signer);
  const kpak = CERTIFICATE.pubAuthKey;
  const signature = eccsiSign({ kpak, id, ssk, pvt, message: payload, random: systemRandom });
  return concatBytes(payload, signature);
}
