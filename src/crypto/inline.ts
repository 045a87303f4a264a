/** SlowCrypto on the calling thread, for commands and tests. */
import { SegyError } from '../base/errors.js';
import { SakkeEngine, type SakkeTableLimits } from './sakke.js';
import { type SlowCrypto, checkRequest, copyRequest, slowCryptoOver } from './slow-crypto.js';

/** Blocks the thread for each operation's milliseconds; `signal` is looked at before the operation starts. */
export function createInlineCrypto(options: { tables?: SakkeTableLimits } = {}): SlowCrypto {
  const engine = new SakkeEngine(options.tables);
  let closed = false;
  return slowCryptoOver(
    async (request, { signal }) => {
      checkRequest(request);
      const copy = copyRequest(request);
      await Promise.resolve();
      if (closed || signal?.aborted === true) {
        throw new SegyError(
          'SEGY_E_CANCELLED',
          closed ? 'the engine is closed' : 'cancelled by its caller',
        );
      }
      return engine.run(copy);
    },
    () => {
      closed = true;
      return Promise.resolve();
    },
  );
}
