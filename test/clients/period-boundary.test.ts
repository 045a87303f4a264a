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
import { makeDomain, NOW, RADIO, slow as theirSlow, theirs } from './support.js';

const ALICE = 'sip:alice@mc-a.example';
const SECOND = 1000;

describe('traffic while the clock crosses into the next key period', () => {
  it('is opened and made without a failure, and mints nothing on the way', async () => {
    const inline = createInlineCrypto();
    let minted = 0;
    const slow: SlowCrypto = {
      ...inline,
      extractRsk: (...request) => {
        minted += 1;
        return inline.extractRsk(...request);
      },
    };
    const template = makeDomain('kms.segy.example', 'lmr.example');
    const own = SecurityDomain.fromSecret(template.toSecret(), { random: systemRandom, slow });
    const { certificate } = own;
    const boundary = periodBounds(certificate, periodAt(certificate, NOW) + 1n).from!.getTime();
    const clock = { time: boundary - 90 * SECOND, now: () => clock.time };
    const store = await openStore(storeOptions(new MemoryBackend()));
    const log = silentLog;
    const sealed = new CredentialCache({
      domain: own,
      records: store.space('credentials'),
      clock,
      log,
    });
    const credentials = new Credentials(sealed, clock);
    await credentials.prepare([RADIO]);
    const partner: PartnerView = {
      name: 'mc-a',
      domains: ['mc-a.example'],
      kmsUris: [theirs.certificate.kmsUri],
      tolerances: DEFAULT_TOLERANCES,
      windows: { pckSeconds: 300 },
      outgoing: { hideIdentities: false },
    };
    const certificates = [certificate, theirs.certificate];
    const clients = new PseudoClients({
      directory: new Directory([{ uri: RADIO, pbx: '1001' }]),
      credentials,
      domain: sealed,
      certificates: { find: () => ({ certificate: theirs.certificate, partner: 'mc-a' }) },
      replay: await ReplayRecord.open({ records: store.space('replay'), clock, log }),
      audit: { record: () => Promise.resolve() },
      slow,
      verifier: new EccsiVerifier({ cacheSize: 16 }),
      clock,
      random: systemRandom,
    });
    minted = 0;
    let calls = 0;
    for (; clock.time <= boundary + 90 * SECOND; clock.time += 30 * SECOND) {
      for (const skew of [-40, 0, 40]) {
        const at = clock.time + skew * SECOND;
        const message = await makeIMessage(
          {
            keyType: 'PCK',
            key: systemRandom(16),
            keyId: newKeyId('PCK', systemRandom),
            initiatorUri: ALICE,
            initiatorCertificate: theirs.certificate,
            initiatorKeySet: await theirs.issue(ALICE, periodAt(theirs.certificate, at)),
            responderUri: RADIO,
            responderCertificate: certificate,
            timestamp: new Date(at),
          },
          { clock: { now: () => at }, slow: theirSlow, random: systemRandom },
        );
        const dialogKey = `in-${calls}`;
        await clients.openPck({ message, partner, dialogKey, callee: RADIO, caller: ALICE });
        calls += 1;
      }
      const made = await clients.makePck({
        caller: { uri: RADIO, pbx: '1001' },
        calleeUri: ALICE,
        partner,
        dialogKey: `out-${calls}`,
      });
      const aliceKeys = await theirs.issue(ALICE, periodAt(theirs.certificate, clock.time));
      await openIMessage(made.message, {
        clock,
        slow: theirSlow,
        verifier: new EccsiVerifier({ cacheSize: 4 }),
        findCertificate: (kmsUri) => certificates.find((each) => each.kmsUri === kmsUri),
        findKeySets: () => [aliceKeys],
        from: RADIO,
      });
    }
    assert.equal(calls, 21);
    assert.equal(minted, 0);
  });
});
