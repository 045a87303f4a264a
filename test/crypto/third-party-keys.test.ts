import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../src/base/bytes.js';
import {
  createInlineCrypto,
  eccsiValidate,
  isP256Point,
  isSakkePoint,
  mcxUid,
} from '../../src/crypto/index.js';
import { readVectors } from '../support/vectors.js';

interface ThirdParty {
  readonly cert: {
    readonly kmsUri: string;
    readonly userKeyPeriod: number;
    readonly userKeyOffset: number;
    readonly pubEncKey: string;
    readonly pubAuthKey: string;
  };
  readonly users: Readonly<
    Record<
      string,
      { uri: string; uid: string; keyPeriodNo: number; rsk: string; ssk: string; pvt: string }
    >
  >;
}

const { cert, users } = readVectors('streamwide-and-third-party') as ThirdParty;
const z = fromHex(cert.pubEncKey);
const kpak = fromHex(cert.pubAuthKey);
const crypto = createInlineCrypto();

describe("crypto: keys of another vendor's KMS", () => {
  it('come with public keys that are points of their groups', () => {
    assert.ok(isSakkePoint(z));
    assert.ok(isP256Point(kpak));
  });

  for (const [name, user] of Object.entries(users)) {
    it(`are valid for the UID of ${name}`, async () => {
      const id = mcxUid({
        uri: user.uri,
        kmsUri: cert.kmsUri,
        period: BigInt(cert.userKeyPeriod),
        offset: BigInt(cert.userKeyOffset),
        periodNo: BigInt(user.keyPeriodNo),
      });
      assert.equal(toHex(id), user.uid);
      assert.ok(await crypto.validateRsk({ z, id, rsk: fromHex(user.rsk) }));
      assert.ok(eccsiValidate({ kpak, id, ssk: fromHex(user.ssk), pvt: fromHex(user.pvt) }));
    });
  }
});
