/** Thousands of damaged INVITEs to the running gateway: it refuses or ignores each, and goes on. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { CODECS, makePck } from '../../src/sim/index.js';
import { writeMcBody } from '../../src/sim/mc-body.js';
import { writeSdp } from '../../src/sim/session-description.js';
import { callRadio, hears, settle } from '../support/call-pair.js';
import {
  ALICE,
  MC_ADDRESS,
  MC_TONE_HZ,
  RADIO_1,
  Scene,
  sceneEnvironment,
} from '../support/scene.js';
import { sleep, until, within } from '../support/waiting.js';
import { generator, SEED } from '../support/seed.js';

const DATAGRAMS = 3000;
/** datagrams sent at one go, then a pause, so that the socket's buffer is not what is tested */
const BURST = 20;
const PAUSE_MS = 15;

/** One to four changes: an octet, a piece cut out, a piece twice, noise put in. */
function mutate(message: Buffer, random: () => number): Buffer {
  let out = message;
  const count = 1 + Math.floor(random() * 4);
  for (let i = 0; i < count; i += 1) {
    const at = Math.floor(random() * out.length);
    const end = Math.min(out.length, at + 1 + Math.floor(random() * 40));
    const piece = out.subarray(at, end);
    const noise = Buffer.from(piece.map(() => Math.floor(random() * 256)));
    const before = out.subarray(0, at);
    const changes = [
      [before, noise.subarray(0, 1), out.subarray(at + 1)],
      [before, out.subarray(end)],
      [before, piece, piece, out.subarray(end)],
      [before, noise, out.subarray(at)],
    ];
    out = Buffer.concat(changes[Math.floor(random() * changes.length)] ?? []);
  }
  return out;
}

describe('damaged INVITEs', function () {
  this.timeout(60_000);
  let scene: Scene;

  before(async () => {
    scene = await Scene.start({
      protocol: 'udp',
      partner: { limits: { requestsPerSecond: 100_000, burst: 100_000, calls: 500 } },
    });
  });

  after(async () => {
    await scene.stop();
  });

  /** An INVITE as the MC system sends it, but for the last octets of its key's signature. */
  async function invite(): Promise<string> {
    const pck = await makePck(scene.domain, { caller: ALICE, callee: RADIO_1.uri });
    const message = Uint8Array.from(pck.message);
    message.fill(1, -4);
    const sdp = writeSdp(
      {
        address: MC_ADDRESS,
        port: 40_000,
        rtcpPort: 40_001,
        payloadType: 0,
        direction: 'sendrecv',
        keyMgmt: `mikey ${Buffer.from(message).toString('base64')}`,
      },
      { codec: CODECS.PCMU, sessionId: '1', version: 1 },
    );
    const info = { sessionType: 'private', requestUri: RADIO_1.uri, callingUserId: ALICE };
    const body = writeMcBody(sdp, info, sceneEnvironment.random);
    return [
      'INVITE sip:mcptt-private@lmr.example SIP/2.0',
      `Via: SIP/2.0/UDP ${MC_ADDRESS}:PORT;branch=z9hG4bKNUMBER`,
      'Max-Forwards: 70',
      'From: <sip:controlling@mc-a.example>;tag=NUMBER',
      'To: <sip:mcptt-private@lmr.example>',
      'Call-ID: NUMBER',
      'CSeq: 1 INVITE',
      `Contact: <sip:mc@${MC_ADDRESS}:PORT>;+g.3gpp.mcptt;isfocus`,
      'Session-Expires: 1800;refresher=uac',
      `Content-Type: ${body.type}`,
      `Content-Length: ${body.bytes.length}`,
      '',
      Buffer.from(body.bytes).toString('latin1'),
    ].join('\r\n');
  }

  it('are refused or ignored, nothing reaches the PBX, and the next call is carried', async () => {
    const random = generator(SEED);
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, MC_ADDRESS, resolve));
    const statuses = new Map<string, number>();
    socket.on('message', (bytes) => {
      const status = bytes.toString('latin1', 8, 11);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    });
    try {
      const template = (await invite()).replaceAll('PORT', String(socket.address().port));
      for (let number = 0; number < DATAGRAMS; number += 1) {
        const message = Buffer.from(template.replaceAll('NUMBER', `n${number}`), 'latin1');
        const damaged = mutate(message, random);
        socket.send(damaged.subarray(0, 60_000), scene.outer.port, scene.outer.address);
        if (number % BURST === 0) await sleep(PAUSE_MS);
      }
      const of = (status: string): number => statuses.get(status) ?? 0;
      // a busy gateway is late with its answers; how many there have to be is asserted below
      await until('it has answered', () => of('400') > 100 && of('488') > 100).catch(
        () => undefined,
      );
      await settle('it', () => [...statuses.values()].reduce((sum, count) => sum + count, 0));
    } finally {
      socket.close();
    }
    const told = `seed ${SEED}, answers ${JSON.stringify([...statuses])}`;
    assert.ok((statuses.get('400') ?? 0) > 100, told);
    assert.ok((statuses.get('488') ?? 0) > 100, told);
    assert.equal(statuses.get('200'), undefined, told);
    assert.equal(statuses.get('500'), undefined, told);
    assert.equal(await scene.asterisk.channelCount(), 0, told);
    const { mc, radio } = await callRadio(scene);
    assert.equal(await hears(radio, MC_TONE_HZ), true, told);
    mc.bye();
    await within('the radio call ends', radio.ended);
  });
});
