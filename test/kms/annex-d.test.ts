import assert from 'node:assert/strict';
import { toHex } from '../../src/base/bytes.js';
import {
  certificateFault,
  readKmsDocument,
  writeKmsCertificate,
  writeKmsKeySets,
  writeKmsResponse,
  type KmsCertificate,
  type KmsKeySet,
} from '../../src/kms/index.js';

const point = (length: number, fill: number): Uint8Array => {
  const octets = new Uint8Array(length).fill(fill);
  octets[0] = 4;
  return octets;
};

const certificate: KmsCertificate = {
  role: 'Root',
  isSecurityGateway: true,
  version: '1.1.0',
  certUri: 'https://kms.segy.example/cert',
  kmsUri: 'kms.segy.example',
  issuer: 'R&D "lab"',
  validFrom: new Date('2026-01-01T00:00:00Z'),
  validTo: new Date('2027-01-01T00:00:00Z'),
  revoked: false,
  userKeyPeriod: 315_360_000_000n,
  userKeyOffset: 5n,
  pubEncKey: point(257, 0x11),
  pubAuthKey: point(65, 0x22),
  domains: ['segy.example', 'lmr.segy.example'],
};

const keySet: KmsKeySet = {
  kmsUri: 'kms.segy.example',
  userUri: 'sip:radio.1@segy.example',
  userId: new Uint8Array(32).fill(0x5a),
  keyPeriodNo: 1388n,
  revoked: false,
  rsk: point(257, 0x33),
  ssk: new Uint8Array(32).fill(0x44),
  pvt: point(65, 0x55),
};

const refused = { code: 'SEGY_E_KMS_DOCUMENT' };
const xml = writeKmsCertificate(certificate);
const keyXml = writeKmsKeySets([keySet]);

describe('Annex D documents', () => {
  it('give back the certificate that was written', () => {
    assert.deepEqual(readKmsDocument(xml), {
      certificates: [certificate],
      keySets: [],
      newTransportKeys: [],
      newIntegrityKeys: [],
    });
  });

  it('give back one key set, and several', () => {
    assert.deepEqual(readKmsDocument(keyXml).keySets, [keySet]);
    const revoked = { ...keySet, revoked: true, keyPeriodNo: 0n };
    assert.deepEqual(readKmsDocument(writeKmsKeySets([keySet, revoked])).keySets, [
      keySet,
      revoked,
    ]);
  });

  it('are read from a KmsResponse around each kind of message', () => {
    const header = {
      userUri: 'sip:radio.1@segy.example',
      kmsUri: 'kms.segy.example',
      time: new Date('2026-11-01T12:00:00Z'),
      clientReqUrl: 'https://kms.segy.example/keymanagement/identity/v1/init',
    };
    const init = writeKmsResponse({ ...header, message: { kind: 'init', certificate } });
    assert.deepEqual(readKmsDocument(init).certificates, [certificate]);
    const prov = writeKmsResponse({
      ...header,
      message: { kind: 'keyProv', keySets: [keySet, keySet] },
    });
    assert.equal(readKmsDocument(prov).keySets.length, 2);
    const cache = writeKmsResponse({
      ...header,
      message: { kind: 'certCache', cacheNum: 3n, certificates: [certificate, certificate] },
    });
    assert.equal(readKmsDocument(cache).certificates.length, 2);
  });

  const bare = (text: string): string => text.replace(/^<\?xml.*\?>\n/, '');

  it('are read from a SignedKmsCertificate and a SignedKmsResponse, their signatures left alone', () => {
    const signed = `<SignedKmsCertificate xmlns="urn:3gpp:ns:mcsecKMSInterface:1.0">${bare(xml)}<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/></ds:Signature></SignedKmsCertificate>`;
    assert.deepEqual(readKmsDocument(signed).certificates, [certificate]);
    const response = `<k:SignedKmsResponse xmlns:k="urn:3gpp:ns:mcsecKMSInterface:1.0"><k:KmsResponse><k:KmsMessage><k:KmsInit>${bare(xml)}</k:KmsInit></k:KmsMessage></k:KmsResponse></k:SignedKmsResponse>`;
    assert.deepEqual(readKmsDocument(response).certificates, [certificate]);
  });

  it('are read where several stand bare in one file', () => {
    assert.equal(readKmsDocument(keyXml + keyXml).keySets.length, 2);
    const wrapped = `<KeySets>${bare(keyXml)}${bare(keyXml)}</KeySets>`;
    assert.equal(readKmsDocument(wrapped).keySets.length, 2);
  });

  it('are read without a namespace, and with the one of an older product', () => {
    const none = xml.replace(/ xmlns(:xsi)?="[^"]*"/g, '');
    assert.deepEqual(readKmsDocument(none).certificates, [certificate]);
    const older = xml.replace('urn:3gpp:ns:mcsecKMSInterface:1.0', 'http://example.com/kms');
    assert.deepEqual(readKmsDocument(older).certificates, [certificate]);
  });

  it('take hexadecimal in either case with line breaks, and a UID in hexadecimal', () => {
    const odd = keyXml
      .replace(
        toHex(keySet.ssk),
        `\n${'4 4'.repeat(1)} ${'44'.repeat(31)}\n`.replace('4 4', '4\n4'),
      )
      .replace(toHex(keySet.rsk), toHex(keySet.rsk).toUpperCase())
      .replace(Buffer.from(keySet.userId).toString('base64'), '5A'.repeat(32));
    assert.deepEqual(readKmsDocument(odd).keySets, [keySet]);
  });

  it('take numbers with leading zeros, times of any zone and any fraction of a second', () => {
    const odd = xml
      .replace('>5<', '>+005<')
      .replace('<ParameterSet>1', '<ParameterSet> 01')
      .replace('2026-01-01T00:00:00Z', '2026-01-01T14:00:00.000000000000+14:00')
      .replace('2027-01-01T00:00:00Z', '2026-12-31T24:00:00');
    assert.deepEqual(readKmsDocument(odd).certificates, [certificate]);
  });

  it('take elements of other namespaces as extensions, whatever their names', () => {
    const extended = xml.replace(
      '<Revoked>',
      '<x:Revoked xmlns:x="urn:x">true</x:Revoked><Revoked>',
    );
    assert.equal(readKmsDocument(extended).certificates[0]?.revoked, false);
  });

  it('take an absent Role as External, and as Root in a KmsInit', () => {
    const plain = xml.replace(' Role="Root"', '');
    assert.equal(readKmsDocument(plain).certificates[0]?.role, 'External');
    const init = `<KmsInit>${bare(plain)}</KmsInit>`;
    assert.equal(readKmsDocument(init).certificates[0]?.role, 'Root');
  });

  const broken: readonly (readonly [string, string])[] = [
    ['no KmsUri', xml.replace(/<KmsUri>.*<\/KmsUri>/, '')],
    ['two KmsUri', xml.replace('<KmsUri>', '<KmsUri>kms.other</KmsUri><KmsUri>')],
    ['an empty KmsUri', xml.replace(/<KmsUri>.*<\/KmsUri>/, '<KmsUri> </KmsUri>')],
    ['an unknown Role', xml.replace('Role="Root"', 'Role="Owner"')],
    ['UserIdFormat 1', xml.replace('<UserIdFormat>2', '<UserIdFormat>1')],
    ['ParameterSet 2', xml.replace('<ParameterSet>1', '<ParameterSet>2')],
    ['period zero', xml.replace('>315360000000<', '>0<')],
    ['a negative period', xml.replace('>315360000000<', '>-1<')],
    ['an offset at the period', xml.replace('>5<', '>315360000000<')],
    [
      'Z with one octet missing',
      xml.replace(toHex(certificate.pubEncKey), '04' + '11'.repeat(255)),
    ],
    ['Z that is not hexadecimal', xml.replace(toHex(certificate.pubEncKey), 'zz'.repeat(257))],
    ['KPAK compressed', xml.replace(toHex(certificate.pubAuthKey), '02' + '22'.repeat(64))],
    ['Revoked maybe', xml.replace('<Revoked>false', '<Revoked>maybe')],
    ['a validity that ends before it begins', xml.replace('2027-', '2020-')],
    ['a date that does not exist', xml.replace('2027-01-01', '2027-13-01')],
    ['a day that its month does not have', xml.replace('2027-01-01', '2027-02-30')],
    [
      'a time zone that no place has',
      xml.replace('2027-01-01T00:00:00Z', '2027-01-01T00:00:00+14:30'),
    ],
    [
      'a validity that ends with an empty element',
      xml.replace(/<ValidTo>.*<\/ValidTo>/, '<ValidTo/>'),
    ],
    ['an empty Revoked', xml.replace('<Revoked>false', '<Revoked>')],
    ['an empty ParameterSet', xml.replace('<ParameterSet>1', '<ParameterSet>')],
    ['an empty Role', xml.replace('Role="Root"', 'Role=""')],
    [
      'an empty IsSecurityGateway',
      xml.replace('IsSecurityGateway="true"', 'IsSecurityGateway=" "'),
    ],
    ['a period beyond 8 octets', xml.replace('>315360000000<', `>${2n ** 64n}<`)],
    ['a line feed inside KmsUri', xml.replace('>kms.segy.example<', '>kms.segy&#10;.example<')],
    ['a space inside a KmsDomain', xml.replace('<KmsDomain>segy', '<KmsDomain>se gy')],
    ['an element inside a KmsDomain', xml.replace('<KmsDomain>segy', '<KmsDomain><b/>segy')],
    [
      'domains of another namespace alone',
      xml.replaceAll('<KmsDomain>', '<KmsDomain xmlns="urn:x">'),
    ],
    ['a KmsDomainList of nothing', xml.replace(/<KmsDomain>.*<\/KmsDomain>\n/g, '')],
    ['an element inside KmsUri', xml.replace('<KmsUri>', '<KmsUri><b/>')],
    ['a UID of 31 octets', keyXml.replace('WlpaWlpa', 'WlpaWl')],
    ['no KeyPeriodNo', keyXml.replace(/<KeyPeriodNo>.*<\/KeyPeriodNo>/, '')],
    ['a key under a transport key', keyXml.replace(toHex(keySet.ssk), '<EncryptedKey/>')],
    ['an SSK of 31 octets', keyXml.replace(toHex(keySet.ssk), '44'.repeat(31))],
    ['neither certificate nor key set', '<KmsResponse/>'],
    ['a KmsError', '<KmsResponse><KmsError><ErrorCode>1</ErrorCode></KmsError></KmsResponse>'],
  ];
  for (const [name, text] of broken) {
    it(`are refused with ${name}`, () => {
      assert.throws(() => readKmsDocument(text), refused);
    });
  }

  it('are refused as XML where they are not strict XML', () => {
    assert.throws(() => readKmsDocument(xml.replace('<KmsUri>', '<!-- x --><KmsUri>')), {
      code: 'SEGY_E_XML',
    });
  });

  it('never quote a key in a refusal', () => {
    const text = keyXml.replace(toHex(keySet.ssk), '44'.repeat(31) + 'zz');
    assert.throws(
      () => readKmsDocument(text),
      (error: Error) => !error.message.includes('4444'),
    );
  });
});

describe('a KMS certificate', () => {
  it('is faulty when revoked, before its validity and after it', () => {
    const from = Date.parse('2026-01-01T00:00:00Z');
    const to = Date.parse('2027-01-01T00:00:00Z');
    assert.equal(certificateFault(certificate, from), null);
    assert.equal(certificateFault(certificate, from - 1), 'not yet valid');
    assert.equal(certificateFault(certificate, to + 1), 'expired');
    assert.equal(certificateFault({ ...certificate, revoked: true }, from), 'revoked');
  });
});
