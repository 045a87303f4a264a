/** One message of every type with every field it can carry, for the tests of the codec. */
import {
  FLOOR_INDICATOR,
  FLOOR_SOURCE,
  type FloorLocation,
  type FloorMessage,
} from '../../src/floor/index.js';

export const ALICE = 'sip:alice@mc-a.example.org';
export const RADIO = 'sip:radio-7@segy.gw.example.net';

const TRACK = { queueingCapability: 1, participantType: 'IWF-1', references: [7, 0xfffffffe] };
const PLMN = Uint8Array.of(0x62, 0xf2, 0x10);

export function sample(message: Partial<FloorMessage> & Pick<FloorMessage, 'type'>): FloorMessage {
  return { ackRequired: false, ssrc: 0x11223344, others: [], ...message };
}

export const SAMPLES: readonly FloorMessage[] = [
  sample({
    type: 'request',
    priority: 5,
    userId: RADIO,
    trackInfo: TRACK,
    indicator: FLOOR_INDICATOR.emergencyCall,
    functionalAlias: 'sip:duty-officer@segy.gw.example.net',
    location: { kind: 'ecgi', plmn: PLMN, cell: 0x0abcdef },
  }),
  sample({
    type: 'granted',
    ackRequired: true,
    duration: 30,
    mediaSsrc: 0xdeadbeef,
    priority: 9,
    userId: RADIO,
    queueSize: 2,
    queuedUserId: ALICE,
    queueInfo: { position: 2, priority: 4 },
    trackInfo: TRACK,
    indicator: FLOOR_INDICATOR.dualFloor,
  }),
  sample({
    type: 'taken',
    ackRequired: true,
    grantedParty: ALICE,
    permissionToRequest: true,
    userId: RADIO,
    sequenceNumber: 0xfffe,
    trackInfo: TRACK,
    indicator: FLOOR_INDICATOR.imminentPerilCall,
    mediaSsrc: 0x01020304,
    functionalAlias: 'sip:chief@mc-a.example.org',
    location: { kind: 'coordinates', latitude: 0x123456, longitude: 0x234567 },
  }),
  sample({
    type: 'taken',
    grantedUsers: [ALICE, RADIO],
    mediaSsrcs: [0x01020304, 0x05060708],
    functionalAliases: ['sip:chief@mc-a.example.org', ''],
    permissionToRequest: false,
    indicator: FLOOR_INDICATOR.multiTalker,
  }),
  sample({ type: 'taken', locations: [{ kind: 'mbsfnArea', area: 3 }, { kind: 'notProvided' }] }),
  sample({
    type: 'deny',
    ackRequired: true,
    rejectCause: { cause: 7, phrase: 'Queue full' },
    userId: RADIO,
    indicator: FLOOR_INDICATOR.normalCall,
  }),
  sample({
    type: 'release',
    ackRequired: true,
    userId: RADIO,
    trackInfo: TRACK,
    indicator: 0x2000,
  }),
  sample({
    type: 'idle',
    ackRequired: true,
    sequenceNumber: 1,
    indicator: FLOOR_INDICATOR.queueingSupported,
  }),
  sample({
    type: 'revoke',
    rejectCause: { cause: 4, phrase: 'pré-empté' },
    indicator: FLOOR_INDICATOR.broadcastGroup,
  }),
  sample({ type: 'queuePositionRequest', userId: RADIO }),
  sample({
    type: 'queuePositionInfo',
    ackRequired: true,
    userId: RADIO,
    queuedUserId: RADIO,
    queueInfo: { position: 255, priority: 1 },
    mediaSsrc: 0x99887766,
    indicator: FLOOR_INDICATOR.temporaryGroup,
  }),
  sample({ type: 'ack', source: FLOOR_SOURCE.participant, acknowledged: 1, trackInfo: TRACK }),
  sample({ type: 'unicastMediaFlowControl', ackRequired: true, mediaFlowControl: 1 }),
  sample({
    type: 'queuedFloorRequests',
    ackRequired: true,
    queuedPurpose: 2,
    queuedUsers: Uint8Array.of(1, 3, 0x61, 0x62, 0x63),
    responseState: 1,
  }),
  sample({ type: 'deny', rejectCause: { cause: 255 } }),
  sample({ type: 'releaseMultiTalker', userId: ALICE, mediaSsrc: 0x01020304 }),
];

export const LOCATIONS: readonly FloorLocation[] = [
  { kind: 'notProvided' },
  { kind: 'ecgi', plmn: PLMN, cell: 0x0abcdef },
  { kind: 'trackingArea', plmn: PLMN, code: 0x1234 },
  { kind: 'plmn', plmn: PLMN },
  { kind: 'mbmsServiceArea', area: 0x4321 },
  { kind: 'mbsfnArea', area: 200 },
  { kind: 'coordinates', latitude: 0x123456, longitude: 0x654321 },
  { kind: 'other', type: 77, value: Uint8Array.of(1, 2, 3) },
];
