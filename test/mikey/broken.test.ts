import assert from 'node:assert/strict';
import { SegyError } from '../../src/base/errors.js';
import { openIMessage } from '../../src/mikey/index.js';
import { makeContext, makeMessage } from '../support/mikey-scene.js';
import { BROKEN } from './broken/index.js';

describe('a broken I_MESSAGE', () => {
  it('is the only kind refused: the message that the others were made from opens', async () => {
    for (const type of ['PCK', 'GMK', 'CSK'] as const) {
      assert.equal(
        (await openIMessage(await makeMessage({ type }), await makeContext())).keyType,
        type,
      );
    }
  });

  it('comes in at least sixty kinds, each with its own name', () => {
    assert.ok(BROKEN.length >= 60);
    assert.equal(new Set(BROKEN.map(({ name }) => name)).size, BROKEN.length);
  });

  for (const { name, code, message, context } of BROKEN) {
    it(`gets ${code} for: ${name}`, async () => {
      const octets = await message();
      const surroundings = await (context ?? makeContext)();
      const outcome = await openIMessage(octets, surroundings).then(
        () => 'opened',
        (error: unknown) => (error instanceof SegyError ? error.code : String(error)),
      );
      assert.equal(outcome, `SEGY_E_MIKEY_${code}`);
    });
  }
});
