import assert from 'node:assert/strict';
import { toHex } from '../../src/base/bytes.js';
import { writeKmsCertificate, writeKmsKeySets } from '../../src/kms/index.js';
import { runSegy } from '../support/cli.js';
import { KmsFiles } from '../support/kms-files.js';
import { gukIdOf } from '../support/mikey-kit.js';
import {
  ALICE,
  domainA,
  domainB,
  domainX,
  GMK_ID,
  KEY,
  makeMessage,
  MALLORY,
  PCK_ID,
  PERIOD,
  RADIO,
  RAND,
  T,
} from '../support/mikey-scene.js';

describe('segy mikey', () => {
  const files = new KmsFiles();
  const path = { a: '', b: '', x: '', alice: '', radio: '' };
  before(async () => {
    path.a = files.write('a.xml', writeKmsCertificate(domainA.certificate));
    path.b = files.write('b.xml', writeKmsCertificate(domainB.certificate));
    path.x = files.write('x.xml', writeKmsCertificate(domainX.certificate));
    const alice = [await domainA.keySet(ALICE, PERIOD - 1n), await domainA.keySet(ALICE, PERIOD)];
    path.alice = files.write('alice.xml', writeKmsKeySets(alice));
    path.radio = files.write('radio.xml', writeKmsKeySets([await domainX.keySet(RADIO, PERIOD)]));
  });
  after(() => files.remove());

  const openArguments = (...more: string[]): string[] => [
    ...['mikey', 'open', '--kms-cert', path.a, path.x, '--key-set', path.radio, '--at', T],
    ...more,
  ];
  const makeArguments = (...more: string[]): string[] => [
    ...['mikey', 'make', '--kms-cert', path.a, '--key-set', path.alice, '--to', RADIO],
    ...['--to-kms-cert', path.x, '--at', T, ...more],
  ];

  it('open prints the JSON of a message and no key octet', async () => {
    const { status, stdout } = runSegy(openArguments('--json'), await makeMessage());
    assert.equal(status, 0);
    assert.deepEqual(JSON.parse(stdout), {
      ok: true,
      keyType: 'PCK',
      keyId: toHex(PCK_ID),
      csbId: toHex(PCK_ID),
      rand: toHex(RAND),
      timestamp: T,
      initiator: { uri: ALICE, uid: toHex((await domainA.keySet(ALICE, PERIOD)).userId) },
      responder: { uri: RADIO, uid: toHex((await domainX.keySet(RADIO, PERIOD)).userId) },
      initiatorKms: 'kms.mc-a.example',
      responderKms: 'kms.segy.example',
      srtp: [0, 1, 2, 3].map((csId) => ({ csId, mki: toHex(PCK_ID) })),
      keyParameters: {
        status: 1,
        revoked: false,
        sharedWithGateway: false,
        activation: null,
        expiry: null,
        text: '',
        groups: [],
      },
    });
  });

  it('open prints text for people without --json, and the key only with --reveal', async () => {
    const octets = await makeMessage({ type: 'GMK', hidden: true });
    const { status, stdout } = runSegy(openArguments(), octets);
    assert.equal(status, 0);
    assert.match(
      stdout,
      /^GMK 0a2b3c4d \(CSB ID [0-9a-f]{8}\)\nfrom {6}\(hidden identity\) {2}UID/,
    );
    assert.ok(!stdout.includes(toHex(KEY)));
    const revealed = runSegy(openArguments('--reveal', '--from', ALICE), octets);
    assert.ok(revealed.stdout.includes(toHex(KEY)) && revealed.stdout.includes(ALICE));
  });

  const refusals: readonly (readonly [
    string,
    string,
    () => string[],
    () => Promise<Uint8Array>,
  ])[] = [
    ['--from names another user', 'INITIATOR', () => openArguments('--from', MALLORY), makeMessage],
    [
      'a certificate is missing',
      'KMS_UNKNOWN',
      () => ['mikey', 'open', '--kms-cert', path.x, '--key-set', path.radio, '--at', T],
      makeMessage,
    ],
    [
      'the clock is elsewhere',
      'WINDOW',
      () => [...openArguments().slice(0, -1), '2026-11-21T12:00:00Z'],
      makeMessage,
    ],
    [
      'nothing comes',
      'SYNTAX',
      () => openArguments(),
      () => Promise.resolve(new Uint8Array(40_000)),
    ],
  ];
  for (const [name, code, args, message] of refusals) {
    it(`open refuses with ${code} when ${name}`, async () => {
      const { status, stdout } = runSegy([...args(), '--json'], await message());
      const object = JSON.parse(stdout) as Record<string, unknown>;
      assert.deepEqual([status, object.ok, object.code], [1, false, `SEGY_E_MIKEY_${code}`]);
      assert.deepEqual(Object.keys(object), ['ok', 'code', 'message']);
    });
  }

  it('open puts a refusal on standard error without --json', async () => {
    const { status, stdout, stderr } = runSegy(
      openArguments('--from', MALLORY),
      await makeMessage(),
    );
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^SEGY_E_MIKEY_INITIATOR: /);
  });

  it('open takes a message of any time with --no-window', async () => {
    const args = openArguments('--no-window', '--at', '2031-01-01T00:00:00Z');
    assert.equal(runSegy(args, await makeMessage()).status, 0);
  });

  it('open answers wrong usage with status 2', () => {
    for (const args of [
      ['mikey', 'open'],
      openArguments('--what'),
      openArguments('--at', 'yesterday'),
      makeArguments('--type', 'SPK'),
      makeArguments('--type', 'PCK', '--key', '00'),
    ]) {
      assert.equal(runSegy(args).status, 2, args.join(' '));
    }
  });

  it('open refuses two certificates of one KMS that differ', () => {
    const other = { ...domainB.certificate, kmsUri: domainA.certificate.kmsUri };
    const file = files.write('other.xml', writeKmsCertificate(other));
    const { status, stderr } = runSegy(openArguments('--kms-cert', file));
    assert.equal(status, 1);
    assert.match(stderr, /^SEGY_E_KMS_EXISTS/);
  });

  for (const type of ['PCK', 'GMK']) {
    it(`make gives a ${type} that open opens`, () => {
      const made = runSegy(makeArguments('--type', type, '--key', toHex(KEY), '--hide-identities'));
      assert.match(made.stdout, /^mikey [A-Za-z0-9+/]+={0,2}\n$/);
      const opened = runSegy(openArguments('--from', ALICE, '--reveal', '--json'), made.stdout);
      const object = JSON.parse(opened.stdout) as Record<string, unknown>;
      assert.deepEqual([object.keyType, object.key], [type, toHex(KEY)]);
    });
  }

  it('make takes key, K-ID and RAND from the operator', () => {
    const args = ['--type', 'GMK', '--key', toHex(KEY), '--key-id', toHex(GMK_ID)];
    const made = runSegy(makeArguments(...args, '--rand', toHex(RAND), '--json'));
    const object = JSON.parse(made.stdout) as Record<string, string>;
    assert.ok(!made.stdout.includes(toHex(KEY)));
    const opened = runSegy(openArguments('--json'), object.mikey);
    const { keyId, csbId, rand } = JSON.parse(opened.stdout) as Record<string, string>;
    assert.deepEqual(
      [keyId, csbId, rand],
      [toHex(GMK_ID), toHex(gukIdOf(KEY, GMK_ID, RADIO)), toHex(RAND)],
    );
  });

  it('make refuses a K-ID of another type and a time whose period it has no key set for', () => {
    const tag = runSegy(makeArguments('--type', 'PCK', '--key-id', toHex(GMK_ID)));
    assert.match(tag.stderr, /^SEGY_E_MIKEY_KEY_TYPE/);
    const late = runSegy(makeArguments('--type', 'PCK', '--at', '2030-01-01T00:00:00Z'));
    assert.match(late.stderr, /^SEGY_E_MIKEY_PERIOD/);
    assert.deepEqual([tag.status, late.status], [1, 1]);
  });

  it('inspect prints the payload walk of a message nobody could open', async () => {
    const octets = await makeMessage({ responder: 'sip:x@elsewhere.example' });
    const text = runSegy(['mikey', 'inspect'], octets);
    assert.equal(text.status, 0);
    const names = text.stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/)[2]);
    assert.deepEqual(names, [
      'HDR', 'T', 'RAND', 'IDRi', 'IDRr', 'IDRkmsi', 'IDRkmsr', 'SP', 'SAKKE', 'key', 'SIGN',
    ]); // prettier-ignore
    const json = runSegy(['mikey', 'inspect', '--json'], octets);
    const { payloads } = JSON.parse(json.stdout) as {
      payloads: { offset: number; length: number }[];
    };
    const end = payloads.reduce(
      (sum, { offset, length }) => (offset === sum ? sum + length : NaN),
      0,
    );
    assert.equal(end, octets.length);
    assert.ok(!text.stdout.includes(toHex(KEY)) && !json.stdout.includes(toHex(KEY)));
  });
});
