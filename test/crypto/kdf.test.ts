import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../src/base/bytes.js';
import { type MikeyKeyKind, deriveMikeyKey, userSalt28 } from '../../src/crypto/index.js';
import { readVectors } from '../support/vectors.js';

interface KdfVectors {
  readonly kdf: readonly {
    readonly name: string;
    readonly kind: MikeyKeyKind;
    readonly inkey: string;
    readonly rand: string;
    readonly csbId: string;
    readonly csId: number;
    readonly outLen: number;
    readonly output: string;
  }[];
  readonly gukId: readonly {
    readonly name: string;
    readonly gmk: string;
    readonly gmkId: string;
    readonly userUri: string;
    readonly userSalt?: string;
    readonly gukId: string;
  }[];
}

const vectors = readVectors('mikey-kdf-and-gukid') as KdfVectors;

describe('crypto/kdf: MIKEY key derivation', () => {
  for (const v of vectors.kdf) {
    it(`derives ${v.name}`, () => {
      const input = {
        key: fromHex(v.inkey),
        rand: fromHex(v.rand),
        csbId: fromHex(v.csbId),
        csId: v.csId,
      };
      assert.equal(toHex(deriveMikeyKey(v.kind, input, v.outLen)), v.output);
    });
  }
});

describe('crypto/kdf: user salt (F.1.3)', () => {
  for (const v of vectors.gukId) {
    it(`gives ${v.name} the salt that turns its GMK-ID into its GUK-ID`, () => {
      const salt = userSalt28(fromHex(v.gmk), v.userUri);
      const gmkId = fromHex(v.gmkId);
      assert.equal(toHex(salt.map((octet, i) => octet ^ gmkId[i]!)), v.gukId);
      if (v.userSalt !== undefined) assert.equal(toHex(salt), v.userSalt);
    });
  }
});
