import assert from 'node:assert/strict';
import { AudioStream } from '../../src/sim/audio.js';
import { CODECS } from '../../src/sim/codec.js';
import type { CodecName } from '../../src/sim/codec.js';
import { SrtpProtection } from '../../src/sim/protection.js';
import { findTone } from '../../src/sim/tone.js';
import type { SrtpKeyMaterial } from '../../src/srtp/index.js';
import { quietEnvironment as env } from '../support/quiet-environment.js';

const key = (fill: number): SrtpKeyMaterial => ({
  suite: 'AEAD_AES_128_GCM',
  masterKey: new Uint8Array(16).fill(fill),
  masterSalt: new Uint8Array(12).fill(fill + 1),
  mki: Uint8Array.of(0x12, 0x34, 0x56, 0x78),
  rocRate: 0,
});

interface Wire {
  readonly packets: Uint8Array[];
  readonly tamper?: (packet: Uint8Array) => readonly Uint8Array[];
}

/** Two streams that send to each other for `ms`, A with a tone of 1 kHz and B with one of 440 Hz. */
async function talk(
  codec: CodecName,
  secured: boolean,
  ms: number,
  wire: Wire,
): Promise<[AudioStream, AudioStream]> {
  const a = new AudioStream(
    {
      address: '127.0.0.1',
      codec: CODECS[codec],
      toneHz: 1000,
      onWire: (packet) => {
        wire.packets.push(packet);
        return wire.tamper?.(packet) ?? [packet];
      },
    },
    env,
  );
  const b = new AudioStream({ address: '127.0.0.1', codec: CODECS[codec], toneHz: 440 }, env);
  a.setRemote('127.0.0.1', await b.open().then(() => b.localPort));
  b.setRemote('127.0.0.1', await a.open().then(() => a.localPort));
  a.setRemote('127.0.0.1', b.localPort);
  if (secured) {
    a.setProtection(new SrtpProtection({ send: key(1), receive: key(7) }, a.ssrc));
    b.setProtection(new SrtpProtection({ send: key(7), receive: key(1) }, b.ssrc));
  }
  a.start();
  b.start();
  await new Promise((resolve) => setTimeout(resolve, ms));
  a.close();
  b.close();
  return [a, b];
}

describe('the audio of a simulated party', () => {
  it('is heard by the other party, each its own tone, and RTCP arrives', async () => {
    const [a, b] = await talk('PCMU', false, 450, { packets: [] });
    assert.equal(findTone(b.recording(), 1000, 8000).found, true);
    assert.equal(findTone(a.recording(), 440, 8000).found, true);
    assert.equal(findTone(a.recording(), 1000, 8000).found, false);
    assert.equal(b.counters.rtcpReceived, 1);
    assert.equal(b.counters.rtcpAuthFailures, 0);
  });

  it('is no tone on the wire under SRTP, and a tone again at the other party', async () => {
    const wire: Wire = { packets: [] };
    const [, b] = await talk('PCMU', true, 450, wire);
    assert.equal(findTone(b.recording(), 1000, 8000).found, true);
    assert.equal(b.counters.authFailures, 0);
    const payloads = wire.packets.flatMap((packet) => [...packet.subarray(12, 172)]);
    const asHeard = CODECS.PCMU.decode(Uint8Array.from(payloads));
    assert.equal(findTone(asHeard, 1000, 8000).found, false);
  });

  it('keeps AMR-WB frames octet for octet under SRTP', async () => {
    const [, b] = await talk('AMR-WB', true, 300, { packets: [] });
    assert.ok(b.counters.received > 8);
    assert.equal(b.counters.foreign, 0);
  });

  it('counts a flipped bit as an authentication failure and drops the packet', async () => {
    const flip = (packet: Uint8Array): Uint8Array[] => {
      const changed = packet.slice();
      changed[20] = (changed[20] ?? 0) ^ 1;
      return [changed];
    };
    const [, b] = await talk('PCMU', true, 300, { packets: [], tamper: flip });
    assert.equal(b.counters.received, 0);
    assert.ok(b.counters.authFailures > 8);
  });

  it('drops a packet that comes twice', async () => {
    const [, b] = await talk('PCMU', true, 300, { packets: [], tamper: (p) => [p, p] });
    assert.ok(b.counters.received > 8);
    assert.equal(b.counters.dropped, b.counters.received);
    assert.equal(b.counters.authFailures, 0);
  });
});
