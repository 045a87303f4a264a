import assert from 'node:assert/strict';
import { silentLog, systemRandom } from '../../src/base/environment.js';
import { toHex } from '../../src/base/bytes.js';
import { Credentials, Directory, PseudoClients } from '../../src/clients/index.js';
import type { KeyUse, PartnerView } from '../../src/clients/index.js';
import { createInlineCrypto, EccsiVerifier } from '../../src/crypto/index.js';
import type { SlowCrypto } from '../../src/crypto/index.js';
import { periodAt, SecurityDomain } from '../../src/kms/index.js';
import type { KmsCertificate } from '../../src/kms/index.js';
import { ReplayRecord } from '../../src/keys/index.js';
import { DEFAULT_TOLERANCES, makeIMessage, openIMessage } from '../../src/mikey/index.js';
import type { NewIMessage } from '../../src/mikey/index.js';
import { MemoryBackend, openStore } from '../../src/store/index.js';

const NOW = Date.UTC(2026, 5, 1);
const RADIO = { uri: 'sip:radio1@lmr.example', pbx: '1001' };
const ALICE = 'sip:alice@mc-a.example';
const clock = { now: () => NOW };

const inline = createInlineCrypto();
let decapsulations = 0;
const slow: SlowCrypto = {
  encapsulate: (...args) => inline.encapsulate(...args),
  extractRsk: (...args) => inline.extractRsk(...args),
  validateRsk: (...args) => inline.validateRsk(...args),
  prepare: (...args) => inline.prepare(...args),
  close: () => inline.close(),
  decapsulate: (...args) => {
    decapsulations += 1;
    return inline.decapsulate(...args);
  },
};

function makeDomain(kmsUri: string, domain: string): SecurityDomain {
  return SecurityDomain.create(
    {
      kmsUri,
      domains: [domain],
      userKeyPeriod: 2_592_000n,
      userKeyOffset: 0n,
      validFrom: new Date(NOW - 1e9),
      validTo: new Date(NOW + 1e11),
    },
    { random: systemRandom, slow },
  );
}

describe('clients/pseudo-clients', () => {
  const own = makeDomain('kms.segy.example', 'lmr.example');
  const theirs = makeDomain('kms.mc-a.example', 'mc-a.example');
  const other = makeDomain('kms.mc-b.example', 'mc-b.example');
  const partner: PartnerView = {
    name: 'mc-a',
    domains: ['mc-a.example'],
    kmsUris: ['kms.mc-a.example'],
    tolerances: DEFAULT_TOLERANCES,
    windows: { pckSeconds: 300 },
    outgoing: { hideIdentities: false },
  };
  const certificates = new Map<string, { certificate: KmsCertificate; partner: string }>([
    ['kms.mc-a.example', { certificate: theirs.certificate, partner: 'mc-a' }],
    ['kms.mc-b.example', { certificate: other.certificate, partner: 'mc-b' }],
  ]);
  let clients: PseudoClients;
  let uses: KeyUse[];
  let auditFails: boolean;

  beforeEach(async () => {
    uses = [];
    auditFails = false;
    decapsulations = 0;
    const store = await openStore({
      backend: new MemoryBackend(),
      master: { kind: 'key', key: systemRandom(32) },
      random: systemRandom,
      log: silentLog,
      create: true,
    });
    clients = new PseudoClients({
      directory: new Directory([RADIO, { uri: 'sip:radio2@lmr.example', pbx: '1002' }]),
      credentials: new Credentials(own, clock),
      domain: own,
      certificates: { find: (kmsUri) => certificates.get(kmsUri) },
      replay: await ReplayRecord.open({ records: store.space('replay'), clock, log: silentLog }),
      audit: {
        record: (use) => {
          uses.push(use);
          return auditFails ? Promise.reject(new Error('disk full')) : Promise.resolve();
        },
      },
      slow,
      verifier: new EccsiVerifier({ cacheSize: 16 }),
      clock,
      random: systemRandom,
    });
  });

  const key = systemRandom(16);

  async function message(
    change: Partial<NewIMessage> = {},
    from = { domain: theirs, uri: ALICE },
    at = NOW,
  ): Promise<Uint8Array> {
    const { certificate } = from.domain;
    return makeIMessage(
      {
        keyType: 'PCK',
        key,
        keyId: new Uint8Array([0x1b, 1, 2, 3]),
        initiatorUri: from.uri,
        initiatorCertificate: certificate,
        initiatorKeySet: await from.domain.issue(from.uri, periodAt(certificate, at)),
        responderUri: RADIO.uri,
        responderCertificate: own.certificate,
        timestamp: new Date(at),
        ...change,
      },
      { clock: { now: () => at }, slow, random: systemRandom },
    );
  }

  const open = (octets: Uint8Array, change: { caller?: string | null; dialogKey?: string } = {}) =>
    clients.openPck({
      message: octets,
      partner,
      dialogKey: 'dialog-1',
      callee: RADIO.uri,
      caller: ALICE,
      ...change,
    });

  it('opens a PCK for a represented user and names the signer', async () => {
    const opened = await open(await message());
    assert.equal(toHex(opened.key), toHex(key));
    assert.equal(opened.initiatorUri, ALICE);
    assert.deepEqual(
      uses.map(({ action, keyId, initiator, responder }) => [action, keyId, initiator, responder]),
      [['opened', '1b010203', ALICE, RADIO.uri]],
    );
  });

  it('opens it under identity hiding when SIP names the caller', async () => {
    const opened = await open(await message({ hideIdentities: true }));
    assert.equal(opened.initiatorUri, ALICE);
  });

  const anyone = { caller: null };
  const radio2 = 'sip:radio2@lmr.example';
  const bob = 'sip:bob@mc-b.example';
  const mallory = { caller: 'sip:mallory@mc-a.example' };
  const refusals: readonly [string, () => Promise<unknown>, string][] = [
    [
      'a visible initiator that SIP does not name',
      async () => open(await message(), mallory),
      'SEGY_E_IDENTITY_MISMATCH',
    ],
    [
      'a hidden initiator that SIP does not name',
      async () => open(await message({ hideIdentities: true }), mallory),
      'SEGY_E_IDENTITY_MISMATCH',
    ],
    [
      'hidden identities without a caller in SIP',
      async () => open(await message({ hideIdentities: true }), anyone),
      'SEGY_E_IDENTITY_MISMATCH',
    ],
    [
      'a message for another represented user than the one SIP calls',
      async () => open(await message({ responderUri: radio2 })),
      'SEGY_E_IDENTITY_MISMATCH',
    ],
    [
      'a hidden addressee other than the one SIP calls',
      async () => open(await message({ responderUri: radio2, hideIdentities: true })),
      'SEGY_E_MIKEY_NOT_ADDRESSEE',
    ],
    [
      'a signer under the KMS of another partner',
      async () => open(await message({}, { domain: other, uri: bob }), anyone),
      'SEGY_E_MIKEY_KMS_NOT_ALLOWED',
    ],
    [
      'a partner KMS that signs for a user outside its domains',
      async () => open(await message({}, { domain: theirs, uri: bob }), anyone),
      'SEGY_E_MIKEY_INITIATOR',
    ],
    [
      'a user of ours as initiator (reflection)',
      async () => open(await message({}, { domain: own, uri: radio2 }), anyone),
      'SEGY_E_MIKEY_KMS_NOT_ALLOWED',
    ],
    [
      'a message from before the window',
      async () => open(await message({}, undefined, NOW - 301_000)),
      'SEGY_E_MIKEY_WINDOW',
    ],
    [
      'a GMK in a private call',
      async () => open(await message({ keyType: 'GMK', keyId: new Uint8Array([0x0b, 1, 2, 3]) })),
      'SEGY_E_MIKEY_KEY_TYPE',
    ],
  ];
  for (const [name, attempt, code] of refusals) {
    it(`refuses ${name} before any pairing`, async () => {
      await assert.rejects(attempt, { code });
      assert.equal(decapsulations, 0);
      assert.deepEqual(uses, []);
    });
  }

  it('refuses a callee who is not represented', async () => {
    const octets = await message();
    const request = { message: octets, partner, dialogKey: 'd', caller: null };
    await assert.rejects(clients.openPck({ ...request, callee: 'sip:nobody@lmr.example' }), {
      code: 'SEGY_E_UNKNOWN_CALLEE',
    });
  });

  it('takes a repeat in the same dialog and refuses it in another', async () => {
    const octets = await message();
    await open(octets);
    await open(octets);
    await assert.rejects(open(octets, { dialogKey: 'dialog-2' }), {
      code: 'SEGY_E_MIKEY_REPLAYED',
    });
  });

  const call = { caller: RADIO, calleeUri: ALICE, partner, dialogKey: 'd' };

  it('hands out no key when the audit record cannot be written', async () => {
    auditFails = true;
    await assert.rejects(open(await message()), /disk full/);
    await assert.rejects(clients.makePck(call), /disk full/);
  });

  it('makes a PCK that the called user of the partner domain opens', async () => {
    const made = await clients.makePck(call);
    const aliceKeys = await theirs.issue(ALICE, periodAt(theirs.certificate, NOW));
    const known = new Map([own, theirs].map((d) => [d.certificate.kmsUri, d.certificate]));
    const opened = await openIMessage(made.message, {
      clock,
      slow,
      verifier: new EccsiVerifier({ cacheSize: 4 }),
      from: RADIO.uri,
      findCertificate: (kmsUri) => known.get(kmsUri),
      findKeySets: () => [aliceKeys],
    });
    assert.equal(toHex(opened.key), toHex(made.key));
    assert.equal(opened.keyParameters?.sharedWithGateway, true);
  });

  it('makes no key for a user whom no KMS of the partner serves', async () => {
    await assert.rejects(clients.makePck({ ...call, calleeUri: bob }), {
      code: 'SEGY_E_MIKEY_KMS_UNKNOWN',
    });
  });
});
