/** Wrong in security policy or crypto sessions, all correctly signed. */
import { fromHex, toHex } from '../../../src/base/bytes.js';
import { keyParameters, part } from '../../support/mikey-kit.js';
import { GMK_ID, KEY, KEY32, PCK_ID, SP_GCM } from '../../support/mikey-scene.js';
import { AT, replace, scene, signed, type Broken } from './entry.js';

const sp = (change: string): string => SP_GCM + change;

const policies: readonly Broken[] = [
  scene('NULL encryption', 'POLICY', { sp: SP_GCM.replace('000106', '000100') }),
  scene('AES-F8', 'POLICY', { sp: SP_GCM.replace('000106', '000102') }),
  scene('an AEAD tag of 0 octets', 'POLICY', { sp: SP_GCM.replace('140110', '140100') }),
  scene('an AEAD tag of 8 octets', 'POLICY', { sp: SP_GCM.replace('140110', '140108') }),
  scene('a key of 24 octets', 'POLICY', { sp: SP_GCM.replace('010110', '010118') }),
  scene('a key of 32 octets from one of 16', 'POLICY', { sp: SP_GCM.replace('010110', '010120') }),
  scene('a salt of 14 octets with AES-GCM', 'POLICY', { sp: SP_GCM.replace('04010c', '04010e') }),
  scene('another SRTP PRF', 'POLICY', { sp: SP_GCM.replace('050100', '050101') }),
  scene('a key derivation rate', 'POLICY', { sp: SP_GCM.replace('060100', '060101') }),
  scene('SRTP encryption off', 'POLICY', { sp: sp('070100') }),
  scene('SRTCP encryption off', 'POLICY', { sp: sp('080100') }),
  scene('SRTP authentication off', 'POLICY', { sp: sp('0a0100') }),
  scene('ROC mode 1', 'POLICY', { sp: sp('020102') }),
  scene('a ROC in every 0th packet', 'POLICY', { sp: sp('0201040d0100') }),
  scene('a ROC tag of 10 octets', 'POLICY', { sp: sp('02010412010a') }),
  scene('AES-CM with HMAC-SHA1-32', 'POLICY', { sp: '0001010101100201010b0104' }),
  scene('AES-CM without authentication', 'POLICY', { sp: '000101010110020100' }),
  scene('an SP parameter twice', 'SYNTAX', { sp: sp('000106') }),
  scene('an SP parameter without value', 'SYNTAX', { sp: sp('0700') }),
  signed('an SP that is not for SRTP', 'POLICY', (d) => replace(d, AT.sp, part.sp(SP_GCM, 0, 1))),
  signed('a second SP with NULL encryption', 'POLICY', (d) => {
    d.parts.push(part.sp('000100', 1));
  }),
  signed(
    'a crypto session of a policy that no SP states',
    'POLICY',
    (d) => void (d.map = d.map.replace('06000100', '06000105')),
    { type: 'CSK' },
  ),
];

const sessions: readonly Broken[] = [
  signed(
    'an SPI that is not the GMK-ID and GUK-ID',
    'SYNTAX',
    (d) => {
      d.map = d.map.replace(toHex(GMK_ID), '0a2b3c4e');
    },
    { type: 'GMK' },
  ),
  signed(
    'an SPI with another GUK-ID than the CSB ID',
    'SYNTAX',
    (d) => {
      d.map = d.map.slice(0, -2) + '00';
    },
    { type: 'GMK' },
  ),
  signed(
    'an SPI that is not the CSK-ID',
    'SYNTAX',
    (d) => {
      d.map = d.map.replace('2a2b3c4d', '2a2b3c4e');
    },
    { type: 'CSK' },
  ),
  signed(
    'an SPI of 3 octets',
    'SYNTAX',
    (d) => {
      d.map = '0102 0600 0100 0000 03 2a2b3c'.replace(/ /g, '');
    },
    { type: 'CSK' },
  ),
  signed('the CS ID of a group with a PCK', 'KEY_TYPE', (d) => {
    d.map = `0102 0400 0100 0000 04 ${toHex(PCK_ID)}`.replace(/ /g, '');
  }),
  signed(
    'one CS ID twice',
    'SYNTAX',
    (d) => {
      const entry = `0600 0100 0000 04 2a2b3c4d`;
      d.map = `0202 ${entry} ${entry}`.replace(/ /g, '');
    },
    { type: 'CSK' },
  ),
  signed(
    'a crypto session that is not SRTP',
    'UNSUPPORTED',
    (d) => {
      d.map = d.map.replace('0600', '0601');
    },
    { type: 'CSK' },
  ),
  signed('a SAKKE-to-self cut short', 'SYNTAX', (d) => {
    d.parts.push(part.ge(6, fromHex('0001020111')));
  }),
  scene('a key of 32 octets encapsulated, parameters of another', 'KEY_PARAMETERS', {
    key: KEY32,
    parameters: keyParameters(KEY, PCK_ID),
  }),
];

export const POLICIES = [...policies, ...sessions];
