/**
 * SIPp as the called partner, under every policy of what is sent: it checks what the INVITE or MESSAGE
 * has, and answers with each body that is right or broken.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCryptoPool, type SlowCrypto } from '../../src/crypto/index.js';
import { clearAnswer, type CallKind } from '../support/clear-answer.js';
import { runSegyBeside } from '../support/cli.js';
import {
  DIAL_POLICY_PARTNERS,
  POLICIES,
  policyPartner,
  type PolicyPartner,
} from '../support/policies.js';
import { freePort } from '../support/ports.js';
import { casesOf, type ProtectionCase } from '../support/protection-cases.js';
import { RecordedPartner } from '../support/recorded-partner.js';
import { GATEWAY_OUTER, RADIO_1, Scene } from '../support/scene.js';
import { answerMessagesWithSipp, answerWithSipp, type Expected } from '../support/sipp-callee.js';
import { until, within } from '../support/waiting.js';

/** The first eight send in all combinations; the others would repeat them. */
const SENDING = POLICIES.slice(0, 8);
/** the gateway in its requests, under which their answers are protected */
const OURS = `sip:segy@${GATEWAY_OUTER}`;
/** partners that are called at once */
const AT_ONCE = 3;
/** discard: where the answers want their media */
const MEDIA_PORT = 9;
/** Status that the radio gets through Asterisk for one of the gateway. */
const RADIO_STATUS: Readonly<Record<string, number>> = { SEGY_E_XML: 500 };

describe('SIPp answers calls and MESSAGEs under every policy of what is sent, through a real Asterisk', function () {
  this.timeout(240_000);
  let scene: Scene;
  let folder: string;
  let slow: SlowCrypto;
  const partners: PolicyPartner[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'segy-sipp-'));
    slow = createCryptoPool({ workers: 1, queueLimit: 64 });
    for (const [index, policy] of SENDING.entries()) {
      const address = `127.0.7.${index + 1}`;
      const peer = { address, port: await freePort(address) };
      partners.push(policyPartner(policy, peer, folder));
    }
    scene = await Scene.start({
      config: { gms: { uri: 'sip:gms@lmr.example' } },
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
    await slow.close();
    rmSync(folder, { recursive: true });
  });

  const listens = ({ address, port }: PolicyPartner['peer']): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ host: address, port });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });

  /** What the gateway logged of the partner since `from` in its log. */
  const linesOf = ({ plan, peer }: PolicyPartner, from: number): string[] =>
    scene.gateway
      .log()
      .slice(from)
      .split('\n')
      .filter((line) => new RegExp(`${plan.name}\\b|${peer.address}\\b`).test(line));

  /** Codes with which the gateway refused something of the partner since then. */
  const codesOf = (partner: PolicyPartner, from: number): string[] =>
    linesOf(partner, from).flatMap((line) => /SEGY_E_[A-Z_]+/.exec(line)?.[0] ?? []);

  // SIPp reads no further than an EAR or I_MESSAGE: of a signature behind it, it sees the name that is signed
  const expectedIn = {
    call: ({ policy: { send } }: PolicyPartner): Expected[] => [
      { text: 'EncryptedData', isThere: send.confidentiality },
      { text: send.ear ? 'Content-ID: ' : 'mcptt-signed.xml', isThere: send.integrity },
      { text: 'signalling-ear', isThere: send.ear },
    ],
    message: ({ policy: { send } }: PolicyPartner): Expected[] => [
      { text: 'EncryptedData', isThere: send.confidentiality },
      { text: 'Content-ID: ', isThere: send.integrity },
    ],
  };

  /** What may answer the gateway, right and broken. */
  function answersOf(partner: PolicyPartner, kind: CallKind): Promise<ProtectionCase[]> {
    const body = clearAnswer(partner, kind, MEDIA_PORT);
    // a response is protected under the identity of its request, and carries no EAR
    const policy = { ...partner.policy, ear: 'none' } as const;
    return casesOf({
      partner: { ...partner, policy, identity: OURS },
      domain: null,
      recorded: () => Promise.resolve(body),
      usedEar: null,
    });
  }

  /** One call of the radio that SIPp answers; what is wrong with how it went. */
  async function callOnce(
    partner: PolicyPartner,
    kind: CallKind,
    each: ProtectionCase,
  ): Promise<string[]> {
    const { policy, peer } = partner;
    const name = `${policy.name}-${kind}-${each.name}`;
    const plan = { folder, name, from: peer, protocol: 'tcp' } as const;
    const answered = answerWithSipp(plan, each.body, expectedIn.call(partner));
    answered.catch(() => undefined);
    await until('SIPp listens', () => listens(peer));
    const before = scene.gateway.log().length;
    const dialled = `${policy.name}-${kind === 'private' ? 'alice' : 'police'}`;
    const call = await scene.radio.call(RADIO_1.pbx, dialled);
    const isUp = await within(`${name} is answered`, call.up);
    if (isUp) call.bye();
    const ended = await within('the radio call ends', call.ended);
    const faults: string[] = [];
    await answered.catch((error: unknown) => faults.push(`${name}: ${String(error)}`));
    // nothing of this call comes into the log after that, to be taken for the next one's
    await until('the end of the call is in the log', () =>
      linesOf(partner, before).some((line) => line.includes('call.ended')),
    );
    const code = codesOf(partner, before)[0] ?? null;
    const status = each.code === null ? undefined : (RADIO_STATUS[each.code] ?? 403);
    if (code !== each.code || ended.status !== status) {
      faults.push(`${name}: ${ended.status ?? 'up'} ${code ?? ''}, not ${each.code ?? 'up'}`);
    }
    return faults;
  }

  /** Does `work` for every partner, a few at once; what was wrong. */
  async function forEach(work: (partner: PolicyPartner) => Promise<string[]>): Promise<string[]> {
    const waiting = [...partners];
    const faults: string[] = [];
    const some = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        faults.push(...(await work(next)));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, some));
    return faults;
  }

  /** Brings the partner's group key. */
  async function giveKey(partner: PolicyPartner): Promise<void> {
    const recorded = await RecordedPartner.open(partner, scene.folder, slow);
    try {
      assert.equal(await recorded.deliversKey(scene.outer), 200);
    } finally {
      await recorded.close();
    }
  }

  for (const kind of ['private', 'group'] as const) {
    it(`takes what is right and refuses what is broken, with ACK and BYE, in a ${kind} call`, async () => {
      const faults = await forEach(async (partner) => {
        if (kind === 'group') await giveKey(partner);
        const cases = await answersOf(partner, kind);
        const wrong: string[] = [];
        for (const each of cases) wrong.push(...(await callOnce(partner, kind, each)));
        if (cases.length < 20) wrong.push(`${cases.length} cases`);
        return wrong;
      });
      assert.deepEqual(faults, []);
    });
  }

  it('takes what is right and refuses what is broken in answers to MESSAGEs that bring a key', async () => {
    const faults = await forEach(async (partner) => {
      const { policy, peer, plan, alice } = partner;
      const cases = await answersOf(partner, 'private');
      const members = cases.map((_, index) => alice.replace('alice', `m${index}`));
      const name = `${policy.name}-message`;
      const bodies = cases.map(({ body }) => body);
      const answered = answerMessagesWithSipp(
        { folder, name, from: peer, protocol: 'tcp' },
        bodies,
        expectedIn.message(partner),
      );
      answered.catch(() => undefined);
      await until('SIPp listens', () => listens(peer));
      const before = scene.gateway.log().length;
      const config = ['--config', join(scene.folder, 'segy.yaml'), '--json'];
      const talkgroup = `sip:tg-${plan.name}@lmr.example`;
      const named = members.flatMap((uri) => ['--member', uri]);
      const created = await runSegyBeside([
        'group',
        'create',
        talkgroup,
        '--speaker',
        RADIO_1.uri,
        ...named,
        ...config,
      ]);
      assert.equal(created.status, 0, created.stderr + created.stdout);
      const wrong: string[] = [];
      await answered.catch((error: unknown) => wrong.push(`${name}: ${String(error)}`));
      const codes = cases.flatMap(({ code }) => code ?? []).sort();
      const refused = (): string[] =>
        scene.gateway
          .log()
          .slice(before)
          .split('\n')
          .filter((line) => line.includes('gms.delivery.refused') && line.includes(alice.slice(9)))
          .flatMap((line) => /SEGY_E_[A-Z_]+/.exec(line)?.[0] ?? [])
          .slice(0, codes.length)
          .sort();
      await until('each refusal is noted', () => refused().length >= codes.length);
      if (refused().join() !== codes.join()) {
        wrong.push(`${name}: ${refused().join()}, not ${codes.join()}`);
      }
      return wrong;
    });
    assert.deepEqual(faults, []);
  });
});
