/**
 * SIPp as the called partner, under every policy of what is sent: it checks what the INVITE has, and
 * answers with each body that is right or broken.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearAnswer } from '../support/clear-answer.js';
import {
  DIAL_POLICY_PARTNERS,
  POLICIES,
  policyPartner,
  type PolicyPartner,
} from '../support/policies.js';
import { freePort } from '../support/ports.js';
import { casesOf, type ProtectionCase } from '../support/protection-cases.js';
import { GATEWAY_OUTER, RADIO_1, Scene } from '../support/scene.js';
import { answerWithSipp } from '../support/sipp.js';
import { until, within } from '../support/waiting.js';

/** The first eight send in all combinations; the others would repeat them. */
const SENDING = POLICIES.slice(0, 8);
/** the gateway in its requests, under which their answers are protected */
const OURS = `sip:segy@${GATEWAY_OUTER}`;
/** discard: where the answers want their media */
const MEDIA_PORT = 9;
/** Status that the radio gets through Asterisk for one of the gateway. */
const RADIO_STATUS: Readonly<Record<string, number>> = { SEGY_E_XML: 500 };

describe('SIPp answers calls under every policy of what is sent, through a real Asterisk', function () {
  this.timeout(240_000);
  let scene: Scene;
  let folder: string;
  const partners: PolicyPartner[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'segy-sipp-'));
    for (const [index, policy] of SENDING.entries()) {
      const address = `127.0.7.${index + 1}`;
      const peer = { address, port: await freePort(address) };
      partners.push(policyPartner(policy, peer, folder));
    }
    scene = await Scene.start({
      more: partners.map(({ plan, peer, alice }) => ({
        ...plan,
        profile: {
          ...plan.profile,
          sip: {
            requestUri: `sip:mcptt-private@${alice.replace(/^.*@/, '')}`,
            addresses: [{ host: peer.address, port: peer.port, transport: 'tcp' }],
            probe: { enabled: false },
          },
        },
      })),
      asterisk: {
        dialplan: DIAL_POLICY_PARTNERS,
      },
    });
  });

  after(async () => {
    await scene.stop();
    rmSync(folder, { recursive: true });
  });

  const listens = ({ address, port }: PolicyPartner['peer']): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ host: address, port });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });

  /** One call of the radio that SIPp answers; what is wrong with how it went. */
  async function callOnce(partner: PolicyPartner, each: ProtectionCase): Promise<string[]> {
    const { policy, peer } = partner;
    const { send } = policy;
    const name = `${policy.name}-${each.name}`;
    const answered = answerWithSipp({ folder, name, from: peer }, each.body, [
      { text: 'EncryptedData', isThere: send.confidentiality },
      // SIPp reads no further than the EAR: of a signature behind it, it sees the name that is signed
      { text: send.ear ? 'Content-ID: ' : 'mcptt-signed.xml', isThere: send.integrity },
      { text: 'signalling-ear', isThere: send.ear },
    ]);
    answered.catch(() => undefined);
    await until('SIPp listens', () => listens(peer));
    const before = scene.gateway.log().length;
    const call = await scene.radio.call(RADIO_1.pbx, `${policy.name}-alice`);
    const isUp = await within(`${name} is answered`, call.up);
    if (isUp) call.bye();
    const ended = await within('the radio call ends', call.ended);
    const faults: string[] = [];
    await answered.catch((error: unknown) => faults.push(`${name}: ${String(error)}`));
    const code = /SEGY_E_[A-Z_]+/.exec(scene.gateway.log().slice(before))?.[0] ?? null;
    const status = each.code === null ? undefined : (RADIO_STATUS[each.code] ?? 403);
    if (code !== each.code || ended.status !== status) {
      faults.push(`${name}: ${ended.status ?? 'up'} ${code ?? ''}, not ${each.code ?? 'up'}`);
    }
    return faults;
  }

  for (const index of SENDING.keys()) {
    it(`takes what is right and refuses what is broken, with ACK and BYE, under policy ${index}`, async () => {
      const partner = partners[index]!;
      const body = clearAnswer(partner, 'private', MEDIA_PORT);
      // a response is protected under the identity of its request, and carries no EAR
      const policy = { ...partner.policy, ear: 'none' } as const;
      const cases = await casesOf({
        partner: { ...partner, policy, identity: OURS },
        domain: null,
        recorded: () => Promise.resolve(body),
        usedEar: null,
      });
      assert.ok(cases.length > 20, `${cases.length} cases`);
      const faults: string[] = [];
      for (const each of cases) faults.push(...(await callOnce(partner, each)));
      assert.deepEqual(faults, []);
    });
  }
});
