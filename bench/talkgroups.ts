/** A media engine with talkgroups on it, and a process that talks in them all. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { concatBytes, fromHex } from '../src/base/bytes.js';
import { silentLog, systemClock, systemRandom, systemTimers } from '../src/base/environment.js';
import type { Metrics } from '../src/base/environment.js';
import { createMediaEngine, type GroupKey, type MediaEngine } from '../src/media/index.js';
import type { MediaSession } from '../src/media/index.js';
import { CS_ID, gukId, srtpKeys } from '../src/mikey/index.js';
import { buildRtp, SrtpSender, type SrtpKeyMaterial } from '../src/srtp/index.js';
import type { Leg, LoadOrder, LoadResult } from './group-load.js';

const ADDRESS = '127.0.0.1';

const gmkId = fromHex('0a000001');
const gmk = new Uint8Array(16).fill(7);
const rand = new Uint8Array(16).fill(9);
const ME = 'sip:radio1@lmr.example';

function memberKey(user: string): SrtpKeyMaterial {
  const csbId = gukId(gmk, gmkId, user);
  return {
    suite: 'AEAD_AES_128_GCM',
    ...srtpKeys({ key: gmk, csbId, rand, csId: CS_ID.mcpttGroup }),
    mki: concatBytes(gmkId, csbId),
    rocRate: 1,
  };
}

const GROUP_KEY: GroupKey = {
  gmkId,
  state: 'usable',
  gmk,
  rands: [rand],
  own: [gukId(gmk, gmkId, ME)],
  suite: 'AEAD_AES_128_GCM',
  rocRate: 1,
  csId: CS_ID.mcpttGroup,
};

const voice = (index: number): Uint8Array =>
  buildRtp({
    payloadType: 0,
    marker: false,
    sequenceNumber: index & 0xffff,
    timestamp: (index * 160) >>> 0,
    ssrc: 0x01020304,
    payload: new Uint8Array(160),
  });

export class Load {
  readonly #child: ChildProcess;
  private constructor(child: ChildProcess) {
    this.#child = child;
  }
  static async start(): Promise<Load> {
    const child = fork(fileURLToPath(new URL('./group-load.js', import.meta.url)));
    await once(child, 'message');
    return new Load(child);
  }
  async ask<T>(order: LoadOrder): Promise<T> {
    this.#child.send(order);
    const [answer] = (await once(this.#child, 'message')) as [T];
    return answer;
  }
  stop(): void {
    this.#child.kill();
  }
}

interface LoadPorts {
  readonly outerPort: number;
  readonly innerPort: number;
}

export class Talkgroups {
  readonly engine: MediaEngine;
  readonly ports: LoadPorts;
  readonly #load: Load;
  readonly #sessions: MediaSession[] = [];
  readonly #talker = new SrtpSender(memberKey('sip:anna@mc-a.example'), { ssrc: 77 });
  #spoken = 0;

  private constructor(engine: MediaEngine, load: Load, ports: LoadPorts) {
    this.engine = engine;
    this.#load = load;
    this.ports = ports;
  }

  static async start(most: number, metrics: Metrics): Promise<Talkgroups> {
    const load = await Load.start();
    const ports = await load.ask<LoadPorts>({ type: 'open' });
    const engine = await createMediaEngine(
      {
        workers: 1,
        outer: { address: ADDRESS, portMin: 10_000, portMax: 19_999 },
        inner: { address: ADDRESS, portMin: 20_000, portMax: 29_999 },
        limits: { sessionsPerWorker: most },
      },
      { clock: systemClock, timers: systemTimers, random: systemRandom, log: silentLog, metrics },
    );
    return new Talkgroups(engine, load, ports);
  }

  get sessions(): readonly MediaSession[] {
    return this.#sessions;
  }

  /** As many groups as `count`, armed. */
  async groups(count: number): Promise<Leg[]> {
    const { engine, ports } = this;
    while (this.#sessions.length < count) {
      const session = await engine.allocate();
      await session.setRemote('outer', { address: ADDRESS, port: ports.outerPort });
      await session.setRemote('inner', { address: ADDRESS, port: ports.innerPort });
      await session.arm({ receive: { group: [GROUP_KEY] }, send: { key: memberKey(ME) } });
      this.#sessions.push(session);
    }
    return this.#sessions.map(({ outer, inner }) => ({
      outerPort: outer.rtpPort,
      innerPort: inner.rtpPort,
    }));
  }

  /** Everybody talks; with fresh indexes in each run. */
  async talk(
    legs: readonly Leg[],
    seconds: number,
  ): Promise<LoadResult & { cpuPerStream: number }> {
    const frames = seconds * 50;
    const indexes = Array.from({ length: frames }, (_, i) => this.#spoken + i);
    this.#spoken += frames + 50;
    const base64 = (octets: Uint8Array): string => Buffer.from(octets).toString('base64');
    const sealed = indexes.map((index) => base64(this.#talker.protect(voice(index), index)));
    const clear = indexes.map((index) => base64(voice(index)));
    const cpu = process.cpuUsage();
    const begin = performance.now();
    const result = await this.#load.ask<LoadResult>({
      ...{ type: 'run', outerAddress: ADDRESS, innerAddress: ADDRESS },
      ...{ legs, sealed, clear, seconds },
    });
    const used = process.cpuUsage(cpu);
    const share = (used.user + used.system) / 1000 / (performance.now() - begin);
    return { ...result, cpuPerStream: share / (2 * legs.length) };
  }

  async closeSessions(): Promise<void> {
    for (const session of this.#sessions.splice(0)) await session.close();
  }

  async stop(): Promise<void> {
    this.#load.stop();
    await this.engine.close();
  }
}
