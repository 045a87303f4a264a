import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { showAudit } from '../../src/audit/index.js';
import { commandEnvironment, openState } from '../../src/cli/state.js';
import { UserRecords } from '../../src/clients/index.js';
import { fingerprintOf, readKmsDocument, writeKmsCertificate } from '../../src/kms/index.js';
import { MemoryBackend, openStore, restoreStore, verifyStore } from '../../src/store/index.js';
import { readMasterSecret } from '../../src/store/index.js';
import { makeDomain } from '../kms/support.js';
import { runStep, stepsOf } from './command-life.js';
import type { Step, StepKind } from './command-life.js';
import { storeOptions, withFolder } from './support.js';

/** Kills in the life; SEGY_CRASH_ROUNDS=100 for the long form, with 200 key sets. */
const ROUNDS = Number(process.env.SEGY_CRASH_ROUNDS ?? 10);
/** How long a command takes before one was seen. */
const USUAL_MS = 300;
/** The part of that time in which Node only starts: kills come after it. */
const START_UP = 0.4;

describe('kill -9 of the commands of a life', () => {
  it(`loses nothing that was acknowledged, in ${ROUNDS} rounds`, function () {
    this.timeout(60_000 + ROUNDS * 4000);
    return withFolder(async (folder) => {
      const steps = stepsOf(folder, partnerIn(folder), 2 * ROUNDS);
      const rounds = roundsAmong(steps.length);
      const usual = new Map<StepKind, number>();
      const acknowledged: Step[] = [];
      let killed = 0;
      for (const [index, step] of steps.entries()) {
        if (rounds.has(index)) {
          const usualMs = usual.get(step.kind) ?? USUAL_MS;
          const killAfterMs = usualMs * (START_UP + (randomInt(1000) / 1000) * (1.1 - START_UP));
          const died = await runStep(step.args, killAfterMs);
          const where = `step ${index} (${step.kind}) killed after ${killAfterMs.toFixed()} ms`;
          if (died.status === null) killed += 1;
          else assert.equal(died.status, 0, `${where}: ${died.stderr}`);
          if (died.status === 0) acknowledged.push(step);
          await check(folder, acknowledged, where);
          if (died.status === 0) continue;
        }
        const { status, stderr, milliseconds } = await runStep(step.args);
        // A step may have been done before the kill: then it says that it is there.
        const isThere = rounds.has(index) && /SEGY_E_(?:KMS_EXISTS|IO|USAGE)/.test(stderr);
        assert.ok(status === 0 || isThere, `step ${index} (${step.kind}): ${stderr}`);
        if (status === 0) {
          usual.set(step.kind, milliseconds);
          acknowledged.push(step);
        }
      }
      await check(folder, acknowledged, 'at the end');
      assert.ok(killed > ROUNDS / 3, `${killed} of ${ROUNDS} kills came in time`);
    });
  });
});

/** The steps that are killed: the first two, and others drawn at random. */
function roundsAmong(count: number): Set<number> {
  const rounds = new Set([0, 1]);
  while (rounds.size < Math.min(ROUNDS, count)) rounds.add(randomInt(count));
  return rounds;
}

function partnerIn(folder: string) {
  const { certificate } = makeDomain({
    kmsUri: 'kms.mc-a.example',
    domains: ['mc-a.example'],
    validFrom: new Date(Date.now() - 1000),
    validTo: new Date(Date.now() + 86_400_000),
  });
  const certificateFile = join(folder, 'mc-a.xml');
  writeFileSync(certificateFile, writeKmsCertificate(certificate));
  return { certificateFile, fingerprint: fingerprintOf(certificate).hex };
}

async function check(folder: string, done: readonly Step[], where: string): Promise<void> {
  const subjects = (kind: StepKind): string[] => {
    return done.filter((step) => step.kind === kind).map(({ subject }) => subject);
  };
  const options = { state: join(folder, 'state'), masterKey: join(folder, 'master.key') };
  if (subjects('init').length === 0 && !existsSync(join(options.state, 'store', 'CURRENT'))) return;
  // Before the first acknowledgement the store may be half made, and is made whole by opening it.
  const state = await openState(options, commandEnvironment(), subjects('init').length === 0);
  try {
    assert.deepEqual((await verifyStore(state.store)).refused, [], where);
    const users = (await UserRecords.open(state.store.space('users'))).list();
    assert.deepEqual(
      missing(
        subjects('user'),
        users.map(({ uri }) => uri),
      ),
      [],
      where,
    );
    for (const kmsUri of subjects('init')) {
      assert.equal(state.domain?.certificate.kmsUri, kmsUri, where);
    }
    for (const kmsUri of subjects('trust')) assert.ok(state.trust.find(kmsUri), where);
  } finally {
    await state.close();
  }
  await checkAudit(options.state, subjects('issue'), where);
  const keySetFile = done.findLast(({ kind }) => kind === 'issue')?.args[4] ?? '';
  if (keySetFile !== '') assert.equal(readKmsDocument(readFileSync(keySetFile)).keySets.length, 1);
  const backup = subjects('backup').at(-1);
  if (backup !== undefined) await checkBackup(backup, options.masterKey, where);
}

async function checkAudit(state: string, issued: readonly string[], where: string): Promise<void> {
  const verified = await runStep(['audit', 'verify', '--state', state]);
  assert.deepEqual([verified.status, verified.stderr], [0, ''], where);
  const found: string[] = [];
  for await (const { user = '' } of showAudit(join(state, 'audit'), { action: 'issued' })) {
    found.push(user);
  }
  assert.deepEqual(missing(issued, found), [], where);
}

async function checkBackup(file: string, masterKey: string, where: string): Promise<void> {
  const backend = new MemoryBackend();
  const master = await readMasterSecret({ keyFile: masterKey });
  await restoreStore(file, () => Promise.resolve(backend), master);
  const store = await openStore(storeOptions(backend, { master }));
  assert.deepEqual((await verifyStore(store)).refused, [], where);
}

function missing(wanted: readonly string[], found: readonly string[]): string[] {
  const there = new Set(found);
  return wanted.filter((each) => !there.has(each));
}
