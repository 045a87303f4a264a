import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concatBytes } from '../../src/base/bytes.js';
import {
  ACK_CAPABLE,
  type FloorInput,
  INITIAL_PARTICIPANT,
  participantStep,
  readFloorDatagram,
  writeFloorMessage,
  writePreEstablished,
} from '../../src/floor/index.js';
import { INPUTS, OPTIONS } from './participant-kit.js';
import { SAMPLES } from './samples.js';
import { SEED } from '../support/seed.js';

const datagrams = SAMPLES.map((message) => writeFloorMessage(message));

const mutation = fc.record({
  base: fc.nat(datagrams.length - 1),
  second: fc.option(fc.nat(datagrams.length - 1)),
  changes: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }),
  cut: fc.option(fc.nat(400)),
  tail: fc.uint8Array({ maxLength: 12 }),
});

describe(`Hostile floor datagrams (seed ${SEED})`, () => {
  it('never throw; what is read can be written and is read again as the same', () => {
    fc.assert(
      fc.property(mutation, ({ base, second, changes, cut, tail }) => {
        const whole = concatBytes(
          datagrams[base]!,
          second === null ? new Uint8Array() : datagrams[second]!,
          tail,
        );
        for (const [at, octet] of changes) whole[at % whole.length] = octet;
        const octets = cut === null ? whole : whole.subarray(0, cut % whole.length);
        const { messages, preEstablished, dropped } = readFloorDatagram(octets);
        assert.ok(messages.length + preEstablished.length + dropped.length > 0);
        for (const message of messages) {
          if (message.ackRequired && !ACK_CAPABLE.has(message.type)) continue;
          const again = readFloorDatagram(writeFloorMessage(message));
          assert.deepEqual(again, { messages: [message], preEstablished: [], dropped: [] });
        }
        for (const message of preEstablished) {
          assert.deepEqual(readFloorDatagram(writePreEstablished(message)).preEstablished, [
            message,
          ]);
        }
      }),
      { numRuns: 8_000 },
    );
  });

  it('of random octets never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        readFloorDatagram(octets);
      }),
      { numRuns: 3_000 },
    );
  });

  it('move a participant to no state in which it talks without having the floor', () => {
    const inputs = Object.values(INPUTS) as FloorInput[];
    const input = fc.oneof(
      fc.constantFrom(...inputs),
      fc
        .tuple(fc.nat(datagrams.length - 1), fc.nat(200), fc.nat(255), fc.option(fc.nat(20)))
        .map(([base, at, octet, index]) => ({ base, at, octet, index })),
    );
    fc.assert(
      fc.property(fc.array(input, { maxLength: 30 }), (sequence) => {
        let state = INITIAL_PARTICIPANT;
        for (const item of sequence) {
          for (const one of 'kind' in item ? [item] : hostileInputs(item)) {
            ({ state } = participantStep(OPTIONS, state, one));
            const { floor, keyed, speech, hearing, talkers, early } = state;
            assert.equal(speech === 'open', floor === 'has-permission' && keyed);
            assert.ok(!hearing.open || talkers.length > 0);
            assert.ok(talkers.length <= 8 && early.length <= 4);
          }
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

/** The messages in a datagram one octet of which was changed. */
function hostileInputs(item: {
  readonly base: number;
  readonly at: number;
  readonly octet: number;
  readonly index: number | null;
}): FloorInput[] {
  const octets = datagrams[item.base]!.slice();
  octets[item.at % octets.length] = item.octet;
  return readFloorDatagram(octets).messages.map((message) => ({
    kind: 'message',
    message,
    ...(item.index === null ? {} : { index: item.index }),
  }));
}
