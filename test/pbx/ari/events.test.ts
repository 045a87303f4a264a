import assert from 'node:assert/strict';
import fc from 'fast-check';
import { systemTimers } from '../../../src/base/environment.js';
import { readChannels, readEvent, readValue } from '../../../src/pbx/ari/events.js';
import { createAriDriver } from '../../../src/pbx/ari/driver.js';

const channel = {
  id: '1795474844.0',
  name: 'PJSIP/segy-00000000',
  protocol_id: 'abc',
  state: 'Ring',
  dialplan: { context: 'from-segy', exten: 'radio7', priority: 5, app_name: '', app_data: '' },
};
const octets = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const known = { id: channel.id, name: channel.name, callId: 'abc', handedOver: false };

describe('pbx/ari/events', () => {
  it('takes StasisStart of the gateway’s application as the hand-over', () => {
    const event = { type: 'StasisStart', application: 'segy', args: ['in'], channel };
    assert.deepEqual(readEvent(octets(event), 'segy'), {
      kind: 'channel',
      channel: { ...known, handedOver: true },
    });
    const other = { ...event, application: 'another' };
    assert.deepEqual(readEvent(octets(other), 'segy'), { kind: 'other' });
  });

  it('takes the called channel of a Dial, not the calling one', () => {
    const event = { type: 'Dial', caller: { ...channel, id: '0' }, peer: channel, dialstatus: '' };
    assert.deepEqual(readEvent(octets(event), 'segy'), {
      kind: 'channel',
      channel: known,
      dialledBy: '0',
    });
  });

  it('takes digits, speech and the dialplan’s own variables as signals of their channel', () => {
    const { id } = channel;
    const of = (event: object): unknown => readEvent(octets({ channel, ...event }), 'segy');
    const signal = (what: object) => ({ kind: 'signal', id, signal: what });
    assert.deepEqual(
      of({ type: 'ChannelDtmfReceived', digit: '*', duration_ms: 80 }),
      signal({ kind: 'digit', digit: '*' }),
    );
    assert.deepEqual(
      of({ type: 'ChannelTalkingStarted' }),
      signal({ kind: 'talk', talking: true }),
    );
    assert.deepEqual(
      of({ type: 'ChannelTalkingFinished', duration: 100 }),
      signal({ kind: 'talk', talking: false }),
    );
    assert.deepEqual(
      of({ type: 'ChannelVarset', variable: 'SEGY_PTT', value: 'on' }),
      signal({ kind: 'variable', name: 'SEGY_PTT', value: 'on' }),
    );
    for (const variable of ['DIALSTATUS', 'XSEGY_PTT', 7]) {
      assert.deepEqual(of({ type: 'ChannelVarset', variable, value: 'on' }), { kind: 'other' });
    }
    const global = { type: 'ChannelVarset', variable: 'SEGY_PTT', value: 'on' };
    assert.deepEqual(readEvent(octets(global), 'segy'), { kind: 'other' });
  });

  it('takes StasisEnd as release and ChannelDestroyed as the end', () => {
    const { id } = channel;
    const of = (type: string): unknown => readEvent(octets({ type, channel }), 'segy');
    assert.deepEqual(of('StasisEnd'), { kind: 'released', id });
    assert.deepEqual(of('ChannelDestroyed'), { kind: 'gone', id });
  });

  it('tells when another program has taken the application', () => {
    const event = { type: 'ApplicationReplaced', application: 'segy' };
    assert.deepEqual(readEvent(octets(event), 'segy'), { kind: 'replaced' });
  });

  it('sees in the channel list which channels wait in the application', () => {
    const waiting = { ...channel, dialplan: { app_name: 'Stasis', app_data: 'segy,in' } };
    const elsewhere = { ...channel, dialplan: { app_name: 'Stasis', app_data: 'segy2,in' } };
    const list = readChannels([waiting, elsewhere, channel, null, 'x', {}], 'segy');
    assert.deepEqual(
      list.map(({ handedOver }) => handedOver),
      [true, false, false],
    );
  });

  it('reads a variable, and nothing as empty', () => {
    assert.equal(readValue({ value: 'x' }), 'x');
    assert.equal(readValue(null), '');
  });

  it('answers any JSON with news and anything else with null, and never throws', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        assert.notEqual(readEvent(Buffer.from(text), 'segy'), null);
      }),
      { numRuns: 200 },
    );
    assert.equal(readEvent(Buffer.from('{"type"'), 'segy'), null);
    assert.equal(readEvent(Buffer.from([0xff]), 'segy'), null);
  });
});

describe('pbx/ari/driver', () => {
  const address = { url: 'http://127.0.0.1:8088', username: 'u', password: 'p', app: 'segy' };

  for (const [what, wrong] of [
    ['a URL of another scheme', { url: 'ftp://127.0.0.1' }],
    ['no URL', { url: '127.0.0.1:8088' }],
    ['an application that would add parameters to the event address', { app: 'a&b=c' }],
    ['an empty application', { app: '' }],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => createAriDriver({ ...address, ...wrong }, systemTimers), {
        code: 'SEGY_E_CONFIG',
      });
    });
  }
});
