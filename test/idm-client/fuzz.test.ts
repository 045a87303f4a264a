import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isBearerToken } from '../../src/base/bearer-token.js';
import { utf8 } from '../../src/base/bytes.js';
import { SegyError } from '../../src/base/errors.js';
import { DEFAULT_GROUP_DOCUMENT_NAMES } from '../../src/config/index.js';
import { partnerIdmSchema } from '../../src/config/partner-idm-schema.js';
import { readPartnerDocument } from '../../src/partner-documents/partner-document.js';
import { documentPath } from '../../src/partner-documents/paths.js';
import { readMetadata } from '../../src/idm-client/metadata.js';
import { readTokenAnswer } from '../../src/idm-client/token-request.js';
import { groupDocumentText } from '../support/partner-idm.js';
import { SEED } from '../support/seed.js';

const settings = { numRuns: 3000 };
const ISSUER = 'https://idm.mc-a.example';

describe(`Answers of partners’ servers, mutated (seed ${SEED})`, () => {
  const idm = partnerIdmSchema.parse({
    issuer: ISSUER,
    clientId: 'segy',
    authenticate: 'private-key-jwt',
    securityToken: { from: 'own', issuer: 'https://idm.lmr.example' },
    tls: { caFile: 'ca' },
  });
  const response = (status: number, body: Uint8Array) => ({
    ...{ status, body },
    header: (name: string) => (name === 'content-type' ? 'application/json' : undefined),
  });
  /** What `read` gives, or undefined where it refuses as it may. */
  function tried<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      assert.ok(error instanceof SegyError, String(error));
      assert.notEqual(error.code, 'SEGY_E_INTERNAL');
      return undefined;
    }
  }
  const answers = fc.oneof(
    fc.json().map(utf8),
    fc.uint8Array({ maxLength: 300 }),
    fc
      .record(
        {
          access_token: fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.anything()),
          token_type: fc.constantFrom('Bearer', 'bearer', 'N_A', 7),
          expires_in: fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constant(600)),
          scope: fc.oneof(fc.string(), fc.constant(idm.scopes[0])),
        },
        { requiredKeys: ['access_token', 'token_type'] },
      )
      .map((value) => utf8(JSON.stringify(value))),
  );

  it('give a token that can be sent and has an end, or none', () => {
    fc.assert(
      fc.property(fc.constantFrom(200, 400, 401, 500), answers, (status, body) => {
        const issued = tried(() => readTokenAnswer(response(status, body), idm));
        if (issued === undefined) return;
        assert.equal(status, 200);
        assert.ok(isBearerToken(issued.token) && issued.token.length > 0);
        assert.ok(issued.seconds >= 1 && issued.seconds <= 86_400);
      }),
      settings,
    );
  });

  it('give a token endpoint on the issuer’s host, or none', () => {
    const urls = fc.oneof(fc.webUrl(), fc.string(), fc.constant(`${ISSUER}/t`), fc.anything());
    const metadata = fc.record({ issuer: fc.constantFrom(ISSUER, 'x'), token_endpoint: urls });
    fc.assert(
      fc.property(metadata, (value) => {
        const body = utf8(JSON.stringify(value));
        const read = tried(() => readMetadata(response(200, body), idm));
        if (read !== undefined) assert.equal(new URL(read.tokenEndpoint).origin, ISSUER);
      }),
      settings,
    );
  });

  it('give a document of the group that was asked for, or none', () => {
    const whole = groupDocumentText(['sip:alice@mc-a.example'], '<o:x>1</o:x>');
    const cut = fc.tuple(fc.nat(whole.length), fc.nat(20), fc.string({ maxLength: 20 }));
    fc.assert(
      fc.property(cut, ([at, length, text]) => {
        const octets = utf8(whole.slice(0, at) + text + whole.slice(at + length));
        const group = 'sip:police@mc-a.example';
        const documentNames = DEFAULT_GROUP_DOCUMENT_NAMES;
        tried(() => readPartnerDocument(octets, group, { documentNames, xmlComments: true }));
      }),
      settings,
    );
  });

  it('name paths, and never throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.string({ unit: 'binary' })), (selector) => {
        const path = documentPath(selector, 'https://gms.mc-a.example/xcap');
        assert.ok(path === null || typeof path === 'string');
      }),
      settings,
    );
  });
});
