import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../src/base/bytes.js';
import {
  DEFAULT_FLOOR_CODE_POINTS,
  DEFAULT_FLOOR_CODEC,
  PRE_ESTABLISHED_REASON,
  type PreEstablishedMessage,
  readFloorDatagram,
  refusePreEstablished,
  SESSION_TYPE,
  writePreEstablished,
} from '../../src/floor/index.js';

const CONNECT: PreEstablishedMessage = {
  type: 'connect',
  ackRequired: true,
  ssrc: 7,
  sessionIdentity: { sessionType: SESSION_TYPE.prearranged, uri: 'sip:session-1@mc-a.example.org' },
  mediaStreams: { media: 1, control: 2 },
  warningText: 'attention',
  groupIdentity: 'sip:fire@mc-a.example.org',
  answerState: 1,
  invitingUser: 'sip:alice@mc-a.example.org',
  pckMessage: new Uint8Array(400).fill(3),
  others: [{ id: 40, value: fromHex('01') }],
};

describe('Pre-established session control (TS 24.380 8.3)', () => {
  it('survives writing and reading, an I_MESSAGE of a PCK too', () => {
    for (const message of [
      CONNECT,
      { ...CONNECT, type: 'disconnect' as const, ackRequired: false },
      { ...CONNECT, type: 'acknowledgement' as const, reasonCode: 4 },
    ]) {
      const octets = writePreEstablished(message);
      assert.deepEqual(readFloorDatagram(octets).preEstablished, [message]);
      assert.equal(toHex(octets.subarray(8, 12)), '4d435043');
    }
  });

  it('a Connect is refused with “not accepted” and the identity of its session', () => {
    const answer = refusePreEstablished(CONNECT, 99);
    assert.deepEqual(answer, {
      type: 'acknowledgement',
      ackRequired: false,
      ssrc: 99,
      sessionIdentity: CONNECT.sessionIdentity,
      reasonCode: PRE_ESTABLISHED_REASON.notAccepted,
      others: [],
    });
    assert.equal(toHex(writePreEstablished(answer)).slice(0, 24), '82cc000c000000634d435043');
  });

  it('a Disconnect is acknowledged, an Acknowledgement gets no answer', () => {
    const { accepted } = PRE_ESTABLISHED_REASON;
    assert.equal(refusePreEstablished({ ...CONNECT, type: 'disconnect' }, 1)?.reasonCode, accepted);
    assert.equal(refusePreEstablished({ ...CONNECT, type: 'acknowledgement' }, 1), null);
  });

  it('field identifiers are those of the code points', () => {
    const codePoints = { ...DEFAULT_FLOOR_CODE_POINTS, reasonCode: 77 };
    const settings = { ...DEFAULT_FLOOR_CODEC, codePoints };
    const octets = writePreEstablished(refusePreEstablished(CONNECT, 1)!, settings);
    assert.equal(readFloorDatagram(octets, settings).preEstablished[0]?.reasonCode, 2);
    assert.equal(readFloorDatagram(octets).preEstablished[0]?.reasonCode, undefined);
  });

  it('what is malformed is dropped with a reason', () => {
    const head = (subtype: string, words: string): string => `${subtype}cc${words}000000074d435043`;
    const cases = [
      [head('83', '0002'), 'message-type'],
      [head('80', '0003') + '01000000', 'field-value'],
      [head('80', '0003') + '06010000', 'field-value'],
      [head('80', '0003') + 'c0ffff00', 'field-truncated'],
    ];
    for (const [octets, reason] of cases) {
      assert.deepEqual(readFloorDatagram(fromHex(octets!)).dropped, [reason]);
    }
  });
});
