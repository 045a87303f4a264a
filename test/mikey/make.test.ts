import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fromHex, toHex, utf8 } from '../../src/base/bytes.js';
import {
  makeIMessage,
  type NewIMessage,
  NO_TOLERANCES,
  openIMessage,
  type OpenedKey,
} from '../../src/mikey/index.js';
import { countingRandom, gukIdOf, slow, verifier } from '../support/mikey-kit.js';
import {
  ALICE,
  CSK_ID,
  domainA,
  domainX,
  GMK_ID,
  KEY,
  KEY32,
  makeContext,
  NOW,
  OTHER_RADIO,
  PCK_ID,
  PERIOD,
  RADIO,
  RAND,
} from '../support/mikey-scene.js';
import { Capture } from '../support/pcap.js';
import { readSecondly } from '../support/second-parser.js';
import { skipBecause } from '../support/skip.js';

async function make(change: Partial<NewIMessage> = {}): Promise<Uint8Array> {
  const input: NewIMessage = {
    keyType: 'PCK',
    key: KEY,
    keyId: PCK_ID,
    rand: RAND,
    initiatorUri: ALICE,
    initiatorCertificate: domainA.certificate,
    initiatorKeySet: await domainA.keySet(ALICE, PERIOD),
    responderUri: RADIO,
    responderCertificate: domainX.certificate,
    ...change,
  };
  return makeIMessage(input, { clock: { now: () => NOW }, slow, random: countingRandom(9) });
}

/** Opens without any tolerance. */
const open = async (octets: Uint8Array): Promise<OpenedKey> =>
  openIMessage(octets, await makeContext({ tolerances: NO_TOLERANCES }));

const TYPES = [
  { keyType: 'PCK', keyId: PCK_ID },
  { keyType: 'CSK', keyId: CSK_ID },
  { keyType: 'GMK', keyId: GMK_ID },
] as const;

describe('an I_MESSAGE that we make', () => {
  for (const type of TYPES) {
    for (const hideIdentities of [false, true]) {
      it(`transports a ${type.keyType} with ${hideIdentities ? 'hidden' : 'visible'} identities`, async () => {
        const opened = await open(await make({ ...type, hideIdentities }));
        assert.equal(toHex(opened.key), toHex(KEY));
        assert.equal(toHex(opened.keyId), toHex(type.keyId));
        assert.equal(opened.keyType, type.keyType);
        assert.equal(opened.initiator.uri, hideIdentities ? null : ALICE);
        assert.equal(opened.responder.uri, RADIO);
        assert.equal(opened.timestamp.getTime(), NOW);
      });
    }
  }

  it('has its payloads in the order of RFC 6509 and E.1.2', async () => {
    const { chain } = readSecondly(await make({ sakkeToSelf: true }));
    assert.deepEqual(chain, [
      'T', 'RAND', 'IDRi', 'IDRr', 'IDRkmsi', 'IDRkmsr', 'SP', 'SAKKE', 'GE 7', 'GE 6', 'SIGN',
    ]); // prettier-ignore
    const hidden = readSecondly(
      await make({ hideIdentities: true, policy: null, keyParameters: null }),
    );
    assert.deepEqual(hidden.chain, [
      'T', 'RAND', 'IDRuidi', 'IDRuidr', 'IDRkmsi', 'IDRkmsr', 'SAKKE', 'SIGN',
    ]); // prettier-ignore
  });

  it('has an empty map for a PCK, and one crypto session with the MKI as SPI for GMK and CSK', async () => {
    assert.deepEqual(readSecondly(await make()).sessions, []);
    const session = { protocol: 0, roc: false, policies: [0], data: '' };
    const csk = readSecondly(await make(TYPES[1]));
    assert.deepEqual(csk.sessions, [{ csId: 6, ...session, spi: toHex(CSK_ID) }]);
    const gmk = readSecondly(await make(TYPES[2]));
    const gukId = toHex(gukIdOf(KEY, GMK_ID, RADIO));
    assert.equal(gmk.csbId, gukId);
    assert.deepEqual(gmk.sessions, [{ csId: 4, ...session, spi: toHex(GMK_ID) + gukId }]);
  });

  it('reads the same to a second parser', async () => {
    const { values, ...hdr } = readSecondly(await make(TYPES[2]));
    assert.deepEqual([hdr.version, hdr.dataType, hdr.v, hdr.prf], [1, 26, 0, 1]);
    assert.equal(values.RAND, toHex(RAND));
    assert.equal(values.IDRi, toHex(utf8(ALICE)));
    assert.equal(values.IDRkmsr, toHex(utf8('kms.segy.example')));
    assert.match(values.SAKKE ?? '', /^010204/);
    assert.equal(values.SAKKE?.length, 2 * (2 + 273));
    // The default profile of a GMK, spelled out: AES-GCM, ROC mode 3 in every packet.
    assert.equal(values.SP, '0000' + '00010601011002010404010c050100060100120104130100140110');
    assert.match(values['GE 7'] ?? '', new RegExp(`^43.{10}0{10}01.{32}${hdr.csbId}00`));
  });

  it('is signed over everything before the signature, its two header octets included', async () => {
    const octets = await make();
    const { signed, values } = readSecondly(octets);
    assert.match(signed, /2081$/);
    const { userId: id } = await domainA.keySet(ALICE, PERIOD);
    const kpak = domainA.certificate.pubAuthKey;
    const signature = fromHex(values.SIGN ?? '');
    const covers = (hex: string): boolean =>
      verifier.verify({ kpak, id, message: fromHex(hex), signature });
    assert.deepEqual([covers(signed), covers(signed.slice(0, -4))], [true, false]);
  });

  it('marks the key as shared with a gateway where a domain is one’s', async () => {
    assert.equal((await open(await make())).keyParameters?.status, 3);
    const own = { responderUri: ALICE, responderCertificate: domainA.certificate };
    const octets = await make(own);
    const keySet = await domainA.keySet(ALICE, PERIOD);
    const context = await makeContext({ findKeySets: () => [keySet] });
    assert.equal((await openIMessage(octets, context)).keyParameters?.status, 1);
  });

  it('carries lifetime, text and groups', async () => {
    const keyParameters = {
      activation: new Date(NOW),
      expiry: new Date(NOW + 86_400_000),
      text: 'Fire ground 1',
      groups: ['sip:group.1@mc-a.example', 'sip:group.2@mc-a.example'],
    };
    const opened = await open(await make({ ...TYPES[2], keyParameters }));
    assert.deepEqual(opened.keyParameters, {
      status: 1,
      revoked: false,
      sharedWithGateway: false,
      ...keyParameters,
    });
  });

  it('states another policy when told to', async () => {
    const policy = {
      encryption: 'AES-GCM',
      keyLength: 16,
      saltLength: 12,
      tagLength: 16,
      authentication: 'none',
      roc: { mode: 3, rate: 50 },
    } as const;
    assert.deepEqual((await open(await make({ policy }))).policy, policy);
    const cm = {
      encryption: 'AES-CM',
      keyLength: 16,
      saltLength: 14,
      tagLength: 10,
      authentication: 'HMAC-SHA1-80',
      roc: null,
    } as const;
    assert.deepEqual((await open(await make({ policy: cm }))).policy, cm);
  });

  it('gives the initiator the key back in its SAKKE-to-self', async () => {
    const { values } = readSecondly(await make({ sakkeToSelf: true }));
    const self = values['GE 6'] ?? '';
    assert.match(self, /^0001020111/);
    const { userId: id, rsk } = await domainA.keySet(ALICE, PERIOD);
    const z = domainA.certificate.pubEncKey;
    const key = await slow.decapsulate({ sed: fromHex(self.slice(10)), id, z, rsk });
    assert.equal(toHex(key), toHex(KEY));
  });

  it('keeps one RAND for the members of a group, each with a GUK-ID of its own', async () => {
    const [one, two] = [
      await make(TYPES[2]),
      await make({ ...TYPES[2], responderUri: OTHER_RADIO }),
    ];
    const [first, second] = [await open(one), await open(two)];
    assert.equal(toHex(first.rand), toHex(second.rand));
    assert.equal(toHex(first.keyId), toHex(second.keyId));
    assert.notEqual(toHex(first.csbId), toHex(second.csbId));
  });

  it('holds no octets of the key', async () => {
    for (const type of TYPES) {
      const text = toHex(await make({ ...type, sakkeToSelf: true }));
      for (let at = 0; at + 4 <= KEY.length; at++) {
        assert.ok(!text.includes(toHex(KEY.subarray(at, at + 4))), `${type.keyType} at ${at}`);
      }
    }
  });

  it('draws a new RAND and IV each time', async () => {
    const random = countingRandom(33);
    const input = {
      keyType: 'PCK' as const,
      key: KEY32,
      keyId: PCK_ID,
      initiatorUri: ALICE,
      initiatorCertificate: domainA.certificate,
      initiatorKeySet: await domainA.keySet(ALICE, PERIOD),
      responderUri: RADIO,
      responderCertificate: domainX.certificate,
    };
    const context = { clock: { now: () => NOW }, slow, random };
    const [a, b] = [await makeIMessage(input, context), await makeIMessage(input, context)].map(
      (octets) => readSecondly(octets).values,
    );
    assert.notEqual(a?.RAND, b?.RAND);
    assert.notEqual(a?.['GE 7']?.slice(24, 56), b?.['GE 7']?.slice(24, 56));
  });

  const refused: readonly (readonly [string, string, () => Promise<Partial<NewIMessage>>])[] = [
    [
      'a K-ID with another purpose tag',
      'SEGY_E_MIKEY_KEY_TYPE',
      () => Promise.resolve({ keyId: CSK_ID }),
    ],
    ['a key of 15 octets', 'SEGY_E_ARGUMENT', () => Promise.resolve({ key: KEY.slice(1) })],
    ['a RAND of 15 octets', 'SEGY_E_ARGUMENT', () => Promise.resolve({ rand: RAND.slice(1) })],
    [
      'a key set of another period',
      'SEGY_E_MIKEY_PERIOD',
      async () => ({ initiatorKeySet: await domainA.keySet(ALICE, PERIOD - 1n) }),
    ],
    [
      'another user’s key set',
      'SEGY_E_MIKEY_INITIATOR',
      async () => ({ initiatorKeySet: await domainA.keySet('sip:x@mc-a.example', PERIOD) }),
    ],
    [
      'a revoked key set',
      'SEGY_E_MIKEY_REVOKED',
      async () => ({
        initiatorKeySet: { ...(await domainA.keySet(ALICE, PERIOD)), revoked: true },
      }),
    ],
    [
      'a revoked certificate of the receiver',
      'SEGY_E_MIKEY_KMS_NOT_ALLOWED',
      () => Promise.resolve({ responderCertificate: { ...domainX.certificate, revoked: true } }),
    ],
  ];
  for (const [name, code, change] of refused) {
    it(`is not made with ${name}`, async () => {
      await assert.rejects(make(await change()), { code });
    });
  }
});

describe('tshark and our PCK messages', () => {
  const folder = mkdtempSync(join(tmpdir(), 'segy-tshark-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('dissects every payload by name', async function () {
    const path = join(folder, 'pck.pcap');
    const capture = new Capture(path);
    const peer = { address: '127.0.1.1', port: 2269 };
    capture.add(peer, peer, await make({ sakkeToSelf: true }));
    capture.add(peer, peer, await make({ hideIdentities: true }));
    const tshark = spawnSync('tshark', ['-r', path, '-V', '-O', 'mikey'], { encoding: 'utf8' });
    if (tshark.error !== undefined) skipBecause(this, 'tshark is not installed');
    const [visible = '', hidden = ''] = tshark.stdout.split(/^Frame /m).slice(1);
    const names = (text: string): string[] =>
      [...text.matchAll(/^ {4}(\S.*?)(?: Type: \S+| No: .*|: .*)?$/gm)].map(
        ([, name]) => name ?? '',
      );
    const common = ['Security Policy (SP)', 'SAKKE Encapsulated Data (SAKKE)'];
    const head = ['Common Header (HDR)', 'Timestamp (T)', 'RAND', 'IDR URI', 'IDR URI'];
    assert.deepEqual(names(visible), [
      ...head, 'IDR URI', 'IDR URI', ...common,
      'General Extension (EXT)', 'General Extension (EXT)', 'Signature (SIGN)',
    ]); // prettier-ignore
    for (const field of ["Initiator's KMS (IDRkmsi) (6)", 'ECCSI (2)', ALICE, RADIO]) {
      assert.ok(visible.includes(field), field);
    }
    assert.ok(!/Malformed|Unknown payload/i.test(tshark.stdout), tshark.stdout);
    assert.ok(hidden.includes('Signature (SIGN)') && !hidden.includes(ALICE));
  });
});
