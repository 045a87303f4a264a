/** What is in the files by which a partner's security tokens and clients are known. */
import { systemClock } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import { locate } from '../config/index.js';
import type { ConfigFinding, SegyConfig } from '../config/index.js';
import { makePartner } from '../idm/index.js';
import { readTlsFile } from './tls-files.js';

/** Files that are there and hold no key set, or no authority. @param text for the lines */
export function checkTokenFiles({ partners }: SegyConfig, text: string): ConfigFinding[] {
  return partners.flatMap(({ name, codePoints, securityTokens }, index) => {
    if (securityTokens === undefined) return [];
    try {
      makePartner(
        { name, codePoints, securityTokens, hasUser: () => false },
        {
          clock: systemClock,
          readFile: readTlsFile,
          fetch: () => Promise.reject(new SegyError('SEGY_E_CANCELLED', 'nothing is fetched')),
          onFetch: () => undefined,
        },
      );
      return [];
    } catch (error) {
      const { message } = toSegyError(error);
      const cure = 'write a JSON Web Key Set of public keys, or certificates of authorities in PEM';
      return [{ ...locate(text, ['partners', index, 'securityTokens']), message, cure }];
    }
  });
}
