import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSegy } from '../support/cli.js';

interface Listed {
  readonly keys: readonly { kid: string; inUse: boolean }[];
}

describe('segy token-key', function () {
  this.timeout(60_000);
  let folder: string;
  let state: readonly string[];
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'segy-token-key-'));
    const at = (name: string): string => join(folder, name);
    state = ['--state', at('state'), '--master-key', at('master.key')];
    const domain = ['--kms-uri', 'kms.lmr.example', '--domain', 'lmr.example'];
    assert.equal(runSegy(['kms', 'init', ...state, ...domain]).status, 0);
  });
  after(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]): unknown => {
    const { status, stdout, stderr } = runSegy(['token-key', ...args, ...state, '--json']);
    assert.equal(status, 0, stderr + stdout);
    assert.doesNotMatch(stdout, /"d"/, 'no private part');
    return JSON.parse(stdout);
  };
  const list = (): Listed['keys'] => (run('list') as Listed).keys;

  it('makes, publishes, uses and removes keys, each on record', () => {
    assert.deepEqual(list(), []);
    const { keys } = run('jwks') as { keys: { kid: string }[] };
    const first = keys[0]!.kid;
    assert.deepEqual(run('jwks'), { keys });
    const { kid: second } = run('add') as { kid: string };
    assert.equal((run('jwks') as { keys: unknown[] }).keys.length, 2);
    assert.deepEqual(
      list()
        .filter(({ inUse }) => inUse)
        .map(({ kid }) => kid),
      [first],
    );
    run('use', second);
    run('remove', first);
    assert.deepEqual(
      list().map(({ kid, inUse }) => [kid, inUse]),
      [[second, true]],
    );
    const audit = runSegy(['audit', 'show', '--state', join(folder, 'state'), '--json']).stdout;
    for (const action of ['added', 'used', 'removed'])
      assert.match(audit, new RegExp(`token-key-${action}`));
  });

  it('does not remove the key in use, and knows no other', () => {
    const kid = list()[0]!.kid;
    for (const [verb, name, code] of [
      ['remove', kid, 'SEGY_E_ARGUMENT'],
      ['use', 'none', 'SEGY_E_NOT_FOUND'],
    ] as const) {
      const { status, stdout, stderr } = runSegy(['token-key', verb, name, ...state, '--json']);
      assert.equal(status, 1);
      assert.match(stdout + stderr, new RegExp(code));
    }
  });
});
