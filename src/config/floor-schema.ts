/**
 * Floor control with one partner (TS 24.380): whether the MCPTT line is offered, under which key it
 * is protected (TS 33.180 clause 9.4), what is negotiated, and how a radio keys and is told.
 */
import { z } from 'zod';
import { sharedKeySchema } from './shared-key-schema.js';
import { ipAddress, octet } from './values.js';

const priority = octet.min(1);
const digits = z.string().regex(/^[0-9*#A-D]{1,4}$/, 'one to four of 0-9 * # A-D');
const milliseconds = z.number().int().min(10).max(600_000);
const count = z.number().int().min(1).max(20);

/** How a radio's key reaches the gateway. */
const KEYING_SOURCES = ['level', 'events', 'dtmf', 'variable', 'talk'] as const;

/** What the text of TS 24.380 leaves open, where the partner has it otherwise than src/floor. */
const codePointsSchema = z
  .strictObject({
    ssrcListSpare: z.union([z.literal(1), z.literal(2)]).optional(),
    notQueued: octet.optional(),
    positionUnknown: octet.optional(),
    ackNamesAckBit: z.boolean().optional(),
  })
  .prefault({});

/** What of a partner's messages is let pass that the text does not allow. */
const tolerancesSchema = z
  .strictObject({
    earlyFieldIds: z.boolean().default(true),
    trailingZeros: z.boolean().default(true),
    zeroWords: z.boolean().default(true),
  })
  .prefault({});

/** Timers and counters of TS 24.380 clause 11, in milliseconds. */
const timersSchema = z
  .strictObject({
    /** Floor Release, repeated until it is answered */
    t100: milliseconds.default(1000),
    c100: count.default(3),
    /** Floor Request */
    t101: milliseconds.default(1000),
    c101: count.default(3),
    /** no more speech comes from the MC side */
    t103: milliseconds.default(4000),
    /** Floor Queue Position Request */
    t104: milliseconds.default(1000),
    c104: count.default(3),
    /** granted from the queue, and the radio does not key */
    t132: milliseconds.default(2000),
  })
  .prefault({});

const keyingSchema = z
  .strictObject({
    /**
     * `level`: speech in the RTP from the PBX; `events`: telephone-events there; `dtmf`, `talk`:
     * what the PBX reports; `variable`: SEGY_PTT, set by the dialplan
     */
    source: z.enum(KEYING_SOURCES).default('level'),
    /** digits of `events` and `dtmf`; the same twice: each one toggles */
    on: digits.default('*'),
    off: digits.default('#'),
    /** of `level`: dB below full scale from which on it is speech */
    thresholdDb: z.number().min(-90).max(0).default(-40),
    /** speech must last so long before it keys */
    attackMs: z.number().int().min(0).max(500).default(40),
    /** silence must last so long before the key is released */
    hangMs: z.number().int().min(20).max(10_000).default(800),
  })
  .refine((keying) => keying.on === keying.off || !keying.on.startsWith(keying.off), {
    path: ['off'],
    message: 'the digits of `on` begin with those of `off`',
  });

/** Digits that the radio trunk gets when something becomes of the floor, as telephone-events. */
const tellDigitsSchema = z
  .strictObject({
    granted: digits.optional(),
    denied: digits.optional(),
    queued: digits.optional(),
    revoked: digits.optional(),
    taken: digits.optional(),
    idle: digits.optional(),
  })
  .prefault({});

export const floorSchema = z.strictObject({
  /** calls from the radio side offer floor control; the partner's own offers are always answered */
  offer: z.boolean().default(true),
  /** what protects floor control; `none` only where calls may be clear */
  protection: z.enum(['spk', 'csk', 'none']).default('spk'),
  csks: z.array(sharedKeySchema('CSK', 2)).max(8).default([]),
  queueing: z.boolean().default(true),
  /** a call may begin with the floor (mc_granted) */
  granted: z.boolean().default(true),
  /** a call from the radio side asks for the floor by its INVITE; else X-SeGy-PTT decides */
  implicitRequest: z.boolean().default(false),
  /** Floor Priority of a request; the highest one is negotiated as mc_priority */
  priorities: z
    .strictObject({
      normal: priority.default(5),
      imminentPeril: priority.default(200),
      emergency: priority.default(255),
    })
    .prefault({}),
  keying: keyingSchema.prefault({}),
  /** speech of the radio that waits for the grant, in milliseconds */
  holdBackMs: z.number().int().min(0).max(2000).default(500),
  /** speech of the MC side that came before its Floor Taken, in milliseconds */
  listenBackMs: z.number().int().min(0).max(500).default(200),
  /** in the queue an unkeyed radio keeps its place, or leaves */
  unkeyedInQueue: z.enum(['stays', 'leaves']).default('leaves'),
  /** ask for a Floor Ack of our Floor Release */
  releaseWantsAck: z.boolean().default(false),
  /** only the SSRC that a Floor Taken names is heard */
  bindSsrc: z.boolean().default(true),
  /** seconds of one talk burst that the gateway allows; null: what the grant says */
  talkLimitSeconds: z.number().int().min(1).max(3600).nullable().default(null),
  timers: timersSchema,
  /** floor messages of one call that are opened in a second */
  messagesPerSecond: z.number().int().min(10).max(10_000).default(200),
  tellDigits: tellDigitsSchema,
  codePoints: codePointsSchema,
  tolerances: tolerancesSchema,
  /** an interworking function that gets the MC side's floor messages in clear */
  forwardTo: z
    .strictObject({
      address: ipAddress,
      port: z.number().int().min(1).max(65_535),
    })
    .optional(),
});

export type FloorConfig = z.output<typeof floorSchema>;
export type KeyingSource = (typeof KEYING_SOURCES)[number];
