/**
 * AES-GCM is lost when one nonce is used twice under one key, so the (key, SSRC, index) of every packet
 * that leaves the gateway is looked at, over many calls and a PBX that starts its sequence numbers again.
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { toHex, uintToBytes } from '../../src/base/bytes.js';
import { createMediaEngine } from '../../src/media/index.js';
import type { MediaEngine, MediaSession } from '../../src/media/index.js';
import { buildRtp, SrtpReceiver } from '../../src/srtp/index.js';
import type { SrtpKeyMaterial } from '../../src/srtp/index.js';
import { freePortRange } from '../support/ports.js';
import { sceneEnvironment } from '../support/scene.js';
import { until } from '../support/waiting.js';

const CALLS = 1000;
/** calls that run at the same time */
const BATCH = 50;
const SHARED_KEY = 7;
/** sequence numbers of one call: a run, a jump back, the other source's run, and the wrap at 2^16 */
const RUNS = [
  { ssrc: 1, sequence: [100, 101, 102] },
  { ssrc: 1, sequence: [5, 6, 7] },
  { ssrc: 2, sequence: [65_534, 65_535, 0, 1] },
  { ssrc: 2, sequence: [65_534, 65_535, 0, 1] },
];

function keyOf(number: number): SrtpKeyMaterial {
  const masterKey = new Uint8Array(16);
  masterKey.set(uintToBytes(number, 4));
  return {
    suite: 'AEAD_AES_128_GCM',
    masterKey,
    masterSalt: new Uint8Array(12).fill(9),
    mki: uintToBytes(0x10000000 + number, 4),
    rocRate: 0,
  };
}

function bind(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  return new Promise((resolve) => socket.bind(0, '127.0.0.1', () => resolve(socket)));
}

describe('the nonces of the media that leaves the gateway', function () {
  this.timeout(60_000);
  let engine: MediaEngine;
  let pbx: Socket;
  let mc: Socket;
  /** opens what the gateway sends; tells the key by the MKI */
  const receivers = new Map<string, SrtpReceiver>();
  const seen = new Set<string>();
  let repeated = 0;
  let packets = 0;
  let unopened = 0;

  before(async () => {
    const ports = await freePortRange(4 * BATCH + 40);
    const range = { address: '127.0.0.1', portMin: ports };
    engine = await createMediaEngine(
      {
        workers: 1,
        outer: { ...range, portMax: ports + 2 * BATCH + 19 },
        inner: { ...range, portMin: ports + 2 * BATCH + 20, portMax: ports + 4 * BATCH + 39 },
      },
      sceneEnvironment,
    );
    pbx = await bind();
    mc = await bind();
    mc.on('message', note);
  });

  after(async () => {
    await engine.close();
    pbx.close();
    mc.close();
  });

  function note(packet: Uint8Array): void {
    if (packet.length === 0) return;
    const mki = toHex(packet.subarray(-4));
    const opened = receivers.get(mki)?.unprotect(packet);
    packets += 1;
    if (opened?.ok !== true) {
      unopened += 1;
      return;
    }
    const nonce = `${mki} ${opened.ssrc} ${opened.index}`;
    if (seen.has(nonce)) repeated += 1;
    seen.add(nonce);
  }

  async function placeCall(number: number, key: SrtpKeyMaterial): Promise<void> {
    const session: MediaSession = await engine.allocate({ id: `call-${number}` });
    await session.setRemote('inner', { address: '127.0.0.1', port: pbx.address().port });
    await session.setRemote('outer', { address: '127.0.0.1', port: mc.address().port });
    const send = { key };
    const receive = { keys: [keyOf(1_000_000 + number)] };
    await session.arm({ receive, send });
    for (const { ssrc, sequence } of RUNS) {
      for (const sequenceNumber of sequence) {
        const rtp = buildRtp({
          payloadType: 0,
          marker: false,
          sequenceNumber,
          timestamp: 160 * sequenceNumber,
          ssrc,
          payload: new Uint8Array(20).fill(number),
        });
        pbx.send(rtp, session.inner.rtpPort, session.inner.address);
      }
      // a re-INVITE in the call: the same keys, armed again
      await session.arm({ receive, send });
    }
    await until('the call is heard', async () => {
      const { toOuter } = await session.stats();
      const dropped = Object.values(toOuter.dropped).reduce((sum, count) => sum + count, 0);
      return toOuter.packets + dropped >= 14;
    });
    await session.close();
  }

  /** Places all calls, a batch at a time. */
  async function placeCalls(keyFor: (number: number) => SrtpKeyMaterial): Promise<void> {
    for (let first = 0; first < CALLS; first += BATCH) {
      const batch = Array.from({ length: BATCH }, (_, i) => first + i);
      await Promise.all(batch.map((number) => placeCall(number, keyFor(number))));
    }
  }

  it('are used once in 1,000 calls, half of them under one and the same key', async () => {
    const shared = keyOf(SHARED_KEY);
    const keyFor = (number: number): SrtpKeyMaterial =>
      number % 2 === 0 ? shared : keyOf(100 + number);
    for (let number = 0; number < CALLS; number += 1) {
      const key = keyFor(number);
      const mki = toHex(key.mki);
      const limits = { streams: CALLS };
      if (!receivers.has(mki)) receivers.set(mki, new SrtpReceiver({ keys: [key], limits }));
    }
    await placeCalls(keyFor);
    await until('packets of all calls are seen', () => packets >= 6 * CALLS);
    assert.equal(repeated, 0);
    assert.equal(unopened, 0);
    assert.equal(seen.size, packets);
  });
});
