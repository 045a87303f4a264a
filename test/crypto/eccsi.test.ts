import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../src/base/bytes.js';
import {
  EccsiVerifier,
  eccsiExtract,
  eccsiPublicKey,
  eccsiSign,
  eccsiValidate,
} from '../../src/crypto/index.js';
import { eccsiHs } from '../../src/crypto/eccsi.js';
import { readVectors } from '../support/vectors.js';

interface EccsiVector {
  readonly KSAK: string;
  readonly v: string;
  readonly KPAK: string;
  readonly PVT: string;
  readonly ID: string;
  readonly HS: string;
  readonly SSK: string;
  readonly M: string;
  readonly j: string;
  readonly signature: string;
}

const rfc = readVectors('rfc6507-eccsi') as EccsiVector;
const kpak = fromHex(rfc.KPAK);
const id = fromHex(rfc.ID);
const ssk = fromHex(rfc.SSK);
const pvt = fromHex(rfc.PVT);
const message = fromHex(rfc.M);
const signature = fromHex(rfc.signature);

describe('crypto/eccsi: RFC 6507 Appendix A', () => {
  it('gives KPAK of KSAK', () => {
    assert.equal(toHex(eccsiPublicKey(fromHex(rfc.KSAK))), rfc.KPAK);
  });

  it('extracts SSK and PVT', () => {
    const key = eccsiExtract({ ksak: fromHex(rfc.KSAK), id, v: fromHex(rfc.v) });
    assert.deepEqual([toHex(key.ssk), toHex(key.pvt)], [rfc.SSK, rfc.PVT]);
  });

  it('hashes to HS', () => {
    assert.equal(toHex(eccsiHs(kpak, id, pvt)), rfc.HS);
  });

  it('validates the key pair', () => {
    assert.equal(eccsiValidate({ kpak, id, ssk, pvt }), true);
  });

  it('signs', () => {
    const made = eccsiSign({ kpak, id, ssk, pvt, message, j: fromHex(rfc.j) });
    assert.equal(toHex(made), rfc.signature);
  });

  it('verifies, for a new and for a known signer', () => {
    const verifier = new EccsiVerifier();
    assert.equal(verifier.verify({ kpak, id, message, signature }), true);
    assert.equal(verifier.verify({ kpak, id, message, signature }), true);
  });
});
