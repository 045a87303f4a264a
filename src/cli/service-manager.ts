/**
 * What the service manager is told (sd_notify): ready, reloading, stopping, alive. Node has no unix
 * datagram sockets, so a small shell is kept beside the gateway that hands each line to
 * `systemd-notify`; the unit needs NotifyAccess=all for it. Without NOTIFY_SOCKET nothing is done.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Environment, TimerHandle } from '../base/environment.js';

const RELAY = 'while IFS= read -r line; do systemd-notify "$line"; done';
/** a relay that ended is started again after this time, in milliseconds */
const AGAIN_MS = 1000;

export interface ServiceManagerOptions {
  readonly env: Pick<Environment, 'timers' | 'log'>;
  /** the process's environment: NOTIFY_SOCKET, WATCHDOG_USEC */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** are all threads at work? While they are not, the watchdog is not fed */
  readonly isHealthy: () => boolean;
}

export class ServiceManager {
  readonly #options: ServiceManagerOptions;
  readonly #isManaged: boolean;
  #relay: ChildProcess | null = null;
  #timer: TimerHandle | null = null;
  #again: TimerHandle | null = null;
  #closed = false;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    this.#isManaged = (options.variables.NOTIFY_SOCKET ?? '') !== '';
    if (this.#isManaged) this.#start();
  }

  /** Calls can be taken. Begins to feed the watchdog. */
  ready(): void {
    this.#tell('READY=1');
    const microseconds = Number(this.#options.variables.WATCHDOG_USEC ?? 0);
    if (this.#timer === null && microseconds > 0) this.#feed(microseconds / 1000 / 3);
  }

  reloading(): void {
    this.#tell('RELOADING=1');
  }

  /** @param text what is still waited for */
  stopping(text: string): void {
    this.#tell('STOPPING=1');
    this.#tell(`STATUS=${text}`);
  }

  /** Ends the relay after what it was told last. */
  close(): void {
    this.#closed = true;
    const { timers } = this.#options.env;
    for (const timer of [this.#timer, this.#again]) if (timer !== null) timers.clearTimeout(timer);
    this.#relay?.stdin?.end();
  }

  #feed(everyMs: number): void {
    const { env, isHealthy } = this.#options;
    if (isHealthy()) this.#tell('WATCHDOG=1');
    else env.log.error('service.watchdog.withheld');
    this.#timer = env.timers.setTimeout(() => this.#feed(everyMs), everyMs);
  }

  #tell(line: string): void {
    if (this.#isManaged) this.#relay?.stdin?.write(`${line}\n`);
  }

  #start(): void {
    const { env, variables } = this.#options;
    const { PATH, NOTIFY_SOCKET } = variables;
    const relay = spawn('/bin/sh', ['-c', RELAY], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH, NOTIFY_SOCKET },
    });
    const lost = (): void => {
      if (this.#closed || this.#relay !== relay) return;
      this.#relay = null;
      env.log.warn('service.notify.lost');
      this.#again = env.timers.setTimeout(() => this.#start(), AGAIN_MS);
    };
    relay.once('error', lost);
    relay.once('exit', lost);
    relay.stdin.on('error', () => undefined);
    // the gateway's end does not wait for it
    relay.unref();
    this.#relay = relay;
  }
}
