/**
 * The demonstration: one encrypted private call in each direction through a real Asterisk, then quick
 * calls that show how much setup time the gateway adds.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RadioTrunk, reportCall, writeWav } from '../../src/sim/index.js';
import type { CallReport, PartyMedia, SimAgent, SimCall } from '../../src/sim/index.js';
import { freePort } from './ports.js';
import { ALICE, MC_TONE_HZ, RADIO_1, RADIO_TONE_HZ, Scene, sceneEnvironment } from './scene.js';

const TALK_MS = 3000;
const QUICK_CALLS = 20;
const ADDED_LIMIT_MS = 80;
const PLAIN_ADDRESS = '127.0.0.4';
const PLAIN_USER = '9001';

type Say = (line: string) => void;

/** The two ends of one call, as its caller and its callee saw it. */
interface CallPair<A extends PartyMedia = PartyMedia, B extends PartyMedia = PartyMedia> {
  readonly caller: SimCall<A>;
  readonly callee: SimCall<B>;
}

/** Runs it all. @returns true when all was right */
export async function runDemo(artefacts: string, say: Say): Promise<boolean> {
  mkdirSync(artefacts, { recursive: true });
  const plainPort = await freePort(PLAIN_ADDRESS);
  say('Starting an Asterisk, the gateway, a radio trunk and a partner MC domain …');
  const scene = await Scene.start({ asterisk: plainTrunk(plainPort) });
  try {
    say(`${scene.asterisk.version}; both domains trust each other's KMS certificate.`);
    const inbound = await showCall('MC user calls radio user', scene, toRadio, artefacts, say);
    const outbound = await showCall('radio user calls MC user', scene, toMc, artefacts, say);
    await showSetupTimes(scene, plainPort, say);
    return inbound && outbound;
  } finally {
    await scene.stop();
  }
}

/** A trunk without the gateway on its way, for the setup times to compare with. */
function plainTrunk(port: number): { append: Record<string, string>; dialplan: string } {
  return {
    append: {
      'pjsip.conf': [
        '[plain]',
        'type=aor',
        `contact=sip:${PLAIN_ADDRESS}:${port}`,
        '[plain]',
        'type=identify',
        'endpoint=plain',
        `match=${PLAIN_ADDRESS}`,
        '[plain]',
        'type=endpoint',
        'transport=segy-udp',
        'aors=plain',
        'context=from-plain',
        'direct_media=no',
        'disallow=all',
        'allow=ulaw',
      ].join('\n'),
    },
    dialplan: [
      '[from-plain]',
      'exten => _X.,1,Dial(PJSIP/${EXTEN}@radio,60)',
      '[from-radio](+)',
      `exten => ${PLAIN_USER},1,Dial(PJSIP/${PLAIN_USER}@plain,60)`,
      '',
    ].join('\n'),
  };
}

/** Answers the next call of `agent` at once and gives it. */
function nextCall<M extends PartyMedia>(agent: SimAgent<M>): Promise<SimCall<M>> {
  return new Promise((resolve) => {
    agent.onCall = (call) => {
      delete agent.onCall;
      void call.answer();
      resolve(call);
    };
  });
}

async function pair<A extends PartyMedia, B extends PartyMedia>(
  placed: Promise<SimCall<A>>,
  taken: Promise<SimCall<B>>,
): Promise<CallPair<A, B>> {
  const caller = await placed;
  if (!(await caller.up)) {
    const end = await caller.ended;
    throw new Error(`the call was not answered: ${end.status ?? end.by} ${end.warning ?? ''}`);
  }
  return { caller, callee: await taken };
}

const toRadio = (scene: Scene): Promise<CallPair> =>
  pair(scene.mc.call({ from: ALICE, to: RADIO_1.uri }), nextCall(scene.radio.agent));

const toMc = (scene: Scene): Promise<CallPair> =>
  pair(scene.radio.call(RADIO_1.pbx, 'alice'), nextCall(scene.mc.agent));

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function showCall(
  title: string,
  scene: Scene,
  place: (scene: Scene) => Promise<CallPair>,
  artefacts: string,
  say: Say,
): Promise<boolean> {
  const { caller, callee } = await place(scene);
  await wait(TALK_MS);
  caller.bye();
  const [callerEnd, calleeEnd] = [await caller.ended, await callee.ended];
  const inbound = place === toRadio;
  const [mc, radio] = inbound ? [caller, callee] : [callee, caller];
  const [mcEnd, radioEnd] = inbound ? [callerEnd, calleeEnd] : [calleeEnd, callerEnd];
  const heardByRadio = reportCall(radio, MC_TONE_HZ, radioEnd);
  const heardByMc = reportCall(mc, RADIO_TONE_HZ, mcEnd);
  const name = inbound ? 'mc-to-radio' : 'radio-to-mc';
  keepWav(join(artefacts, `${name}-radio-heard.wav`), radio);
  keepWav(join(artefacts, `${name}-mc-heard.wav`), mc);
  say('');
  say(`${title}: answered after ${ms((inbound ? heardByMc : heardByRadio).setupMs)}`);
  say(`  radio heard (clear):     ${account(heardByRadio, MC_TONE_HZ)}`);
  say(`  MC user heard (opened):  ${account(heardByMc, RADIO_TONE_HZ)}`);
  return [heardByRadio, heardByMc].every(
    ({ tone, counters }) => tone.found && counters.authFailures + counters.dropped === 0,
  );
}

function account(report: CallReport, toneHz: number): string {
  const { tone, counters } = report;
  const heard = tone.found ? `found, ${(tone.milliseconds / 1000).toFixed(1)} s` : 'NOT FOUND';
  return (
    `tone of ${toneHz} Hz ${heard}; ${counters.received} packets, ` +
    `${counters.authFailures} authentication failures, ${counters.dropped} dropped`
  );
}

function keepWav(path: string, call: SimCall<PartyMedia>): void {
  const { stream } = call.media;
  writeFileSync(path, writeWav(stream.recording(), stream.options.codec.clockRate));
}

/**
 * Compares setup times with calls on the same PBX that do not pass the gateway. A busy machine may
 * exceed the limit although everything is right, so that is said and fails nothing.
 */
async function showSetupTimes(scene: Scene, plainPort: number, say: Say): Promise<void> {
  const plain = new RadioTrunk(
    { address: PLAIN_ADDRESS, port: plainPort, pbx: scene.asterisk.sip },
    sceneEnvironment,
  );
  await plain.open();
  try {
    const directions = [
      {
        name: 'MC to radio',
        through: () => toRadio(scene),
        without: () => pair(plain.call(PLAIN_USER, RADIO_1.pbx), nextCall(scene.radio.agent)),
      },
      {
        name: 'radio to MC',
        through: () => toMc(scene),
        without: () => pair(scene.radio.call(RADIO_1.pbx, PLAIN_USER), nextCall(plain.agent)),
      },
    ];
    say('');
    for (const { name, through, without } of directions) {
      const added = (await medianSetup(through)) - (await medianSetup(without));
      const remark = added < ADDED_LIMIT_MS ? '' : ': ABOVE the limit; is the machine busy?';
      say(
        `${name}: the gateway adds ${ms(added)} to the setup ` +
          `(median of ${QUICK_CALLS} calls, limit ${ADDED_LIMIT_MS} ms)${remark}`,
      );
    }
  } finally {
    await plain.close();
  }
}

/** Median time from INVITE to answer, without the time that the called party itself took. */
async function medianSetup(place: () => Promise<CallPair>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < QUICK_CALLS; i += 1) {
    const { caller, callee } = await place();
    times.push(answerTime(caller) - answerTime(callee));
    caller.bye();
    await callee.ended;
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)] ?? Number.NaN;
}

function answerTime(call: SimCall<PartyMedia>): number {
  return (call.times.answered ?? Number.NaN) - call.times.invited;
}

function ms(time: number | null): string {
  return time === null ? 'never' : `${Math.round(time)} ms`;
}
