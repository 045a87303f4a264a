/** The variables that tell the dialplan what it carries. */
import type { PbxVariables } from '../ports/pbx-port.js';
import type { Call } from './call.js';
import type { CallMedia } from './call-media.js';

export function callVariables(call: Call, media: CallMedia): PbxVariables {
  const { keyId } = media;
  return {
    SEGY_STATUS: media.isClear ? 'CLEAR' : 'SECURE',
    SEGY_CALL_TYPE: call.group === null ? 'private' : 'group',
    SEGY_CALLER: call.names.caller,
    SEGY_CALLED: call.names.callee,
    SEGY_PARTNER: call.partner.name,
    ...(call.group === null ? {} : { SEGY_GROUP: call.group }),
    ...(keyId === null ? {} : { SEGY_KEY_ID: keyId }),
    SEGY_PRIORITY: call.level,
    SEGY_SESSION: call.id,
  };
}
