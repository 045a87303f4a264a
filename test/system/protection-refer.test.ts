/**
 * REFER under every policy and with every fault, in private calls, in group calls and outside calls,
 * through the running gateway and a real Asterisk: SIPp plays the partners with recorded octets.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '../../src/base/environment.js';
import { createCryptoPool, type SlowCrypto } from '../../src/crypto/index.js';
import { encryptUri } from '../../src/protect/encrypted-uri.js';
import type { Spk } from '../../src/protect/index.js';
import type { SipBody } from '../../src/sim/index.js';
import { POLICIES, policyPartner, type PolicyPartner } from '../support/policies.js';
import { freePort } from '../support/ports.js';
import { sealed, type ProtectionCase } from '../support/protection-cases.js';
import { RecordedPartner } from '../support/recorded-partner.js';
import { RADIO_2, Scene } from '../support/scene.js';
import {
  sendInCallsWithSipp,
  sendWithSipp,
  type SippAnswers,
  type SippRequest,
} from '../support/sipp-caller.js';

/** partners that send at once */
const AT_ONCE = 3;
const REFUSED = 'SEGY_E_REFER_REFUSED';
const URI = 'sip:mcptt-private@lmr.example';

type Place = 'private' | 'group' | 'outside';

interface ReferCase {
  readonly request: SippRequest;
  /** null where the PBX is asked, which refuses by itself */
  readonly code: string | null;
}

describe('REFER under every policy of protected signalling against SIPp, through a real Asterisk', function () {
  this.timeout(240_000);
  let scene: Scene;
  let folder: string;
  let slow: SlowCrypto;
  const recorded: RecordedPartner[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'segy-refer-'));
    slow = createCryptoPool({ workers: 1, queueLimit: 64 });
    const partners = await Promise.all(
      POLICIES.map(async (policy, index) => {
        const address = `127.0.8.${index + 1}`;
        return policyPartner(policy, { address, port: await freePort(address) }, folder);
      }),
    );
    scene = await Scene.start({
      capture: join(folder, 'refer'),
      more: partners.map(({ plan }) => ({ ...plan, profile: { ...plan.profile, refer: 'pass' } })),
      asterisk: {
        dialplan: '[segy-to-radio](+)\nexten => _p.,1,Goto(1001,1)\n',
      },
    });
    scene.radio.agent.onCall = (call) => void call.answer();
    for (const partner of partners) {
      recorded.push(await RecordedPartner.open(partner, scene.folder, slow));
    }
  });

  after(async () => {
    await Promise.all(recorded.map((each) => each.close()));
    await slow.close();
    await scene.stop();
    rmSync(folder, { recursive: true });
  });

  const requestOf = (
    place: Place,
    { policy }: PolicyPartner,
    name: string,
    body: SipBody,
    referTo: string = RADIO_2.uri,
  ): SippRequest => ({
    ...{ name: `${policy.name}/${place}/${name}`, method: 'REFER', uri: URI, body },
    headers: [`Refer-To: <${referTo}>`],
  });

  /** Refer-To with the target encrypted, right and wrong, under a body that is right. */
  function encryptedTargets(partner: PolicyPartner, body: SipBody): ReferCase[] {
    const { spk, expired, identity } = partner;
    const other = { ...spk, key: systemRandom(16) };
    const under = (key: Spk, p0 = identity): string =>
      encryptUri(RADIO_2.uri, { spk: key, p0, random: systemRandom });
    const right = under(spk);
    const changed = right.replace(/^sip:(.)/, (_, first: string) =>
      first === 'A' ? 'sip:B' : 'sip:A',
    );
    const rows: [string, string | null, string][] = [
      ['target-encrypted', null, right],
      ['target-changed', 'SEGY_E_XML_DECRYPT', changed],
      ['target-with-another-key', 'SEGY_E_XML_DECRYPT', under(other)],
      ['target-as-another-identity', 'SEGY_E_XML_DECRYPT', under(spk, 'sip:m@x.example')],
      ['target-under-an-expired-spk', 'SEGY_E_SPK_VALIDITY', under(expired)],
      [
        'target-under-an-unknown-spk',
        'SEGY_E_SPK_UNKNOWN',
        under({ ...other, keyName: 'MP///w==' }),
      ],
    ];
    return rows.map(([name, code, referTo]) => ({
      request: requestOf('private', partner, name, body, referTo),
      code,
    }));
  }

  /** All REFERs of a partner in one place. */
  async function casesAt(place: Place, each: RecordedPartner): Promise<ReferCase[]> {
    const { partner } = each;
    // a REFER within a dialog needs no EAR
    const inDialog = { ...partner.policy, ear: 'none' } as const;
    const policy = place === 'outside' ? partner.policy : inDialog;
    const cases = (await each.cases('refer', null, policy)).map(
      ({ name, code, body }: ProtectionCase): ReferCase => ({
        request: requestOf(place, partner, name, body),
        code: code ?? (place === 'private' ? null : REFUSED),
      }),
    );
    if (place !== 'private') return cases;
    const body = sealed(partner, await each.record('refer'));
    return [...cases, ...encryptedTargets(partner, body)];
  }

  /** Sends the REFERs of every partner, a few partners at once. @returns what was not answered as it should be */
  async function sendAll(
    place: Place,
    send: (
      each: RecordedPartner,
      requests: readonly SippRequest[],
      name: string,
    ) => Promise<SippAnswers>,
  ): Promise<{ wrong: string[]; count: number; passed: number }> {
    const waiting = [...recorded];
    const wrong: string[] = [];
    let [count, passed] = [0, 0];
    const work = async (): Promise<void> => {
      for (let each = waiting.shift(); each !== undefined; each = waiting.shift()) {
        const cases = await casesAt(place, each);
        const requests = cases.map(({ request }) => request);
        const answers = await send(each, requests, `${each.partner.policy.name}-${place}`);
        for (const { request, code } of cases) {
          const { status, warning } = answers.get(request.name) ?? { status: 0, warning: '' };
          const [expected, start] =
            code === null ? [603, ''] : [code === 'SEGY_E_XML' ? 400 : 403, `"${code} `];
          count += 1;
          if (code === null) passed += 1;
          if (status !== expected || !warning.startsWith(start)) {
            wrong.push(`${request.name}: ${status} ${warning}, not ${code ?? 'passed'}`);
          }
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return { wrong, count, passed };
  }

  const refersInside = (): string[] =>
    scene
      .taps!.inner.capture.packets.map(({ payload }) => payload.toString('latin1'))
      .filter((text) => text.startsWith('REFER '));

  const inCalls =
    (kind: 'private' | 'group') =>
    async (
      each: RecordedPartner,
      requests: readonly SippRequest[],
      name: string,
    ): Promise<SippAnswers> => {
      const { partner } = each;
      const isExplicit = partner.policy.ear === 'explicit';
      const invite = async (): Promise<SippRequest> => ({
        ...{ name: 'call', method: 'INVITE', uri: `sip:mcptt-${kind}@lmr.example` },
        body: sealed(partner, await each.record(kind), {
          ear: isExplicit ? await each.ear() : null,
        }),
      });
      const plan = { folder, name, from: partner.peer, to: scene.outer };
      return sendInCallsWithSipp(plan, invite, requests);
    };

  it('outside a call is refused, each broken one with the code of its fault, and the PBX is not asked', async () => {
    const { wrong, count } = await sendAll('outside', ({ partner }, requests, name) =>
      sendWithSipp({ folder, name, from: partner.peer, to: scene.outer }, requests),
    );
    assert.deepEqual(wrong, []);
    assert.ok(count > 300, `${count} cases`);
    assert.deepEqual(refersInside(), []);
  });

  it('in a group call is refused, each broken one with the code of its fault, and the PBX is not asked', async () => {
    for (const each of recorded) {
      const { partner } = each;
      const { body } = await each.givesKey();
      const name = `${partner.policy.name}-key`;
      const plan = { folder, name, from: partner.peer, to: scene.outer };
      const request = { name, method: 'MESSAGE', uri: URI, body } as const;
      assert.equal((await sendWithSipp(plan, [request])).get(name)?.status, 200);
    }
    const { wrong, count } = await sendAll('group', inCalls('group'));
    assert.deepEqual(wrong, []);
    assert.ok(count > 250, `${count} cases`);
    assert.deepEqual(refersInside(), []);
  });

  it('in a private call reaches the PBX, clear, where it is right; each broken one gets the code of its fault', async () => {
    const { wrong, count, passed } = await sendAll('private', inCalls('private'));
    assert.deepEqual(wrong, []);
    assert.ok(count > 300, `${count} cases`);
    const inside = refersInside();
    const headerOf = (text: string, name: string): string =>
      new RegExp(`\r\n${name}: *(\\S+)`, 'i').exec(text)?.[1] ?? '';
    const asked = inside.map((text) => `${headerOf(text, 'Call-ID')} ${headerOf(text, 'CSeq')}`);
    assert.equal(new Set(asked).size, passed);
    for (const text of inside) {
      assert.match(text, new RegExp(`\r\nRefer-To: <sip:${RADIO_2.pbx}@127\\.0\\.0\\.1:\\d+>\r\n`));
      assert.match(text, /\r\nContent-Length: 0\r\n/);
      assert.doesNotMatch(text, /mc1-encrypted|controlling|127\.0\.8\.|mc-p\d/);
    }
  });
});
