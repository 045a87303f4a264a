/** Two gateways' halves together: the client of partners' IdM against the IdM and documents of a running one. */
import assert from 'node:assert/strict';
import { silentAlarms } from '../../src/base/alarms.js';
import { utf8 } from '../../src/base/bytes.js';
import { systemClock } from '../../src/base/environment.js';
import { DEFAULT_CODE_POINTS, type PartnerConfig } from '../../src/config/index.js';
import { groupDocumentsSchema, partnerIdmSchema } from '../../src/config/partner-idm-schema.js';
import { DocumentsOfPartners } from '../../src/partner-documents/index.js';
import { PartnerTokens, StatementKeys } from '../../src/idm-client/index.js';
import { memorySpace } from '../gms/support.js';
import { Certificates, loggingEnvironment } from '../https/support.js';
import { sha256Of } from '../idm-client/support.js';
import { freePort } from '../support/ports.js';
import { ALICE, Scene } from '../support/scene.js';
import { until } from '../support/waiting.js';

const TALKGROUP = 'sip:tg1@lmr.example';
const ISSUER_A = 'https://idm.mc-a.example';

describe('the client of partners’ IdM at a gateway’s own IdM', function () {
  this.timeout(60_000);
  const env = loggingEnvironment();
  let scene: Scene;
  let certificates: Certificates;
  let client: ReturnType<Certificates['client']>;
  let keys: StatementKeys;
  let origin: string;
  const ended: (() => void)[] = [];

  before(async () => {
    certificates = new Certificates();
    client = certificates.client('gms.mc-a.example');
    keys = await StatementKeys.open((await memorySpace())('signing'), systemClock);
    await keys.signer();
    const jwks = certificates.write('a.jwks', JSON.stringify(keys.jwks()));
    const port = await freePort('127.0.0.1');
    origin = `https://localhost:${port}`;
    scene = await Scene.start({
      config: {
        gms: {
          uri: 'sip:gms@lmr.example',
          xcapRoot: `${origin}/xcap`,
          groups: [{ id: TALKGROUP, displayName: 'Fire', pbx: 'tg1', members: [{ uri: ALICE }] }],
        },
        https: {
          ...{ address: '127.0.0.1', port },
          tls: {
            certFile: certificates.write('server.pem', certificates.server.cert),
            keyFile: certificates.write('server.key', certificates.server.key),
            caFile: certificates.caFile,
          },
        },
        idm: { issuer: `${origin}/idm` },
      },
      partner: {
        securityTokens: {
          issuer: ISSUER_A,
          keysFile: jwks,
          namesClient: true,
          singleUse: true,
          untyped: false,
          clients: [
            { id: 'by-tls', certificate: { sha256: sha256Of(client) } },
            { id: 'by-assertion', keysFile: jwks },
          ],
        },
      },
    });
  });
  afterEach(() => {
    for (const end of ended.splice(0)) end();
  });
  after(async () => {
    await scene.stop();
    certificates.remove();
  });

  for (const grant of ['jwt-bearer', 'token-exchange'] as const) {
    for (const authenticate of ['tls', 'private-key-jwt'] as const) {
      it(`gets a token by ${grant} and ${authenticate}, and reads the document of its user’s group`, async () => {
        const isTls = authenticate === 'tls';
        const tls = { caFile: 'ca', ...(isTls && { certFile: 'cert', keyFile: 'key' }) };
        const partner = {
          name: 'lmr',
          codePoints: DEFAULT_CODE_POINTS,
          groups: [{ id: TALKGROUP, pbx: 'tg1', members: [], affiliate: [ALICE] }],
          idm: partnerIdmSchema.parse({
            issuer: `${origin}/idm`,
            clientId: isTls ? 'by-tls' : 'by-assertion',
            authenticate,
            securityToken: { from: 'own', issuer: ISSUER_A },
            tls,
            codePoints: { grant },
          }),
          groupDocuments: groupDocumentsSchema.parse({ xcapRoot: `${origin}/xcap`, tls }),
        } as unknown as PartnerConfig;
        const readTls = (): Record<string, Uint8Array> => ({
          ca: certificates.ca,
          ...(isTls && { cert: utf8(client.cert), key: utf8(client.key) }),
        });
        const tokens = new PartnerTokens({
          ...{ env, alarms: silentAlarms, readTls },
          readFile: () => '',
          signer: () => keys.signer(),
        });
        const documents = new DocumentsOfPartners({
          ...{ env, alarms: silentAlarms, tokens, readTls },
          takeKeys: () => Promise.resolve(null),
        });
        ended.push(
          () => documents.stop(),
          () => tokens.stop(),
        );
        tokens.prepare([partner])();
        documents.prepare([partner])();
        const read = () => documents.documentOf(partner, TALKGROUP);
        await until('the document is read', () => read() !== undefined);
        assert.deepEqual(read(), {
          members: [ALICE],
          protectMedia: true,
          protectFloorControl: true,
        });
      });
    }
  }
});
