import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concatBytes, fromHex, toHex, uintToBytes } from '../../src/base/bytes.js';
import { createInlineCrypto, isSakkePoint, sakkeMasterPublic } from '../../src/crypto/index.js';
import { hashToIntegerRange } from '../../src/crypto/hash-to-integer-range.js';
import { pair, prepareLines } from '../../src/crypto/pairing.js';
import { GeneratorPowers } from '../../src/crypto/pf.js';
import { BASE_POINT, decodePoint, encodePoint } from '../../src/crypto/sakke-curve.js';
import { q } from '../../src/crypto/sakke-parameters.js';
import { textbookAdd } from '../support/textbook-sakke.js';
import { readVectors } from '../support/vectors.js';

const rfc = readVectors('rfc6508-sakke') as Record<
  'Z' | 'ID' | 'RSK' | 'SSV' | 'SED' | 'z',
  string
>;
const z = fromHex(rfc.Z);
const id = fromHex(rfc.ID);
const rsk = fromHex(rfc.RSK);
const ssv = fromHex(rfc.SSV);
const sed = fromHex(rfc.SED);
const master = fromHex(rfc.z);
const crypto = createInlineCrypto();
const powers = new GeneratorPowers();

const ORDER_2 = concatBytes(Uint8Array.of(4), new Uint8Array(256));
const OUTSIDE = encodePoint(textbookAdd(BASE_POINT, { x: 0n, y: 0n })!);
const OFF_CURVE = concatBytes(z.subarray(0, 256), Uint8Array.of(z[256]! ^ 1));

/** g^r as `encapsulate` hashes it. */
function wOf(secret: Uint8Array): Uint8Array {
  const r = hashToIntegerRange(concatBytes(secret, id), q);
  return uintToBytes(powers.power(r), 128);
}

/** A secret whose g^r starts with a zero octet, as 1 in 256 does, and the SED of a sender that strips it. */
async function strippedMask(): Promise<{ secret: Uint8Array; sed: Uint8Array }> {
  for (let i = 0; ; i++) {
    const secret = uintToBytes(i, 16);
    const w = wOf(secret);
    if (w[0] !== 0) continue;
    const exact = await crypto.encapsulate({ ssv: secret, id, z });
    const mask = uintToBytes(hashToIntegerRange(w.subarray(1), 1n << 128n), 16);
    const hint = secret.map((octet, k) => octet ^ mask[k]!);
    return { secret, sed: concatBytes(exact.subarray(0, 257), hint) };
  }
}

/** A secret whose H starts with a zero octet, and its SED. */
async function zeroHint(): Promise<{ secret: Uint8Array; sed: Uint8Array }> {
  for (let i = 0; ; i++) {
    const secret = uintToBytes(i, 16);
    const mask = uintToBytes(hashToIntegerRange(wOf(secret), 1n << 128n), 16);
    if (mask[0] === secret[0]) {
      return { secret, sed: await crypto.encapsulate({ ssv: secret, id, z }) };
    }
  }
}

describe('crypto/sakke: round trips', () => {
  for (const length of [16, 32]) {
    it(`carries any SSV of ${length} octets to the holder of the RSK`, async () => {
      const property = fc.asyncProperty(
        fc.uint8Array({ minLength: length, maxLength: length }),
        async (secret) => {
          const made = await crypto.encapsulate({ ssv: secret, id, z });
          assert.equal(made.length, 257 + length);
          assert.equal(toHex(await crypto.decapsulate({ sed: made, id, z, rsk })), toHex(secret));
        },
      );
      await fc.assert(property, { numRuns: 4 });
    });
  }

  it('serves any identity of any domain', async () => {
    const secret = fc.bigInt({ min: 2n, max: q - 1n });
    const identity = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const property = fc.asyncProperty(secret, identity, async (k, uid) => {
      const own = uintToBytes(k, 128);
      const domain = sakkeMasterPublic(own);
      const key = await crypto.extractRsk({ master: own, id: uid });
      assert.equal(await crypto.validateRsk({ z: domain, id: uid, rsk: key }), true);
      const made = await crypto.encapsulate({ ssv, id: uid, z: domain });
      const opened = await crypto.decapsulate({ sed: made, id: uid, z: domain, rsk: key });
      assert.equal(toHex(opened), rfc.SSV);
    });
    await fc.assert(property, { numRuns: 2 });
  });
});

describe('crypto/sakke: tables', () => {
  it('are made again after others pushed them out', async () => {
    const small = createInlineCrypto({ tables: { domains: 1, receivers: 1 } });
    const own = Uint8Array.of(9);
    const domain = sakkeMasterPublic(own);
    const key = await small.extractRsk({ master: own, id });
    const other = await small.encapsulate({ ssv, id, z: domain });
    for (let i = 0; i < 2; i++) {
      assert.equal(toHex(await small.decapsulate({ sed, id, z, rsk })), rfc.SSV);
      const opened = await small.decapsulate({ sed: other, id, z: domain, rsk: key });
      assert.equal(toHex(opened), rfc.SSV);
    }
  });
});

describe('crypto/sakke: a SED that does not decapsulate', () => {
  const bad: readonly (readonly [string, Uint8Array])[] = [
    ['one octet short', sed.subarray(0, 272)],
    ['one octet long', concatBytes(sed, Uint8Array.of(0))],
    ['empty', new Uint8Array()],
    ['R_b off the curve', concatBytes(OFF_CURVE, sed.subarray(257))],
    ['R_b of order 2', concatBytes(ORDER_2, sed.subarray(257))],
    ['R_b outside the subgroup', concatBytes(OUTSIDE, sed.subarray(257))],
    ['R_b as infinity', concatBytes(new Uint8Array(257), sed.subarray(257))],
    ['another point of the subgroup as R_b', concatBytes(encodePoint(BASE_POINT), ssv)],
    ['H with one bit changed', sed.map((octet, i) => (i === 272 ? octet ^ 1 : octet))],
  ];
  for (const [name, octets] of bad) {
    it(`is refused: ${name}`, async () => {
      await assert.rejects(crypto.decapsulate({ sed: octets, id, z, rsk }), {
        code: 'SEGY_E_MIKEY_SAKKE',
      });
    });
  }

  it('is refused: made for another identity', async () => {
    const other = await crypto.encapsulate({ ssv, id: new Uint8Array(32), z });
    await assert.rejects(crypto.decapsulate({ sed: other, id, z, rsk }), {
      code: 'SEGY_E_MIKEY_SAKKE',
    });
  });

  it('is refused: made of R_b plus the point of order 2, which pairs to the same value', async () => {
    const R = decodePoint(sed.subarray(0, 257), 'R_b');
    const shifted = textbookAdd(R, { x: 0n, y: 0n })!;
    const lines = prepareLines(decodePoint(rsk, 'rsk'), 'rsk');
    assert.equal(pair(lines, shifted), pair(lines, R));
    const octets = concatBytes(encodePoint(shifted), sed.subarray(257));
    await assert.rejects(crypto.decapsulate({ sed: octets, id, z, rsk }), {
      code: 'SEGY_E_MIKEY_SAKKE',
    });
  });
});

describe('crypto/sakke: hostile octets', () => {
  it('never decapsulate, whatever they are', async () => {
    const changed = fc
      .array(fc.tuple(fc.nat(288), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((edits) => {
        const octets = sed.slice();
        for (const [at, octet] of edits) if (at < octets.length) octets[at] = octet;
        return octets;
      })
      .filter((octets) => toHex(octets) !== rfc.SED);
    const property = fc.asyncProperty(
      fc.oneof(changed, fc.uint8Array({ maxLength: 300 })),
      async (octets) => {
        const request = { sed: octets, id, z, rsk, allowStrippedMask: true, allowShortHint: true };
        await assert.rejects(crypto.decapsulate(request), { code: 'SEGY_E_MIKEY_SAKKE' });
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });
});

describe('crypto/sakke: tolerances', () => {
  it('opens a mask made of w without its leading zero octet only where allowed', async () => {
    const message = await strippedMask();
    const request = { sed: message.sed, id, z, rsk };
    await assert.rejects(crypto.decapsulate(request), { code: 'SEGY_E_MIKEY_SAKKE' });
    const opened = await crypto.decapsulate({ ...request, allowStrippedMask: true });
    assert.equal(toHex(opened), toHex(message.secret));
  });

  it('opens an H without its leading zero octet only where allowed', async () => {
    const message = await zeroHint();
    const short = concatBytes(message.sed.subarray(0, 257), message.sed.subarray(258));
    const request = { sed: short, id, z, rsk };
    await assert.rejects(crypto.decapsulate(request), { code: 'SEGY_E_MIKEY_SAKKE' });
    const opened = await crypto.decapsulate({ ...request, allowShortHint: true });
    assert.equal(toHex(opened), toHex(message.secret));
  });

  it('sends H and w at full length', async () => {
    assert.equal((await zeroHint()).sed.length, 273);
  });
});

describe('crypto/sakke: keys and points', () => {
  it('does not validate the RSK of another identity or domain', async () => {
    assert.equal(await crypto.validateRsk({ z, id: new Uint8Array(32), rsk }), false);
    const other = sakkeMasterPublic(Uint8Array.of(5));
    assert.equal(await crypto.validateRsk({ z: other, id, rsk }), false);
  });

  it('does not validate an RSK that is no point of the subgroup', async () => {
    for (const point of [OFF_CURVE, ORDER_2, OUTSIDE]) {
      assert.equal(await crypto.validateRsk({ z, id, rsk: point }), false);
    }
  });

  it('refuses a Z that is no point of the subgroup, by name', async () => {
    for (const point of [OFF_CURVE, ORDER_2, OUTSIDE]) {
      await assert.rejects(crypto.encapsulate({ ssv, id, z: point }), {
        code: 'SEGY_E_ARGUMENT',
        message: /^z is not/,
      });
    }
  });

  it('refuses an RSK outside the subgroup, by name, before it pairs', async () => {
    await assert.rejects(crypto.decapsulate({ sed, id, z, rsk: OUTSIDE }), {
      code: 'SEGY_E_ARGUMENT',
      message: /^rsk is not in the subgroup/,
    });
  });

  it('has isSakkePoint say no to what is no point of the subgroup', () => {
    for (const octets of [OFF_CURVE, ORDER_2, OUTSIDE, new Uint8Array(257), new Uint8Array()]) {
      assert.equal(isSakkePoint(octets), false);
    }
  });

  it('has no RSK for the identity that is the negative of the master secret', async () => {
    const negative = uintToBytes(q - BigInt(`0x${rfc.z}`), 128);
    await assert.rejects(crypto.extractRsk({ master, id: negative }), {
      message: /^id has no RSK/,
    });
    await assert.rejects(crypto.encapsulate({ ssv, id: negative, z }), {
      message: /^id is the neg/,
    });
  });

  for (const [name, secret] of [
    ['zero', new Uint8Array(128)],
    ['one', Uint8Array.of(1)],
    ['q', uintToBytes(q, 128)],
    ['too long', new Uint8Array(129)],
    ['empty', new Uint8Array()],
  ] as const) {
    it(`refuses a master secret that is ${name}`, () => {
      assert.throws(() => sakkeMasterPublic(secret), { code: 'SEGY_E_ARGUMENT', message: /^z / });
    });
  }
});

describe('crypto/sakke: arguments', () => {
  const cases: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['ssv', () => crypto.encapsulate({ ssv: new Uint8Array(17), id, z })],
    ['id', () => crypto.encapsulate({ ssv, id: new Uint8Array(), z })],
    ['id', () => crypto.encapsulate({ ssv, id: new Uint8Array(1025), z })],
    ['z', () => crypto.encapsulate({ ssv, id, z: new Uint8Array(256) })],
    ['rsk', () => crypto.decapsulate({ sed, id, z, rsk: new Uint8Array(258) })],
    ['sed', () => crypto.decapsulate({ sed: 'text' as unknown as Uint8Array, id, z, rsk })],
    ['master', () => crypto.extractRsk({ master: new Uint8Array(), id })],
    ['rsk', () => crypto.validateRsk({ z, id, rsk: new Uint8Array() })],
    ['z', () => crypto.prepare({ z: new Uint8Array() })],
  ];
  for (const [i, [name, call]] of cases.entries()) {
    it(`names ${name} when it is wrong (${i})`, async () => {
      await assert.rejects(call(), {
        code: 'SEGY_E_ARGUMENT',
        message: new RegExp(`^${name} (has|is not)`),
      });
    });
  }

  it('does not change what it was given', async () => {
    const given = { ssv: ssv.slice(), id: id.slice(), z: z.slice() };
    await crypto.encapsulate(given);
    assert.deepEqual(given, { ssv, id, z });
  });

  it('does nothing once aborted or closed', async () => {
    const own = createInlineCrypto();
    const cancelled = { code: 'SEGY_E_CANCELLED' };
    const signal = AbortSignal.abort();
    await assert.rejects(own.encapsulate({ ssv, id, z }, { signal }), cancelled);
    await own.close();
    await assert.rejects(own.encapsulate({ ssv, id, z }), cancelled);
  });
});
