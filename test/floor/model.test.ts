import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  DEFAULT_PARTICIPANT,
  FloorParticipant,
  type FloorMessage,
  readFloorDatagram,
  writeFloorMessage,
} from '../../src/floor/index.js';
import { FloorServer } from '../../src/sim/index.js';
import { FakeTimers } from '../sip/support/fake-timers.js';
import { SEED } from '../support/seed.js';

/**
 * Participants and a floor server over a network that loses, repeats and reorders: every message has the
 * index that SRTCP would give it, and the invariants are looked at after everything that happens.
 */

type Command =
  | { readonly do: 'key'; readonly who: number; readonly emergency: boolean }
  | { readonly do: 'unkey'; readonly who: number }
  | { readonly do: 'speak'; readonly who: number }
  | { readonly do: 'revoke' }
  | { readonly do: 'ask'; readonly who: number }
  | { readonly do: 'wait'; readonly ms: number };

/** What becomes of one message: lost, or delivered once or twice after these delays. */
type Fate = readonly number[];

interface Scenario {
  readonly participants: number;
  readonly implicit: boolean;
  readonly stays: boolean;
  readonly dual: boolean;
  readonly queueLimit: number;
  readonly acks: boolean;
  readonly commands: readonly Command[];
  readonly fates: readonly Fate[];
}

/** The longest that a message is under way, in milliseconds; below every grace of the server. */
const MAX_DELAY = 400;

const who = fc.nat(2);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('key' as const), who, emergency: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('unkey' as const), who }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('speak' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ask' as const), who }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 500, max: 6000 })),
    }),
  },
);

const delay = fc.integer({ min: 0, max: MAX_DELAY });
const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(delay) },
  { weight: 2, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.tuple(delay, delay) },
);

const scenario: fc.Arbitrary<Scenario> = fc.record({
  participants: fc.integer({ min: 2, max: 3 }),
  implicit: fc.boolean(),
  stays: fc.boolean(),
  dual: fc.boolean(),
  queueLimit: fc.nat(2),
  acks: fc.boolean(),
  commands: fc.array(command, { minLength: 3, maxLength: 24 }),
  fates: fc.array(fate, { minLength: 4, maxLength: 40 }),
});

class World {
  readonly timers = new FakeTimers();
  readonly server: FloorServer;
  readonly participants: FloorParticipant[] = [];
  readonly ids: string[];
  reliable = false;
  #fate = 0;

  constructor(readonly scene: Scenario) {
    this.ids = Array.from({ length: scene.participants }, (_, i) => `sip:user-${i}@x`);
    const { queueLimit, dual: dualFloor, acks: ackGrants } = scene;
    this.server = new FloorServer(
      { queueLimit, dualFloor, ackGrants, duration: 5, t2: 5000, t3: 1500, c7: 2 },
      this.timers,
    );
    this.ids.forEach((userId, i) => this.#join(userId, i));
  }

  #join(userId: string, i: number): void {
    let toServer = 0;
    let fromServer = 0;
    const options = {
      ...DEFAULT_PARTICIPANT,
      ssrc: i + 1,
      userId,
      unkeyedInQueue: this.scene.stays ? ('stays' as const) : ('leaves' as const),
      releaseWantsAck: this.scene.acks,
    };
    const participant = new FloorParticipant(options, this.timers, (action) => {
      if (action.kind !== 'send') return;
      const index = toServer++;
      this.#carry(action.message, (m) => this.server.receive(userId, m, index));
    });
    this.participants.push(participant);
    const send = (message: FloorMessage): void => {
      const index = fromServer++;
      this.#carry(message, (m) => participant.input({ kind: 'message', message: m, index }));
    };
    const implicitRequest = this.scene.implicit && i === 0;
    participant.input({ kind: 'call-set-up', implicitRequest, granted: false });
    this.server.join({ userId, queueing: i !== 2, send }, implicitRequest);
  }

  /** Octets on a wire that is not to be trusted. */
  #carry(message: FloorMessage, deliver: (message: FloorMessage) => void): void {
    const octets = writeFloorMessage(message);
    const { fates } = this.scene;
    const delays = this.reliable ? [10] : (fates[this.#fate++ % fates.length] ?? []);
    for (const ms of delays) {
      this.timers.setTimeout(() => {
        const [read] = readFloorDatagram(octets).messages;
        deliver(read!);
        this.check();
      }, ms);
    }
  }

  do(c: Command): void {
    const participant = this.participants['who' in c ? c.who % this.participants.length : 0]!;
    if (c.do === 'key') {
      participant.input({ kind: 'key-on', level: c.emergency ? 'emergency' : 'normal' });
    } else if (c.do === 'unkey') {
      participant.input({ kind: 'key-off' });
    } else if (c.do === 'ask') {
      participant.input({ kind: 'ask-queue-position' });
    } else if (c.do === 'revoke') {
      for (const holder of this.server.holders) this.server.revoke(holder);
    } else if (c.do === 'speak') {
      this.#speak(c.who % this.participants.length);
    } else {
      this.timers.advance(c.ms);
    }
    this.check();
  }

  #speak(i: number): void {
    if (this.participants[i]!.state.speech !== 'open') return;
    if (!this.server.media(this.ids[i]!)) return;
    for (const other of this.participants) {
      if (other !== this.participants[i]) other.input({ kind: 'media' });
    }
  }

  check(): void {
    const { holders } = this.server;
    assert.ok(holders.length <= (this.scene.dual ? 2 : 1), `holders ${holders.join()}`);
    let talkers = 0;
    this.participants.forEach(({ state }, i) => {
      const { floor, speech, hearing, shared, keyed, running } = state;
      const has = floor === 'has-permission';
      if (has) talkers++;
      if (has) assert.ok(holders.includes(this.ids[i]!), `${i} talks without the floor`);
      assert.equal(speech === 'open', has && keyed, `${i}: speech ${speech} in ${floor}`);
      if (hearing.open) assert.ok(state.talkers.length > 0 && (!has || shared !== 'no'));
      if (has && shared === 'no') assert.equal(hearing.open, false);
      assert.equal(running.includes('T101'), floor === 'pending-request', `${i}: T101 in ${floor}`);
      assert.equal(running.includes('T100'), floor === 'pending-release', `${i}: T100 in ${floor}`);
      if (running.includes('T104')) assert.equal(floor, 'queued');
      if (running.includes('T132') || running.includes('talk-limit')) assert.ok(has);
    });
    assert.ok(talkers <= (this.scene.dual ? 2 : 1), `${talkers} talkers`);
  }

  /** No more losses, no more keying: everything comes to rest. */
  settle(): void {
    this.reliable = true;
    for (const participant of this.participants) participant.input({ kind: 'key-off' });
    this.timers.advance(60_000);
    this.check();
    assert.deepEqual(this.server.holders, []);
    assert.deepEqual(this.server.queued, []);
    for (const { state } of this.participants) assert.equal(state.floor, 'has-no-permission');
  }

  end(): void {
    for (const participant of this.participants) {
      participant.input({ kind: 'call-ended' });
      assert.deepEqual(participant.state.running, []);
      assert.equal(participant.state.speech, 'closed');
      assert.equal(participant.state.hearing.open, false);
    }
    this.server.close();
    this.timers.advance(10 * MAX_DELAY);
    assert.equal(this.timers.waiting, 0);
  }
}

const RUNS = 10_000;

describe(`Floor control under random inputs (seed ${SEED})`, function () {
  this.timeout(180_000);

  it(`never has two talkers but by a dual floor, nor a talker without the floor, in ${RUNS} sequences`, () => {
    const reached = new Map<string, number>();
    fc.assert(
      fc.property(scenario, (scene) => {
        const world = new World(scene);
        world.check();
        for (const c of scene.commands) {
          world.do(c);
          for (const { state } of world.participants) {
            const name = `${state.floor} ${state.shared}`;
            reached.set(name, (reached.get(name) ?? 0) + 1);
          }
        }
        world.settle();
        world.end();
      }),
      { numRuns: RUNS },
    );
    for (const name of [
      'has-no-permission no',
      'pending-request no',
      'queued no',
      'has-permission no',
      'has-permission overriding',
      'has-permission overridden',
      'pending-release no',
    ]) {
      assert.ok((reached.get(name) ?? 0) > RUNS / 100, `${name}: ${reached.get(name)}`);
    }
  });
});
