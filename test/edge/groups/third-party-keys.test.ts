/** Group keys of other products, as their GMS sends them, through the edge into the key ring. */
import assert from 'node:assert/strict';
import { fromHex } from '../../../src/base/bytes.js';
import { silentLog, systemTimers } from '../../../src/base/environment.js';
import { keyLine, keyView } from '../../../src/cli/key-view.js';
import { Directory, GroupKeys } from '../../../src/clients/index.js';
import { createInlineCrypto, EccsiVerifier } from '../../../src/crypto/index.js';
import { KeyRing, ReplayRecord, SendingMemory } from '../../../src/keys/index.js';
import type { KmsKeySet } from '../../../src/kms/index.js';
import {
  decodeMikeyText,
  ntpToUnixMs,
  parseIMessage,
  readFacts,
} from '../../../src/mikey/index.js';
import { ALL_TOLERANCES } from '../../../src/mikey/index.js';
import { MemoryBackend, openStore } from '../../../src/store/index.js';
import { certificateOf, readVectors, type CertificateVector } from '../../support/vectors.js';
import { storeOptions } from '../../store/support.js';
import { Harness } from '../support/harness.js';
import { within } from '../support/peer.js';
import type { Partner } from '../support/fakes.js';

interface Product {
  readonly cert: CertificateVector;
  readonly users: Readonly<
    Record<
      string,
      { uri: string; uid: string; keyPeriodNo: number; rsk: string; ssk: string; pvt: string }
    >
  >;
  readonly iMessages: readonly {
    name: string;
    fromUri: string;
    toUri: string;
    iMessage: string;
    key: string;
    keyId: string;
  }[];
}

const streamwide = readVectors('streamwide-and-third-party') as Product & { alea: Product };
const FAR = Date.UTC(2026, 0, 1);

function keySetOf(product: Product, uri: string): KmsKeySet[] {
  return Object.values(product.users)
    .filter((user) => user.uri === uri)
    .map((user) => ({
      kmsUri: product.cert.kmsUri,
      userUri: user.uri,
      userId: fromHex(user.uid),
      keyPeriodNo: BigInt(user.keyPeriodNo),
      revoked: false,
      rsk: fromHex(user.rsk),
      ssk: fromHex(user.ssk),
      pvt: fromHex(user.pvt),
    }));
}

/** An edge whose represented users are those of `product`. */
async function productScene(product: Product) {
  const certificate = certificateOf(product.cert);
  const gmks = product.iMessages.filter(({ name }) => name.startsWith('GMK'));
  const octets = gmks.map(({ iMessage }) => decodeMikeyText(iMessage));
  const [first] = octets;
  const { timestamp } = readFacts(parseIMessage(first!), ALL_TOLERANCES);
  const clock = { now: () => ntpToUnixMs(timestamp, FAR) };
  const store = await openStore(storeOptions(new MemoryBackend()));
  const ring = await KeyRing.open({
    records: store.space('keys'),
    clock,
    timers: systemTimers,
    log: silentLog,
  });
  const [message] = gmks;
  const groups = new GroupKeys({
    directory: new Directory(
      Object.values(product.users).map(({ uri }, index) => ({ uri, pbx: `u${index}` })),
    ),
    keySets: { around: (uri) => Promise.resolve(keySetOf(product, uri)) },
    domain: { certificate, issue: () => Promise.reject(new Error('nothing is minted here')) },
    certificates: { find: () => ({ certificate, partner: 'mc-a' }) },
    replay: await ReplayRecord.open({ records: store.space('replay'), clock, log: silentLog }),
    audit: { record: () => Promise.resolve() },
    ring,
    slow: createInlineCrypto(),
    verifier: new EccsiVerifier({ cacheSize: 16 }),
    clock,
    timers: systemTimers,
    log: silentLog,
    sending: await SendingMemory.open(store.space('sending')),
  });
  const host = /[^@:]+$/.exec(message!.fromUri)![0];
  const partner = (base: Partner): Partner => ({
    ...base,
    kmsUris: [product.cert.kmsUri],
    kmsDomains: [host],
    gms: [message!.fromUri],
    groups: [
      {
        id: 'sip:police@mc-a.example',
        pbx: 'police',
        withoutKey: 'refuse',
        whenRegrouped: 'own',
        members: [],
        affiliate: [],
      },
    ],
    tolerances: { ...ALL_TOLERANCES },
  });
  const harness = await Harness.start({ groups, partner });
  return { harness, ring, gmks, octets, clock };
}

describe('edge: group keys of other products', () => {
  for (const [name, product] of [
    ['Streamwide', streamwide],
    ['Alea', streamwide.alea],
  ] as const) {
    it(`of ${name} come in MESSAGE and NOTIFY, raw and in base64, and are listed`, async () => {
      const { harness, ring, gmks, octets, clock } = await productScene(product);
      try {
        for (const [index, raw] of octets.entries()) {
          for (const method of ['MESSAGE', 'NOTIFY']) {
            const text = new Uint8Array(Buffer.from(Buffer.from(raw).toString('base64')));
            const request = within(method, 1, {
              from: '<sip:gms@mc-a.example>;tag=1',
              to: '<sip:segy@lmr.example>',
              callId: `${name}-${index}-${method}`,
              uri: 'sip:segy@lmr.example',
            });
            request.headers.set('Content-Type', 'application/mikey');
            request.body = method === 'MESSAGE' ? raw : text;
            await harness.mc.send(request, harness.outerAt).expect(200);
          }
        }
        for (const { key, keyId } of gmks) {
          const held = ring.find({ partner: 'mc-a', keyId: fromHex(keyId) });
          assert.equal(Buffer.from(held!.key).toString('hex'), key);
          assert.match(keyLine(keyView(held!, clock.now())), new RegExp(`^${keyId} {2}GMK`));
        }
        assert.equal(ring.list().length, 1);
        assert.equal(1 + ring.list()[0]!.otherRands.length, gmks.length);
      } finally {
        ring.close();
        await harness.stop();
      }
    });
  }
});
