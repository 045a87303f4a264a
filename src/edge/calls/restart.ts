/**
 * After a restart no session is resumed: its keys are gone. The MC side gets BYE for every dialog
 * on record, the PBX channels of the earlier run are hung up.
 */
import { toSegyError } from '../../base/errors.js';
import type { DialogRecord, EdgeDependencies } from '../dependencies.js';
import { buildRequest } from '../messages/dialog.js';

/** Starts at which an unanswered BYE is repeated before the dialog is given up. */
const MAX_ATTEMPTS = 3;

/** Sends BYE for each record and removes it when any answer came, or at the last attempt. */
export async function endRecordedDialogs(deps: EdgeDependencies): Promise<void> {
  const records = await deps.records.all();
  await Promise.all(records.map((record) => endRecordedDialog(deps, record)));
}

async function endRecordedDialog(deps: EdgeDependencies, record: DialogRecord): Promise<void> {
  const known = deps.partners.some(({ name }) => name === record.partner);
  const attempts = (record.attempts ?? 0) + 1;
  if (!known || (await answersBye(deps, record)) || attempts >= MAX_ATTEMPTS) {
    await deps.records.remove(record.sessionId);
  } else {
    await deps.records.put({ ...record, cseq: record.cseq + 1, attempts });
  }
}

/** Says BYE in the dialog on record. @returns true when the partner gave a final answer */
async function answersBye(deps: EdgeDependencies, record: DialogRecord): Promise<boolean> {
  const { log } = deps.env;
  try {
    const bye = buildRequest({
      method: 'BYE',
      cseq: record.cseq + 1,
      callId: record.callId,
      from: record.local,
      to: record.remote,
      remoteTarget: record.remoteTarget,
      routeSet: record.routeSet,
    });
    const transaction = deps.outer.request(bye, record.target);
    await new Promise<void>((resolve, reject) => {
      transaction.onFinal = () => resolve();
      transaction.onError = reject;
    });
    log.info('restart.bye', { session: record.sessionId, partner: record.partner });
    return true;
  } catch (error) {
    const { code, message } = toSegyError(error);
    log.warn('restart.bye.failed', { session: record.sessionId, code, message });
    return false;
  }
}

/**
 * Hangs up the PBX channels that still carry a session of the earlier run.
 * @returns false when the PBX could not be asked
 */
export async function hangUpOrphans(deps: EdgeDependencies): Promise<boolean> {
  const { log } = deps.env;
  try {
    const count = await deps.pbx.hangUpOrphans();
    if (count > 0) log.info('restart.orphans', { count });
    return true;
  } catch (error) {
    const { code, message } = toSegyError(error);
    log.warn('restart.orphans.failed', { code, message });
    return false;
  }
}
