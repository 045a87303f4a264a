/**
 * Keys of a talkgroup of the radio side, sent by MESSAGE to partners of every sending policy, and each
 * broken answer to them: what does not open has delivered nothing, and the key goes out again.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnsweringPartner } from '../support/answering-partner.js';
import { runSegyBeside } from '../support/cli.js';
import { POLICIES, policyPartner } from '../support/policies.js';
import { freePort } from '../support/ports.js';
import type { ProtectionCase } from '../support/protection-cases.js';
import { GATEWAY_OUTER, RADIO_1, Scene } from '../support/scene.js';
import { until } from '../support/waiting.js';

/** The first eight send in all combinations; the others would repeat them. */
const SENDING = POLICIES.slice(0, 8);
const GMS = 'sip:gms@lmr.example';
/** the gateway in its requests, under which their answers are protected */
const OURS = `sip:segy@${GATEWAY_OUTER}`;
const TALKGROUP = 'sip:tg1@lmr.example';

/** A member and what answers the MESSAGE that brings its key. */
interface Member {
  readonly side: AnsweringPartner;
  readonly uri: string;
  readonly answer: ProtectionCase;
}

describe('every policy of MESSAGEs that are sent, and each broken answer to them', function () {
  this.timeout(240_000);
  let scene: Scene;
  let folder: string;
  const sides: AnsweringPartner[] = [];
  const members: Member[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'segy-messages-'));
    for (const [index, policy] of SENDING.entries()) {
      const address = `127.0.6.${index + 1}`;
      const peer = { address, port: await freePort(address) };
      const side = new AnsweringPartner(policyPartner(policy, peer, folder), 0);
      await side.open();
      sides.push(side);
    }
    scene = await Scene.start({
      more: sides.map(({ partner }) => partner.plan),
      config: { gms: { uri: GMS } },
      capture: join(folder, 'messages'),
    });
  });

  after(async () => {
    await scene.stop();
    await Promise.all(sides.map((side) => side.close()));
    rmSync(folder, { recursive: true });
  });

  async function segy(...args: readonly string[]): Promise<void> {
    const config = ['--config', join(scene.folder, 'segy.yaml'), '--json'];
    const result = await runSegyBeside([...args, ...config]);
    assert.equal(result.status, 0, result.stderr + result.stdout);
  }

  const got = ({ side, uri }: Member): number =>
    side.requests.filter((request) => side.memberOf(request) === uri).length;
  const refusals = (): string[] =>
    scene.gateway
      .log()
      .split('\n')
      .filter((line) => line.includes('gms.delivery.refused'));
  const refusedWith = ({ uri }: Member): string[] =>
    refusals().flatMap((line) =>
      line.includes(uri) ? [/SEGY_E_[A-Z_]+/.exec(line)?.[0] ?? ''] : [],
    );

  it('takes no answer that does not open, and says why', async () => {
    for (const side of sides) {
      const host = side.partner.alice.replace(/^.*@/, '');
      for (const [index, answer] of (await side.answers('private', OURS)).entries()) {
        const uri = `sip:m${index}@${host}`;
        side.toMessages.set(uri, answer.body);
        members.push({ side, uri, answer });
      }
    }
    assert.ok(members.length > 150, `${members.length} members`);
    const named = members.flatMap(({ uri }) => ['--member', uri]);
    await segy('group', 'create', TALKGROUP, '--speaker', RADIO_1.uri, ...named);
    await until('each member got it', () => members.every((each) => got(each) > 0), 60_000);
    const broken = members.filter(({ answer }) => answer.code !== null);
    await until('each refusal is noted', () =>
      broken.every((each) => refusedWith(each).length > 0),
    );
    const wrong = members.flatMap((each) => {
      const codes = refusedWith(each);
      const { name, code } = each.answer;
      const isRight = code === null ? codes.length === 0 : codes[0] === code;
      return isRight ? [] : [`${each.uri} ${name}: ${codes.join()}, not ${code ?? 'none'}`];
    });
    assert.deepEqual(wrong, []);
  });

  it('sends each again until it is taken, and none that was taken', async () => {
    for (const { side, uri, answer } of members) {
      if (answer.code !== null) side.toMessages.delete(uri);
    }
    await segy('group', 'retry', TALKGROUP);
    await until(
      'each that was refused got it again',
      () => members.every((each) => each.answer.code === null || got(each) > 1),
      60_000,
    );
    const again = members.filter((each) => each.answer.code === null && got(each) > 1);
    assert.deepEqual(
      again.map(({ uri }) => uri),
      [],
    );
  });

  it('sends each MESSAGE encrypted, signed and authenticated as the policy says', () => {
    const { domain } = scene;
    const signer = { certificate: domain.certificateOf(GMS), verifier: domain.verifier };
    for (const side of sides) {
      const sent = side.requests.filter(({ method }) => method === 'MESSAGE');
      assert.ok(sent.length > 20, `${sent.length} MESSAGEs`);
      assert.deepEqual(
        sent.flatMap((request) => side.faultsOf(request, signer, GMS)),
        [],
      );
    }
  });

  it('shows the PBX none of it', () => {
    const inside = scene.taps!.inner.capture.packets.map(({ payload }) =>
      payload.toString('latin1'),
    );
    const shown = /^MESSAGE |EncryptedData|signed\+xml|application\/mikey|mcpttinfo/;
    assert.deepEqual(
      inside.filter((text) => shown.test(text)),
      [],
    );
  });
});
