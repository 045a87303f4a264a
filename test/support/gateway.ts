/** The built `segy run` as a child process, ended with the test runner whatever happens. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
/** what it logs before it can take calls */
const READY = ['gateway.ready', 'pbx.link.up'];
const START_MS = 90_000;

const running = new Set<GatewayProcess>();
process.once('exit', () => {
  for (const gateway of running) gateway.killNow();
});

export class GatewayProcess {
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();

  constructor(
    readonly configFile: string,
    readonly logFile: string,
    readonly variables: Readonly<Record<string, string>> = {},
  ) {}

  /** Starts it and waits until it is ready and linked to the PBX. */
  async start(): Promise<void> {
    const before = this.log().length;
    const child = spawn(process.execPath, [MAIN, 'run', '--config', this.configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.variables },
    });
    const keep = (text: Buffer): void => appendFileSync(this.logFile, text);
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    this.#child = child;
    running.add(this);
    this.#exited = new Promise((resolve) => child.once('close', () => resolve()));
    const giveUp = Date.now() + START_MS;
    while (!READY.every((event) => this.log().slice(before).includes(event))) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > giveUp) {
        this.killNow();
        throw new Error(`the gateway did not start:\n${this.log().slice(-4000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Everything it printed since the first start. */
  log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Resolves when it is gone. */
  get exited(): Promise<void> {
    return this.#exited;
  }

  /** Ends it as an operator in a hurry does (SIGTERM, and again) and waits until it is gone. */
  async stop(): Promise<void> {
    this.#child?.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 50));
    this.#child?.kill('SIGTERM');
    const late = setTimeout(() => this.killNow(), 5000);
    await this.#exited;
    clearTimeout(late);
    running.delete(this);
  }

  /** Ends it as a crash does (SIGKILL) and waits until it is gone. */
  async kill(): Promise<void> {
    this.killNow();
    await this.#exited;
  }

  killNow(): void {
    this.#child?.kill('SIGKILL');
    running.delete(this);
  }
}
