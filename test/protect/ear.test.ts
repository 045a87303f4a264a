import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concatBytes } from '../../src/base/bytes.js';
import { SegyError } from '../../src/base/errors.js';
import { decodeEar, encodeEar, type Ear } from '../../src/protect/index.js';
import { codeOf } from './support.js';

const POINTS = { messageType: 0x91, requestIei: 0x70, requestIdIei: 0x21, requestExpiryIei: 0x22 };
const EAR: Ear = {
  time: 0x0102030405,
  id: new Uint8Array(16).map((_, i) => i),
  sourceRole: 1,
  sourceId: 'sip:a@b',
  targetRole: 2,
  targetId: 'sip:c',
  request: { type: 2, id: Uint8Array.of(7, 8), expiry: 0x0a0b0c0d0e },
};
const SIGNATURE = new Uint8Array(129).fill(0xee);
const octets = (ear: Ear): Uint8Array => concatBytes(encodeEar(ear, POINTS), SIGNATURE);
const refused = (bytes: Uint8Array): string => codeOf(() => decodeEar(bytes, POINTS));

describe('protect: EAR PAYLOAD', () => {
  it('has the elements of tables J.1.2-1 and J.2.2-1 in their order', () => {
    assert.equal(
      Buffer.from(encodeEar(EAR, POINTS)).toString('hex'),
      '91' +
        '0102030405' +
        '000102030405060708090a0b0c0d0e0f' +
        '01' +
        '00077369703a614062' +
        '02' +
        '00057369703a63' +
        '70000a' +
        '02' +
        '210708' +
        '220a0b0c0d0e',
    );
  });

  it('is read back with and without its optional elements', () => {
    const requests = [
      EAR.request,
      { type: 2, id: null, expiry: null },
      { type: 2, id: null, expiry: 5 },
      null,
    ];
    for (const request of requests) {
      const { ear, payload, signature } = decodeEar(octets({ ...EAR, request }), POINTS);
      assert.deepEqual(ear, { ...EAR, request });
      assert.deepEqual(concatBytes(payload, signature), octets({ ...EAR, request }));
    }
  });

  it('takes the two optional elements of a request in either order, each once', () => {
    const made = Buffer.from(octets(EAR)).toString('hex');
    const swapped = made.replace('210708220a0b0c0d0e', '220a0b0c0d0e210708');
    assert.deepEqual(decodeEar(new Uint8Array(Buffer.from(swapped, 'hex')), POINTS).ear, EAR);
    const twice = made.replace('70000a', '70000d').replace('210708', '210708210708');
    assert.equal(refused(Buffer.from(twice, 'hex')), 'SEGY_E_EAR_SYNTAX');
  });

  it('is refused when cut after any octet, and when longer than its elements', () => {
    const payload = encodeEar(EAR, POINTS);
    for (let length = 0; length < payload.length; length += 1) {
      const cut = concatBytes(payload.subarray(0, length), SIGNATURE);
      // what is left without its Request is complete, and that it is not asked for is policy
      if (length === payload.length - 13) continue;
      assert.equal(refused(cut), 'SEGY_E_EAR_SYNTAX', `cut to ${length}`);
    }
    const longer = concatBytes(payload, Uint8Array.of(0), SIGNATURE);
    assert.equal(refused(longer), 'SEGY_E_EAR_SYNTAX');
    assert.equal(refused(new Uint8Array(5000)), 'SEGY_E_EAR_SYNTAX');
  });

  it('is refused with an identity that is empty or no URI', () => {
    for (const sourceId of ['', 'sip:a b', 'sip:\u00e9', 'sip:\n', `sip:${'x'.repeat(300)}`]) {
      assert.equal(refused(octets({ ...EAR, sourceId })), 'SEGY_E_EAR_SYNTAX');
    }
  });

  it('never ends in anything but its error, whatever octets come', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (tail) => {
        try {
          decodeEar(Uint8Array.of(0x91, ...tail), POINTS);
        } catch (error) {
          return error instanceof SegyError && error.code === 'SEGY_E_EAR_SYNTAX';
        }
        return true;
      }),
      { numRuns: 2000 },
    );
  });
});
