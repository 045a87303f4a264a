/**
 * The whole set-up of a private call through the edge, with and without an SPK and EARs: SIP over
 * loopback between a scripted partner, the edge and a scripted PBX, real I_MESSAGEs opened and made on
 * the same thread. Both kinds take turns, so that what else the machine does falls on both alike. On a
 * machine that others use the CPU time tells more: it is that of all three parties, and holds no wait
 * for a core.
 */
import { performance } from 'node:perf_hooks';
import { systemClock, systemRandom } from '../src/base/environment.js';
import { createInlineCrypto, EccsiVerifier } from '../src/crypto/index.js';
import { periodAt } from '../src/kms/index.js';
import { makeIMessage, newKeyId, openIMessage } from '../src/mikey/index.js';
import { attachEar } from '../src/protect/index.js';
import { fakeMessage } from '../test/edge/support/fakes.js';
import { ALICE, Harness, ok, RADIO1, sdp } from '../test/edge/support/harness.js';
import { callerDialog, within } from '../test/edge/support/peer.js';
import { ear, EAR, profile, seal, start } from '../test/edge/support/protection.js';
import { makeDomain } from './domains.js';

/** What a set-up may take longer than without protection, in milliseconds. */
const BOUND_MS = 5;
const WARM_UP = 8;
const ROUNDS = 30;
/** the quietest block of rounds counts */
const BLOCKS = 4;
const now = systemClock.now();
const slow = createInlineCrypto();

const own = makeDomain('kms.segy.example', 'lmr.example', slow);
const theirs = makeDomain('kms.mc-a.example', 'mc-a.example', slow);
const period = periodAt(own.certificate, now);
const radioKeys = await own.issue(RADIO1, period);
const aliceKeys = await theirs.issue(ALICE, period);
const certificates = new Map([own, theirs].map((d) => [d.certificate.kmsUri, d.certificate]));
const verifier = new EccsiVerifier({ cacheSize: 8 });

function makePck(from: 'alice' | 'radio'): Promise<Uint8Array> {
  const byAlice = from === 'alice';
  return makeIMessage(
    {
      keyType: 'PCK',
      key: systemRandom(16),
      keyId: newKeyId('PCK', systemRandom),
      initiatorUri: byAlice ? ALICE : RADIO1,
      initiatorCertificate: (byAlice ? theirs : own).certificate,
      initiatorKeySet: byAlice ? aliceKeys : radioKeys,
      responderUri: byAlice ? RADIO1 : ALICE,
      responderCertificate: (byAlice ? own : theirs).certificate,
    },
    { clock: systemClock, slow, random: systemRandom },
  );
}

const toRadio = await makePck('alice');
const OFFER = sdp(
  '127.0.2.1',
  41000,
  `a=key-mgmt:mikey ${Buffer.from(toRadio).toString('base64')}`,
);

/** The harness's pseudo clients do the work of real ones. */
function withRealKeys(h: Harness): Harness {
  const { clients } = h;
  const open = clients.openPck.bind(clients);
  const make = clients.makePck.bind(clients);
  clients.openPck = async (request) => {
    await openIMessage(request.message, {
      clock: systemClock,
      slow,
      verifier,
      window: 'none',
      findCertificate: (kmsUri) => certificates.get(kmsUri),
      findKeySets: () => [radioKeys],
    });
    return open({ ...request, message: fakeMessage('10000001', ALICE) });
  };
  clients.makePck = async (request) => ({
    ...(await make(request)),
    message: await makePck('radio'),
  });
  return h;
}

/** What one set-up took, in milliseconds. */
interface Taken {
  readonly wall: number;
  readonly cpu: number;
}

/** Begins to time; the result ends it. */
function stopwatch(): () => Taken {
  const begun = performance.now();
  const used = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(used);
    return { wall: performance.now() - begun, cpu: (user + system) / 1000 };
  };
}

/** A call of the MC user: until it has its 200. */
async function fromMc(h: Harness, isProtected: boolean): Promise<Taken> {
  const request = h.mcInvite({ sdp: OFFER });
  if (isProtected) {
    attachEar(request, ear(), systemRandom);
    seal(request);
  }
  const stop = stopwatch();
  const sent = h.mc.send(request, h.outerAt);
  h.pbx.answer(await h.pbx.expect('INVITE'), 200, { sdp: sdp('127.0.0.1', 12000) });
  const response = await sent.expect(200);
  const taken = stop();
  h.ack(h.mc, request, response);
  await h.pbx.acks.next('the ACK');
  const bye = h.mc.send(within('BYE', 102, callerDialog(request, response)), h.outerAt);
  ok(await h.pbx.expect('BYE'));
  await bye.expect(200);
  return taken;
}

/** A call of the radio user: until it has its 200. */
async function fromRadio(h: Harness): Promise<Taken> {
  const stop = stopwatch();
  const { request, sent } = h.fromPbx();
  h.mc.answer(await h.mc.expect('INVITE'), 200, { sdp: sdp('127.0.2.1', 41000) });
  const response = await sent.expect(200);
  const taken = stop();
  h.ack(h.pbx, request, response);
  await h.mc.acks.next('the ACK');
  const bye = h.pbx.send(within('BYE', 102, callerDialog(request, response)), h.innerAt);
  ok(await h.mc.expect('BYE'));
  await bye.expect(200);
  return taken;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** Set-ups without and with protection. */
interface Block {
  readonly clear: readonly Taken[];
  readonly covered: readonly Taken[];
}

/** What both kinds of a block took together: the least is of the quietest one. */
const wallOf = (block: Block): number =>
  median(block.clear.map(({ wall }) => wall)) + median(block.covered.map(({ wall }) => wall));

type PlaceCall = (h: Harness, isProtected: boolean) => Promise<Taken>;

async function measure(call: PlaceCall): Promise<Block> {
  const block = { clear: [] as Taken[], covered: [] as Taken[] };
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    // either kind first, in turn: what one leaves behind falls on both
    for (const isProtected of round % 2 === 0 ? [false, true] : [true, false]) {
      const taken = await call(isProtected ? covered : clear, isProtected);
      if (round >= 0) (isProtected ? block.covered : block.clear).push(taken);
    }
  }
  return block;
}

const clear = withRealKeys(await Harness.start());
const covered = withRealKeys(await start(profile({ ear: EAR })));
console.log('\nPrivate call, set-up through the edge: INVITE to 200, median');
console.log(
  `the quietest of ${BLOCKS} blocks of ${ROUNDS} calls of each kind, taking turns; bound ${BOUND_MS} ms more\n`,
);
let isWithin = true;
for (const [name, call] of [
  ['MC to radio', fromMc],
  ['radio to MC', fromRadio],
] as const) {
  const blocks: Block[] = [];
  for (let index = 0; index < BLOCKS; index += 1) blocks.push(await measure(call));
  const times = blocks.reduce((best, each) => (wallOf(each) < wallOf(best) ? each : best));
  for (const [kind, label] of [
    ['wall', ''],
    ['cpu', ', CPU time'],
  ] as const) {
    const of = (all: readonly Taken[]): number => median(all.map((taken) => taken[kind]));
    const [before, after] = [of(times.clear), of(times.covered)];
    const more = after - before;
    if (kind === 'wall') isWithin &&= more < BOUND_MS;
    console.log(
      `${name}${label}: ${before.toFixed(2)} ms without, ${after.toFixed(2)} ms with SPK and EAR: ` +
        `${more.toFixed(2)} ms more, ratio ${(after / before).toFixed(2)}`,
    );
  }
}
await Promise.all([clear.stop(), covered.stop()]);
console.log(isWithin ? 'within the bound' : 'NOT within the bound');
