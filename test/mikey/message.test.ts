import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fromHex } from '../../src/base/bytes.js';
import {
  type CsIdMap,
  type IMessage,
  parseIMessage,
  type Payload,
  serialiseIMessage,
} from '../../src/mikey/index.js';

const octet = fc.nat(255);
const bytes = (minLength: number, maxLength = minLength): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength });

const map: fc.Arbitrary<CsIdMap> = fc.oneof(
  fc.constant({ type: 'EMPTY' } as const),
  fc.record({
    type: fc.constant('SRTP-ID' as const),
    entries: fc.array(
      fc.record({ policyNo: octet, ssrc: fc.nat(0xffffffff), roc: fc.nat(0xffffffff) }),
      { minLength: 1, maxLength: 5 },
    ),
  }),
  fc.record({
    type: fc.constant('GENERIC-ID' as const),
    entries: fc.array(
      fc.record({
        csId: octet,
        protocolType: octet,
        s: fc.boolean(),
        policies: fc.array(octet, { maxLength: 4 }),
        sessionData: bytes(0, 12),
        spi: bytes(0, 9),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  }),
);

const payload: fc.Arbitrary<Payload> = fc.oneof(
  fc.record({ name: fc.constant('T' as const), tsType: fc.nat(1), value: bytes(8) }),
  fc.record({ name: fc.constant('RAND' as const), rand: bytes(0, 255) }),
  fc.record({ name: fc.constant('IDR' as const), role: octet, idType: octet, data: bytes(0, 300) }),
  fc.record({
    name: fc.constant('SP' as const),
    policyNo: octet,
    protocolType: octet,
    parameters: fc.array(fc.record({ type: octet, value: bytes(0, 5) }), { maxLength: 25 }),
  }),
  fc.record({
    name: fc.constant('SAKKE' as const),
    parameterSet: octet,
    idScheme: octet,
    sed: fc.constantFrom(272, 273, 288, 289).chain((length) => bytes(length)),
  }),
  fc.record({ name: fc.constant('GE' as const), extensionType: octet, data: bytes(0, 300) }),
);

const sign: fc.Arbitrary<Payload> = fc.record({
  name: fc.constant('SIGN' as const),
  signatureType: fc.nat(15),
  signature: bytes(0, 200),
});

const message: fc.Arbitrary<IMessage> = fc
  .record({
    header: fc.record({ v: fc.boolean(), prfFunc: fc.nat(127), csbId: bytes(4), csIdMap: map }),
    payloads: fc.array(payload, { maxLength: 10 }),
    signed: fc.option(sign, { nil: undefined }),
  })
  .map(({ header, payloads, signed }) => ({
    header,
    payloads: signed === undefined ? payloads : [...payloads, signed],
  }));

describe('an I_MESSAGE as data', () => {
  it('comes back from its octets as it was, whatever its maps and payloads', () => {
    fc.assert(
      fc.property(message, (original) => {
        // The clone has the prototypes that fast-check's records lack.
        assert.deepEqual(parseIMessage(serialiseIMessage(original)), structuredClone(original));
      }),
      { numRuns: 400 },
    );
  });

  const header = {
    v: false,
    prfFunc: 1,
    csbId: fromHex('1a2b3c4d'),
    csIdMap: { type: 'EMPTY' },
  } as const;
  const refused: readonly (readonly [string, IMessage])[] = [
    ['a CSB ID of 3 octets', { header: { ...header, csbId: new Uint8Array(3) }, payloads: [] }],
    ['a PRF function of 8 bits', { header: { ...header, prfFunc: 128 }, payloads: [] }],
    ['a RAND of 256 octets', { header, payloads: [{ name: 'RAND', rand: new Uint8Array(256) }] }],
    [
      'a time stamp of 7 octets',
      { header, payloads: [{ name: 'T', tsType: 0, value: new Uint8Array(7) }] },
    ],
    [
      'SIGN before another payload',
      {
        header,
        payloads: [
          { name: 'SIGN', signatureType: 2, signature: new Uint8Array(129) },
          { name: 'RAND', rand: new Uint8Array(16) },
        ],
      },
    ],
    [
      'a signature of 4096 octets',
      { header, payloads: [{ name: 'SIGN', signatureType: 2, signature: new Uint8Array(4096) }] },
    ],
  ];
  for (const [name, wrong] of refused) {
    it(`is not written with ${name}`, () => {
      assert.throws(() => serialiseIMessage(wrong), { code: 'SEGY_E_ARGUMENT' });
    });
  }
});
