/**
 * FreeSWITCH hang-up causes by which mod_sofia ends an unanswered call with a given SIP status.
 */
const CAUSES = new Map<number, string>([
  [403, 'INCOMING_CALL_BARRED'],
  [404, 'UNALLOCATED_NUMBER'],
  [408, 'NO_USER_RESPONSE'],
  [410, 'NUMBER_CHANGED'],
  [480, 'NO_ANSWER'],
  [484, 'INVALID_NUMBER_FORMAT'],
  [486, 'USER_BUSY'],
  [488, 'INCOMPATIBLE_DESTINATION'],
  [501, 'FACILITY_REJECTED'],
  [502, 'DESTINATION_OUT_OF_ORDER'],
  [503, 'NORMAL_TEMPORARY_FAILURE'],
  [504, 'RECOVERY_ON_TIMER_EXPIRE'],
  [600, 'BUSY_EVERYWHERE'],
  [603, 'CALL_REJECTED'],
  [604, 'DOES_NOT_EXIST_ANYWHERE'],
]);

/** The cause for `sipStatus`, or for the nearest status there is one for. */
export function causeOfSipStatus(sipStatus: number): string {
  const cause = CAUSES.get(sipStatus);
  if (cause !== undefined) return cause;
  if (sipStatus >= 600) return 'CALL_REJECTED';
  return sipStatus >= 500 ? 'NORMAL_TEMPORARY_FAILURE' : 'NORMAL_UNSPECIFIED';
}
