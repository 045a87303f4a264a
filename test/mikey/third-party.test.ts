import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../src/base/bytes.js';
import {
  writeKmsCertificate,
  writeKmsKeySets,
  writeKmsResponse,
  type KmsKeySet,
} from '../../src/kms/index.js';
import {
  decodeMikeyText,
  encodeMikeyText,
  parseIMessage,
  serialiseIMessage,
  walkIMessage,
} from '../../src/mikey/index.js';
import { runSegy } from '../support/cli.js';
import { KmsFiles, withoutDeclaration } from '../support/kms-files.js';
import { certificateOf, readVectors, type CertificateVector } from '../support/vectors.js';

interface UserVector {
  readonly uri: string;
  readonly uid: string;
  readonly keyPeriodNo: number;
  readonly rsk: string;
  readonly ssk: string;
  readonly pvt: string;
}
interface MessageVector {
  readonly name: string;
  readonly fromUri: string;
  readonly toUri: string;
  readonly iMessage: string;
  readonly expect: Record<string, unknown> & {
    readonly srtp: readonly { csId: number; masterKey: string; masterSalt: string }[];
    readonly mki: string;
    readonly uid: string;
  };
}
interface Product {
  readonly cert: CertificateVector;
  readonly users: Readonly<Record<string, UserVector>>;
  readonly iMessages: readonly MessageVector[];
}
interface PeriodVector {
  readonly name: string;
  readonly hex: string;
  readonly receiverUri: string;
  readonly kmsUri: string;
  readonly period: number;
  readonly offset: number;
  readonly periodNoUsed: number;
  readonly UID: string;
  readonly Z: string;
  readonly KPAK: string;
  readonly RSK: string;
  readonly gmk: string;
  readonly gmkId: string;
  readonly gukId: string;
  readonly initiatorUid: string;
  readonly initiatorUri: string;
}

const streamwide = readVectors('streamwide-and-third-party') as Product & { alea: Product };
const mismatches = readVectors('streamwide-period-mismatch') as { messages: PeriodVector[] };
const captured = readVectors('mikey-plain-identities-pck-256') as {
  hex: string;
  base64: string;
  parsed: Record<string, string> & { sp: [number, string][] };
};

function keySetOf(user: UserVector, kmsUri: string): KmsKeySet {
  return {
    kmsUri,
    userUri: user.uri,
    userId: fromHex(user.uid),
    keyPeriodNo: BigInt(user.keyPeriodNo),
    revoked: false,
    rsk: fromHex(user.rsk),
    ssk: fromHex(user.ssk),
    pvt: fromHex(user.pvt),
  };
}

describe('segy mikey open and the messages of other products', () => {
  const files = new KmsFiles();
  after(() => files.remove());

  /** Standard output of `open --json --reveal --no-window` as an object. */
  function open(
    certificate: string,
    keySets: string,
    from: string,
    input: string | Uint8Array,
  ): Record<string, unknown> {
    const { status, stdout, stderr } = runSegy(
      // prettier-ignore
      ['mikey', 'open', '--kms-cert', certificate, '--key-set', keySets, '--from', from,
        '--no-window', '--reveal', '--json'],
      input,
    );
    assert.equal(`${status} ${stderr}`, '0 ', stdout);
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  for (const [product, { cert, users, iMessages }] of [
    ['Streamwide', streamwide],
    ['Alea', streamwide.alea],
  ] as const) {
    const certificate = certificateOf(cert);
    const keySets = Object.values(users).map((user) => keySetOf(user, cert.kmsUri));
    const bare = files.write(`${product}-cert.xml`, writeKmsCertificate(certificate));
    const several = files.write(`${product}-keys.xml`, writeKmsKeySets(keySets));
    for (const message of iMessages) {
      it(`opens the ${message.name} of ${product}`, () => {
        const opened = open(bare, several, message.fromUri, `${message.iMessage}\n`);
        const { srtp, mki, uid, ...expected } = message.expect;
        delete expected.swMki;
        for (const [name, value] of Object.entries(expected)) {
          assert.equal(opened[name], value, name);
        }
        assert.deepEqual(
          opened.srtp,
          srtp.map((keys) => ({ ...keys, mki })),
        );
        assert.deepEqual(opened.responder, { uri: message.toUri, uid });
      });
    }
  }

  it('takes signed certificates, KmsResponses and UIDs in hexadecimal', () => {
    const certificate = certificateOf(streamwide.cert);
    const keySet = keySetOf(streamwide.users.bob!, certificate.kmsUri);
    const header = {
      userUri: keySet.userUri,
      kmsUri: certificate.kmsUri,
      time: new Date('2025-10-02T00:00:00Z'),
      clientReqUrl: 'https://kms.mydev.streamwide.com/keymanagement/identity/v1/init',
    };
    const certificates = [
      `<SignedKmsCertificate>${withoutDeclaration(writeKmsCertificate(certificate))}<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/></SignedKmsCertificate>`,
      writeKmsResponse({ ...header, message: { kind: 'init', certificate } }),
    ];
    const keySets = [
      writeKmsResponse({ ...header, message: { kind: 'keyProv', keySets: [keySet] } }),
      writeKmsKeySets([keySet]).replace(
        Buffer.from(keySet.userId).toString('base64'),
        toHex(keySet.userId),
      ),
    ];
    const message = streamwide.iMessages.find(({ name }) => name === 'PCK')!;
    const raw = decodeMikeyText(message.iMessage);
    certificates.forEach((certificateText, i) => {
      const opened = open(
        files.write(`other-cert-${i}.xml`, certificateText),
        files.write(`other-keys-${i}.xml`, keySets[i] ?? ''),
        message.fromUri,
        raw,
      );
      assert.equal(opened.key, message.expect.key);
    });
  });

  for (const vector of mismatches.messages.slice(0, 4)) {
    it(`opens ${vector.name}, whose key period ${vector.periodNoUsed} is not that of T`, () => {
      const certificate = certificateOf({
        kmsUri: vector.kmsUri,
        userKeyPeriod: vector.period,
        userKeyOffset: vector.offset,
        pubEncKey: vector.Z,
        pubAuthKey: vector.KPAK,
      });
      // Only the receiver's decryption key is known; SSK and PVT are another user's.
      const { ssk, pvt } = streamwide.users.alice!;
      const keySet = keySetOf(
        {
          uri: vector.receiverUri,
          uid: vector.UID,
          keyPeriodNo: vector.periodNoUsed,
          rsk: vector.RSK,
          ssk,
          pvt,
        },
        vector.kmsUri,
      );
      const name = vector.name.slice(-12);
      const opened = open(
        files.write(`period-cert-${name}.xml`, writeKmsCertificate(certificate)),
        files.write(`period-keys-${name}.xml`, writeKmsKeySets([keySet])),
        vector.initiatorUri,
        fromHex(vector.hex),
      );
      assert.deepEqual(
        [opened.key, opened.keyId, opened.csbId],
        [vector.gmk, vector.gmkId, vector.gukId],
      );
      assert.deepEqual(opened.initiator, { uri: vector.initiatorUri, uid: vector.initiatorUid });
    });
  }
});

describe('the I_MESSAGE codec', () => {
  const all = [
    ...[...streamwide.iMessages, ...streamwide.alea.iMessages].map(({ iMessage }) =>
      decodeMikeyText(iMessage),
    ),
    ...mismatches.messages.map(({ hex }) => fromHex(hex)),
    fromHex(captured.hex),
  ];

  it('gives back every message of other products octet for octet', () => {
    for (const octets of all) {
      assert.equal(toHex(serialiseIMessage(parseIMessage(octets))), toHex(octets));
    }
  });

  it('reads the fields of a captured message with visible identities and a 256-bit key', () => {
    const { parsed } = captured;
    const views = walkIMessage(decodeMikeyText(captured.base64));
    const field = (payload: string, name: string): string | number | undefined =>
      views.find((view) => view.name === payload)?.fields[name];
    assert.equal(field('HDR', 'CSB ID'), parsed.csbId);
    assert.equal(field('RAND', 'RAND'), parsed.rand);
    assert.equal(field('IDRi', 'data'), parsed.idri);
    assert.equal(field('IDRr', 'data'), parsed.idrr);
    assert.equal(field('IDRkmsi', 'data'), parsed.idrkmsi);
    assert.equal(field('IDRkmsr', 'data'), parsed.idrkmsr);
    assert.equal(field('SAKKE', 'SED octets'), parsed.sakkeLen);
    assert.equal(field('SIGN', 'octets'), parsed.signLen);
    const sp = parseIMessage(fromHex(captured.hex)).payloads.find(({ name }) => name === 'SP');
    assert.deepEqual(
      sp?.name === 'SP' && sp.parameters.map(({ type, value }) => [type, toHex(value)]),
      parsed.sp,
    );
  });

  it('reads text with and without the protocol name, with line breaks and without padding', () => {
    const octets = fromHex(captured.hex);
    const text = encodeMikeyText(octets);
    const base64 = text.slice('mikey '.length);
    for (const variant of [
      text,
      base64,
      ` ${text}\r\n`,
      base64.replace(/(.{64})/g, '$1\n'),
      base64.replace(/=+$/, ''),
      `MIKEY\t${base64}`,
      `a=key-mgmt:${text}`,
    ]) {
      assert.deepEqual(decodeMikeyText(variant), octets);
    }
    for (const wrong of ['mikey *', 'AQ=A', 'A', '=', 'mikey mikey AAAA', 'AAA==', 'AAAA====']) {
      assert.throws(() => decodeMikeyText(wrong), { code: 'SEGY_E_MIKEY_SYNTAX' });
    }
  });
});
