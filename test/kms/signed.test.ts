import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSignedKmsDocument, writeSignedKmsCertificate } from '../../src/kms/index.js';
import { withFolder } from '../store/support.js';
import { fixture, HMAC_KEY, HMAC_SIGNER, needTool, operator, runTool } from '../xmldsig/support.js';
import { makeDomain } from './support.js';

const KEYS = { hmac: new Map([['ink.1', HMAC_KEY]]) };
const REFUSED = { code: 'SEGY_E_XML_SIGNATURE' };

describe('signed KMS documents', () => {
  const { certificate } = makeDomain({ issuer: 'operator' });
  const signed = writeSignedKmsCertificate(certificate, HMAC_SIGNER);

  it('give back the certificate that was signed, and who signed it', () => {
    const read = readSignedKmsDocument(signed, KEYS);
    assert.deepEqual([read.certificates, read.signedBy], [[certificate], 'ink.1']);
  });

  it('are refused with a value changed, and without a signature', () => {
    const changed = signed.replace('<UserKeyPeriod>2592000<', '<UserKeyPeriod>2592001<');
    assert.throws(() => readSignedKmsDocument(changed, KEYS), REFUSED);
    const bare = signed.replace(/<ds:Signature[\s\S]*<\/ds:Signature>/, '');
    assert.throws(() => readSignedKmsDocument(bare, KEYS), REFUSED);
  });

  it('give nothing that stands beside what the signature covers', () => {
    const other = makeDomain({ kmsUri: 'kms.evil.example' }).certificate;
    const evil = /<KmsCertificate[\s\S]*<\/KmsCertificate>/.exec(
      writeSignedKmsCertificate(other, HMAC_SIGNER),
    )![0];
    const wrapped = signed.replace('<KmsCertificate', `${evil}<KmsCertificate`);
    assert.throws(() => readSignedKmsDocument(wrapped, KEYS), REFUSED);
  });

  it('are verified by xmlsec1, by HMAC and by ECDSA', function () {
    needTool(this, 'xmlsec1');
    return withFolder((folder) => {
      const [key, cert, file] = ['key', 'cert.pem', 'file.xml'].map((name) => join(folder, name));
      const id = ['--id-attr:Id', 'urn:3gpp:ns:mcsecKMSInterface:1.0:SignedKmsCertificate'];
      writeFileSync(key!, HMAC_KEY);
      writeFileSync(cert!, fixture('operator-cert.pem'));
      writeFileSync(file!, signed);
      runTool('xmlsec1', ['--verify', '--hmackey:ink.1', key!, ...id, file!]);
      writeFileSync(file!, writeSignedKmsCertificate(certificate, operator().signer));
      runTool('xmlsec1', ['--verify', '--trusted-pem', cert!, ...id, file!]);
      return Promise.resolve();
    });
  });
});
