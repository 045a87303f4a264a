import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fromHex, toHex } from '../../src/base/bytes.js';
import { checkKmsCertificate, periodAt, uidOf, type KmsCertificate } from '../../src/kms/index.js';

interface Vectors {
  cert: { kmsUri: string; userKeyPeriod: number; userKeyOffset: number } & Record<
    'pubEncKey' | 'pubAuthKey',
    string
  >;
  users: Record<string, { uri: string; uid: string; keyPeriodNo: number }>;
}

const vectors = JSON.parse(
  readFileSync('test/vectors/streamwide-and-third-party.json', 'utf8'),
) as Vectors;

const certificate: KmsCertificate = {
  role: 'Root',
  isSecurityGateway: false,
  kmsUri: vectors.cert.kmsUri,
  revoked: false,
  userKeyPeriod: BigInt(vectors.cert.userKeyPeriod),
  userKeyOffset: BigInt(vectors.cert.userKeyOffset),
  pubEncKey: fromHex(vectors.cert.pubEncKey),
  pubAuthKey: fromHex(vectors.cert.pubAuthKey),
  domains: [],
};

describe('identities of a security domain', () => {
  for (const [name, user] of Object.entries(vectors.users)) {
    it(`have the UID that Streamwide gives ${name}`, () => {
      assert.equal(toHex(uidOf(certificate, user.uri, BigInt(user.keyPeriodNo))), user.uid);
    });
  }

  it('fall into the key period of F.2.1', () => {
    const month = { ...certificate, userKeyPeriod: 2_592_000n };
    assert.equal(periodAt(month, (3_599_719_634 - 2_208_988_800) * 1000), 1388n);
  });

  it('rest on public keys that are points of their groups', () => {
    checkKmsCertificate(certificate);
    const off = (key: Uint8Array): Uint8Array => key.with(40, (key[40] ?? 0) ^ 1);
    for (const bad of [
      { ...certificate, pubEncKey: off(certificate.pubEncKey) },
      { ...certificate, pubAuthKey: off(certificate.pubAuthKey) },
    ]) {
      assert.throws(() => checkKmsCertificate(bad), { code: 'SEGY_E_KMS_DOCUMENT' });
    }
  });
});
