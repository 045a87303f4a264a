/** What bad input gets, from the running gateway. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { McCallOptions, SipBody } from '../../src/sim/index.js';
import { callRadio, hears, settle } from '../support/call-pair.js';
import {
  ALICE,
  BOB,
  MC_ADDRESS,
  MC_TONE_HZ,
  RADIO_1,
  RADIO_2,
  RADIO_TONE_HZ,
  Scene,
} from '../support/scene.js';
import { sleep, until, within } from '../support/waiting.js';

interface Row {
  readonly name: string;
  readonly call: Partial<McCallOptions>;
  readonly status: number;
  readonly code?: string;
}

const text = (body: SipBody, change: (content: string) => string): SipBody => ({
  type: body.type,
  bytes: new Uint8Array(Buffer.from(change(Buffer.from(body.bytes).toString('latin1')), 'latin1')),
});

const flip = (at: (length: number) => number) => (message: Uint8Array) => {
  const changed = message.slice();
  const index = at(changed.length);
  changed[index] = (changed[index] ?? 0) ^ 1;
  return changed;
};

const MINUTE_MS = 60_000;

const ROWS: readonly Row[] = [
  {
    name: 'a call without a key from a partner that must protect',
    call: { misbehave: { none: true } },
    status: 488,
    code: 'SEGY_E_KEY_REQUIRED',
  },
  {
    name: 'an INVITE without an offer',
    call: {
      misbehave: {
        body: (body) => text(body, (content) => content.replace(/application\/sdp/, 'text/plain')),
      },
    },
    status: 488,
    code: 'SEGY_E_OFFER_REQUIRED',
  },
  {
    name: 'a key signed by another user than the one who calls',
    call: { misbehave: { signer: BOB } },
    status: 488,
    code: 'SEGY_E_IDENTITY_MISMATCH',
  },
  {
    name: 'a calling user in mcptt-info that did not sign',
    call: { misbehave: { callingUserId: BOB } },
    status: 488,
    code: 'SEGY_E_IDENTITY_MISMATCH',
  },
  {
    name: 'a key for another radio user than the one who is called',
    call: { misbehave: { addressee: RADIO_2.uri } },
    status: 488,
    code: 'SEGY_E_IDENTITY_MISMATCH',
  },
  {
    name: 'a signature with one bit changed',
    call: { misbehave: { message: flip((length) => length - 3) } },
    status: 488,
    code: 'SEGY_E_MIKEY_SIGNATURE',
  },
  {
    name: 'a key message cut short',
    call: { misbehave: { message: (made) => made.subarray(0, 60) } },
    status: 488,
    code: 'SEGY_E_MIKEY_TRUNCATED',
  },
  {
    name: 'a key message that is none',
    call: { misbehave: { message: () => Uint8Array.of(0xff, 0xff, 0xff, 0xff) } },
    status: 488,
  },
  {
    name: 'a key made six minutes ago',
    call: { misbehave: { timestamp: new Date(Date.now() - 6 * MINUTE_MS) } },
    status: 488,
    code: 'SEGY_E_MIKEY_WINDOW',
  },
  {
    name: 'a key from six minutes ahead',
    call: { misbehave: { timestamp: new Date(Date.now() + 7 * MINUTE_MS) } },
    status: 488,
    code: 'SEGY_E_MIKEY_WINDOW',
  },
  {
    name: 'a called user part that Dial() would split',
    call: {
      misbehave: {
        body: (body) =>
          text(body, (content) =>
            content.replaceAll(RADIO_1.uri, 'sip:1&amp;PJSIP%2Fx@lmr.example'),
          ),
      },
    },
    status: 404,
    code: 'SEGY_E_BAD_IDENTITY',
  },
  {
    name: 'a called user who is not represented',
    call: {
      misbehave: {
        body: (body) =>
          text(body, (content) => content.replaceAll(RADIO_1.uri, 'sip:nobody@lmr.example')),
      },
    },
    status: 404,
    code: 'SEGY_E_UNKNOWN_CALLEE',
  },
  {
    name: 'an SDP that is malformed',
    call: { misbehave: { body: (body) => text(body, (content) => content.replace('v=0', 'v=7')) } },
    status: 400,
  },
  {
    name: 'a body that is too large',
    call: {
      misbehave: {
        body: (body) =>
          text(body, (content) => content.replace('v=0', `${'x'.repeat(400_000)}v=0`)),
      },
    },
    status: 413,
  },
  {
    name: 'a multipart without an end',
    call: { misbehave: { body: (body) => ({ ...body, bytes: body.bytes.subarray(0, -8) }) } },
    status: 400,
  },
  {
    name: 'an mcptt-info with a DOCTYPE',
    call: {
      misbehave: {
        body: (body) =>
          text(body, (content) =>
            content.replace('<mcpttinfo', '<!DOCTYPE a [<!ENTITY b "c">]>\r\n<mcpttinfo'),
          ),
      },
    },
    status: 400,
  },
];

/** Sends one datagram from `address` and gives the first line of the first final response. */
async function sendDatagram(
  scene: Scene,
  address: string,
  message: string,
  ms?: number,
): Promise<string> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, address, resolve));
  try {
    const response = new Promise<string>((resolve) => {
      socket.on('message', (bytes) => {
        const line = bytes.toString('latin1').split('\r\n')[0] ?? '';
        if (!line.startsWith('SIP/2.0 1')) resolve(line);
      });
    });
    const here = `${address}:${socket.address().port}`;
    socket.send(message.replaceAll('HERE', here), scene.outer.port, scene.outer.address);
    return await within('a response comes', response, ms);
  } finally {
    socket.close();
  }
}

const options = (headers: readonly string[]): string =>
  [
    'OPTIONS sip:mcptt-private@lmr.example SIP/2.0',
    'Via: SIP/2.0/UDP HERE;branch=z9hG4bKbad1',
    ...headers,
    'From: <sip:a@mc-a.example>;tag=1',
    'To: <sip:b@lmr.example>',
    `Call-ID: bad-${Math.random()}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');

describe('bad input to the running gateway', function () {
  this.timeout(60_000);
  let scene: Scene;
  let radioCalls = 0;

  before(async () => {
    // datagrams are taken from a partner only where that is how it is reached
    scene = await Scene.start({ protocol: 'udp' });
    scene.radio.agent.onCall = (call) => {
      radioCalls += 1;
      void call.answer();
    };
  });

  after(async () => {
    await scene.stop();
  });

  for (const row of ROWS) {
    it(`gets ${row.status} ${row.code ?? ''} for ${row.name}, and nothing reaches the PBX`, async () => {
      const before = radioCalls;
      const call = await scene.mc.call({ from: ALICE, to: RADIO_1.uri, ...row.call });
      const end = await within('the call ends', call.ended);
      assert.equal(end.status, row.status, end.warning);
      if (row.code !== undefined) assert.match(end.warning ?? '', new RegExp(`\\b${row.code}\\b`));
      assert.equal(await scene.asterisk.channelCount(), 0);
      assert.equal(radioCalls, before);
    });
  }

  it('gets 488 SEGY_E_MIKEY_REPLAYED for a key message used in another call', async () => {
    let first: Uint8Array | undefined;
    const keep = (made: Uint8Array): Uint8Array => (first = made);
    const once = await scene.mc.call({
      from: ALICE,
      to: RADIO_1.uri,
      misbehave: { message: keep },
    });
    assert.equal(await once.up, true);
    once.bye();
    assert.ok(first);
    const message = first;
    const again = await scene.mc.call({
      from: ALICE,
      to: RADIO_1.uri,
      misbehave: { message: () => message },
    });
    const end = await within('the call ends', again.ended);
    assert.equal(end.status, 488);
    assert.match(end.warning ?? '', /SEGY_E_MIKEY_REPLAYED/);
  });

  it('gets 403 for a source that is no partner', async () => {
    const line = await sendDatagram(scene, '127.0.9.9', options(['Max-Forwards: 70']));
    assert.match(line, /^SIP\/2\.0 403 /);
  });

  it('logs a source that is no partner once in a while, not each time', async () => {
    const lines = (): number =>
      scene.gateway
        .log()
        .split('\n')
        .filter((line) => line.includes('127.0.9.8') && line.includes('security.refused')).length;
    // after the first few the gateway does not even answer
    const sent = Array.from({ length: 20 }, () =>
      sendDatagram(scene, '127.0.9.8', options(['Max-Forwards: 70']), 3000).catch(() => ''),
    );
    assert.match((await Promise.all(sent)).find(Boolean) ?? '', /^SIP\/2\.0 403 /);
    await until('it is logged', () => lines() > 0);
    assert.ok(lines() <= 2, `${lines()} lines`);
  });

  it('gets 482 for a request that has been here before', async () => {
    const { address, port } = scene.outer;
    const via = `Via: SIP/2.0/UDP ${address}:${port};branch=z9hG4bKour1`;
    const line = await sendDatagram(scene, MC_ADDRESS, options([via, 'Max-Forwards: 60']));
    assert.match(line, /^SIP\/2\.0 482 /);
  });

  it('gets 400 for malformed SIP from a partner', async () => {
    const line = await sendDatagram(scene, MC_ADDRESS, options(['Max-Forwards: many']));
    assert.match(line, /^SIP\/2\.0 400 /);
  });

  it('gets 483 for a request without hops left', async () => {
    const line = await sendDatagram(scene, MC_ADDRESS, options(['Max-Forwards: 0']));
    assert.match(line, /^SIP\/2\.0 483 /);
  });

  for (const [name, at] of [
    ['does not authenticate', 30],
    ['carries an unknown MKI', -1],
  ] as const) {
    it(`never forwards SRTP that ${name}, and the call lives`, async () => {
      let tamper = false;
      const wire = (packet: Uint8Array): Uint8Array[] =>
        tamper ? [flip((length) => (length + at) % length)(packet)] : [packet];
      scene.radio.agent.onCall = (call) => void call.answer();
      const pair = await callRadio(scene, { onWire: wire });
      assert.equal(await hears(pair.radio, MC_TONE_HZ), true);
      tamper = true;
      const { counters } = pair.radio.media.stream;
      const received = await settle('the radio', () => counters.received);
      await sleep(300);
      assert.equal(counters.received, received);
      tamper = false;
      assert.equal(await hears(pair.mc, RADIO_TONE_HZ), true);
      assert.equal(await hears(pair.radio, MC_TONE_HZ), true);
      pair.mc.bye();
      await within('the radio call ends', pair.radio.ended);
    });
  }

  it('forwards a packet once that came twice', async () => {
    const pair = await callRadio(scene, { onWire: (packet) => [packet, packet] });
    await sleep(500);
    const sent = pair.mc.media.stream.counters.sent;
    assert.ok(pair.radio.media.stream.counters.received <= sent);
    assert.equal(await hears(pair.radio, MC_TONE_HZ), true);
    pair.mc.bye();
    await within('the radio call ends', pair.radio.ended);
  });

  it('draws no media to an address that repeats packets of the call', async () => {
    const wire: Uint8Array[] = [];
    const pair = await callRadio(scene, {
      onWire: (packet) => {
        wire.push(packet);
        return [packet];
      },
    });
    assert.equal(await hears(pair.mc, RADIO_TONE_HZ), true);
    const { remote } = pair.mc.media;
    assert.ok(remote);
    const attacker = createSocket('udp4');
    let drawn = 0;
    attacker.on('message', () => (drawn += 1));
    await new Promise<void>((resolve) => attacker.bind(0, '127.0.9.9', resolve));
    try {
      for (const packet of [...wire, ...wire.map(flip(() => 40))]) {
        attacker.send(packet, remote.port, remote.address);
      }
      assert.equal(await hears(pair.mc, RADIO_TONE_HZ), true);
      assert.equal(drawn, 0);
    } finally {
      attacker.close();
    }
    pair.mc.bye();
    await within('the radio call ends', pair.radio.ended);
  });

  it('never reaches the PBX with X-SeGy headers of its own making', async () => {
    const pair = await callRadio(scene, {
      headers: [
        ['X-SeGy-Caller', 'sip:forged@mc-a.example'],
        ['X-SeGy-Session', 'forged'],
      ],
    });
    assert.equal(scene.asterisk.log().includes('forged'), false);
    assert.equal(pair.radio.invite?.headers.get('X-SeGy-Caller'), undefined);
    pair.mc.bye();
    await within('the radio call ends', pair.radio.ended);
  });
});
