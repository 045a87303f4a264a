/**
 * Every policy of protected signalling against every way to break it, through the running gateway and
 * a real Asterisk: SIPp plays the partners with octets that were recorded from a simulated MC system.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCryptoPool, type SlowCrypto } from '../../src/crypto/index.js';
import type { SipBody } from '../../src/sim/index.js';
import { POLICIES, policyPartner, type PolicyPartner } from '../support/policies.js';
import { freePort } from '../support/ports.js';
import type { ProtectionCase } from '../support/protection-cases.js';
import { RecordedPartner } from '../support/recorded-partner.js';
import { Scene } from '../support/scene.js';
import { sendWithSipp, type SippAnswer } from '../support/sipp-caller.js';

const KINDS = ['private', 'group', 'message'] as const;
type Kind = (typeof KINDS)[number];
/** partners that send at once */
const AT_ONCE = 3;

interface Prepared {
  readonly partner: PolicyPartner;
  readonly cases: ReadonlyMap<Kind, readonly ProtectionCase[]>;
  /** brings the group's key, and is taken */
  readonly first: SipBody;
}

describe('every policy of protected signalling against SIPp, through a real Asterisk', function () {
  this.timeout(240_000);
  let scene: Scene;
  let folder: string;
  let slow: SlowCrypto;
  let partners: PolicyPartner[];
  const prepared: Prepared[] = [];
  const answers = new Map<string, SippAnswer>();
  let radioCalls = 0;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'segy-matrix-'));
    slow = createCryptoPool({ workers: 1, queueLimit: 64 });
    partners = await Promise.all(
      POLICIES.map(async (policy, index) => {
        const address = `127.0.4.${index + 1}`;
        return policyPartner(policy, { address, port: await freePort(address) }, folder);
      }),
    );
    scene = await Scene.start({
      capture: join(folder, 'matrix'),
      more: partners.map(({ plan }) => plan),
      asterisk: {
        dialplan: [
          '[segy-to-radio](+)',
          'exten => _pX-police,1,Goto(1001,1)',
          'exten => _pXX-police,1,Goto(1001,1)',
          '',
        ].join('\n'),
      },
    });
    scene.radio.agent.onCall = (call) => {
      radioCalls += 1;
      void call.answer();
    };
    for (const partner of partners) prepared.push(await prepare(partner));
  });

  after(async () => {
    await slow.close();
    rmSync(folder, { recursive: true });
    await scene.stop();
  });

  /** What the partner's MC system sends, recorded and broken. */
  async function prepare(partner: PolicyPartner): Promise<Prepared> {
    const recorded = await RecordedPartner.open(partner, scene.folder, slow);
    try {
      const { body: first, usedEar } = await recorded.givesKey();
      const cases = new Map<Kind, readonly ProtectionCase[]>();
      for (const kind of KINDS) cases.set(kind, await recorded.cases(kind, usedEar));
      return { partner, cases, first };
    } finally {
      await recorded.close();
    }
  }

  /** Sends what `pick` picks for every partner, a few partners at once. */
  async function send(
    round: string,
    pick: (each: Prepared) => readonly { kind: Kind; name: string; body: SipBody }[],
  ): Promise<void> {
    const waiting = [...prepared];
    const work = async (): Promise<void> => {
      for (let each = waiting.shift(); each !== undefined; each = waiting.shift()) {
        const { policy, peer } = each.partner;
        const requests = pick(each).map(({ kind, name, body }) => ({
          name: `${policy.name}/${kind}/${name}`,
          method: kind === 'message' ? ('MESSAGE' as const) : ('INVITE' as const),
          uri: `sip:mcptt-${kind}@lmr.example`,
          body,
        }));
        const plan = { folder, name: `${policy.name}-${round}`, from: peer, to: scene.outer };
        for (const [name, answer] of await sendWithSipp(plan, requests)) answers.set(name, answer);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  function* every(isTaken: boolean): Generator<[string, ProtectionCase]> {
    for (const { partner, cases } of prepared) {
      for (const [kind, list] of cases) {
        for (const each of list.filter(({ code }) => (code === null) === isTaken)) {
          yield [`${partner.policy.name}/${kind}/${each.name}`, each];
        }
      }
    }
  }

  const picked =
    (isTaken: boolean) =>
    ({ cases }: Prepared) =>
      [...cases].flatMap(([kind, list]) =>
        list
          .filter(({ code }) => (code === null) === isTaken)
          .map(({ name, body }) => ({ kind, name, body })),
      );

  const invitesInside = (): string[] =>
    scene
      .taps!.inner.capture.packets.map(({ payload }) => payload.toString('latin1'))
      .filter((text) => /^INVITE sip:\S+ SIP\/2\.0\r\n/.test(text) && text.includes('X-SeGy-'));

  it('refuses what is broken with the code of its fault, and nothing of it reaches the PBX', async () => {
    await send('first', ({ first }) => [{ kind: 'message', name: 'first', body: first }]);
    await send('broken', picked(false));
    const wrong: string[] = [];
    let count = 0;
    for (const [name, { code }] of every(false)) {
      count += 1;
      const { status, warning } = answers.get(name) ?? { status: 0, warning: 'no answer' };
      const expected = code === 'SEGY_E_XML' ? 400 : 403;
      if (status !== expected || !warning.startsWith(`"${code} `)) {
        wrong.push(`${name}: ${status} ${warning}, not ${code}`);
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(count > 700, `${count} cases`);
    for (const { partner } of prepared) {
      assert.equal(answers.get(`${partner.policy.name}/message/first`)?.status, 200);
    }
    assert.deepEqual(invitesInside(), []);
    assert.equal(radioCalls, 0);
    assert.equal(await scene.asterisk.channelCount(), 0);
  });

  it('gives one and the same answer to all that does not decrypt', () => {
    const texts = new Set<string>();
    for (const [name, { code }] of every(false)) {
      if (code === 'SEGY_E_XML_DECRYPT') texts.add(JSON.stringify(answers.get(name)));
    }
    assert.equal(texts.size, 1, [...texts].join('\n'));
  });

  it('takes what the policy takes, and the PBX gets one clear call for each', async () => {
    await send('right', picked(true));
    const wrong: string[] = [];
    let calls = 0;
    for (const [name] of every(true)) {
      const answer = answers.get(name);
      if (answer?.status !== 200) wrong.push(`${name}: ${JSON.stringify(answer)}`);
      if (!name.includes('/message/')) calls += 1;
    }
    assert.deepEqual(wrong, []);
    const inside = invitesInside();
    const callIds = new Set(inside.map((text) => /\r\nCall-ID: *(\S+)/i.exec(text)?.[1]));
    assert.equal(callIds.size, calls);
    assert.equal(radioCalls, calls);
    for (const text of inside) {
      assert.doesNotMatch(text, /EncryptedData|signed\+xml|signalling-ear|key-mgmt|mc1-encrypted/);
    }
  });
});
