/** A roll of a homed group's key that a SIGKILL of the real process cuts off in its middle. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex, toHex } from '../../src/base/bytes.js';
import { readKmsDocument } from '../../src/kms/index.js';
import { gukId, parseIMessage } from '../../src/mikey/index.js';
import { openDomainFiles } from '../../src/sim/index.js';
import type { McSystem } from '../../src/sim/index.js';
import { createResponse, findPart, parseBody } from '../../src/sip/index.js';
import type { SipRequest } from '../../src/sip/index.js';
import { runSegyBeside } from '../support/cli.js';
import { FakePbx } from '../support/fake-pbx.js';
import { RADIO_1, Scene, sceneEnvironment } from '../support/scene.js';
import { hasSecondOpener, openable, openElsewhere } from '../support/second-opener.js';
import type { SecondOpening } from '../support/second-opener.js';
import { skipBecause } from '../support/skip.js';
import { sleep, until } from '../support/waiting.js';

const GMS = 'sip:gms@lmr.example';
const TALKGROUP = 'sip:tg1@lmr.example';
const MEMBERS = Array.from(
  { length: 300 },
  (_, i) => `sip:u${i}@mc-${i % 2 === 0 ? 'a' : 'b'}.example`,
);
const LEAVER = MEMBERS[100]!;
const STAY = MEMBERS.filter((uri) => uri !== LEAVER);
/** exchanges that may be under way with both partners */
const UNDER_WAY = 8;

interface Status {
  readonly keys: readonly {
    readonly keyId: string;
    readonly deliveries: { readonly members: number; readonly delivered: number };
  }[];
}

describe('a roll for hundreds of members, killed in its middle', function () {
  this.timeout(400_000);
  let scene: Scene;
  /** I_MESSAGEs in hex by member, in the order in which they came */
  const received = new Map<string, string[]>();
  const callIds = new Set<string>();
  let count = 0;

  before(async function () {
    if (!hasSecondOpener())
      skipBecause(this, 'messages are opened by python3: it is not installed');
    scene = await Scene.start({
      pbx: await FakePbx.start(),
      neighbour: true,
      config: {
        gms: {
          uri: GMS,
          // only the new key is said here: what it replaces is revoked in silence
          keys: { activationSeconds: 3600, removalActivationSeconds: 3600, tellRevoked: false },
        },
      },
    });
    for (const system of [scene.mc, scene.neighbour!]) listen(system);
    const file = join(scene.folder, 'members');
    writeFileSync(file, `${MEMBERS.join('\n')}\n`);
    await segy('group', 'create', TALKGROUP, '--speaker', RADIO_1.uri, '--members-file', file);
    await until('everybody has the first key', () => count >= MEMBERS.length, 90_000);
  });
  after(async () => {
    if (hasSecondOpener()) await scene.stop();
  });

  function listen(system: McSystem): void {
    system.agent.onOther = (transaction) => {
      const { request } = transaction;
      if (request.method === 'MESSAGE') {
        const message = messageIn(request);
        const member = memberOf(message);
        const known = received.get(member) ?? [];
        const callId = request.headers.get('Call-ID') ?? '';
        callIds.add(callId);
        received.set(member, [...known, toHex(message)]);
        count += 1;
      }
      void sleep(10).then(() => transaction.respond(createResponse(request, 200)));
    };
  }

  async function segy(...args: readonly string[]): Promise<Record<string, unknown>> {
    const config = ['--config', join(scene.folder, 'segy.yaml'), '--json'];
    const { status, stdout, stderr } = await runSegyBeside([...args, ...config]);
    assert.equal(status, 0, stderr + stdout);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
  }
  const lastKey = async (): Promise<Status['keys'][number]> =>
    ((await segy('group', 'status', 'tg1')) as unknown as Status).keys.at(-1)!;

  /** Rolls by `command`, kills the gateway after a third of the members, starts it, and waits for the end. */
  async function rollAndKill(
    command: readonly string[],
    members: readonly string[],
  ): Promise<void> {
    received.clear();
    callIds.clear();
    count = 0;
    await segy(...command);
    await until('a third of the members have it', () => count >= members.length / 3, 60_000);
    await scene.gateway.kill();
    const before = new Map([...received].map(([uri, messages]) => [uri, [...messages]]));
    assert.ok(before.size < members.length, 'it was killed before the end');
    await scene.gateway.start();
    await until('all members have it', () => received.size >= members.length, 90_000);
    const { deliveries, keyId } = await lastKey();
    await until(
      'the gateway knows',
      async () => (await lastKey()).deliveries.delivered === deliveries.members,
    );
    assert.equal(deliveries.members, members.length);

    assert.deepEqual([...received.keys()].sort(), [...members].sort(), 'none missing, no other');
    const again = [...received].filter(([, messages]) => messages.length > 1);
    assert.ok(again.length <= UNDER_WAY, `${again.length} were sent theirs again`);
    for (const [uri, messages] of received) {
      assert.equal(new Set(messages).size, 1, `${uri} got two different messages for one key`);
    }
    assert.equal(callIds.size, members.length, 'a MESSAGE that is sent again has its Call-ID');
    await assertOpens(keyId);
  }

  /** Each is opened by another implementation, and has its own GUK-ID. */
  async function assertOpens(keyId: string): Promise<void> {
    const ours = readKmsDocument(readFileSync(join(scene.folder, 'segy-kms.xml'))).certificates[0]!;
    const domains = ['a', 'b'].map(
      (name) =>
        openDomainFiles(join(scene.folder, `mc-${name}`), scene.domain.slow, sceneEnvironment)
          .domain,
    );
    const opening: SecondOpening[] = [];
    for (const member of openable([...received.keys()])) {
      const domain = domains[member.endsWith('@mc-a.example') ? 0 : 1]!;
      const { rsk } = await domain.keySet(member);
      const message = fromHex(received.get(member)![0]!);
      const theirs = domain.certificate;
      opening.push({ message, member, rsk, theirs, initiator: GMS, ours });
    }
    const opened = await openElsewhere(opening);
    const [first] = opened;
    for (const each of opened) {
      assert.deepEqual([each.keyId, each.key, each.rand], [keyId, first!.key, first!.rand]);
      assert.deepEqual(each.parameters.groups, [TALKGROUP]);
    }
    const key = fromHex(first!.key);
    for (const [uri, [message]] of received) {
      const { csbId } = parseIMessage(fromHex(message!)).header;
      assert.equal(toHex(csbId), toHex(gukId(key, fromHex(keyId), uri)), uri);
    }
  }

  it('by command goes on after the start: no member twice, none missing', async () => {
    await rollAndKill(['group', 'rekey', 'tg1', '--no-wait'], MEMBERS);
  });

  it('by the removal of a member too, and the removed one gets nothing', async () => {
    await rollAndKill(['group', 'members', 'remove', 'tg1', LEAVER], STAY);
    assert.equal(received.has(LEAVER), false);
  });
});

function messageIn(request: SipRequest): Uint8Array {
  const body = parseBody(request.headers.get('Content-Type') ?? '', request.body);
  return findPart(body, 'application/mikey')?.body ?? new Uint8Array();
}

/** IDRr of the message. */
function memberOf(message: Uint8Array): string {
  for (const payload of parseIMessage(message).payloads) {
    if (payload.name === 'IDR' && payload.role === 2) return Buffer.from(payload.data).toString();
  }
  throw new Error('no IDRr');
}
