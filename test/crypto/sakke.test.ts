import assert from 'node:assert/strict';
import { concatBytes, fromHex, toHex } from '../../src/base/bytes.js';
import { createInlineCrypto, isSakkePoint, sakkeMasterPublic } from '../../src/crypto/index.js';
import { hashToIntegerRange } from '../../src/crypto/hash-to-integer-range.js';
import { pair, prepareLines } from '../../src/crypto/pairing.js';
import { GeneratorPowers } from '../../src/crypto/pf.js';
import { BASE_POINT, decodePoint } from '../../src/crypto/sakke-curve.js';
import { g, p, q } from '../../src/crypto/sakke-parameters.js';
import { readVectors } from '../support/vectors.js';

interface SakkeVector {
  readonly parameterSet1: { readonly p: string; readonly q: string; readonly g: string };
  readonly z: string;
  readonly Z: string;
  readonly ID: string;
  readonly RSK: string;
  readonly SSV: string;
  readonly r: string;
  readonly R: string;
  readonly g_pow_r: string;
  readonly SED: string;
}

const rfc = readVectors('rfc6508-sakke') as SakkeVector;
const z = fromHex(rfc.Z);
const id = fromHex(rfc.ID);
const rsk = fromHex(rfc.RSK);
const ssv = fromHex(rfc.SSV);
const sed = fromHex(rfc.SED);
const master = fromHex(rfc.z);
const crypto = createInlineCrypto();

describe('crypto/sakke: RFC 6508 Appendix A', () => {
  it('uses parameter set 1', () => {
    assert.equal(p, BigInt(`0x${rfc.parameterSet1.p}`));
    assert.equal(q, BigInt(`0x${rfc.parameterSet1.q}`));
    assert.equal(g, BigInt(`0x${rfc.parameterSet1.g}`));
    assert.equal(p + 1n, 4n * q);
  });

  it('gives Z of the master secret', () => {
    assert.equal(toHex(sakkeMasterPublic(master)), rfc.Z);
  });

  it('extracts the RSK', async () => {
    assert.equal(toHex(await crypto.extractRsk({ master, id })), rfc.RSK);
  });

  it('validates the RSK', async () => {
    assert.equal(await crypto.validateRsk({ z, id, rsk }), true);
  });

  it('hashes SSV || ID to r', () => {
    assert.equal(hashToIntegerRange(concatBytes(ssv, id), q), BigInt(`0x${rfc.r}`));
  });

  it('raises g to r', () => {
    assert.equal(new GeneratorPowers().power(BigInt(`0x${rfc.r}`)), BigInt(`0x${rfc.g_pow_r}`));
  });

  it('pairs R_b with the RSK to g^r, in either order', () => {
    const R = decodePoint(fromHex(rfc.R), 'R');
    const K = decodePoint(rsk, 'K');
    assert.equal(pair(prepareLines(K, 'K'), R), BigInt(`0x${rfc.g_pow_r}`));
    assert.equal(pair(prepareLines(R, 'R'), K), BigInt(`0x${rfc.g_pow_r}`));
  });

  it('pairs P with P to g', () => {
    assert.equal(pair(prepareLines(BASE_POINT, 'P'), BASE_POINT), g);
  });

  it('encapsulates to the SED', async () => {
    assert.equal(toHex(await crypto.encapsulate({ ssv, id, z })), rfc.SED);
  });

  it('decapsulates the SED', async () => {
    assert.equal(toHex(await crypto.decapsulate({ sed, id, z, rsk })), rfc.SSV);
  });

  it('accepts the points of the vector', () => {
    assert.ok(isSakkePoint(z));
  });
});
