import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../src/base/bytes.js';
import { createCryptoPool } from '../../src/crypto/index.js';
import { readVectors } from '../support/vectors.js';

const rfc = readVectors('rfc6508-sakke') as Record<'Z' | 'ID' | 'RSK' | 'SSV' | 'SED', string>;
const z = fromHex(rfc.Z);
const id = fromHex(rfc.ID);
const ssv = fromHex(rfc.SSV);

describe('crypto/pool', () => {
  it('encapsulates and decapsulates in a worker as RFC 6508 has it', async () => {
    const pool = createCryptoPool({ workers: 1, queueLimit: 8 });
    try {
      const sed = await pool.encapsulate({ ssv, id, z });
      assert.equal(toHex(sed), rfc.SED);
      const opened = await pool.decapsulate({ sed, id, z, rsk: fromHex(rfc.RSK) });
      assert.equal(toHex(opened), rfc.SSV);
    } finally {
      await pool.close();
    }
  });
});
