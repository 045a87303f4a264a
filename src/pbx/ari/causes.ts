/**
 * ITU-T Q.850 causes by which Asterisk's PJSIP channel driver ends an unanswered call with a given SIP
 * status.
 */
const CAUSES = new Map<number, number>([
  [403, 21],
  [404, 1],
  [408, 18],
  [410, 22],
  [480, 19],
  [484, 28],
  [486, 17],
  [488, 58],
  [500, 38],
  [501, 29],
  [502, 27],
  [503, 42],
  [603, 21],
  [604, 1],
]);

/** The cause for `sipStatus`, or for the nearest status there is one for. */
export function causeOfSipStatus(sipStatus: number): number {
  const cause = CAUSES.get(sipStatus);
  if (cause !== undefined) return cause;
  if (sipStatus >= 600) return 21;
  return sipStatus >= 500 ? 38 : 31;
}
