import assert from 'node:assert/strict';
import { concatBytes, fromHex, toHex, utf8 } from '../../src/base/bytes.js';
import {
  ALL_FLOOR_TOLERANCES,
  DEFAULT_FLOOR_CODE_POINTS,
  DEFAULT_FLOOR_CODEC,
  DEFAULT_FLOOR_LIMITS,
  type FloorMessage,
  NO_FLOOR_TOLERANCES,
  readFloorDatagram,
  splitProtected,
  writeFloorMessage,
} from '../../src/floor/index.js';
import { readVectors } from '../support/vectors.js';
import { LOCATIONS, sample, SAMPLES } from './samples.js';

const STRICT = { ...DEFAULT_FLOOR_CODEC, tolerances: NO_FLOOR_TOLERANCES };

/** The only message of a datagram. */
function only(octets: Uint8Array, settings = DEFAULT_FLOOR_CODEC): FloorMessage {
  const { messages, dropped } = readFloorDatagram(octets, settings);
  assert.deepEqual(dropped, []);
  assert.equal(messages.length, 1);
  return messages[0]!;
}

/** An APP packet of the name MCPT with these fields, as hexadecimal. */
function packet(fields: string, subtype = '85', words = fields.length / 8 + 2): Uint8Array {
  return fromHex(`${subtype}cc${words.toString(16).padStart(4, '0')}000000074d435054${fields}`);
}

const droppedFor = (octets: Uint8Array, settings = DEFAULT_FLOOR_CODEC): readonly string[] =>
  readFloorDatagram(octets, settings).dropped;

interface Recorded {
  readonly source: string;
  readonly what: string;
  readonly octets: string;
  readonly message: Record<string, unknown>;
}

describe('Floor control messages (TS 24.380 8.2)', () => {
  for (const [i, message] of SAMPLES.entries()) {
    it(`a ${message.type} survives writing and reading, octet for octet (sample ${i})`, () => {
      const octets = writeFloorMessage(message);
      assert.equal(octets.length % 4, 0);
      assert.deepEqual(only(octets, STRICT), message);
      assert.equal(toHex(writeFloorMessage(only(octets))), toHex(octets));
    });
  }

  for (const location of LOCATIONS) {
    it(`a location of the kind ${location.kind} survives writing and reading`, () => {
      const message = sample({ type: 'request', location });
      assert.deepEqual(only(writeFloorMessage(message)), message);
    });
  }

  for (const recorded of readVectors('floor-24380') as readonly Recorded[]) {
    it(`reads ${recorded.what} of ${recorded.source}`, () => {
      const message = only(fromHex(recorded.octets.replace(/\s/g, '')), STRICT);
      const { others, ...rest } = message;
      assert.deepEqual(others, []);
      assert.deepEqual(rest, recorded.message);
      assert.equal(toHex(writeFloorMessage(message)), recorded.octets.replace(/\s/g, ''));
    });
  }

  it('pads a value with zeros to a word and counts the value alone', () => {
    const octets = writeFloorMessage(sample({ type: 'release', userId: 'sip:a@b' }));
    assert.equal(toHex(octets.subarray(12)), '06077369703a614062000000');
  });

  it('skips an unknown field and keeps it, with two length octets from identifier 192 on', () => {
    const long = new Uint8Array(300).fill(0x55);
    const fields = concatBytes(
      fromHex('5003aabbcc000000'),
      fromHex('08020001'),
      concatBytes(fromHex('c0012c'), long, new Uint8Array(1)),
    );
    const message = only(packet(toHex(fields)), STRICT);
    assert.equal(message.sequenceNumber, 1);
    assert.deepEqual(message.others, [
      { id: 0x50, value: fromHex('aabbcc') },
      { id: 0xc0, value: long },
    ]);
    assert.deepEqual(only(writeFloorMessage(message)), message);
  });

  it('takes the first of a field that comes twice and keeps the second', () => {
    const message = only(packet('0802000108020002'));
    assert.equal(message.sequenceNumber, 1);
    assert.deepEqual(message.others, [{ id: 8, value: fromHex('0002') }]);
  });

  it('reads several messages of one datagram, each an APP packet of its own', () => {
    const octets = concatBytes(...SAMPLES.slice(0, 4).map((m) => writeFloorMessage(m)));
    assert.deepEqual(readFloorDatagram(octets).messages, SAMPLES.slice(0, 4));
  });

  it('drops one malformed message of a datagram and reads the others', () => {
    const octets = concatBytes(packet('08030001'), packet('08020002'));
    assert.deepEqual(droppedFor(octets), ['field-truncated']);
    const { messages, dropped } = readFloorDatagram(
      concatBytes(packet('0803000100000000'), packet('08020002')),
    );
    assert.equal(messages[0]?.sequenceNumber, 2);
    assert.deepEqual(dropped, ['field-value']);
  });

  it('cuts a datagram of messages that were protected one by one', () => {
    const trailer = new Uint8Array(24).fill(9);
    const one = concatBytes(packet('08020001'), trailer);
    const two = concatBytes(packet('0802000108020002'), trailer);
    assert.deepEqual(splitProtected(concatBytes(one, two), 24)?.map(toHex), [one, two].map(toHex));
    assert.equal(splitProtected(one, 24), null);
    assert.equal(splitProtected(concatBytes(one, two.subarray(1)), 24), null);
  });

  describe('drops with a reason', () => {
    const good = '08020001';
    const cases: readonly (readonly [string, Uint8Array, string])[] = [
      ['nothing', new Uint8Array(), 'truncated'],
      ['a header cut short', packet(good).subarray(0, 11), 'truncated'],
      ['a length beyond the datagram', packet(good, '85', 9), 'truncated'],
      ['a length below the header', packet(good, '85', 1), 'truncated'],
      ['octets behind the message', concatBytes(packet(good), Uint8Array.of(1)), 'truncated'],
      ['another RTP version', packet(good, '45'), 'version'],
      ['the padding bit', packet(good, 'a5'), 'padding-bit'],
      ['an SR', fromHex('80c800010000000700000000'), 'packet-type'],
      ['the name of MCVideo', fromHex('80cc0002000000074d435630'), 'name'],
      ['the name of MBMS control', fromHex('80cc0002000000074d434d43'), 'name'],
      ['the name in small letters', fromHex('80cc0002000000076d637074'), 'name'],
      ['the unassigned type 7', packet(good, '87'), 'message-type'],
      ['the unassigned type 13', packet(good, '8d'), 'message-type'],
      ['a field cut short', packet('0804000100000000'.slice(0, 8)), 'field-truncated'],
      ['a number of three octets', packet('0803000100000000'), 'field-value'],
      ['an identity with a line feed', packet('04036a0a6b000000'), 'field-value'],
      ['an identity that is no UTF-8', packet('0402c328'), 'field-value'],
      ['a reject cause of one octet', packet('020101ff'), 'field-value'],
      ['a list that promises more than it has', packet('0f0902036162630500000000'), 'field-value'],
      ['a list of 255 users', packet('0f02ff00'), 'field-value'],
      ['a location cut short', packet('130201ff'), 'field-value'],
      ['track info with a type beyond its end', packet('0b0200ff'), 'field-value'],
      ['33 fields', packet(good.repeat(33)), 'too-many-fields'],
      ['a datagram of 5000 octets', new Uint8Array(5000), 'too-long'],
    ];
    for (const [what, octets, reason] of cases) {
      it(what, () => assert.ok(droppedFor(octets).includes(reason), droppedFor(octets).join()));
    }

    it('the ninth message of a datagram', () => {
      const octets = concatBytes(...Array.from({ length: 9 }, () => packet(good)));
      const { messages, dropped } = readFloorDatagram(octets);
      assert.equal(messages.length, DEFAULT_FLOOR_LIMITS.messages);
      assert.deepEqual(dropped, ['too-many-messages']);
    });
  });

  describe('tolerates, where the partner’s settings allow it', () => {
    it('field identifiers of early Release 13', () => {
      const octets = packet('6602070067020005' + '6a047369703a0000');
      const { priority, duration, grantedParty } = only(octets);
      assert.deepEqual(
        { priority, duration, grantedParty },
        {
          priority: 7,
          duration: 5,
          grantedParty: 'sip:',
        },
      );
      assert.equal(only(octets, STRICT).others.length, 3);
    });

    it('zeros that a text counts as its own', () => {
      const octets = packet('06067369703a0000');
      assert.equal(only(octets).userId, 'sip:');
      assert.deepEqual(droppedFor(octets, STRICT), ['field-value']);
    });

    it('words of zeros between fields', () => {
      const octets = packet('000000000802000100000000');
      assert.equal(only(octets).sequenceNumber, 1);
      assert.deepEqual(droppedFor(octets, STRICT), ['field-value']);
    });
  });

  it('reads a list of SSRCs with one spare octet and with two, and writes as the code point says', () => {
    const message = sample({ type: 'taken', mediaSsrcs: [1, 2] });
    for (const ssrcListSpare of [1, 2] as const) {
      const codePoints = { ...DEFAULT_FLOOR_CODE_POINTS, ssrcListSpare };
      const octets = writeFloorMessage(message, { ...DEFAULT_FLOOR_CODEC, codePoints });
      assert.equal(octets[13], 9 + ssrcListSpare);
      assert.deepEqual(only(octets, STRICT), message);
    }
  });

  it('shows a reject phrase without what could break a log line', () => {
    const phrase = utf8('no\u0007\r\nX: y\u202e');
    const value = concatBytes(fromHex('0001'), phrase);
    const message = only(
      packet(
        toHex(
          concatBytes(
            fromHex('02'),
            Uint8Array.of(value.length),
            value,
            new Uint8Array(-(value.length + 2) & 3),
          ),
        ),
      ),
    );
    assert.deepEqual(message.rejectCause, { cause: 1, phrase: 'no   X: y ' });
  });

  it('refuses to write what does not fit, or asks for an acknowledgement where none is asked for', () => {
    const bad: readonly FloorMessage[] = [
      sample({ type: 'request', priority: 256 }),
      sample({ type: 'granted', duration: 65_536 }),
      sample({ type: 'taken', grantedParty: `sip:${'x'.repeat(252)}` }),
      sample({ type: 'taken', grantedParty: 'sip:a\n' }),
      sample({
        type: 'request',
        location: { kind: 'ecgi', plmn: new Uint8Array(3), cell: 2 ** 28 },
      }),
      sample({ type: 'request', location: { kind: 'plmn', plmn: new Uint8Array(2) } }),
      sample({ type: 'request', ackRequired: true }),
      sample({ type: 'revoke', ackRequired: true }),
    ];
    for (const message of bad) {
      assert.throws(() => writeFloorMessage(message), { code: 'SEGY_E_ARGUMENT' });
    }
  });

  it('has every tolerance on unless the operator says otherwise', () => {
    assert.deepEqual(DEFAULT_FLOOR_CODEC.tolerances, ALL_FLOOR_TOLERANCES);
  });
});
