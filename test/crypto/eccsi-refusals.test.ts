import assert from 'node:assert/strict';
import { p256 } from '@noble/curves/nist.js';
import fc from 'fast-check';
import { bytesToUint, concatBytes, fromHex, toHex, uintToBytes } from '../../src/base/bytes.js';
import { systemRandom as random } from '../../src/base/environment.js';
import {
  EccsiVerifier,
  eccsiExtract,
  eccsiPublicKey,
  eccsiSign,
  eccsiValidate,
  isP256Point,
} from '../../src/crypto/index.js';
import { eccsiHs, eccsiY } from '../../src/crypto/eccsi.js';
import { verifyByDefinition } from '../../src/crypto/eccsi-verifier.js';
import {
  decodeP256,
  encodeP256,
  fieldPrime,
  multiplyOctets,
  multiplyPublic,
  n,
} from '../../src/crypto/p256.js';
import { invert, mod } from '../../src/crypto/sakke-parameters.js';
import { readVectors } from '../support/vectors.js';

const rfc = readVectors('rfc6507-eccsi') as Record<
  'KSAK' | 'KPAK' | 'ID' | 'SSK' | 'PVT' | 'M' | 'signature' | 'HE',
  string
>;
const kpak = fromHex(rfc.KPAK);
const id = fromHex(rfc.ID);
const ssk = fromHex(rfc.SSK);
const pvt = fromHex(rfc.PVT);
const message = fromHex(rfc.M);
const signature = fromHex(rfc.signature);
const octets32 = (value: bigint) => uintToBytes(value, 32);
const OFF_CURVE = concatBytes(pvt.subarray(0, 64), Uint8Array.of(pvt[64]! ^ 1));

function withParts(parts: { r?: bigint; s?: bigint; pvt?: Uint8Array }): Uint8Array {
  return concatBytes(
    parts.r === undefined ? signature.subarray(0, 32) : octets32(parts.r),
    parts.s === undefined ? signature.subarray(32, 64) : octets32(parts.s),
    parts.pvt ?? pvt,
  );
}

/** The first point whose x-coordinate is not below n, as no signer will ever meet one by chance. */
function pointBeyondN(): { x: bigint; y: bigint } {
  const { b } = p256.Point.CURVE();
  for (let x = n; ; x++) {
    try {
      const y = p256.Point.Fp.sqrt(mod((x * x - 3n) * x + b, fieldPrime));
      return { x, y };
    } catch {
      continue;
    }
  }
}

describe('crypto/eccsi: a signature that does not verify', () => {
  const s = bytesToUint(signature.subarray(32, 64));
  const bad: readonly (readonly [string, Uint8Array])[] = [
    ['one octet short', signature.subarray(0, 128)],
    ['one octet long', concatBytes(signature, Uint8Array.of(0))],
    ['r = 0', withParts({ r: 0n })],
    ['r changed', withParts({ r: 5n })],
    ['r in [n, p)', withParts({ r: pointBeyondN().x })],
    ['r = p - 1', withParts({ r: fieldPrime - 1n })],
    ['r = p', withParts({ r: fieldPrime })],
    ['s = 0', withParts({ s: 0n })],
    ['s = n', withParts({ s: n })],
    ['s + n', s + n < 1n << 256n ? withParts({ s: s + n }) : withParts({ s: n + 1n })],
    ['s changed', withParts({ s: s ^ 1n })],
    ['PVT off the curve', withParts({ pvt: OFF_CURVE })],
    ['PVT as infinity', withParts({ pvt: new Uint8Array(65) })],
    ['PVT of another user', withParts({ pvt: kpak })],
    ['PVT compressed in the first octet', withParts({ pvt: pvt.map((o, i) => (i ? o : 2)) })],
  ];
  for (const [name, octets] of bad) {
    it(`is refused: ${name}`, () => {
      const verifier = new EccsiVerifier();
      assert.equal(verifier.verify({ kpak, id, message, signature: octets }), false);
      assert.equal(verifier.verify({ kpak, id, message, signature }), true);
      assert.equal(verifier.verify({ kpak, id, message, signature: octets }), false);
    });
  }

  it('is refused: another message, identity or KMS', () => {
    const verifier = new EccsiVerifier();
    const good = { kpak, id, message, signature };
    assert.ok(verifier.verify(good));
    assert.ok(!verifier.verify({ ...good, message: concatBytes(message, Uint8Array.of(0)) }));
    assert.ok(!verifier.verify({ ...good, id: new Uint8Array(32) }));
    assert.ok(!verifier.verify({ ...good, kpak: eccsiPublicKey(octets32(5n)) }));
  });

  it('is refused: hostile octets, whatever they are', () => {
    const verifier = new EccsiVerifier();
    const changed = fc
      .tuple(fc.nat(128), fc.integer({ min: 1, max: 255 }))
      .map(([at, flip]) => signature.map((octet, i) => (i === at ? octet ^ flip : octet)));
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 140 })), (octets) => {
        assert.equal(verifier.verify({ kpak, id, message, signature: octets }), false);
      }),
      { numRuns: 150 },
    );
  });

  it('is told from a good one also after its signer was forgotten', () => {
    const verifier = new EccsiVerifier({ cacheSize: 1 });
    const ksak = octets32(77n);
    const own = eccsiPublicKey(ksak);
    const key = eccsiExtract({ ksak, id, random });
    const other = eccsiSign({ kpak: own, id, ...key, message, random });
    for (let i = 0; i < 2; i++) {
      assert.ok(verifier.verify({ kpak, id, message, signature }));
      assert.ok(verifier.verify({ kpak: own, id, message, signature: other }));
      assert.ok(!verifier.verify({ kpak: own, id, message, signature }));
    }
  });

  it('verifies with n - s as well, which is why no replay record may rest on signature octets', () => {
    const twin = withParts({ s: n - s });
    assert.ok(new EccsiVerifier().verify({ kpak, id, message, signature: twin }));
  });
});

describe('crypto/eccsi: verification by definition', () => {
  const y = eccsiY(kpak, eccsiHs(kpak, id, pvt), pvt)!;
  const he = BigInt(`0x${rfc.HE}`);

  it('agrees with the ECDSA path on the vector of RFC 6507', () => {
    const r = bytesToUint(signature.subarray(0, 32));
    const s = bytesToUint(signature.subarray(32, 64));
    assert.ok(verifyByDefinition({ y, he, r, s }));
    assert.ok(!verifyByDefinition({ y, he, r: r + 1n, s }));
    assert.ok(!verifyByDefinition({ y, he: he + 1n, r, s }));
  });

  it('takes r in [n, p) as it stands: J crafted, and Y made to fit', () => {
    const { x: r, y: jy } = pointBeyondN();
    const s = 12345n;
    const fromJ = multiplyPublic(p256.Point.fromAffine({ x: r, y: jy }), invert(s, n));
    const rest = fromJ.add(multiplyPublic(p256.Point.BASE, he).negate());
    const crafted = encodeP256(multiplyPublic(rest, invert(r, n)))!;
    assert.ok(r >= n && r < fieldPrime);
    assert.ok(verifyByDefinition({ y: crafted, he, r, s }));
    assert.ok(!verifyByDefinition({ y: crafted, he, r: r - n, s }));
  });

  it('refuses J at infinity', () => {
    const minusG = encodeP256(p256.Point.BASE.negate())!;
    assert.ok(!verifyByDefinition({ y: minusG, he: 7n, r: 7n, s: 1n }));
  });
});

describe('crypto/eccsi: keys', () => {
  it('lets every extracted key sign and verify', () => {
    const identity = fc.uint8Array({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(identity, fc.uint8Array({ maxLength: 100 }), (uid, text) => {
        const ksak = octets32((bytesToUint(random(32)) % (n - 1n)) + 1n);
        const own = eccsiPublicKey(ksak);
        const key = eccsiExtract({ ksak, id: uid, random });
        assert.ok(eccsiValidate({ kpak: own, id: uid, ...key }));
        const made = eccsiSign({ kpak: own, id: uid, ...key, message: text, random });
        const input = { kpak: own, id: uid, message: text, signature: made };
        assert.ok(new EccsiVerifier().verify(input));
      }),
      { numRuns: 15 },
    );
  });

  it('does not validate a key pair of another identity, a changed SSK or a PVT off the curve', () => {
    const good = { kpak, id, ssk, pvt };
    assert.ok(!eccsiValidate({ ...good, id: new Uint8Array(32) }));
    assert.ok(!eccsiValidate({ ...good, ssk: octets32(bytesToUint(ssk) + 1n) }));
    assert.ok(!eccsiValidate({ ...good, ssk: octets32(0n) }));
    assert.ok(!eccsiValidate({ ...good, ssk: octets32(n) }));
    assert.ok(!eccsiValidate({ ...good, pvt: OFF_CURVE }));
  });

  it('multiplies by way of ECDH as by double-and-add, edges included', () => {
    const point = decodeP256(pvt);
    const edges = [0n, 1n, 2n, 3n, n - 3n, n - 2n, n - 1n, n, n + 5n, BigInt(`0x${rfc.HE}`)];
    for (const k of edges) {
      const fast = encodeP256(multiplyOctets(pvt, k));
      const plain = encodeP256(multiplyPublic(point, k));
      assert.deepEqual(fast, plain, k.toString(16));
    }
  });

  it('tells points of P-256 from what is none', () => {
    assert.ok(isP256Point(pvt));
    const tooLarge = concatBytes(Uint8Array.of(4), octets32(fieldPrime), octets32(1n));
    for (const octets of [OFF_CURVE, new Uint8Array(65), tooLarge, pvt.subarray(1)]) {
      assert.ok(!isP256Point(octets));
    }
  });
});

describe('crypto/eccsi: arguments', () => {
  const signing = { kpak, id, ssk, pvt, message, random };
  const cases: readonly (readonly [string, () => unknown])[] = [
    ['ksak', () => eccsiPublicKey(octets32(0n))],
    ['ksak', () => eccsiPublicKey(octets32(n))],
    ['ksak', () => eccsiPublicKey(new Uint8Array(31))],
    ['v', () => eccsiExtract({ ksak: octets32(5n), id, v: octets32(0n) })],
    ['kpak', () => eccsiSign({ ...signing, kpak: OFF_CURVE })],
    ['id', () => eccsiSign({ ...signing, id: new Uint8Array() })],
    ['ssk', () => eccsiSign({ ...signing, ssk: octets32(0n) })],
    ['pvt', () => eccsiSign({ ...signing, pvt: OFF_CURVE })],
    ['j', () => eccsiSign({ kpak, id, ssk, pvt, message, j: octets32(n) })],
    ['kpak', () => new EccsiVerifier().verify({ kpak: OFF_CURVE, id, message, signature })],
    ['cacheSize', () => new EccsiVerifier({ cacheSize: 0 })],
  ];
  for (const [i, [name, call]] of cases.entries()) {
    it(`names ${name} when it is wrong (${i})`, () => {
      assert.throws(call, {
        code: 'SEGY_E_ARGUMENT',
        message: new RegExp(`^${name} (has|is not)`),
      });
    });
  }

  it('never signs twice with one j', () => {
    const [first, second] = [eccsiSign(signing), eccsiSign(signing)];
    assert.notEqual(toHex(first.subarray(0, 32)), toHex(second.subarray(0, 32)));
  });
});
