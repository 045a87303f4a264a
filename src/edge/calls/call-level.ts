/** How urgent a call is, where a later request of the MC side says it anew (TS 24.379 F.1). */
import { toSegyError } from '../../base/errors.js';
import type { SipRequest } from '../../sip/index.js';
import { bodyOf, contentOf } from '../messages/bodies.js';
import type { Call } from './call.js';
import { MCPTT_INFO_TYPE, readMcpttInfo } from '../messages/mcptt-info.js';

/** A re-INVITE with mcptt-info sets the call's level; one without it says nothing about it. */
export function takeLevel(call: Call, request: SipRequest): void {
  const xml = contentOf(bodyOf(request), MCPTT_INFO_TYPE);
  if (xml === null) return;
  const { level } = readMcpttInfo(xml);
  if (level === call.level) return;
  call.level = level;
  call.media?.floor?.setLevel(level);
  call.deps.env.log.info('call.level', { session: call.id, level });
  const { channel } = call;
  if (channel === null || channel.gone) return;
  channel
    .tell('segy_priority', { SEGY_PRIORITY: level, SEGY_SESSION: call.id })
    .catch((error: unknown) => {
      const reason = toSegyError(error).message;
      call.deps.env.log.debug('call.level.untold', { session: call.id, reason });
    });
}
