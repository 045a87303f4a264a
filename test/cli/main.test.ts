import assert from 'node:assert/strict';
import { runSegy } from '../support/cli.js';

describe('segy', () => {
  it('tells its version', () => {
    assert.match(runSegy(['--version']).stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it('lists every command in its help', () => {
    const { stdout, status } = runSegy(['--help']);
    assert.equal(status, 0);
    for (const word of ['audit', 'config', 'kms', 'mikey', 'run', 'sim', 'store', 'user']) {
      assert.match(stdout, new RegExp(`^ {2}${word} `, 'm'));
    }
  });
});
