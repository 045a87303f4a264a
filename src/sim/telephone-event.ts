/** Dialled digits as telephone-events (RFC 4733): the payloads of one digit, and reading them. */

const DIGITS = '0123456789*#ABCD';
/** Payload type we offer for telephone-event/8000. */
export const TELEPHONE_EVENT_TYPE = 101;
export const TELEPHONE_EVENT_RATE = 8000;
const SAMPLES_PER_FRAME = 160;
const FRAMES = 8;
/** How often the end of an event is told. */
const END_REPEATS = 3;
const END_BIT = 0x80;
const VOLUME = 10;

/** Payloads of one digit, one each 20 ms; all have the timestamp of the first. */
export function eventPayloads(digit: string): Uint8Array[] {
  const event = DIGITS.indexOf(digit);
  const payload = (frames: number, end: boolean): Uint8Array => {
    const duration = frames * SAMPLES_PER_FRAME;
    return Uint8Array.of(event, (end ? END_BIT : 0) | VOLUME, duration >> 8, duration & 0xff);
  };
  return [
    ...Array.from({ length: FRAMES }, (_, i) => payload(i + 1, false)),
    ...Array.from({ length: END_REPEATS }, () => payload(FRAMES, true)),
  ];
}

/** The digit that `payload` ends; undefined while it lasts, and for what is no event of a digit. */
export function endedDigit(payload: Uint8Array): string | undefined {
  const [event, flags] = payload;
  if (payload.length < 4 || event === undefined || flags === undefined) return undefined;
  return (flags & END_BIT) === 0 ? undefined : DIGITS[event];
}
