/** Broken in form: framing, header, payloads. */
import { concatBytes, fromHex } from '../../../src/base/bytes.js';
import { ntp, part } from '../../support/mikey-kit.js';
import {
  ALICE,
  domainA,
  domainB,
  makeDraft,
  OTHER_RADIO,
  PERIOD,
  RADIO,
  RAND,
  signDraft,
  SP_GCM,
  T,
} from '../../support/mikey-scene.js';
import { altered, AT, replace, signed, without, type Broken } from './entry.js';

const form: readonly Broken[] = [
  altered('no octets', 'TRUNCATED', () => new Uint8Array()),
  altered('only the header', 'TRUNCATED', (m) => m.slice(0, 10)),
  altered('the last octet missing', 'TRUNCATED', (m) => m.slice(0, -1)),
  altered('an octet behind the signature', 'SYNTAX', (m) => concatBytes(m, fromHex('00'))),
  signed('an octet behind the signature of a signed message', 'SYNTAX', (d) => {
    d.tail = fromHex('00');
  }),
  altered('longer than any message', 'SYNTAX', (m) => concatBytes(m, new Uint8Array(20_000))),
  signed('version 2', 'VERSION', (d) => void (d.version = 2)),
  signed('version 0', 'VERSION', (d) => void (d.version = 0)),
  signed('data type 0, pre-shared key', 'UNSUPPORTED', (d) => void (d.dataType = 0)),
  signed('data type 6, error', 'UNSUPPORTED', (d) => void (d.dataType = 6)),
  signed('PRF function 0, HMAC-SHA-1', 'UNSUPPORTED', (d) => void (d.flags = 0)),
  signed('PRF function 2', 'UNSUPPORTED', (d) => void (d.flags = 2)),
  signed('V set: a verification message asked for', 'UNSUPPORTED', (d) => void (d.flags = 0x81)),
  signed('an empty map with #CS 1', 'SYNTAX', (d) => void (d.map = '0101')),
  signed('a GENERIC-ID map with #CS 0', 'SYNTAX', (d) => void (d.map = '0002')),
  signed('CS ID map type 3', 'UNSUPPORTED', (d) => void (d.map = '0103')),
  signed('a payload type nobody knows', 'UNSUPPORTED', (d) => {
    d.parts.push({ type: 99, body: fromHex('0000') });
  }),
  signed('a KEMAC payload', 'UNSUPPORTED', (d) => {
    d.parts.push({ type: 1, body: fromHex('00000000') });
  }),
  signed('forty payloads', 'SYNTAX', (d) => {
    d.parts.push(...Array.from({ length: 40 }, () => part.ge(200, fromHex('00'))));
  }),
  signed('SP parameters that overrun their length', 'SYNTAX', (d) =>
    replace(d, AT.sp, part.sp(`${SP_GCM}1405`)),
  ),
  signed('a SIGN of type RSA', 'UNSUPPORTED', (d) => void (d.signHeader = '0081')),
  signed('a SIGN that says 128 octets', 'SYNTAX', (d) => void (d.signHeader = '2080')),
  signed('a SIGN that says 32 octets, as E.1.2 prints', 'SYNTAX', (d) => {
    d.signHeader = '2020';
  }),
  signed('a SIGN that says 130 octets', 'TRUNCATED', (d) => void (d.signHeader = '2082')),
  signed('a chain that ends before SIGN', 'SYNTAX', (d) => void (d.afterLast = 0)),
];

const payloads: readonly Broken[] = [
  signed('no T', 'MISSING_PAYLOAD', (d) => without(d, AT.t)),
  signed('no RAND', 'MISSING_PAYLOAD', (d) => without(d, AT.rand)),
  signed('no IDRi', 'MISSING_PAYLOAD', (d) => without(d, AT.idri)),
  signed('no IDRr', 'MISSING_PAYLOAD', (d) => without(d, AT.idrr)),
  signed('no IDRkmsi', 'MISSING_PAYLOAD', (d) => without(d, AT.idrkmsi)),
  signed('no IDRkmsr', 'MISSING_PAYLOAD', (d) => without(d, AT.idrkmsr)),
  signed('no SAKKE', 'MISSING_PAYLOAD', (d) => without(d, AT.sakke)),
  {
    name: 'no SIGN',
    code: 'MISSING_PAYLOAD',
    message: async () => {
      const draft = await makeDraft();
      draft.afterLast = 0;
      return (await signDraft(draft)).slice(0, -131);
    },
  },
  signed('no payload at all', 'MISSING_PAYLOAD', (d) => void d.parts.splice(0, 9)),
  signed('T twice', 'SYNTAX', (d) => void d.parts.push(part.t(T))),
  signed('RAND twice', 'SYNTAX', (d) => void d.parts.push(part.rand(RAND))),
  signed('IDRr twice, the second another user', 'SYNTAX', (d) => {
    d.parts.push(part.idr(2, OTHER_RADIO));
  }),
  signed('IDRkmsi twice, the second another KMS', 'SYNTAX', (d) => {
    d.parts.push(part.idr(6, domainB.certificate.kmsUri));
  }),
  signed('SAKKE twice', 'SYNTAX', (d) => void d.parts.push(d.parts[AT.sakke]!)),
  signed('key parameters twice', 'SYNTAX', (d) => void d.parts.push(d.parts[AT.ge]!)),
  signed('the same policy number twice', 'SYNTAX', (d) => void d.parts.push(part.sp(SP_GCM))),
  {
    name: 'IDRi beside IDRuidi',
    code: 'SYNTAX',
    message: async () => {
      const draft = await makeDraft();
      draft.parts.push(part.idr(8, (await domainA.keySet(ALICE, PERIOD)).userId));
      return signDraft(draft);
    },
  },
  signed('a UID of 31 octets', 'SYNTAX', (d) =>
    replace(d, AT.idrr, part.idr(9, new Uint8Array(31))),
  ),
  signed('an empty IDRi', 'SYNTAX', (d) => replace(d, AT.idri, part.idr(1, ''))),
  signed('an IDRi that is not UTF-8', 'SYNTAX', (d) =>
    replace(d, AT.idri, part.idr(1, fromHex('ff'))),
  ),
  signed('an IDRi with a NUL', 'SYNTAX', (d) => replace(d, AT.idri, part.idr(1, `${ALICE}\0x`))),
  signed('an IDRr of ID type 2', 'UNSUPPORTED', (d) => replace(d, AT.idrr, part.idr(2, RADIO, 2))),
  signed('a RAND of 15 octets', 'SYNTAX', (d) => replace(d, AT.rand, part.rand(RAND.slice(1)))),
  signed('time stamp type 1', 'UNSUPPORTED', (d) => replace(d, AT.t, part.t(T, 1))),
  signed('a counter for a time stamp', 'UNSUPPORTED', (d) =>
    replace(d, AT.t, { type: 5, body: concatBytes(fromHex('02'), ntp(T).slice(0, 4)) }),
  ),
  signed('SAKKE parameter set 2', 'UNSUPPORTED', (d) =>
    replace(d, AT.sakke, part.sakke(new Uint8Array(273), 2, 2)),
  ),
  signed('SAKKE ID scheme 3', 'UNSUPPORTED', (d) =>
    replace(d, AT.sakke, part.sakke(new Uint8Array(273), 3)),
  ),
  signed('SAKKE ID scheme 0', 'UNSUPPORTED', (d) =>
    replace(d, AT.sakke, part.sakke(new Uint8Array(273), 0)),
  ),
  signed('a SED length one too long, the chain astray behind it', 'SYNTAX', (d) => {
    const { body } = d.parts[AT.sakke]!;
    body.set(fromHex('0112'), 2);
  }),
  signed('a SED of 271 octets', 'SYNTAX', (d) =>
    replace(d, AT.sakke, part.sakke(new Uint8Array(271))),
  ),
  signed('a purpose tag that is reserved', 'KEY_TYPE', (d) => void (d.csbId = fromHex('7a2b3c4d'))),
];

export const FORM = [...form, ...payloads];
