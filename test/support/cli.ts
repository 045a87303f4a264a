/** Runs the built `segy` command as an operator's shell does. */
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface CliResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function runSegy(args: readonly string[], input: string | Uint8Array = ''): CliResult {
  const result = spawnSync(process.execPath, [MAIN, ...args], { input, encoding: 'utf8' });
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}

/** The same beside what the test itself has to serve meanwhile. */
export function runSegyBeside(args: readonly string[], input = ''): Promise<CliResult> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [MAIN, ...args],
      { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
      (_, stdout, stderr) => resolve({ status: child.exitCode, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}
