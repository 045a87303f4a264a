import assert from 'node:assert/strict';
import { silentLog, systemRandom } from '../../src/base/environment.js';
import { Credentials, Directory, PseudoClients } from '../../src/clients/index.js';
import type { PartnerView } from '../../src/clients/index.js';
import { createInlineCrypto, EccsiVerifier } from '../../src/crypto/index.js';
import type { SlowCrypto } from '../../src/crypto/index.js';
import { CredentialCache, periodAt, periodBounds, SecurityDomain } from '../../src/kms/index.js';
import { ReplayRecord } from '../../src/keys/index.js';
import { DEFAULT_TOLERANCES, makeIMessage, newKeyId, openIMessage } from '../../src/mikey/index.js';
import { MemoryBackend, openStore } from '../../src/store/index.js';
import { storeOptions } from '../store/support.js';
import { makeDomain, NOW, RADIO, slow as theirSlow, theirs as partnerDomain } from './support.js';

const ALICE = 'sip:alice@mc-a.example';
const SECOND = 1000;
const DAY = 86_400 * SECOND;
const USER = { uri: RADIO, pbx: '1001' };
/** Clocks of partners are not ours. */
const SKEWS = [-40, 0, 40];

/** A gateway whose user has key sets made at `startsAt`, and a partner that calls and is called. */
async function gatewayAt(startsAt: (boundary: number) => number, theirs = partnerDomain) {
  const inline = createInlineCrypto();
  const counted = { minted: 0, calls: 0 };
  const slow: SlowCrypto = {
    ...inline,
    extractRsk: (...request) => {
      counted.minted += 1;
      return inline.extractRsk(...request);
    },
  };
  const template = makeDomain('kms.segy.example', 'lmr.example');
  const own = SecurityDomain.fromSecret(template.toSecret(), { random: systemRandom, slow });
  const boundary = periodBounds(
    own.certificate,
    periodAt(own.certificate, NOW) + 1n,
  ).from!.getTime();
  const clock = { time: startsAt(boundary), now: () => clock.time };
  const store = await openStore(storeOptions(new MemoryBackend()));
  const records = store.space('credentials');
  const sealed = new CredentialCache({ domain: own, records, clock, log: silentLog });
  const credentials = new Credentials(sealed, clock);
  const directory = new Directory([USER]);
  const partner: PartnerView = {
    name: 'mc-a',
    domains: ['mc-a.example'],
    kmsUris: [theirs.certificate.kmsUri],
    tolerances: DEFAULT_TOLERANCES,
    windows: { pckSeconds: 300 },
    outgoing: { hideIdentities: false },
  };
  const clients = new PseudoClients({
    directory,
    credentials,
    domain: sealed,
    certificates: { find: () => ({ certificate: theirs.certificate, partner: 'mc-a' }) },
    replay: await ReplayRecord.open({ records: store.space('replay'), clock, log: silentLog }),
    audit: { record: () => Promise.resolve() },
    slow,
    verifier: new EccsiVerifier({ cacheSize: 16 }),
    clock,
    random: systemRandom,
  });
  const keysOfAliceAt = (at: number) => theirs.issue(ALICE, periodAt(theirs.certificate, at));
  const certificates = () => [own.certificate, theirs.certificate];

  /** Alice calls, her clock `skew` seconds from ours. */
  async function beCalled(skew: number): Promise<void> {
    const at = clock.time + skew * SECOND;
    counted.calls += 1;
    const dialogKey = `in-${counted.calls}`;
    const message = await makeIMessage(
      {
        keyType: 'PCK',
        key: systemRandom(16),
        keyId: newKeyId('PCK', systemRandom),
        initiatorUri: ALICE,
        initiatorCertificate: theirs.certificate,
        initiatorKeySet: await keysOfAliceAt(at),
        responderUri: RADIO,
        responderCertificate: own.certificate,
        timestamp: new Date(at),
      },
      { clock: { now: () => at }, slow: theirSlow, random: systemRandom },
    );
    await clients.openPck({ message, partner, dialogKey, callee: RADIO, caller: ALICE });
  }

  /** The radio calls Alice, who opens what it sends. */
  async function call(): Promise<void> {
    counted.calls += 1;
    const dialogKey = `out-${counted.calls}`;
    const made = await clients.makePck({ caller: USER, calleeUri: ALICE, partner, dialogKey });
    const keySets = [await keysOfAliceAt(clock.time)];
    await openIMessage(made.message, {
      clock,
      slow: theirSlow,
      verifier: new EccsiVerifier({ cacheSize: 4 }),
      findCertificate: (kmsUri) => certificates().find((each) => each.kmsUri === kmsUri),
      findKeySets: () => keySets,
      from: RADIO,
    });
  }

  async function callsBothWays(): Promise<void> {
    for (const skew of SKEWS) await beCalled(skew);
    await call();
  }

  await credentials.prepare([RADIO]);
  counted.minted = 0;
  return { own, boundary, clock, credentials, directory, counted, callsBothWays };
}

describe('traffic while the clock crosses into the next key period', () => {
  it('is opened and made without a failure, and mints nothing on the way', async () => {
    const { clock, boundary, counted, callsBothWays } = await gatewayAt(
      (next) => next - 90 * SECOND,
    );
    for (; clock.time <= boundary + 90 * SECOND; clock.time += 30 * SECOND) await callsBothWays();
    assert.deepEqual(counted, { calls: 28, minted: 0 });
  });

  it('mints nothing where the gateway started a second before', async () => {
    const { clock, counted, callsBothWays } = await gatewayAt((next) => next - SECOND);
    for (const step of [0, 500, 500, SECOND]) {
      clock.time += step;
      await callsBothWays();
    }
    assert.equal(counted.minted, 0);
  });

  it('mints nothing where the clock is set back over the boundary, and crosses it again', async () => {
    const { clock, boundary, counted, callsBothWays } = await gatewayAt((next) => next - SECOND);
    for (const seconds of [3, -2, -30, 1]) {
      clock.time = boundary + seconds * SECOND;
      await callsBothWays();
    }
    assert.equal(counted.minted, 0);
  });

  it('goes on where the clock jumps two periods ahead and back, at once and after they are prepared', async () => {
    const { clock, boundary, credentials, counted, callsBothWays } = await gatewayAt(
      (next) => next - SECOND,
    );
    for (const time of [boundary + 31 * DAY, boundary - 2 * SECOND]) {
      clock.time = time;
      await callsBothWays();
      await credentials.prepare([RADIO]);
      counted.minted = 0;
      await callsBothWays();
      assert.equal(counted.minted, 0);
    }
  });

  it("goes on over a partner's boundary, whose periods have another length", async () => {
    const theirs = SecurityDomain.create(
      {
        kmsUri: 'kms.mc-a.example',
        domains: ['mc-a.example'],
        userKeyPeriod: 604_800n,
        userKeyOffset: 12_345n,
        validFrom: new Date(NOW - 1e10),
        validTo: new Date(NOW + 1e11),
      },
      { random: systemRandom, slow: theirSlow },
    );
    const { certificate } = theirs;
    const their = periodBounds(certificate, periodAt(certificate, NOW) + 1n).from!.getTime();
    const { clock, counted, callsBothWays } = await gatewayAt(() => their - 45 * SECOND, theirs);
    for (; clock.time <= their + 45 * SECOND; clock.time += 30 * SECOND) await callsBothWays();
    assert.equal(counted.minted, 0);
  });

  it('goes on for a user who was taken away and is there again', async () => {
    const { clock, boundary, directory, counted, callsBothWays } = await gatewayAt(
      (next) => next - SECOND,
    );
    await callsBothWays();
    directory.replace([]);
    await assert.rejects(callsBothWays());
    clock.time = boundary + SECOND;
    directory.replace([USER]);
    await callsBothWays();
    assert.equal(counted.minted, 0);
  });

  it('goes on while our certificate is renewed, also by one that is valid only later', async () => {
    const { own, clock, boundary, counted, callsBothWays } = await gatewayAt(
      (next) => next - SECOND,
    );
    const validTo = new Date(NOW + 2e11);
    own.adopt(own.renew({ validFrom: new Date(boundary + 3600 * SECOND), validTo }));
    for (const seconds of [-1, 1, 3599, 3601]) {
      clock.time = boundary + seconds * SECOND;
      await callsBothWays();
    }
    assert.equal(counted.minted, 0);
  });
});
