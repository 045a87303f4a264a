import assert from 'node:assert/strict';
import type { Event } from 'modesl';
import { readEvent } from '../../../src/pbx/esl/events.js';

const event = (headers: Readonly<Record<string, string>>): Event => ({
  getHeader: (name) => headers[name] ?? null,
  getBody: () => undefined,
});
const of = (headers: Readonly<Record<string, string>>): unknown =>
  readEvent(event({ 'Unique-ID': 'a-1', ...headers }));
const signal = (what: object) => ({ kind: 'signal', id: 'a-1', signal: what });

describe('pbx/esl/events: signals of a channel', () => {
  it('are digits, the beginning and the end of speech', () => {
    assert.deepEqual(
      of({ 'Event-Name': 'DTMF', 'DTMF-Digit': '#' }),
      signal({ kind: 'digit', digit: '#' }),
    );
    assert.deepEqual(of({ 'Event-Name': 'TALK' }), signal({ kind: 'talk', talking: true }));
    assert.deepEqual(of({ 'Event-Name': 'NOTALK' }), signal({ kind: 'talk', talking: false }));
  });

  it('are the variables of a segy::ptt event that the dialplan raises, and of no other', () => {
    const custom = { 'Event-Name': 'CUSTOM', 'Event-Subclass': 'segy::ptt' };
    assert.deepEqual(
      of({ ...custom, SEGY_PTT: 'on' }),
      signal({ kind: 'variable', name: 'SEGY_PTT', value: 'on' }),
    );
    assert.equal(of(custom), null);
    assert.equal(of({ ...custom, 'Event-Subclass': 'other::ptt', SEGY_PTT: 'on' }), null);
  });

  it('reach the call through the channel that dials the gateway', () => {
    const news = of({
      'Event-Name': 'CHANNEL_ORIGINATE',
      'Call-Direction': 'outbound',
      'Channel-Name': 'sofia/segy/x',
      'Other-Leg-Unique-ID': 'radio-1',
    });
    assert.deepEqual(news, {
      kind: 'channel',
      channel: { id: 'a-1', name: 'sofia/segy/x', callId: 'a-1', handedOver: false },
      dialledBy: 'radio-1',
    });
  });
});
