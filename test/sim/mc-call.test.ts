import assert from 'node:assert/strict';
import { createInlineCrypto } from '../../src/crypto/index.js';
import type { SimCall } from '../../src/sim/call.js';
import { createSimKms, simCertificate } from '../../src/sim/domain-files.js';
import { SimDomain } from '../../src/sim/domain.js';
import { McSystem } from '../../src/sim/mc-system.js';
import type { McCallOptions, McMedia } from '../../src/sim/mc-system.js';
import { findTone } from '../../src/sim/tone.js';
import { quietEnvironment as env } from '../support/quiet-environment.js';
import { sleep, until, within } from '../support/waiting.js';

const ALICE = 'sip:alice@mc-a.example';
const ANNE = 'sip:anne@mc-a.example';
const BOB = 'sip:bob@mc-b.example';

describe('two simulated MC domains', function () {
  this.timeout(20_000);
  let a: McSystem;
  let b: McSystem;

  before(async () => {
    const slow = createInlineCrypto();
    const kmsOf = (domain: string) =>
      createSimKms({ kmsUri: `kms.${domain}`, domains: [domain], users: [] }, slow, env);
    const [kmsA, kmsB] = [kmsOf('mc-a.example'), kmsOf('mc-b.example')];
    const domainA = new SimDomain({ kms: kmsA, trusted: [simCertificate(kmsB)], slow }, env);
    const domainB = new SimDomain({ kms: kmsB, trusted: [simCertificate(kmsA)], slow }, env);
    b = new McSystem(
      {
        domain: domainB,
        users: [BOB],
        address: '127.0.3.2',
        protocol: 'tcp',
        gateway: { protocol: 'tcp', address: '127.0.3.1', port: 1 },
        requestUri: 'sip:psi@mc-a.example',
        toneHz: 440,
      },
      env,
    );
    const port = await b.open();
    a = new McSystem(
      {
        domain: domainA,
        users: [ALICE, ANNE],
        address: '127.0.3.1',
        protocol: 'tcp',
        gateway: { protocol: 'tcp', address: '127.0.3.2', port },
        requestUri: 'sip:psi@mc-b.example',
      },
      env,
    );
    await a.open();
  });

  after(async () => {
    await Promise.all([a.close(), b.close()]);
  });

  /** Calls and gives both ends; the callee has answered or refused. */
  async function call(
    options: Partial<McCallOptions> = {},
  ): Promise<{ caller: SimCall<McMedia>; callee: SimCall<McMedia> }> {
    const taken = new Promise<SimCall<McMedia>>((resolve) => {
      b.agent.onCall = (incoming) => {
        void incoming.answer();
        resolve(incoming);
      };
    });
    const caller = await a.call({ from: ALICE, to: BOB, ...options });
    await within('the call is answered or refused', caller.up);
    return { caller, callee: await within('the call comes in', taken) };
  }

  /** The code with which the callee refused the call. */
  async function refusal(options: Partial<McCallOptions>): Promise<string | undefined> {
    const { caller, callee } = await call(options);
    assert.equal((await caller.ended).status, 488);
    return (await callee.ended).error?.code;
  }

  async function expectSpeech(caller: SimCall<McMedia>, callee: SimCall<McMedia>): Promise<void> {
    for (const { media } of [caller, callee]) media.stream.clearRecording();
    const hears = ({ media: { stream } }: SimCall<McMedia>, toneHz: number): boolean =>
      findTone(stream.recording(), toneHz, 8000).found;
    await until('both are heard', () => hears(callee, 1000) && hears(caller, 440));
    for (const { media } of [caller, callee]) {
      assert.equal(media.stream.counters.authFailures, 0);
      assert.equal(media.stream.counters.dropped, 0);
    }
  }

  it('talk under a PCK that the caller made, each with the CS ID of its role', async () => {
    const { caller, callee } = await call();
    await expectSpeech(caller, callee);
    assert.deepEqual(callee.media.keys.pck?.key, caller.media.keys.pck?.key);
    assert.equal(callee.media.keys.pck?.ours, false);
    caller.bye();
    assert.equal((await callee.ended).by, 'peer');
  });

  it('talk with hidden identities', async () => {
    const { caller, callee } = await call({ hideIdentities: true });
    await expectSpeech(caller, callee);
    callee.bye();
    assert.equal((await caller.ended).by, 'peer');
  });

  it('repeat the I_MESSAGE octet for octet in a re-INVITE', async () => {
    const { caller, callee } = await call();
    const message = caller.media.keys.pck?.message;
    assert.equal(await caller.reinvite(), 200);
    assert.deepEqual(callee.media.keys.pck?.message, message);
    await expectSpeech(caller, callee);
    caller.bye();
    await callee.ended;
  });

  it('send no key in a re-INVITE where the peer made it', async () => {
    const { caller, callee } = await call();
    assert.equal(await callee.reinvite(), 200);
    assert.equal(caller.media.remote?.keyMgmt, undefined);
    await expectSpeech(caller, callee);
    caller.bye();
    await callee.ended;
  });

  it('swap roles when the callee brings a new PCK', async () => {
    const { caller, callee } = await call();
    callee.media.keys.renew();
    assert.equal(await callee.reinvite(), 200);
    assert.equal(caller.media.keys.pck?.ours, false);
    await sleep(60);
    await expectSpeech(caller, callee);
    caller.bye();
    await callee.ended;
  });

  it('refuse a key signed by another user than the one who calls', async () => {
    assert.equal(await refusal({ misbehave: { signer: ANNE } }), 'SEGY_E_MIKEY_INITIATOR');
  });

  it('refuse a call without a key', async () => {
    assert.equal(await refusal({ misbehave: { none: true } }), 'SEGY_E_KEY_REQUIRED');
  });

  it('refuse a key whose signature has one bit changed', async () => {
    const message = (made: Uint8Array): Uint8Array => {
      const changed = made.slice();
      changed[changed.length - 3] = (changed.at(-3) ?? 0) ^ 1;
      return changed;
    };
    assert.equal(await refusal({ misbehave: { message } }), 'SEGY_E_MIKEY_SIGNATURE');
  });

  it('refuse a call to a user who is not theirs with 404', async () => {
    const caller = await a.call({ from: ALICE, to: 'sip:nobody@mc-b.example' });
    assert.equal((await within('the call ends', caller.ended)).status, 404);
  });
});
