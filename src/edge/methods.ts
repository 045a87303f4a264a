/** Which methods the edge takes of whom, outside the dialogs of calls and in them. */
import { SegyError } from '../base/errors.js';
import type { PartnerConfig } from '../config/index.js';
import type { EdgeDependencies, Side } from './dependencies.js';
import { KEY_METHODS, methodsWith, takesTransfers, type Transferable } from './messages/methods.js';

export type MethodsKnown = Pick<EdgeDependencies, 'groups' | 'notifier' | 'partners'>;

/**
 * What Allow says to who asks outside a dialog: all methods that it may use, here or in a call.
 * @param partner who asks; undefined for the PBX
 */
export function methodsFor(
  { groups, notifier, partners }: MethodsKnown,
  side: Side,
  partner: PartnerConfig | undefined,
): readonly string[] {
  const asking = partner === undefined ? partners : [partner];
  const isOuter = side === 'outer';
  return [
    ...new Set([
      ...methodsWith(asking.some(({ refer }) => refer === 'pass')),
      ...(isOuter && groups !== undefined ? KEY_METHODS : []),
      ...(isOuter && notifier !== undefined ? ['SUBSCRIBE'] : []),
    ]),
  ];
}

/** What Allow says in a dialog of `call`. */
export function methodsIn(call: Transferable): readonly string[] {
  return methodsWith(takesTransfers(call));
}

/**
 * Why a request of no dialog is not taken. A REFER outside a call would have the gateway place calls of
 * its own; what is taken in dialogs alone came too late, or is lost.
 * @param allowed what `methodsFor` says to its sender
 */
export function refusalOutside(method: string, allowed: readonly string[]): SegyError {
  if (method === 'REFER') {
    return new SegyError('SEGY_E_REFER_REFUSED', 'a REFER outside a call is not taken');
  }
  return allowed.includes(method)
    ? new SegyError('SEGY_E_SIP_NO_DIALOG', 'the method is taken within a dialog alone')
    : new SegyError('SEGY_E_SIP_METHOD', 'the method is not taken outside a dialog');
}
