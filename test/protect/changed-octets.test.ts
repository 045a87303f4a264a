/** Every octet of what is protected, removed and changed in turn. */
import assert from 'node:assert/strict';
import { concatBytes } from '../../src/base/bytes.js';
import { systemRandom } from '../../src/base/environment.js';
import { SegyError } from '../../src/base/errors.js';
import type { EarConfig, PartnerConfig } from '../../src/config/index.js';
import { protectionSchema } from '../../src/config/protection-schema.js';
import { eccsiExtract, eccsiPublicKey, EccsiVerifier } from '../../src/crypto/index.js';
import { periodAt, uidOf, type KmsCertificate } from '../../src/kms/index.js';
import {
  checkEar,
  makeEar,
  openMessage,
  sealMessage,
  type EarTools,
} from '../../src/protect/index.js';
import { leafParts, parseBody } from '../../src/sip/index.js';
import {
  INFO_PART,
  LIST_PART,
  message,
  NOW,
  opening,
  RANDOM,
  SDP_PART,
  SEALING,
  type TestPart,
} from './support.js';

const DEMANDS = { confidentiality: true, integrity: true };

/** Where random changes begin; printed with every failure. */
const SEED = Math.floor(Math.random() * 2 ** 31);
let state = SEED;
function nextByte(): number {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
  return (state >>> 16) & 0xff;
}

/** changes of each octet */
const CHANGES = 5;
const WHITE_SPACE: readonly number[] = [0x09, 0x0a, 0x0d, 0x20];

/** The octets without the one at `at`, and with it changed in some bits. */
function* changed(octets: Uint8Array): Generator<[string, Uint8Array]> {
  for (let at = 0; at < octets.length; at += 1) {
    yield [`without ${at}`, concatBytes(octets.subarray(0, at), octets.subarray(at + 1))];
    for (let change = 0; change < CHANGES; change += 1) {
      const flipped = octets.slice();
      flipped[at] = (flipped[at] ?? 0) ^ ((nextByte() % 255) + 1);
      // white space of another kind inside a tag is the same XML
      const both = [octets[at] ?? 0, flipped[at] ?? 0];
      if (both.some((octet) => !WHITE_SPACE.includes(octet))) yield [`changed ${at}`, flipped];
    }
  }
  for (let length = 0; length < octets.length; length += 16) {
    yield [`cut to ${length}`, octets.subarray(0, length)];
  }
}

function median(times: number[]): number {
  return times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
}

function timed(work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start);
}

describe('protect: changed octets', function () {
  this.timeout(30_000);

  it('of a protected INVITE are never accepted, never crash, and take no longer than good ones', () => {
    const invite = message(SDP_PART, INFO_PART, LIST_PART);
    sealMessage(invite, SEALING, { ...DEMANDS, host: 'mc-a.example', random: RANDOM });
    const body = parseBody(invite.headers.get('Content-Type') ?? '', invite.body);
    const parts = leafParts(body).map((part): TestPart & { body: Uint8Array } => ({
      type: part.contentType.type,
      body: part.body,
      id: part.headers.get('Content-ID')?.slice(1, -1) ?? '',
    }));
    const open = (): unknown => openMessage(message(...parts), opening(), DEMANDS, RANDOM);
    const good = median(Array.from({ length: 200 }, () => timed(open)));
    const times: number[] = [];
    for (const index of [1, 2, 3]) {
      const part = parts[index]!;
      for (const [what, octets] of changed(part.body)) {
        const attacked = parts.map((each) => (each === part ? { ...each, body: octets } : each));
        const came = message(...attacked);
        times.push(
          timed(() => {
            try {
              openMessage(came, opening(), DEMANDS, RANDOM);
            } catch (error) {
              if (error instanceof SegyError && error.code !== 'SEGY_E_INTERNAL') return;
              assert.fail(`${part.type} ${what}, seed ${SEED}: ${String(error)}`);
            }
            assert.fail(`${part.type} ${what}, seed ${SEED}: accepted`);
          }),
        );
      }
    }
    assert.ok(times.length > 20_000, `${times.length} cases`);
    assert.ok(median(times) < 3 * good, `median ${median(times)} ns, good ${good} ns`);
  });

  it('of an EAR are never accepted and never crash', async () => {
    const ksak = new Uint8Array(32).fill(0x11);
    const certificate: KmsCertificate = {
      role: 'External',
      isSecurityGateway: false,
      kmsUri: 'kms.mc-a.example',
      revoked: false,
      userKeyPeriod: 2_592_000n,
      userKeyOffset: 0n,
      pubEncKey: new Uint8Array(257),
      pubAuthKey: eccsiPublicKey(ksak),
      domains: [],
    };
    const caller = 'sip:alice@mc-a.example';
    const target = 'sip:radio1@lmr.example';
    const keyPeriodNo = periodAt(certificate, NOW);
    const userId = uidOf(certificate, caller, keyPeriodNo);
    const user = eccsiExtract({ ksak, id: userId, random: systemRandom });
    const keySet = {
      kmsUri: 'k',
      userUri: caller,
      userId,
      keyPeriodNo,
      revoked: false,
      rsk: new Uint8Array(),
      ...user,
    };
    const tools: EarTools = {
      clock: { now: () => NOW },
      random: RANDOM,
      verifier: new EccsiVerifier({ cacheSize: 8 }),
      replay: { enter: () => Promise.resolve() },
      keys: {
        certificateFor: () => certificate,
        signer: () => Promise.resolve({ certificate, keySet }),
      },
    };
    const config: EarConfig = protectionSchema.parse({
      receive: { confidentiality: 'optional', integrity: 'optional' },
      send: { confidentiality: false, integrity: false },
      ear: {
        receive: 'explicit',
        send: true,
        codePoints: {
          messageType: 0x91,
          requestIei: 1,
          requestIdIei: 2,
          requestExpiryIei: 3,
          roles: { user: 1 },
          signature: 'appended',
        },
        sourceRole: 'user',
        targetRole: 'user',
        acceptRoles: ['user'],
        target,
      },
    }).ear;
    const partner = { gms: [] as string[] } as unknown as PartnerConfig;
    const facts = { caller, targets: [target], dialogKey: 'd' };
    const ear = await makeEar(partner, config, caller, tools);
    assert.equal(await checkEar(ear, partner, config, facts, tools), null);
    let cases = 0;
    for (let round = 0; round < 3; round += 1) {
      for (const [what, octets] of changed(ear)) {
        cases += 1;
        const outcome = await checkEar(octets, partner, config, facts, tools).then(
          () => 'accepted',
          (error: unknown) => (error instanceof SegyError ? error.code : String(error)),
        );
        assert.match(outcome, /^SEGY_E_EAR_/, `${what}, seed ${SEED}`);
      }
    }
    assert.ok(cases > 3000, `${cases} cases`);
  });
});
