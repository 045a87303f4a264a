/** The floor control of a new call, where the partner's profile has any. */
import { CallFloor } from '../push-to-talk/call-floor.js';
import type { Call } from './call.js';
import { NO_WISHES, wishesOfRequest } from '../push-to-talk/floor-wishes.js';
import type { GroupMedia } from '../groups/group-media.js';
import type { CallMediaSession } from '../ports/media-port.js';

export function floorOf(
  call: Call,
  session: CallMediaSession,
  group: GroupMedia | null,
): CallFloor | null {
  const { partner, deps } = call;
  const { floor } = deps;
  if (floor === undefined || partner.floor === undefined) return null;
  const fromRadio = call.callerSide === 'inner';
  const user = fromRadio ? call.names.caller : call.names.callee;
  return new CallFloor(
    {
      session,
      config: partner.floor,
      keys: () => floor.keys(partner),
      userId: call.group === null || fromRadio ? user : (group?.speaker ?? null),
      id: call.id,
      log: deps.env.log,
      metrics: deps.env.metrics,
    },
    { ...(fromRadio ? wishesOfRequest(call.invite) : NO_WISHES), level: call.level },
  );
}
