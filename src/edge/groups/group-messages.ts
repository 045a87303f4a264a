/**
 * MESSAGE and NOTIFY that bring group keys: every I_MESSAGE in the body goes to the pseudo clients,
 * one after the other. The answer is 200 when each was taken or changes nothing, else the refusal
 * of the first that was not; what was taken stays, so that the sender may simply send again.
 */
import { SegyError, toSegyError } from '../../base/errors.js';
import type { PartnerConfig } from '../../config/index.js';
import type { ServerTransaction } from '../../sip/index.js';
import type { XmlLimits } from '../../xml/index.js';
import { bodyOf } from '../messages/bodies.js';
import { requireGroups, type EdgeDependencies } from '../dependencies.js';
import { carriedKeys, DOCUMENT_LIMITS, keysOfDocument, type Carried } from './key-bodies.js';
import type { Refusals } from '../messages/refusal.js';

/** What of the edge's dependencies takes keys. */
export type KeyTaking = Pick<EdgeDependencies, 'env' | 'groups'>;

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
  takeAll({ ...deps, groups: requireGroups(deps) }, request.method, partner, keys)
    .then((refusal) => {
      if (refusal === null) {
        uas.respond(refusals.plain(request, 200));
        return;
      }
      const { code, message } = refusal;
      deps.alarms?.raise('group-key-refused', partner.name, `${code} ${message}`);
      refusals.note('outer', uas.source.address, refusal, request.method);
      uas.respond(refusals.response(request, 'outer', refusal, partner));
    })
    .catch((error: unknown) => {
      deps.env.log.error('keys.answer.failed', { message: toSegyError(error).message });
    });
}

/**
 * Takes the keys of a group key transport document that came otherwise than in SIP, such as by an
 * XCAP GET at the partner's GMS. Each key goes through the same checks and counts alone.
 * @returns the first refusal; null when each key was taken or changes nothing
 * @throws SegyError SEGY_E_XML, SEGY_E_SIP_TOO_LARGE, SEGY_E_CALL_TYPE; no key taken
 */
export async function takeKeyDocument(
  deps: KeyTaking,
  partner: PartnerConfig,
  document: Uint8Array,
): Promise<SegyError | null> {
  const limits: XmlLimits =
    partner.groupDocuments?.xmlComments === true
      ? { ...DOCUMENT_LIMITS, comments: 'passed over' }
      : DOCUMENT_LIMITS;
  const keys = keysOfDocument(document, partner.codePoints, limits);
  return takeAll({ ...deps, groups: requireGroups(deps) }, 'document', partner, keys);
}

/** @returns the first refusal; null when there was none */
async function takeAll(
  { env: { log, metrics }, groups }: Required<KeyTaking>,
  method: string,
  partner: PartnerConfig,
  keys: readonly Carried[],
): Promise<SegyError | null> {
  let refusal: SegyError | null = null;
  for (const carried of keys) {
    if (carried instanceof SegyError) {
      refusal ??= carried;
      continue;
    }
    const { message, group, constituent } = carried;
    try {
      const taken = await groups.take({ message, partner, group, constituent });
      const { result, keyId } = taken;
      metrics.count('segy_group_keys_total', { partner: partner.name, result });
      log.info('keys.taken', { partner: partner.name, method, keyId, result });
      if (taken.groups.length === 0 && result !== 'replayed') {
        log.warn('keys.without.group', { partner: partner.name, method, keyId });
      }
    } catch (error) {
      refusal ??= toSegyError(error);
    }
  }
  return refusal;
}
