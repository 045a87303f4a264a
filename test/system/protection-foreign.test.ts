/**
 * Calls whose protected XML, signatures and EARs another implementation made, in layouts of every kind,
 * through the running gateway and a real Asterisk: what is right is taken, and each broken one gets the
 * code of its fault.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCryptoPool, type SlowCrypto } from '../../src/crypto/index.js';
import { findPart, parseBody } from '../../src/sip/index.js';
import { foreignBodies, hasForeignBodies } from '../support/foreign-bodies.js';
import { POLICIES, policyPartner, type PolicyPartner } from '../support/policies.js';
import { freePort } from '../support/ports.js';
import type { ProtectionCase } from '../support/protection-cases.js';
import { RecordedPartner } from '../support/recorded-partner.js';
import { Scene } from '../support/scene.js';
import { SEED } from '../support/seed.js';
import { sendWithSipp } from '../support/sipp-caller.js';
import { skipBecause } from '../support/skip.js';

const RIGHT = 60;
const EACH = 3;
const ADDRESS = '127.0.9.1';

describe('calls that another implementation protected, through a real Asterisk', function () {
  this.timeout(240_000);
  let scene: Scene;
  let folder: string;
  let slow: SlowCrypto;
  let partner: PolicyPartner;
  let cases: ProtectionCase[];
  let radioCalls = 0;

  before(async function () {
    if (!hasForeignBodies()) skipBecause(this, 'there is no /usr/bin/python3');
    folder = mkdtempSync(join(tmpdir(), 'segy-foreign-'));
    slow = createCryptoPool({ workers: 1, queueLimit: 64 });
    // all is demanded
    const policy = POLICIES.at(-1)!;
    partner = policyPartner(policy, { address: ADDRESS, port: await freePort(ADDRESS) }, folder);
    scene = await Scene.start({ capture: join(folder, 'foreign'), more: [partner.plan] });
    scene.radio.agent.onCall = (call) => {
      radioCalls += 1;
      void call.answer();
    };
    const recorded = await RecordedPartner.open(partner, scene.folder, slow);
    try {
      const sdps: Uint8Array[] = [];
      while (sdps.length <= RIGHT) {
        const { type, bytes } = await recorded.record('private');
        sdps.push(findPart(parseBody(type, bytes), 'application/sdp')!.body);
      }
      cases = await foreignBodies(partner, recorded.domain, sdps, EACH);
    } finally {
      await recorded.close();
    }
  });

  after(async () => {
    await scene.stop();
    await slow.close();
    rmSync(folder, { recursive: true });
  });

  /** What of `some` was not answered as it should be. */
  async function wrongOf(name: string, some: readonly ProtectionCase[]): Promise<string[]> {
    const plan = { folder, name, from: partner.peer, to: scene.outer };
    const requests = some.map((each) => ({
      ...({ name: each.name, method: 'INVITE', uri: 'sip:mcptt-private@lmr.example' } as const),
      body: each.body,
    }));
    const answers = await sendWithSipp(plan, requests);
    return some.flatMap((each) => {
      const { status = 0, warning = '' } = answers.get(each.name) ?? {};
      const expected = each.code === null ? 200 : each.code === 'SEGY_E_XML' ? 400 : 403;
      const isRight =
        status === expected && (each.code === null || warning.startsWith(`"${each.code} `));
      const text = Buffer.from(each.body.bytes).toString();
      return isRight
        ? []
        : [`${each.name}: ${status} ${warning}, not ${each.code ?? 'taken'}\n${text}`];
    });
  }

  const invitesInside = (): string[] =>
    scene
      .taps!.inner.capture.packets.map(({ payload }) => payload.toString('latin1'))
      .filter((text) => /^INVITE sip:\S+ SIP\/2\.0\r\n/.test(text) && text.includes('X-SeGy-'));

  it('are refused where they are broken, and nothing of them reaches the PBX', async () => {
    const broken = cases.filter(({ code }) => code !== null);
    const wrong = await wrongOf('broken', broken);
    assert.equal(wrong.length, 0, `seed ${SEED}\n${wrong.join('\n')}`);
    assert.ok(broken.length > 60, `${broken.length} cases`);
    assert.deepEqual(invitesInside(), []);
    assert.equal(radioCalls, 0);
  });

  it('are taken where they are right, however they are laid out', async () => {
    const right = cases.filter(({ code }) => code === null);
    const wrong = await wrongOf('right', right);
    assert.equal(wrong.length, 0, `seed ${SEED}\n${wrong.join('\n')}`);
    assert.equal(radioCalls, RIGHT);
    for (const text of invitesInside()) {
      assert.doesNotMatch(text, /EncryptedData|signed\+xml|signalling-ear|mc1-encrypted/);
    }
  });
});
