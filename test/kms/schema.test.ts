import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import {
  writeKmsCertificate,
  writeKmsKeySets,
  writeKmsResponse,
  writeSignedKmsCertificate,
  writeSignedKmsResponse,
} from '../../src/kms/index.js';
import type { KmsResponse } from '../../src/kms/index.js';
import { HMAC_SIGNER, needTool, operator, runTool } from '../xmldsig/support.js';
import { makeDomain, NOW } from './support.js';

const SCHEMA = fileURLToPath(new URL('../../../test/fixtures/kms/annex-d.xsd', import.meta.url));

describe('documents that the gateway writes, by the schema of Annex D in libxml2', () => {
  const domain = makeDomain({ issuer: 'operator & sons', certUri: 'https://kms/cert?a=1&b=2' });
  const transportKey = { name: 'tk.1', key: new Uint8Array(32).fill(3) };

  async function response(): Promise<KmsResponse> {
    return {
      userUri: 'sip:r1@radio.example',
      kmsUri: domain.certificate.kmsUri,
      time: new Date(NOW),
      clientReqUrl: '/keymanagement/identity/v1/keyprov/sip%3Ar1%40radio.example',
      message: { kind: 'keyProv', keySets: [await domain.issue('sip:r1@radio.example', 1544n)] },
    };
  }

  const documents: Record<string, () => string | Promise<string>> = {
    'a certificate': () => writeKmsCertificate(domain.certificate),
    'a signed certificate, by HMAC': () =>
      writeSignedKmsCertificate(domain.certificate, HMAC_SIGNER),
    'a signed certificate, by ECDSA': () =>
      writeSignedKmsCertificate(domain.certificate, operator().signer),
    'a key set': async () => writeKmsKeySets([await domain.issue('sip:r1@radio.example', 1n)]),
    'a response with key sets': async () => writeKmsResponse(await response()),
    'a response with wrapped key sets': async () =>
      writeKmsResponse(await response(), { transportKey }),
    'a response that rolls the transport and the integrity key': async () => {
      const { message, ...head } = await response();
      const newKeys = {
        transportKey: { name: 'tk.2', key: new Uint8Array(32).fill(4) },
        integrityKey: { name: 'ink.2', key: new Uint8Array(32).fill(5) },
      };
      if (message.kind !== 'keyProv') throw new Error('not a key provision');
      return writeKmsResponse({ ...head, message: { ...message, newKeys } }, { transportKey });
    },
    'a signed response': async () => writeSignedKmsResponse(await response(), HMAC_SIGNER),
    'a response with our certificate': async () =>
      writeKmsResponse({
        ...(await response()),
        message: { kind: 'init', certificate: domain.certificate },
      }),
    'a certificate cache': async () =>
      writeKmsResponse({
        ...(await response()),
        message: { kind: 'certCache', cacheNum: 3n, certificates: [domain.certificate] },
      }),
  };
  for (const [name, write] of Object.entries(documents)) {
    it(`${name} is valid`, async function () {
      needTool(this, 'xmllint');
      runTool('xmllint', ['--noout', '--nonet', '--schema', SCHEMA, '-'], await write());
    });
  }

  it('a certificate with an element too few is not', function () {
    needTool(this, 'xmllint');
    const xml = writeKmsCertificate(domain.certificate).replace(/<KmsUri>.*<\/KmsUri>/, '');
    assert.throws(() => runTool('xmllint', ['--noout', '--schema', SCHEMA, '-'], xml), /KmsUri/);
  });
});
