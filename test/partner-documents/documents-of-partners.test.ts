import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { AlarmName } from '../../src/base/alarms.js';
import { SegyError } from '../../src/base/errors.js';
import { DEFAULT_CODE_POINTS, type PartnerConfig } from '../../src/config/index.js';
import { groupDocumentsSchema } from '../../src/config/partner-idm-schema.js';
import { DocumentsOfPartners } from '../../src/partner-documents/index.js';
import { ClientScene, RADIO } from '../idm-client/support.js';
import { until } from '../support/waiting.js';
import { groupDocumentText } from '../support/partner-idm.js';

const GROUP = 'sip:police@mc-a.example';
const PATH = `org.openmobilealliance.groups/global/byGroupID/${GROUP}`;
const KEY_PATH = `keys/users/${RADIO}/${GROUP}`;
const KEYS =
  '<GMK-GKTPs xmlns="urn:3gpp:ns:mcpttGKTP:1.0">' +
  `<GKTP id="${GROUP}">AQIDBA==</GKTP></GMK-GKTPs>`;

describe('the group documents of a partner', function () {
  this.timeout(20_000);
  let scene: ClientScene;
  let documents: DocumentsOfPartners | undefined;
  let taken: string[];
  let refuse: SegyError | null;
  let alarms: Map<AlarmName, string>;

  before(async () => {
    scene = await ClientScene.start();
  });
  after(() => scene.stop());
  beforeEach(() => {
    taken = [];
    refuse = null;
    alarms = new Map();
    scene.events.length = 0;
    scene.server.behaviour = undefined;
    scene.server.documents.clear();
    scene.server.documentRequests.length = 0;
    scene.server.tokenRequests.length = 0;
    scene.server.documents.set(PATH, { octets: groupDocumentText([RADIO]), etag: '"one"' });
  });
  afterEach(() => documents?.stop());

  const partnerOf = (more: Record<string, unknown> = {}): PartnerConfig =>
    ({
      ...scene.partner(),
      codePoints: DEFAULT_CODE_POINTS,
      groups: [{ id: GROUP, pbx: 'police', members: [], affiliate: [RADIO] }],
      groupDocuments: groupDocumentsSchema.parse({
        xcapRoot: scene.server.xcapRoot,
        tls: { caFile: 'ca' },
        requestsPerSecond: 1000,
        timeoutSeconds: 2,
        ...more,
      }),
    }) as unknown as PartnerConfig;

  function start(partner = partnerOf()): PartnerConfig {
    const tokens = scene.tokens(partner);
    documents = new DocumentsOfPartners({
      env: scene.env,
      tokens,
      alarms: {
        raise: (name, _subject, text) => void alarms.set(name, text),
        clear: (name) => void alarms.delete(name),
      },
      readTls: (tls) => scene.pins(tls),
      takeKeys: (_partner, octets) => {
        taken.push(Buffer.from(octets).toString());
        return Promise.resolve(refuse);
      },
    });
    documents.prepare([partner])();
    return partner;
  }
  const requests = (): string[] =>
    scene.server.documentRequests.map(({ path }) => decodeURIComponent(path));
  const read = (partner: PartnerConfig): Promise<void> =>
    until('it is read', () => documents!.documentOf(partner, GROUP) !== undefined);
  const idle = (): Promise<void> =>
    until('no request is left', () => scene.server.connections === 0);
  const asked = (count: number): Promise<void> =>
    until('it is asked for', () => scene.server.documentRequests.length >= count);
  const failed = async (): Promise<Record<string, unknown>> => {
    await until('it is logged', () =>
      scene.events.some(({ event }) => event === 'document.failed'),
    );
    return scene.events.find(({ event }) => event === 'document.failed')!.fields;
  };

  it('are read at the start with the user’s access token, and tell the members', async () => {
    const partner = start();
    await read(partner);
    assert.deepEqual(documents!.documentOf(partner, GROUP)!.members, [RADIO]);
    const [request] = scene.server.documentRequests;
    assert.equal(decodeURIComponent(request!.path), PATH);
    assert.equal(scene.server.userOf(request!.token!), RADIO);
    assert.deepEqual(taken, []);
    assert.equal(JSON.stringify(scene.events).includes(request!.token!), false);
  });

  it('that hold keys are handed on whole', async () => {
    const octets = groupDocumentText([RADIO], KEYS);
    scene.server.documents.set(PATH, { octets, etag: '"k"' });
    start();
    await until('keys are taken', () => taken.length === 1);
    assert.deepEqual(taken, [octets]);
  });

  it('and the key document of each user where the profile says where it is', async () => {
    scene.server.documents.set(`${RADIO} ${KEY_PATH}`, { octets: KEYS, etag: '"k"' });
    start(partnerOf({ keyPath: 'keys/users/{user}/{group}' }));
    await until('keys are taken', () => taken.length === 1);
    assert.deepEqual(taken, [KEYS]);
    await asked(2);
    assert.deepEqual(requests().sort(), [KEY_PATH, PATH].sort());
  });

  it('are read again on a notice, with the entity tag of what was read', async () => {
    const partner = start();
    await read(partner);
    documents!.changed(partner, [{ selector: PATH, etag: 'two' }]);
    await asked(2);
    assert.equal(scene.server.documentRequests[1]!.ifNoneMatch, '"one"');
    await idle();
    const octets = groupDocumentText([RADIO, 'sip:alice@mc-a.example']);
    scene.server.documents.set(PATH, { octets, etag: '"two"' });
    documents!.changed(partner, [{ selector: PATH, etag: null }]);
    await until(
      'the second one is read',
      () => documents!.documentOf(partner, GROUP)!.members.length === 2,
    );
  });

  it('are not read on a notice of what was read already', async () => {
    const partner = start();
    await read(partner);
    await idle();
    documents!.changed(partner, [{ selector: PATH, etag: 'one' }]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(requests().length, 1);
  });

  it('are all that is read, whatever a notice names', async () => {
    const partner = start();
    await read(partner);
    const selectors = [
      'https://127.0.0.1/secret',
      `${scene.server.issuer}/token`,
      '../token',
      `${PATH}x`,
      PATH.replace('police', 'fire'),
    ];
    documents!.changed(
      partner,
      selectors.map((selector) => ({ selector, etag: null })),
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(requests().length, 1);
  });

  it('are read when the user is affiliated, even while a wait after a refusal lasts', async () => {
    scene.server.documents.clear();
    const partner = start();
    assert.equal((await failed()).code, 'SEGY_E_NOT_FOUND');
    scene.server.documents.set(PATH, { octets: groupDocumentText([RADIO]), etag: '"one"' });
    documents!.affiliated(partner, 'sip:other@lmr.example');
    documents!.affiliated(partner, RADIO);
    await read(partner);
    assert.equal(alarms.size, 0);
  });

  it('are asked for with a new token, once, where the token is not taken any more', async () => {
    const partner = start();
    await read(partner);
    await idle();
    scene.server.revokeAll();
    documents!.changed(partner, [{ selector: PATH, etag: null }]);
    await asked(3);
    const [, old, fresh] = scene.server.documentRequests;
    assert.notEqual(old!.token, fresh!.token);
    assert.equal(scene.server.userOf(fresh!.token!), RADIO);
  });

  it('are not asked for without a token where the profile asks for one', async () => {
    scene.server.keys = { keys: [] };
    start();
    const { code } = await failed();
    scene.server.keys = scene.keys.jwks();
    assert.equal(code, 'SEGY_E_ACCESS_TOKEN');
    assert.deepEqual(requests(), []);
  });

  it('whose keys are refused raise an alarm, and are read whole again', async () => {
    refuse = new SegyError('SEGY_E_NOT_GROUP_GMS', 'not the GMS');
    const octets = groupDocumentText([RADIO], KEYS);
    scene.server.documents.set(PATH, { octets, etag: '"k"' });
    const partner = start();
    await failed();
    assert.match(alarms.get('group-key-refused') ?? '', /SEGY_E_NOT_GROUP_GMS/);
    refuse = null;
    documents!.changed(partner, [{ selector: PATH, etag: 'k' }]);
    await until('keys are taken', () => taken.length === 2);
    assert.equal(scene.server.documentRequests.at(-1)!.ifNoneMatch, undefined);
  });

  it('of a user who is no member are warned of', async () => {
    const octets = groupDocumentText(['sip:alice@mc-a.example']);
    scene.server.documents.set(PATH, { octets, etag: '"x"' });
    start();
    await until('it is logged', () =>
      scene.events.some(({ event }) => event === 'group.document.no-member'),
    );
  });

  it('are kept over a reload that leaves the profile as it is, and left with one that changes it', async () => {
    const partner = start();
    await read(partner);
    documents!.prepare([partner])();
    assert.ok(documents!.documentOf(partner, GROUP));
    documents!.prepare([])();
    assert.equal(documents!.documentOf(partner, GROUP), undefined);
  });

  const hostile: readonly [string, RegExp, Parameters<typeof setBehaviour>[0]][] = [
    [
      'of a gigabyte',
      /too large/,
      (r) => r.writeHead(200, { 'Content-Type': 'text/xml' }).end(Buffer.alloc(2 ** 21, 32)),
    ],
    [
      'that are HTML',
      /not XML/,
      (r) => r.writeHead(200, { 'Content-Type': 'text/html' }).end(groupDocumentText([])),
    ],
    [
      'that redirect',
      /status 302/,
      (r) => r.writeHead(302, { Location: `${scene.server.xcapRoot}/${PATH}` }).end(),
    ],
    ['that say “not modified” of nothing', /status 304/, (r) => r.writeHead(304).end()],
    [
      'that are malformed',
      /./,
      (r) => r.writeHead(200, { 'Content-Type': 'text/xml' }).end('<group'),
    ],
    [
      'with an entity',
      /./,
      (r) =>
        r
          .writeHead(200, { 'Content-Type': 'text/xml' })
          .end('<!DOCTYPE a [<!ENTITY x "y">]><group>&x;</group>'),
    ],
    ['that never come', /time/, () => undefined],
  ];
  function setBehaviour(answer: (response: ServerResponse) => unknown): void {
    scene.server.behaviour = ({ url }, response) => {
      if (!url!.startsWith('/xcap/')) return false;
      answer(response);
      return true;
    };
  }
  for (const [what, message, answer] of hostile) {
    it(`${what} are none, with an alarm, and are tried again`, async () => {
      setBehaviour(answer);
      const partner = start();
      assert.match(String((await failed()).message), message);
      assert.ok(alarms.has('partner-documents'));
      assert.equal(documents!.documentOf(partner, GROUP), undefined);
      scene.server.behaviour = undefined;
      documents!.changed(partner, [{ selector: PATH, etag: null }]);
      await read(partner);
      assert.equal(alarms.size, 0);
    });
  }

  it('with an entity tag that would end a header are read, and the tag is not sent', async () => {
    setBehaviour((response) => {
      response
        .writeHead(200, { 'Content-Type': 'application/xml', ETag: 'no quotes' })
        .end(groupDocumentText([RADIO]));
    });
    const partner = start();
    await read(partner);
    await idle();
    scene.server.behaviour = undefined;
    documents!.changed(partner, [{ selector: PATH, etag: null }]);
    await asked(1);
    assert.equal(scene.server.documentRequests[0]!.ifNoneMatch, undefined);
  });
});
