/**
 * What may be passed to a PBX.
 */
import { SegyError } from '../base/errors.js';
import type { PbxVariables } from '../edge/ports/pbx-port.js';

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

/** The SIP statuses a call may be refused with. @throws SegyError SEGY_E_ARGUMENT for another */
export function checkSipStatus(status: number): void {
  if (!Number.isInteger(status) || status < 400 || status > 699) {
    throw new SegyError('SEGY_E_ARGUMENT', 'a refusal has a SIP status from 400 to 699');
  }
}
