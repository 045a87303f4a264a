/**
 * Packets per second that one media worker forwards with SRTP on, against a bare dgram
 * receive-and-send loop of the same run. Both are flooded, so what is counted is what they manage.
 * The goal is a ratio of 0.5.
 */
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import {
  silentLog,
  silentMetrics,
  systemClock,
  systemRandom,
  systemTimers,
} from '../src/base/environment.js';
import { concatBytes } from '../src/base/bytes.js';
import { createMediaEngine, type MediaSession } from '../src/media/index.js';
import { buildRtp, SrtpSender, type SrtpKeyMaterial } from '../src/srtp/index.js';
import type { LoadRole, Target } from './media-load.js';

const ROUNDS = 5;
const ROUND_MS = 1_000;
const SEALED_PACKETS = 300_000;
/** clear packets in memory at once: a queued one must not be numbered anew before it is sent */
const CLEAR_PACKETS = 8_192;
const PAYLOAD = 160;
const GOAL = 0.5;

const key = (fill: number): SrtpKeyMaterial => ({
  suite: 'AEAD_AES_128_GCM',
  masterKey: new Uint8Array(16).fill(fill),
  masterSalt: new Uint8Array(12).fill(fill),
  mki: new Uint8Array([0x10, 0, 0, fill]),
  rocRate: 0,
});

const voice = (index: number): Uint8Array =>
  buildRtp({
    payloadType: 0,
    marker: false,
    sequenceNumber: index & 0xffff,
    timestamp: (index * 160) >>> 0,
    ssrc: 0x01020304,
    payload: new Uint8Array(PAYLOAD),
  });

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

class Load {
  readonly #worker: Worker;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  static async start(role: LoadRole): Promise<{ load: Load; port: number }> {
    const worker = new Worker(new URL('./media-load.js', import.meta.url), { workerData: role });
    const [port] = (await once(worker, 'message')) as [number];
    return { load: new Load(worker), port };
  }

  async ask(value: boolean): Promise<number> {
    this.#worker.postMessage(value);
    const [answer] = (await once(this.#worker, 'message')) as [number];
    return answer;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Packets per second that `count` grows by while the generator runs. */
async function rate(generator: Load, count: () => Promise<number>): Promise<number> {
  await generator.ask(true);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = await count();
  const start = performance.now();
  await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
  const seconds = (performance.now() - start) / 1000;
  const forwarded = (await count()) - before;
  await generator.ask(false);
  await new Promise((resolve) => setTimeout(resolve, 100));
  return forwarded / seconds;
}

function sealed(): Uint8Array {
  const sender = new SrtpSender(key(1), { ssrc: 0x01020304 });
  const first = sender.protect(voice(0), 0);
  const all = new Uint8Array(first.length * SEALED_PACKETS);
  all.set(first);
  for (let i = 1; i < SEALED_PACKETS; i++) all.set(sender.protect(voice(i), i), i * first.length);
  return all;
}

async function armedSession(
  engine: Awaited<ReturnType<typeof createMediaEngine>>,
  sink: Target,
): Promise<MediaSession> {
  const session = await engine.allocate();
  await session.setRemote('outer', sink);
  await session.setRemote('inner', sink);
  await session.arm({ receive: { keys: [key(1)] }, send: { key: key(2) } });
  return session;
}

const engine = await createMediaEngine(
  {
    workers: 1,
    outer: { address: '127.0.0.1', portMin: 43_000, portMax: 43_099 },
    inner: { address: '127.0.0.1', portMin: 43_100, portMax: 43_199 },
  },
  {
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    log: silentLog,
    metrics: silentMetrics,
  },
);
const quiet = await Load.start({ role: 'sink' });
const sink: Target = { address: '127.0.0.1', port: quiet.port };
const clear = concatBytes(...Array.from({ length: CLEAR_PACKETS }, (_, i) => voice(i)));
const packets = sealed();

const results: Record<'bare' | 'toOuter' | 'toInner', number[]> = {
  bare: [],
  toOuter: [],
  toInner: [],
};
for (let round = 0; round < ROUNDS; round++) {
  const loop = await Load.start({ role: 'bare', to: sink });
  const any: Target = { address: '127.0.0.1', port: 0 };
  const plain = {
    role: 'generate',
    size: clear.length / CLEAR_PACKETS,
    packets: clear,
    renumber: true,
  } as const;
  const toLoop = await Load.start({
    ...plain,
    from: any,
    to: { address: '127.0.0.1', port: loop.port },
  });
  results.bare.push(await rate(toLoop.load, () => loop.load.ask(true)));
  await toLoop.load.stop();
  await loop.load.stop();

  const outward = await armedSession(engine, sink);
  const fromPbx = await Load.start({
    ...plain,
    from: any,
    to: { address: '127.0.0.1', port: outward.inner.rtpPort },
  });
  const sent = async (): Promise<number> => (await outward.stats()).toOuter.packets;
  results.toOuter.push(await rate(fromPbx.load, sent));
  await fromPbx.load.stop();
  await outward.close();

  const inward = await armedSession(engine, sink);
  const fromMc = await Load.start({
    role: 'generate',
    size: packets.length / SEALED_PACKETS,
    packets,
    renumber: false,
    from: any,
    to: { address: '127.0.0.1', port: inward.outer.rtpPort },
  });
  const opened = async (): Promise<number> => (await inward.stats()).toInner.packets;
  results.toInner.push(await rate(fromMc.load, opened));
  await fromMc.load.stop();
  await inward.close();
}
await quiet.load.stop();
await engine.close();

const bare = median(results.bare);
console.log('\nmedia, one worker, AEAD_AES_128_GCM, packets of 160 octets payload');
console.log(`bare dgram receive and send   ${bare.toFixed(0)} packets/s`);
for (const [name, label] of [
  ['toInner', 'SRTP in, RTP out            '],
  ['toOuter', 'RTP in, SRTP out            '],
] as const) {
  const value = median(results[name]);
  // Each round against the bare loop next to it in time: other load on the machine meets both.
  const ratio = median(results[name].map((one, i) => one / (results.bare[i] ?? NaN)));
  const verdict = ratio >= GOAL ? 'reached' : 'MISSED';
  console.log(
    `${label}  ${value.toFixed(0)} packets/s, ratio ${ratio.toFixed(2)} (goal ${GOAL}: ${verdict})`,
  );
}
