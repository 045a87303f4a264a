/**
 * Alarms told to a web address: POST of one JSON object each, one after the other, tried again with
 * growing pauses, and bounded: of more than the queue holds the oldest are dropped and counted.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Environment, TimerHandle } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import type { AlarmNews } from './alarm-board.js';

const QUEUE = 100;
const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 1000;
const PATIENCE_MS = 5000;

export interface WebhookOptions {
  readonly url: string;
  /** sent as `Authorization: Bearer …` */
  readonly token?: string;
  /** PEM of the authorities that may sign an https server; the system's when absent */
  readonly ca?: string;
  /** name of this gateway in each message */
  readonly gateway: string;
}

export class Webhook {
  readonly #options: WebhookOptions;
  readonly #env: Environment;
  readonly #queue: string[] = [];
  #sending = false;
  #stopped = false;
  #wake: (() => void) | undefined;
  #timer: TimerHandle | undefined;

  constructor(options: WebhookOptions, env: Environment) {
    this.#options = options;
    this.#env = env;
  }

  tell({ event, alarm }: AlarmNews): void {
    const { name, subject, severity, text, since } = alarm;
    this.#queue.push(
      JSON.stringify({
        gateway: this.#options.gateway,
        at: new Date(this.#env.clock.now()).toISOString(),
        ...{ event, alarm: name, subject, severity, text },
        since: new Date(since).toISOString(),
      }),
    );
    while (this.#queue.length > QUEUE) {
      this.#queue.shift();
      this.#count('dropped');
    }
    void this.#run();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== undefined) this.#env.timers.clearTimeout(this.#timer);
    this.#wake?.();
  }

  async #run(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (let body = this.#queue.shift(); body !== undefined; body = this.#queue.shift()) {
      this.#count((await this.#deliver(body)) ? 'sent' : 'failed');
    }
    this.#sending = false;
  }

  async #deliver(body: string): Promise<boolean> {
    let pause = FIRST_PAUSE_MS;
    for (let attempt = 1; !this.#stopped; attempt += 1) {
      try {
        await this.#post(body);
        return true;
      } catch (error) {
        const { message } = toSegyError(error);
        this.#env.log.warn('alarm.webhook.failed', { attempt, message });
        if (attempt >= ATTEMPTS) return false;
      }
      await this.#pause(pause);
      pause *= 2;
    }
    return false;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#timer = this.#env.timers.setTimeout(resolve, ms);
    });
  }

  #post(body: string): Promise<void> {
    const { url, token, ca } = this.#options;
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const sent = send(
        url,
        {
          method: 'POST',
          headers: {
            'Content-Type': 'application/json',
            'Content-Length': Buffer.byteLength(body),
            ...(token !== undefined && { Authorization: `Bearer ${token}` }),
          },
          agent: false,
          signal: AbortSignal.timeout(PATIENCE_MS),
          ...(ca !== undefined && { ca }),
        },
        (response) => {
          const { statusCode = 0 } = response;
          response.destroy();
          if (statusCode >= 200 && statusCode < 300) resolve();
          else reject(new SegyError('SEGY_E_IO', `the webhook answered ${statusCode}`));
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  #count(outcome: string): void {
    this.#env.metrics.count('segy_alarm_webhook_total', { outcome });
  }
}
