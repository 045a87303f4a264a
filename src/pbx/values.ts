/**
 * What may be passed to a PBX, and how a SIP status becomes a release cause.
 */
import { SegyError } from '../base/errors.js';
import type { PbxVariables } from '../edge/ports.js';

const NAME = /^SEGY_[A-Z0-9_]{1,40}$/;
/** Holds nothing that a dialplan, an expression or a control protocol gives a meaning to. */
const VALUE = /^[A-Za-z0-9+._@:-]{0,512}$/;

/**
 * Checks every name and value before the first is set.
 * @throws SegyError SEGY_E_ARGUMENT for a name, SEGY_E_BAD_IDENTITY for a value; neither is quoted, since
 *   it may come from outside
 */
export function checkVariables(variables: PbxVariables): void {
  for (const [name, value] of Object.entries(variables)) {
    if (!NAME.test(name)) {
      throw new SegyError('SEGY_E_ARGUMENT', 'a channel variable is not named SEGY_*');
    }
    if (!VALUE.test(value)) {
      throw new SegyError(
        'SEGY_E_BAD_IDENTITY',
        `the value for ${name} is too long or holds a character that no PBX may get`,
      );
    }
  }
}

/** An identifier that a PBX gave us, before it is put into a command to it. */
export function checkChannelId(id: string): string {
  if (!/^[A-Za-z0-9._:@-]{1,128}$/.test(id)) {
    throw new SegyError(
      'SEGY_E_PBX',
      'the PBX named a channel by an identifier of unexpected form',
    );
  }
  return id;
}

/**
 * ITU-T Q.850 cause that both PBXs turn into `sipStatus` when an unanswered channel is ended with it,
 * or into the nearest status there is.
 */
export function causeOfSipStatus(sipStatus: number): number {
  const cause = CAUSES.get(sipStatus);
  if (cause !== undefined) return cause;
  if (sipStatus >= 600) return 21;
  return sipStatus >= 500 ? 38 : 31;
}

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
