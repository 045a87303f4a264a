/**
 * MESSAGE and NOTIFY that bring group keys: every I_MESSAGE in the body goes to the pseudo clients,
 * one after the other. The answer is 200 when each was taken or changes nothing, else the refusal
 * of the first that was not; what was taken stays, so that the sender may simply send again.
 */
import { SegyError, toSegyError } from '../base/errors.js';
import type { PartnerConfig } from '../config/index.js';
import type { ServerTransaction } from '../sip/index.js';
import { bodyOf } from './bodies.js';
import type { EdgeDependencies } from './dependencies.js';
import { requireGroups } from './group-in.js';
import { carriedKeys, type CarriedKey } from './key-bodies.js';
import type { Refusals } from './refusal.js';

/** Methods that may bring keys. */
export const KEY_METHODS: readonly string[] = ['MESSAGE', 'NOTIFY'];

/** Takes the keys of a request of `partner` and answers it; never throws later than at once. */
export function takeKeys(
  deps: EdgeDependencies,
  refusals: Refusals,
  uas: ServerTransaction,
  partner: PartnerConfig,
): void {
  const { request } = uas;
  const body = bodyOf(request);
  const keys = body === null ? [] : carriedKeys(body, partner.codePoints);
  if (keys.length === 0 && request.method === 'MESSAGE') {
    throw new SegyError('SEGY_E_SIP_BODY', 'the MESSAGE carries no I_MESSAGE');
  }
  takeAll(deps, uas, partner, keys)
    .then((refusal) => {
      if (refusal === null) {
        uas.respond(refusals.plain(request, 200));
        return;
      }
      refusals.note('outer', uas.source.address, refusal, request.method);
      uas.respond(refusals.response(request, 'outer', refusal, partner));
    })
    .catch((error: unknown) => {
      deps.env.log.error('keys.answer.failed', { message: toSegyError(error).message });
    });
}

/** @returns the first refusal; null when there was none */
async function takeAll(
  deps: EdgeDependencies,
  uas: ServerTransaction,
  partner: PartnerConfig,
  keys: readonly CarriedKey[],
): Promise<SegyError | null> {
  const groups = requireGroups(deps);
  const { log, metrics } = deps.env;
  let refusal: SegyError | null = null;
  for (const { message, group } of keys) {
    try {
      const { result, keyId } = await groups.take({ message, partner, group });
      metrics.count('segy_group_keys_total', { partner: partner.name, result });
      log.info('keys.taken', { partner: partner.name, method: uas.request.method, keyId, result });
    } catch (error) {
      refusal ??= toSegyError(error);
    }
  }
  return refusal;
}
