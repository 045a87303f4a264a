import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  type FloorAction,
  type FloorInput,
  type FloorMessage,
  FloorParticipant,
  participantStep,
  type ParticipantOptions,
} from '../../src/floor/index.js';
import { type Timers } from '../../src/base/environment.js';
import {
  brief,
  drive,
  INPUTS,
  type InputName,
  OPTIONS,
  PATHS,
  transition,
} from './participant-kit.js';
import { ALICE, RADIO, sample } from './samples.js';

const TABLE = new URL('../../../test/fixtures/floor/transitions.txt', import.meta.url);

/** State → input → what is to happen; an input that has no line changes nothing. */
function readTable(): Map<string, Map<string, string>> {
  const table = new Map<string, Map<string, string>>();
  for (const block of readFileSync(TABLE, 'utf8').trim().split('\n\n')) {
    const [title, ...lines] = block.split('\n');
    const rows = lines.map((line) => line.split(' → ') as [string, string]);
    table.set(title!.replace('# ', ''), new Map(rows));
  }
  return table;
}

const inputs = Object.keys(INPUTS) as InputName[];

const sent = (actions: readonly FloorAction[]): FloorMessage[] =>
  actions.flatMap((action) => (action.kind === 'send' ? [action.message] : []));

describe('Floor participant (TS 24.380 6.2.4)', () => {
  const table = readTable();

  it('has a table for every state', () => {
    assert.deepEqual([...table.keys()], Object.keys(PATHS));
  });

  for (const [state, path] of Object.entries(PATHS)) {
    it(`does in ${state} what the table says, for every input`, () => {
      const does = inputs.flatMap((input) => {
        const what = transition(path, input);
        return what === null ? [] : [[input, what] as const];
      });
      assert.deepEqual(new Map(does), table.get(state));
    });
  }

  it('starts no timer without a duration above zero, and ignores a timer that does not run', () => {
    for (const [state, path] of Object.entries(PATHS)) {
      for (const input of inputs) {
        const { actions } = drive([...path, input]);
        for (const action of actions) {
          if (action.kind === 'start-timer') assert.ok(action.ms > 0, `${state}, ${input}`);
        }
      }
      for (const timer of ['T100', 'T101', 'T103', 'T104', 'T132', 'talk-limit'] as const) {
        const before = drive(path).state;
        if (before.running.includes(timer)) continue;
        const after = participantStep(OPTIONS, before, { kind: 'timer', timer });
        assert.deepEqual(after, { state: before, actions: [] }, `${state}, ${timer}`);
      }
    }
  });

  describe('what it sends', () => {
    it('a Floor Request has the priority of its level, never above the negotiated one, and its indicator', () => {
      const options: ParticipantOptions = {
        ...OPTIONS,
        functionalAlias: 'sip:chief@segy.gw.example.net',
        maxPriority: 5,
        priorities: { normal: 2, 'imminent-peril': 4, emergency: 200 },
      };
      const request = (...names: readonly (InputName | FloorInput)[]): FloorMessage =>
        sent(drive(names, options).actions)[0]!;
      const normal = request('set up', 'key on');
      assert.deepEqual(normal, {
        ...sample({ type: 'request', ssrc: 7, userId: RADIO, priority: 2, indicator: 0x8000 }),
        functionalAlias: 'sip:chief@segy.gw.example.net',
      });
      const peril = request('call in peril', 'set up', 'key on');
      assert.deepEqual([peril.priority, peril.indicator], [4, 0x0800]);
      const emergency = request('set up', 'key on, emergency');
      assert.deepEqual([emergency.priority, emergency.indicator], [5, 0x1000]);
    });

    it('a Floor Request has no priority where none was negotiated, and no identity where none is known', () => {
      const request = sent(
        drive(['set up', 'key on'], { ...OPTIONS, maxPriority: null, userId: null }).actions,
      )[0]!;
      assert.deepEqual(request, sample({ type: 'request', ssrc: 7, indicator: 0x8000 }));
    });

    it('a Floor Release asks for an acknowledgement where the options say so, and tells of a dual floor', () => {
      const options = { ...OPTIONS, releaseWantsAck: true };
      const [release] = sent(
        drive([...PATHS['has-permission, overriding'], 'key off'], options).actions,
      );
      assert.equal(release?.ackRequired, true);
      assert.equal(release.indicator, 0x8200);
    });

    it('a Floor Ack names the message, ourselves as its source and the track info it came with', () => {
      const trackInfo = { queueingCapability: 1, participantType: 'x', references: [3] };
      const message = sample({ type: 'idle', ackRequired: true, trackInfo });
      const [ack] = sent(drive(['set up', { kind: 'message', message }]).actions);
      assert.deepEqual(
        ack,
        sample({ type: 'ack', ssrc: 7, source: 0, acknowledged: 5, trackInfo }),
      );
      const codePoints = { ...OPTIONS.codePoints, ackNamesAckBit: true };
      const [other] = sent(
        drive(['set up', { kind: 'message', message }], { ...OPTIONS, codePoints }).actions,
      );
      assert.equal(other?.acknowledged, 0x15);
    });

    it('a Floor Request three times, a Floor Release three times, then no more', () => {
      const count = (...names: InputName[]): number => {
        let total = 0;
        for (let i = 1; i <= names.length; i++)
          total += sent(drive(names.slice(0, i)).actions).length;
        return total;
      };
      assert.equal(count('set up', 'key on', 'T101', 'T101', 'T101', 'T101'), 3);
      assert.equal(count(...PATHS['has-permission'], 'key off', 'T100', 'T100', 'T100', 'T100'), 4);
    });
  });

  describe('a queued radio that stops keying', () => {
    const stays = { ...OPTIONS, unkeyedInQueue: 'stays' } as const;
    const path: InputName[] = ['set up', 'key on', 'queued', 'key off'];

    it('leaves the queue, or stays in it, as the options say', () => {
      assert.equal(drive(path).state.floor, 'pending-release');
      assert.equal(drive(path, stays).state.floor, 'queued');
    });

    it('has the time of T132 to key when the floor comes, and no speech goes out before', () => {
      const granted = drive([...path, 'granted'], stays);
      assert.deepEqual(granted.actions.map(brief), [
        'speech hold',
        'start talk-limit',
        'start T132',
        'tell granted, awaits key',
      ]);
      assert.equal(drive([...path, 'granted', 'key on'], stays).state.speech, 'open');
      const late = drive([...path, 'granted', 'T132'], stays);
      assert.equal(late.state.floor, 'pending-release');
      assert.deepEqual(
        sent(late.actions).map(({ type }) => type),
        ['release'],
      );
    });

    it('is asked for again with its level when it keys in an emergency', () => {
      const { state, actions } = drive([...path, 'key on, emergency'], stays);
      assert.equal(state.floor, 'pending-request');
      assert.equal(sent(actions)[0]?.indicator, 0x1000);
    });
  });

  it('leaves a queue that was not negotiated, and says so', () => {
    const { state, actions } = drive(['set up', 'key on', 'queued'], {
      ...OPTIONS,
      queueing: false,
    });
    assert.equal(state.floor, 'pending-release');
    assert.ok(actions.map(brief).includes('tell denied queueing-not-negotiated'));
  });

  describe('a key press while a release is under way', () => {
    const path = PATHS['pending-release, keyed again'];

    it('holds speech and becomes a request when the release is done', () => {
      const { state, actions } = drive([...path, 'idle']);
      assert.equal(state.floor, 'pending-request');
      assert.equal(state.speech, 'hold');
      assert.deepEqual(
        sent(actions).map(({ type }) => type),
        ['request'],
      );
    });

    it('is forgotten when it is let go', () => {
      assert.equal(drive([...path, 'key off', 'idle']).state.floor, 'has-no-permission');
    });

    it('does not come from a key that was never let go: a revoked talker keys again first', () => {
      const { state } = drive([...PATHS['has-permission'], 'revoke', 'idle']);
      assert.equal(state.keyed, true);
      assert.equal(state.floor, 'has-no-permission');
    });
  });

  describe('a grant', () => {
    const grant = (duration: number, options: ParticipantOptions): string[] =>
      drive(
        ['set up', 'key on', { kind: 'message', message: sample({ type: 'granted', duration }) }],
        options,
      ).actions.flatMap((a) => (a.kind === 'start-timer' ? [`${a.timer} ${a.ms}`] : []));

    it('ends after its own duration or the gateway’s limit, whichever is shorter', () => {
      assert.deepEqual(grant(30, OPTIONS), ['talk-limit 30000']);
      assert.deepEqual(grant(30, { ...OPTIONS, talkLimit: 10 }), ['talk-limit 10000']);
      assert.deepEqual(grant(5, { ...OPTIONS, talkLimit: 10 }), ['talk-limit 5000']);
      assert.deepEqual(grant(0, OPTIONS), []);
    });
  });

  describe('what is heard', () => {
    it('is bound to the SSRCs that the floor server names, where the options say so', () => {
      const options = { ...OPTIONS, bindSsrc: true };
      assert.deepEqual(drive(['set up', 'taken, bob'], options).state.hearing.ssrcs, [5]);
      assert.deepEqual(drive(['set up', 'taken, multi'], options).state.hearing.ssrcs, [1, 3]);
      assert.equal(drive(['set up', 'taken'], options).state.hearing.ssrcs, null);
    });

    it('is silent after T103 and heard again with the next speech, the gate staying open', () => {
      const { state } = drive(['set up', 'taken', 'T103']);
      assert.equal(state.hearing.open, true);
      const again = drive(['set up', 'taken', 'T103', 'media']);
      assert.deepEqual(again.actions.map(brief), ['start T103', 'talkers alice']);
    });

    it('is not opened by speech alone', () => {
      assert.deepEqual(drive(['set up', 'media']).actions, []);
      assert.equal(drive(['set up', 'taken', 'idle', 'media']).state.hearing.open, false);
    });

    it('has no more talkers than are named apart, however many come', () => {
      const many = Array.from({ length: 20 }, (_, i) => `sip:user-${i}@mc-a.example.org`);
      const message = sample({ type: 'taken', grantedUsers: many, indicator: 0x0080 });
      assert.equal(drive(['set up', { kind: 'message', message }]).state.talkers.length, 8);
    });
  });

  describe('messages out of order', () => {
    const at = (name: InputName, index: number, ssrc = 99): FloorInput => {
      const input = INPUTS[name];
      assert.ok(input.kind === 'message');
      return { ...input, message: { ...input.message, ssrc }, index };
    };

    it('are dropped by their SRTCP index, so that an old grant opens nothing', () => {
      const { state, actions } = drive([
        'set up',
        'key on',
        at('deny', 5),
        'key off',
        'key on',
        at('granted', 4),
      ]);
      assert.equal(state.floor, 'pending-request');
      assert.deepEqual(actions, [{ kind: 'dropped', reason: 'late' }]);
    });

    it('are counted for each sender, and anew after a change of keys', () => {
      assert.equal(drive(['set up', at('taken', 5), at('idle', 4, 98)]).state.hearing.open, false);
      assert.equal(
        drive(['set up', at('taken', 5), 're-keyed', at('idle', 1)]).state.hearing.open,
        false,
      );
    });
  });

  it('keeps messages that come before the call is set up, four at most, and takes them then', () => {
    const { state } = drive(['granted', 'set up, implicit']);
    assert.equal(state.floor, 'has-permission');
    assert.deepEqual(state.early, []);
    const full = drive(['taken', 'taken', 'taken', 'taken', 'taken']);
    assert.deepEqual(full.actions, [{ kind: 'dropped', reason: 'no-call' }]);
  });

  it('asks at once when the radio keyed before the call was set up', () => {
    assert.deepEqual(
      sent(drive(['key on', 'set up']).actions).map(({ type }) => type),
      ['request'],
    );
    assert.equal(drive(['key on', 'set up, granted']).state.speech, 'open');
  });

  it('is never brought to life again after the end of the call', () => {
    const { state, actions } = drive(['set up', 'end', 'set up, granted', 'key on', 'granted']);
    assert.equal(state.floor, 'start-stop');
    assert.equal(state.speech, 'closed');
    assert.deepEqual(actions, [{ kind: 'dropped', reason: 'no-call' }]);
  });
});

describe('A floor participant with its timers', () => {
  interface Pending {
    readonly callback: () => void;
    readonly ms: number;
  }
  const pending = new Set<Pending>();
  const timers: Timers = {
    setTimeout: (callback, ms) => {
      const entry = { callback, ms };
      pending.add(entry);
      return entry;
    },
    clearTimeout: (handle) => pending.delete(handle as Pending),
  };
  const fire = (ms: number): void => {
    const entry = [...pending].find((candidate) => candidate.ms === ms)!;
    pending.delete(entry);
    entry.callback();
  };
  const alice = sample({ type: 'taken', grantedParty: ALICE });

  it('runs them, stops them, and takes inputs of its own actions one after the other', () => {
    const done: string[] = [];
    const participant = new FloorParticipant(OPTIONS, timers, (action) => {
      done.push(brief(action));
      if (action.kind === 'tell' && action.what.event === 'denied') {
        participant.input({ kind: 'key-off' });
      }
    });
    participant.input({ kind: 'call-set-up', implicitRequest: false, granted: false });
    participant.input({ kind: 'key-on' });
    for (let i = 0; i < 3; i++) fire(1000);
    assert.deepEqual(done.splice(0), [
      'speech hold',
      'S: request',
      'S: request',
      'S: request',
      'speech closed',
      'tell denied no-answer',
    ]);
    assert.equal(participant.state.keyed, false);
    participant.input({ kind: 'message', message: alice });
    participant.input({ kind: 'call-ended' });
    assert.equal(pending.size, 0);
  });
});
