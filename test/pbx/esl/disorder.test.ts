import assert from 'node:assert/strict';
import type { PbxChannel, PbxPort } from '../../../src/edge/ports/pbx-port.js';
import { EslRig } from '../../support/esl-rig.js';
import { until } from '../conformance.js';
import { generator, SEED } from '../../support/seed.js';

/** One after another from the seed of the process. */
const SEEDS = Array.from({ length: 200 }, (_, index) => SEED + index);

/** What a gateway would hold of one call. */
interface Session {
  channel?: PbxChannel;
  ended: boolean;
}

/** One call in one direction, with chance deciding when each side gives up. */
async function oneCall(
  rig: EslRig,
  port: PbxPort,
  random: () => number,
  name: string,
): Promise<Session> {
  const session: Session = { ended: false };
  const isInbound = random() < 0.6;
  try {
    if (isInbound) {
      const call = rig.callIn(name, name);
      if (random() < 0.3) setTimeout(() => call.end(), random() * 20);
      session.channel = await port.inboundChannel({
        callId: name,
        sessionId: name,
        timeoutMs: 150,
      });
    } else {
      const arrival = await rig.callOut();
      if (random() < 0.3) setTimeout(() => arrival.respond(486), random() * 20);
      session.channel = await port.outboundChannel({ callId: arrival.callId, timeoutMs: 150 });
    }
    const { channel } = session;
    channel.onGone = () => (session.ended = true);
    if (channel.gone) session.ended = true;
    await channel.setVariables({ SEGY_SESSION: name, SEGY_STATUS: 'SECURE' });
    if (isInbound) await channel.proceed();
    if (random() < 0.5) await channel.hangup();
  } catch {
    // A refusal is an outcome like any other; what counts is what is left.
  }
  return session;
}

/** One seed from start to stop of a port. @returns how many sessions came about */
async function oneSeed(rig: EslRig, seed: number): Promise<number> {
  const random = generator(seed);
  const what = `seed ${seed}`;
  rig.fake.disorder = {
    random,
    pieceLimit: 100 + Math.floor(random() * 4000),
    delayMs: random() < 0.5 ? 0 : 3,
    reorder: random() < 0.5 ? 0 : 0.3,
    listLagMs: random() < 0.5 ? 0 : 30,
  };
  rig.fake.beforeCommand = (command) => {
    const uuid = command.split(' ')[1] ?? '';
    if (random() < 0.05) rig.fake.hangUp(uuid, 'NORMAL_CLEARING');
    if (random() < 0.01) rig.fake.drop(random() < 0.5 ? 'reset' : 'end');
  };
  const port = rig.makePort({ backOffMs: 2, backOffLimitMs: 10 });
  await port.start();
  await until(`${what}: the link is up`, () => port.linked);
  const calls = [0, 1, 2, 3].map((index) => oneCall(rig, port, random, `call-${seed}-${index}`));
  const sessions = (await Promise.all(calls)).filter((session) => session.channel !== undefined);
  rig.fake.beforeCommand = () => undefined;
  if (random() < 0.5) {
    // What ends while nobody is told is found by asking, however late the channel list is.
    const back = new Promise<void>((resolve) => {
      port.onLink = (up) => {
        if (up) resolve();
      };
    });
    if (port.linked) rig.fake.drop(random() < 0.5 ? 'reset' : 'end');
    for (const { channel } of sessions) {
      if (random() < 0.5) rig.fake.hangUp(channel?.id ?? '', 'NORMAL_CLEARING');
    }
    await back;
  }
  await until(`${what}: the link is up at last`, () => port.linked);
  const lives = ({ channel }: Session): boolean => rig.fake.channels.has(channel?.id ?? '');
  await until(`${what}: every session ends with its channel`, () =>
    sessions.every((session) => lives(session) || session.ended),
  );
  for (const session of sessions.filter(lives)) assert.equal(session.ended, false, what);
  for (const session of sessions.filter(lives)) await session.channel?.hangup();
  await until(`${what}: hung-up channels end`, () => !sessions.some(lives));
  await port.stop();
  // What never became a session is the dialplan's to end, or an orphan of the next start.
  await rig.endAll();
  const giveUp = Date.now() + 30_000;
  while (rig.fake.connections > 0 && Date.now() < giveUp) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.equal(rig.fake.connections, 0, `${what}: left ${rig.fake.describeConnections()}`);
  return sessions.length;
}

function tcpHandles(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;
}

/** Seeds run side by side, each lane with a PBX of its own. */
const LANES = 4;

describe('pbx/esl under disorder', function () {
  this.timeout(60_000 + 200 * SEEDS.length);

  it('leaves no session without a channel, no channel without a session, nothing behind', async () => {
    // what an earlier test of this process left behind is not this one's
    const before = tcpHandles();
    const lanes = Array.from({ length: LANES }, async (_, lane) => {
      const rig = await EslRig.start();
      let sessions = 0;
      for (const seed of SEEDS.filter((one) => one % LANES === lane)) {
        sessions += await oneSeed(rig, seed);
      }
      await rig.stop();
      return sessions;
    });
    const sessions = (await Promise.all(lanes)).reduce((sum, count) => sum + count, 0);
    assert.ok(sessions > 2 * SEEDS.length, `only ${sessions} sessions came about`);
    await until('every connection of this test to be closed', () => tcpHandles() <= before);
  });
});
