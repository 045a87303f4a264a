/**
 * Every policy of what the gateway sends, and every way to break what answers it: calls of the radio
 * through a real Asterisk, and the requests that stand at a partner.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCryptoPool, type SlowCrypto } from '../../src/crypto/index.js';
import { openDomainFiles } from '../../src/sim/index.js';
import { AnsweringPartner } from '../support/answering-partner.js';
import type { CallKind } from '../support/clear-answer.js';
import { DIAL_POLICY_PARTNERS, POLICIES, policyPartner } from '../support/policies.js';
import { groupKeyMessage, requestOutside } from '../support/group-key-message.js';
import { freePort } from '../support/ports.js';
import { sealed, type ProtectionCase } from '../support/protection-cases.js';
import { RADIO_1, Scene, sceneEnvironment } from '../support/scene.js';
import { runSegyBeside } from '../support/cli.js';
import { until, within } from '../support/waiting.js';

/** The first eight send in all combinations; the others would repeat them. */
const SENDING = POLICIES.slice(0, 8);
const KINDS: readonly CallKind[] = ['private', 'group'];
/** cases of one policy are told apart by the status and Warning that the PBX gets */
interface Refusal {
  readonly status: number;
  readonly warning: string;
}
/** partners that are called at once */
const AT_ONCE = 3;

/** Status that Asterisk gives the radio for one of the gateway. */
const RADIO_STATUS: Readonly<Record<number, number>> = { 400: 500, 403: 403 };

interface Outcome {
  readonly name: string;
  readonly code: string | null;
  /** what the radio dialled */
  readonly dialled: string;
  /** what the radio got; 200 where the call came up */
  readonly status: number;
  /** who ended the partner's call */
  readonly endedBy: string;
}

describe('every policy of what is sent, and each broken answer to it, through a real Asterisk', function () {
  this.timeout(240_000);
  let scene: Scene;
  let folder: string;
  let slow: SlowCrypto;
  const sides: AnsweringPartner[] = [];
  const outcomes: Outcome[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'segy-answers-'));
    slow = createCryptoPool({ workers: 1, queueLimit: 64 });
    for (const [index, policy] of SENDING.entries()) {
      const address = `127.0.5.${index + 1}`;
      const peer = { address, port: await freePort(address) };
      const side = new AnsweringPartner(policyPartner(policy, peer, folder, true), 2 * index);
      await side.open();
      sides.push(side);
    }
    scene = await Scene.start({
      capture: join(folder, 'answers'),
      more: sides.map(({ partner }) => partner.plan),
      asterisk: {
        dialplan: DIAL_POLICY_PARTNERS,
      },
    });
  });

  after(async () => {
    await scene.stop();
    await Promise.all(sides.map((side) => side.close()));
    await slow.close();
    rmSync(folder, { recursive: true });
  });

  /** Brings a group key of the partner. */
  async function giveKey(side: AnsweringPartner): Promise<number> {
    const { gms, group, identity, policy, plan } = side.partner;
    const { domain } = openDomainFiles(join(scene.folder, plan.name), slow, sceneEnvironment);
    const bytes = await groupKeyMessage({ domain, gms, group, to: RADIO_1.uri });
    const body = sealed(side.partner, { type: 'application/mikey', bytes });
    const uri = 'sip:mcptt-group@lmr.example';
    const name = `gmk-${policy.name}`;
    const request = requestOutside({ method: 'MESSAGE', from: identity, uri, name, body });
    return within('the key is answered', side.send(request, scene.outer));
  }

  /** The radio calls once for each case of `pick`, and the partner answers with it. */
  async function callAll(pick: (each: ProtectionCase) => boolean): Promise<void> {
    const waiting = [...sides];
    const work = async (): Promise<void> => {
      for (let side = waiting.shift(); side !== undefined; side = waiting.shift()) {
        for (const kind of KINDS) {
          for (const each of (await side.answers(kind)).filter(pick)) {
            await callOnce(side, kind, each);
          }
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  async function callOnce(
    side: AnsweringPartner,
    kind: CallKind,
    { name, code, body }: ProtectionCase,
  ): Promise<void> {
    const { policy } = side.partner;
    const count = side.answered.length;
    side.next = body;
    const dialled = `${policy.name}-${kind === 'private' ? 'alice' : 'police'}`;
    const call = await scene.radio.call(RADIO_1.pbx, dialled);
    const isUp = await within(`${policy.name}/${kind}/${name} is answered`, call.up);
    const taken = side.answered[count];
    if (isUp) {
      const before = side.mediaPackets;
      await until('media comes', () => side.mediaPackets > before);
      call.bye();
    }
    const ended = await within('the radio call ends', call.ended);
    const end = taken && (await within('the call at the partner ends', taken.ended));
    outcomes.push({
      name: `${policy.name}/${kind}/${name}`,
      code,
      dialled,
      status: isUp ? 200 : (ended.status ?? 0),
      endedBy: end?.by ?? 'never answered',
    });
  }

  /** Final refusals that the PBX got, in the order of its INVITEs, by what the radio dialled. */
  function refusalsInside(): Map<string, Refusal[]> {
    const dialled = new Map<string, string>();
    const refusals = new Map<string, Refusal>();
    for (const text of inside()) {
      const callId = /\r\nCall-ID: *(\S+)/i.exec(text)?.[1] ?? '';
      const [, group, partner] =
        /^INVITE sip:(?:(p\d-police)@|alice@\S*;segy-domain=mc-(p\d)\.example)/.exec(text) ?? [];
      const number = group ?? (partner && `${partner}-alice`);
      if (number !== undefined && !dialled.has(callId)) dialled.set(callId, number);
      const status = Number(/^SIP\/2\.0 ([3-6]\d\d)/.exec(text)?.[1]);
      const warning = /\r\nWarning: *399 \S+ ([^\r]*)/i.exec(text)?.[1] ?? '';
      if (status > 0 && /\r\nCSeq: *\d+ INVITE/i.test(text)) {
        refusals.set(callId, { status, warning });
      }
    }
    const found = new Map<string, Refusal[]>();
    for (const [callId, number] of dialled) {
      const list = found.get(number) ?? [];
      list.push(refusals.get(callId) ?? { status: 0, warning: 'no refusal' });
      found.set(number, list);
    }
    return found;
  }

  const inside = (): string[] =>
    scene.taps!.inner.capture.packets.map(({ payload }) => payload.toString('latin1'));

  const sentAs = (method: string): string[] => {
    const { domain } = scene;
    const signer = {
      certificate: domain.certificateOf(RADIO_1.uri),
      verifier: domain.verifier,
    };
    return sides.flatMap((side) => {
      const sent = side.requests.filter((request) => request.method === method);
      assert.ok(sent.length > 0, `${side.partner.policy.name} got no ${method}`);
      return sent.flatMap((request) => side.faultsOf(request, signer));
    });
  };

  it('subscribes and publishes as the policy says, and takes no answer that is broken', async () => {
    const count = (side: AnsweringPartner, method: string): number =>
      side.requests.filter((request) => request.method === method).length;
    for (const method of ['SUBSCRIBE', 'PUBLISH']) {
      await until(
        `each ${method} comes again`,
        () => sides.every((side) => count(side, method) === 2),
        20_000,
      );
      assert.deepEqual(sentAs(method), []);
    }
    const lines = (): string[] => scene.gateway.log().split('\n');
    await until(
      'each is accepted',
      () => lines().filter((line) => line.includes('standing.accepted')).length >= 2 * sides.length,
    );
    const log = lines();
    for (const { partner, brokenStanding } of sides) {
      for (const [method, { name, code }] of brokenStanding) {
        const of = (event: string): string[] =>
          log.filter(
            (line) =>
              line.includes(event) && line.includes(method) && line.includes(partner.plan.name),
          );
        const failed = of('standing.failed');
        assert.equal(failed.length, 1, `${partner.policy.name} ${method} ${name}`);
        assert.ok(failed[0]!.includes(code!), `${name}: ${failed[0]}`);
        assert.equal(of('standing.accepted').length, 1, `${partner.policy.name} ${method}`);
      }
    }
  });

  it('refuses each broken answer with the code of its fault: the PBX leg ends, the partner gets ACK and BYE', async () => {
    for (const side of sides) assert.equal(await giveKey(side), 200);
    await callAll(({ code }) => code !== null);
    assert.ok(outcomes.length > 300, `${outcomes.length} cases`);
    const refusals = refusalsInside();
    const wrong: string[] = [];
    for (const { name, code, dialled, status, endedBy } of outcomes) {
      const refusal = refusals.get(dialled)?.shift();
      const expected = code === 'SEGY_E_XML' ? 400 : 403;
      const isRefused =
        refusal?.status === expected &&
        refusal.warning.startsWith(`"${code} `) &&
        status === RADIO_STATUS[expected] &&
        endedBy === 'peer';
      if (!isRefused) wrong.push(`${name}: ${status} ${endedBy} ${JSON.stringify(refusal)}`);
    }
    assert.deepEqual(wrong, []);
    for (const side of sides) assert.equal(side.acks, side.answered.length);
  });

  it('arms no media for a broken answer, and nothing of one reaches the PBX', async () => {
    assert.deepEqual(
      sides.map(({ mediaPackets }) => mediaPackets),
      sides.map(() => 0),
    );
    assert.equal(await scene.asterisk.channelCount(), 0);
    const state = ['--state', join(scene.folder, 'state')];
    const { calls } = JSON.parse((await runSegyBeside(['calls', ...state, '--json'])).stdout) as {
      calls: unknown[];
    };
    assert.deepEqual(calls, []);
    const protection = /EncryptedData|signed\+xml|signalling-ear|mcpttinfo|key-mgmt|mc1-encrypted/;
    assert.deepEqual(
      inside().filter((text) => protection.test(text)),
      [],
    );
  });

  it('gives one and the same answer for all that does not decrypt', () => {
    const refusals = [...refusalsInside().values()].flat();
    const undecryptable = refusals.filter(({ warning }) => warning.includes('SEGY_E_XML_DECRYPT'));
    const texts = new Set(undecryptable.map((refusal) => JSON.stringify(refusal)));
    assert.ok(undecryptable.length > 100, `${undecryptable.length} cases`);
    assert.equal(texts.size, 1, [...texts].join('\n'));
  });

  it('takes what the policy takes: speech flows, and both sides end', async () => {
    outcomes.length = 0;
    await callAll(({ code }) => code === null);
    assert.ok(outcomes.length >= 2 * SENDING.length, `${outcomes.length} cases`);
    const wrong = outcomes.filter(({ status, endedBy }) => status !== 200 || endedBy !== 'peer');
    assert.deepEqual(wrong, []);
    for (const side of sides) assert.equal(side.acks, side.answered.length);
  });

  it('sends each INVITE encrypted, signed and authenticated as the policy says', () => {
    assert.deepEqual(sentAs('INVITE'), []);
  });
});
