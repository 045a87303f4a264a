import assert from 'node:assert/strict';
import { SegyError } from '../../src/base/errors.js';
import type { SimCall } from '../../src/sim/call.js';
import type { PartyMedia } from '../../src/sim/party-media.js';
import { RadioTrunk } from '../../src/sim/radio.js';
import { reportCall } from '../../src/sim/report.js';
import { findTone } from '../../src/sim/tone.js';
import { quietEnvironment as env } from '../support/quiet-environment.js';
import { until, within } from '../support/waiting.js';

/** A trunk whose PBX is the other trunk. */
async function trunks(): Promise<[RadioTrunk, RadioTrunk]> {
  const b = new RadioTrunk(
    { address: '127.0.3.2', pbx: { address: '127.0.3.1', port: 1 }, toneHz: 1000 },
    env,
  );
  const port = await b.open();
  const a = new RadioTrunk({ address: '127.0.3.1', pbx: { address: '127.0.3.2', port } }, env);
  await a.open();
  return [a, b];
}

const taken = (trunk: RadioTrunk, answer = true): Promise<SimCall<PartyMedia>> =>
  new Promise((resolve) => {
    trunk.agent.onCall = (call) => {
      if (answer) void call.answer();
      resolve(call);
    };
  });

describe('two simulated radio trunks', () => {
  let a: RadioTrunk;
  let b: RadioTrunk;

  beforeEach(async () => {
    [a, b] = await trunks();
  });

  afterEach(async () => {
    await Promise.all([a.close(), b.close()]);
  });

  it('talk to each other, and the BYE of one ends the call of both', async () => {
    const incoming = taken(b);
    const call = await a.call('1001', '2001');
    assert.equal(await call.up, true);
    const callee = await incoming;
    for (const [one, toneHz] of [
      [call, 1000],
      [callee, 440],
    ] as const) {
      const { stream } = one.media;
      await until('speech is heard', () => findTone(stream.recording(), toneHz, 8000).found);
    }
    call.bye();
    const end = await within('the callee ends', callee.ended);
    assert.equal(end.by, 'peer');
    const report = reportCall(callee, 440, end);
    assert.equal(report.tone.found, true);
    assert.equal(findTone(call.media.stream.recording(), 1000, 8000).found, true);
    assert.ok((report.setupMs ?? -1) >= 0);
  });

  it('ring, and cancel', async () => {
    const incoming = taken(b, false);
    const call = await a.call('1001', '2001');
    const callee = await incoming;
    callee.ring();
    await until('the caller hears it ring', () => call.state === 'ringing');
    call.cancel();
    assert.equal((await within('the caller ends', call.ended)).by, 'cancelled');
    assert.equal((await within('the callee ends', callee.ended)).by, 'cancelled');
  });

  it('refuse with a status', async () => {
    const incoming = taken(b, false);
    const call = await a.call('1001', '2001');
    (await incoming).refuse(486);
    assert.equal((await within('the caller ends', call.ended)).status, 486);
  });

  it('hold by re-INVITE, resume, and refresh the session by UPDATE', async () => {
    const incoming = taken(b);
    const call = await a.call('1001', '2001');
    assert.equal(await call.up, true);
    const callee = await incoming;
    call.media.direction = 'sendonly';
    assert.equal(await call.reinvite(), 200);
    assert.equal(callee.media.stream.sending, false);
    assert.equal(call.media.stream.sending, true);
    call.media.direction = 'sendrecv';
    assert.equal(await call.reinvite(), 200);
    assert.equal(callee.media.stream.sending, true);
    assert.equal(await call.refresh(), 200);
    assert.deepEqual(callee.received, ['INVITE', 'INVITE', 'UPDATE']);
  });

  it('refuse a codec they do not speak with 488', async () => {
    a.codec = 'AMR-WB';
    const call = await a.call('1001', '2001');
    assert.equal((await within('the caller ends', call.ended)).status, 488);
  });

  it('end a call that no peer answers with the error of the transport', async () => {
    const lonely = new RadioTrunk(
      { address: '127.0.3.1', pbx: { address: '127.0.3.9', port: 9 } },
      env,
    );
    const call = await lonely.call('1001', '2001').catch((error: unknown) => error);
    assert.ok(call instanceof SegyError);
    await lonely.close();
  });
});
