import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runSegy } from '../support/cli.js';
import { freePort } from '../support/ports.js';

const execute = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const ALICE = 'sip:alice@mc-a.example';
const BOB = 'sip:bob@mc-b.example';

interface Report {
  readonly answered: boolean;
  readonly end: string;
  readonly tone: { readonly found: boolean };
  readonly counters: { readonly received: number; readonly authFailures: number };
}

describe('segy sim', function () {
  this.timeout(20_000);
  let folder: string;
  const at = (name: string): string => join(folder, name);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'segy-sim-'));
    for (const [name, user] of [
      ['mc-a', ALICE],
      ['mc-b', BOB],
    ] as const) {
      const made = runSegy([
        ...['sim', 'init', '--domain', at(name), '--kms-uri', `kms.${name}.example`],
        ...['--mc-domain', `${name}.example`, '--user', user, '--json'],
      ]);
      assert.equal(made.status, 0, made.stderr);
      assert.match(
        (JSON.parse(made.stdout) as { fingerprint: string }).fingerprint,
        /^[0-9a-f]{64}$/,
      );
    }
    for (const [domain, other] of [
      ['mc-a', 'mc-b'],
      ['mc-b', 'mc-a'],
    ] as const) {
      const certificate = join(at(other), 'kms-certificate.xml');
      const trusted = runSegy(['sim', 'trust', certificate, '--domain', at(domain), '--json']);
      assert.deepEqual(JSON.parse(trusted.stdout), { trusted: [`kms.${other}.example`] });
    }
  });

  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('keeps the secrets of its KMS to the owner', () => {
    assert.equal(statSync(join(at('mc-a'), 'secret')).mode & 0o777, 0o600);
  });

  it('does not make a domain over another one', () => {
    const again = runSegy([
      ...['sim', 'init', '--domain', at('mc-a'), '--kms-uri', 'kms.other.example'],
      ...['--mc-domain', 'other.example', '--user', ALICE],
    ]);
    assert.equal(again.status, 1);
    assert.match(again.stderr, /SEGY_E_KMS_EXISTS/);
  });

  it('refuses a gateway address without a port as wrong usage', () => {
    const { status } = runSegy([
      ...['sim', 'call', '--domain', at('mc-a'), '--gateway', '127.0.0.1'],
      ...['--from', ALICE, '--to', BOB],
    ]);
    assert.equal(status, 2);
  });

  it('calls and listens: both hear the other, and write it as WAV', async () => {
    const port = await freePort('127.0.3.8');
    const listening = execute(process.execPath, [
      ...[MAIN, 'sim', 'listen', '--domain', at('mc-b'), '--listen', `127.0.3.8:${port}`],
      ...['--gateway', '127.0.3.7:5060', '--tone', '440', '--expect-tone', '1000'],
      ...['--for', '15', '--calls', '1', '--json', '--wav', at('b.wav')],
    ]);
    const calling = await execute(process.execPath, [
      ...[MAIN, 'sim', 'call', '--domain', at('mc-a'), '--listen', '127.0.3.7'],
      ...['--gateway', `127.0.3.8:${port}`, '--from', ALICE, '--to', BOB],
      ...['--duration', '1', '--json', '--wav', at('a.wav')],
    ]);
    const caller = JSON.parse(calling.stdout) as Report;
    const callee = JSON.parse((await listening).stdout) as Report;
    assert.deepEqual([caller.end, callee.end], ['us', 'peer']);
    for (const [report, wav] of [
      [caller, 'a.wav'],
      [callee, 'b.wav'],
    ] as const) {
      assert.equal(report.answered && report.tone.found, true);
      assert.equal(report.counters.authFailures, 0);
      assert.equal(readFileSync(at(wav)).toString('latin1', 0, 4), 'RIFF');
    }
  });
});
