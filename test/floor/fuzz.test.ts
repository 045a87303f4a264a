import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concatBytes } from '../../src/base/bytes.js';
import {
  ACK_CAPABLE,
  readFloorDatagram,
  writeFloorMessage,
  writePreEstablished,
} from '../../src/floor/index.js';
import { SAMPLES } from './samples.js';

const seed = Date.now() & 0x7fffffff;
const datagrams = SAMPLES.map((message) => writeFloorMessage(message));

const mutation = fc.record({
  base: fc.nat(datagrams.length - 1),
  second: fc.option(fc.nat(datagrams.length - 1)),
  changes: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }),
  cut: fc.option(fc.nat(400)),
  tail: fc.uint8Array({ maxLength: 12 }),
});

describe(`Hostile floor datagrams (seed ${seed})`, () => {
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
      { numRuns: 20_000, seed },
    );
  });

  it('of random octets never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        readFloorDatagram(octets);
      }),
      { numRuns: 5_000, seed },
    );
  });
});
