/**
 * A life of the state folder in real commands, for command-crash.test.ts to kill: the domain, a
 * partner's certificate, users, key sets, new data keys and backups, in an order that repeats.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export type StepKind = 'init' | 'trust' | 'user' | 'issue' | 'rekey' | 'backup';

export interface Step {
  readonly kind: StepKind;
  /** what is there once the step is acknowledged: a user, a file */
  readonly subject: string;
  readonly args: readonly string[];
}

export interface Partner {
  readonly certificateFile: string;
  readonly fingerprint: string;
}

/** The steps of a life with so many key sets. */
export function stepsOf(folder: string, partner: Partner, keySets: number): Step[] {
  const state = ['--state', join(folder, 'state'), '--master-key', join(folder, 'master.key')];
  const step = (kind: StepKind, subject: string, ...args: readonly string[]): Step => {
    return { kind, subject, args: [...args, ...state] };
  };
  const { certificateFile, fingerprint } = partner;
  const steps = [
    step(
      ...(['init', 'kms.radio.example', 'kms', 'init'] as const),
      ...['--kms-uri', 'kms.radio.example', '--domain', 'radio.example'],
    ),
    step(
      ...(['trust', 'kms.mc-a.example', 'kms', 'trust', 'add', certificateFile] as const),
      ...['--partner', 'mc-a', '--fingerprint', fingerprint, '--replace'],
    ),
  ];
  for (let n = 0; n < keySets; n += 1) {
    const user = `sip:r${n}@radio.example`;
    if (n % 5 === 0) steps.push(step('user', user, 'user', 'add', user, '--pbx', String(n)));
    steps.push(step('issue', user, 'kms', 'issue', user, '--out', join(folder, `key-set-${n}`)));
    if (n % 10 === 3) steps.push(step('rekey', '', 'store', 'rekey'));
    const backup = join(folder, `backup-${n}`);
    if (n % 10 === 7) steps.push(step('backup', backup, 'store', 'backup', backup));
  }
  return steps;
}

export interface Outcome {
  /** null: killed */
  readonly status: number | null;
  readonly stderr: string;
  readonly milliseconds: number;
}

/** Runs one command; with `killAfterMs`, kill -9 so long after its process started. */
export function runStep(args: readonly string[], killAfterMs?: number): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    const timer =
      killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (status) => {
      clearTimeout(timer);
      resolve({ status, stderr, milliseconds: performance.now() - started });
    });
  });
}
