/** Wrong in what only shows once the signature verified: SAKKE and key parameters. */
import { concatBytes, fromHex } from '../../../src/base/bytes.js';
import { NO_TOLERANCES } from '../../../src/mikey/index.js';
import { sedFor } from '../../support/mikey-kit.js';
import {
  domainB,
  domainX,
  GMK_ID,
  KEY,
  makeContext,
  makeMessage,
  OTHER_RADIO,
  PERIOD,
  RADIO,
  RAND,
} from '../../support/mikey-scene.js';
import { flip, scene, type Broken } from './entry.js';

/** x of no point on y² = x³ − 3x: chosen by changing the last octet of a good y. */
const offCurve = async (): Promise<Uint8Array> => {
  const sed = await sedFor(
    KEY,
    (await domainX.keySet(RADIO, PERIOD)).userId,
    domainX.certificate.pubEncKey,
  );
  return flip(sed, 256);
};

const POINT_OF_ORDER_2 = concatBytes(fromHex('04'), new Uint8Array(256), new Uint8Array(16));

export const KEYS: readonly Broken[] = [
  scene('SAKKE for another of our users', 'SAKKE', {
    sakkeTo: { domain: domainX, uri: OTHER_RADIO, period: PERIOD },
  }),
  scene('SAKKE for the next but one period', 'SAKKE', {
    sakkeTo: { domain: domainX, uri: RADIO, period: PERIOD + 2n },
  }),
  scene('SAKKE under another KMS', 'SAKKE', {
    sakkeTo: { domain: domainB, uri: RADIO, period: PERIOD },
  }),
  {
    name: 'R_b off the curve',
    code: 'SAKKE',
    message: async () => makeMessage({ sed: await offCurve() }),
  },
  scene('R_b of order 2', 'SAKKE', { sed: POINT_OF_ORDER_2 }),
  scene('R_b with coordinates above p', 'SAKKE', {
    sed: concatBytes(fromHex('04'), new Uint8Array(272).fill(0xff)),
  }),
  {
    name: 'R_b compressed',
    code: 'SAKKE',
    message: async () => makeMessage({ sed: (await offCurve()).with(0, 2) }),
  },
  {
    name: 'the hint changed',
    code: 'SAKKE',
    message: async () => makeMessage({ sed: flip(flip(await offCurve(), 256), 272) }),
  },
  scene('key parameters that do not decrypt', 'KEY_PARAMETERS', { parameters: { key: RAND } }),
  scene('key parameters of another DPPK-ID', 'KEY_PARAMETERS', {
    parameters: { dppkId: fromHex('1a2b3c4e') },
  }),
  scene('GMK parameters whose DPPK-ID is the GMK-ID', 'KEY_PARAMETERS', {
    type: 'GMK',
    parameters: { dppkId: GMK_ID },
  }),
  scene('key parameters of an unknown algorithm', 'KEY_PARAMETERS', {
    parameters: { algorithm: 3 },
  }),
  scene('key parameters said to be authenticated too', 'KEY_PARAMETERS', {
    parameters: { messageType: 0xc3 },
  }),
  scene('key parameters with a length one too long', 'KEY_PARAMETERS', {
    parameters: { lengthError: 1 },
  }),
  scene('key parameters with octets behind', 'KEY_PARAMETERS', { parameters: { tail: '00' } }),
  scene('key parameters of 16 octets', 'KEY_PARAMETERS', {
    parameters: { content: '01'.repeat(16) },
  }),
  scene('a text longer than the key parameters', 'KEY_PARAMETERS', {
    parameters: { content: `0100000001${'00'.repeat(10)}0005` },
  }),
  scene('empty key parameters', 'KEY_PARAMETERS', { parameters: new Uint8Array() }),
  scene('more groups than given', 'KEY_PARAMETERS', {
    type: 'GMK',
    parameters: { content: `0000000001${'00'.repeat(12)}000102` },
  }),
  scene(
    'unencrypted key parameters where they are not tolerated',
    'KEY_PARAMETERS',
    { parameters: fromHex(`0200000001${'00'.repeat(12)}`) },
    () => makeContext({ tolerances: NO_TOLERANCES }),
  ),
  scene('key parameters of a CSK with a PCK', 'KEY_TYPE', {
    parameters: { content: `0200000001${'00'.repeat(12)}` },
  }),
  scene('key parameters of a PCK with a GMK', 'KEY_TYPE', {
    type: 'GMK',
    parameters: { content: `0100000001${'00'.repeat(12)}` },
  }),
  scene('key parameters of a type nobody knows', 'KEY_TYPE', {
    parameters: { content: `0900000001${'00'.repeat(12)}` },
  }),
  scene('unencrypted key parameters of a CSK with a PCK', 'KEY_TYPE', {
    parameters: fromHex(`0300000001${'00'.repeat(12)}`),
  }),
  scene('status revoked', 'REVOKED', { parameters: { content: `01${'00'.repeat(16)}` } }),
  scene('status revoked and shared with a gateway', 'REVOKED', {
    parameters: { content: `0100000002${'00'.repeat(12)}` },
  }),
  scene('status revoked in message type 0x40', 'REVOKED', {
    parameters: { messageType: 0x40, content: `01${'00'.repeat(16)}` },
  }),
  scene('an expiry time that is past', 'EXPIRED', {
    parameters: { content: `0100000001 0000000000 006553f100 0000` },
  }),
];
