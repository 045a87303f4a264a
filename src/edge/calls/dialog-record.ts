/** The record on disk of a call's dialog with the MC side: what a BYE after a restart needs. */
import type { SipTarget } from '../../sip/index.js';
import type { Call } from './call.js';
import type { DialogRecord } from '../dependencies.js';

/** Writes or renews the record of an answered call; it follows the CSeq of our requests. */
export async function keepRecord(call: Call): Promise<void> {
  const dialog = call.answered?.outer;
  if (dialog === undefined) return;
  const record: DialogRecord = {
    sessionId: call.id,
    partner: call.partner.name,
    callId: dialog.callId,
    local: `${dialog.local};tag=${dialog.localTag}`,
    remote: `${dialog.remote};tag=${dialog.remoteTag}`,
    remoteTarget: dialog.remoteTarget,
    routeSet: dialog.routeSet,
    target: durable(dialog.target),
    cseq: dialog.highestSent,
  };
  await call.deps.records.put(record);
}

/** A target without the connection, which does not outlive the process. */
function durable(target: SipTarget): SipTarget {
  const { protocol, address, port, serverName } = target;
  return { protocol, address, port, ...(serverName === undefined ? {} : { serverName }) };
}
