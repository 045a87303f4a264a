import assert from 'node:assert/strict';
import {
  isLive,
  nextCallState,
  type CallEvent,
  type CallState,
} from '../../../src/edge/calls/call-state.js';

function walk(...events: CallEvent[]): CallState {
  return events.reduce<CallState>(nextCallState, 'checking');
}

describe('edge/call-state', () => {
  const ways: readonly [string, CallEvent[], CallState][] = [
    [
      'a call that is answered and hung up',
      ['sent', 'answer', 'pass', 'ack', 'bye', 'done'],
      'ended',
    ],
    ['a call that is refused', ['sent', 'refuse'], 'ended'],
    ['a call refused before it is sent', ['refuse'], 'ended'],
    ['a CANCEL that wins', ['sent', 'cancel', 'refuse'], 'ended'],
    ['a CANCEL that crosses the answer', ['sent', 'cancel', 'answer'], 'ending'],
    ['a CANCEL while the answer is held', ['sent', 'answer', 'cancel'], 'ending'],
    ['a limit that passes while the answer is held', ['sent', 'answer', 'abort'], 'ending'],
    ['an ACK that never comes', ['sent', 'answer', 'pass', 'abort'], 'ending'],
    ['a BYE that meets a BYE', ['sent', 'answer', 'pass', 'ack', 'bye', 'bye'], 'ending'],
  ];
  for (const [name, events, state] of ways) {
    it(`brings ${name} to ${state}`, () => assert.equal(walk(...events), state));
  }

  it('never leaves ended', () => {
    const events: CallEvent[] = [
      'sent',
      'answer',
      'pass',
      'ack',
      'refuse',
      'cancel',
      'bye',
      'abort',
      'done',
    ];
    for (const event of events) assert.equal(nextCallState('ended', event), 'ended');
  });

  it('lets no media live once the call is being ended', () => {
    assert.deepEqual(
      (['checking', 'calling', 'answered', 'accepted', 'confirmed'] as CallState[]).map(isLive),
      [true, true, true, true, true],
    );
    assert.deepEqual((['cancelling', 'ending', 'ended'] as CallState[]).map(isLive), [
      false,
      false,
      false,
    ]);
  });
});
