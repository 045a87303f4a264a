/** The token file of the console, and its commands where there is no console. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewayViews } from '../../src/admin/index.js';
import {
  silentLog,
  silentMetrics,
  systemClock,
  systemRandom,
  systemTimers,
} from '../../src/base/environment.js';
import { SegyError } from '../../src/base/errors.js';
import { openConsole } from '../../src/cli/compose-console.js';
import type { ConsoleParts } from '../../src/cli/compose-console.js';
import type { State } from '../../src/cli/state.js';
import { consoleSchema } from '../../src/config/console-schema.js';
import type { SegyConfig } from '../../src/config/index.js';
import { freePort } from '../support/ports.js';

const TOKEN = 'b'.repeat(43);

describe('the console of a configuration', () => {
  let folder: string;
  let file: string;
  let closers: (() => Promise<void> | void)[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'segy-token-'));
    file = join(folder, 'token');
    closers = [];
  });
  afterEach(async () => {
    for (const close of closers) await close();
    rmSync(folder, { recursive: true });
  });

  function keep(token: string, mode = 0o600): void {
    writeFileSync(file, token);
    chmodSync(file, mode);
  }

  function parts(settings: object): ConsoleParts {
    const config: Pick<SegyConfig, 'stateDir' | 'console'> = {
      stateDir: folder,
      console: consoleSchema.parse(settings),
    };
    return {
      config: config as SegyConfig,
      env: {
        clock: systemClock,
        timers: systemTimers,
        random: systemRandom,
        log: silentLog,
        metrics: silentMetrics,
      },
      // Nobody opens the page here, so nothing of them is read.
      state: {} as State,
      views: {} as GatewayViews,
    };
  }

  async function refusal(work: Promise<unknown>): Promise<string> {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return error instanceof SegyError ? `${error.code} ${error.message}` : 'none';
  }

  async function open(): Promise<{ readonly at: string }> {
    const listen = { port: await freePort() };
    await openConsole(parts({ listen, tokenFile: file }), closers);
    return { at: `http://127.0.0.1:${listen.port}` };
  }

  async function logIn(at: string, token: string): Promise<number> {
    const body = new URLSearchParams({ token });
    const headers = { Origin: at };
    const answer = await fetch(`${at}/login`, {
      method: 'POST',
      redirect: 'manual',
      headers,
      body,
    });
    return answer.status;
  }

  it('does not open over a token file that is missing, too short or open to everybody', async () => {
    assert.match(await refusal(open()), /^SEGY_E_CONFIG .*cannot be read/);
    keep('short');
    assert.match(await refusal(open()), /^SEGY_E_CONFIG .*fewer than 32/);
    keep(TOKEN, 0o644);
    assert.match(await refusal(open()), /^SEGY_E_CONFIG .*open to others/);
  });

  it('takes the token that the file holds now, and none once the file is open to everybody', async () => {
    keep(`${TOKEN}\n`);
    const { at } = await open();
    assert.equal(await logIn(at, TOKEN), 303);
    const next = 'c'.repeat(43);
    keep(next);
    assert.equal(await logIn(at, TOKEN), 401);
    assert.equal(await logIn(at, next), 303);
    keep(next, 0o644);
    assert.equal(await logIn(at, next), 401);
  });

  it('is not there by default, and its commands say so', async () => {
    const commands = await openConsole(parts({}), closers);
    assert.equal(closers.length, 0);
    const request = {
      signal: new AbortController().signal,
      event: () => Promise.resolve(),
    };
    for (const name of ['console/token', 'console/logout']) {
      const run = commands[name]!.run({}, request);
      assert.match(await refusal(run), /^SEGY_E_NOT_FOUND .*set console\.listen/);
    }
  });
});
