/** The command socket as both of its ends see it: server, client, limits and the place of the socket. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adminCall, AdminServer } from '../../src/admin/index.js';
import type { AdminCommands, AdminLimits } from '../../src/admin/index.js';
import { silentLog, systemClock, systemTimers } from '../../src/base/environment.js';
import { SegyError } from '../../src/base/errors.js';
import { until } from '../support/waiting.js';

const env = { clock: systemClock, timers: systemTimers, log: silentLog };

describe('the command socket', () => {
  let folder: string;
  let socketPath: string;
  let server: AdminServer | undefined;
  const serve = async (
    commands: AdminCommands,
    limits: Partial<AdminLimits> = {},
  ): Promise<void> => {
    server = await AdminServer.open({ socketPath, commands, env, limits });
  };
  const echo: AdminCommands = {
    'say/again': { changes: false, run: (body) => Promise.resolve({ body }) },
  };
  const code = (expected: string) => (error: unknown) =>
    error instanceof SegyError && error.code === expected;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'segy-admin-'));
    socketPath = join(folder, 's');
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  it('carries a body there and the result back', async () => {
    await serve(echo);
    const body = { text: 'a\nb\u2028c', list: [1, null] };
    assert.deepEqual(await adminCall(socketPath, 'say/again', body), { body });
  });

  it('is there with the rights of its owner alone, and gone when the gateway is', async () => {
    await serve(echo);
    assert.equal(lstatSync(socketPath).mode & 0o777, 0o600);
    await server?.close();
    server = undefined;
    assert.equal(existsSync(socketPath), false);
    await assert.rejects(adminCall(socketPath, 'say/again', {}), code('SEGY_E_NOT_RUNNING'));
  });

  it('leaves the rights of files that are made afterwards as they were', async () => {
    writeFileSync(join(folder, 'before'), '');
    await serve(echo);
    writeFileSync(join(folder, 'after'), '');
    const [before, after] = ['before', 'after'].map((name) => lstatSync(join(folder, name)).mode);
    assert.equal(after, before);
  });

  it('sends events in order ahead of the result', async () => {
    await serve({
      count: {
        changes: false,
        run: async (_, { event }) => {
          for (let i = 0; i < 500; i += 1) await event({ i, pad: 'x'.repeat(1000) });
          return 'done';
        },
      },
    });
    const seen: unknown[] = [];
    const result = await adminCall(socketPath, 'count', {}, (value) =>
      seen.push((value as { i: number }).i),
    );
    assert.equal(result, 'done');
    assert.deepEqual(
      seen,
      Array.from({ length: 500 }, (_, i) => i),
    );
  });

  it('hands a refusal over with its code, before and after events', async () => {
    await serve({
      early: {
        changes: true,
        run: () => Promise.reject(new SegyError('SEGY_E_NOT_FOUND', 'no such key')),
      },
      late: {
        changes: true,
        run: async (_, { event }) => {
          await event(1);
          throw new SegyError('SEGY_E_STORE', 'the disk is full');
        },
      },
      broken: {
        changes: true,
        run: () => {
          throw new TypeError('a defect');
        },
      },
    });
    await assert.rejects(adminCall(socketPath, 'early', {}), {
      code: 'SEGY_E_NOT_FOUND',
      message: 'no such key',
    });
    await assert.rejects(adminCall(socketPath, 'late', {}), code('SEGY_E_STORE'));
    await assert.rejects(adminCall(socketPath, 'broken', {}), code('SEGY_E_INTERNAL'));
  });

  it('ends a command whose caller goes away, and one that takes too long', async () => {
    let [begun, heard] = [0, 0];
    const wait = (signal: AbortSignal): Promise<never> =>
      new Promise((_, reject) => {
        begun += 1;
        signal.addEventListener('abort', () => {
          heard += 1;
          reject(new Error('aborted'));
        });
      });
    await serve({
      wait: { changes: false, timeoutMs: null, run: (_, { signal }) => wait(signal) },
      slow: { changes: false, timeoutMs: 50, run: (_, { signal }) => wait(signal) },
    });
    const caller = new AbortController();
    const call = adminCall(socketPath, 'wait', {}, undefined, caller.signal);
    const refused = assert.rejects(call, code('SEGY_E_CANCELLED'));
    await until('it runs', () => begun > 0);
    caller.abort();
    await refused;
    await assert.rejects(adminCall(socketPath, 'slow', {}), code('SEGY_E_CANCELLED'));
    await until('both are told', () => heard === 2);
  });

  it('runs so many commands at a time and no more', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let running = 0;
    const run = (): Promise<void> => {
      running += 1;
      return held;
    };
    await serve({ hold: { changes: false, run } }, { concurrent: 2 });
    const two = [adminCall(socketPath, 'hold', {}), adminCall(socketPath, 'hold', {})];
    await until('both run', () => running === 2);
    await assert.rejects(adminCall(socketPath, 'hold', {}), code('SEGY_E_BUSY'));
    release();
    await Promise.all(two);
  });

  it('refuses what is no command, no JSON or too large, and goes on', async () => {
    await serve(echo, { bodyOctets: 1000 });
    await assert.rejects(adminCall(socketPath, 'say', {}), code('SEGY_E_ADMIN'));
    await assert.rejects(adminCall(socketPath, 'constructor', {}), code('SEGY_E_ADMIN'));
    await assert.rejects(
      adminCall(socketPath, 'say/again', 'x'.repeat(2000)),
      code('SEGY_E_ADMIN'),
    );
    const type = { 'Content-Type': 'application/json' };
    assert.equal(await status('POST', '/v1/say/again', type, '{'), 400);
    assert.equal(
      await status('POST', '/v1/say/again', { 'Content-Type': 'text/plain' }, '{}'),
      400,
    );
    assert.equal(await status('GET', '/v1/say/again', type, ''), 400);
    assert.equal(await status('POST', '/v1/say/again/', type, '{}'), 400);
    assert.deepEqual(await adminCall(socketPath, 'say/again', 1), { body: 1 });
  });

  it('drops a connection that sends no HTTP', async () => {
    await serve(echo);
    const socket = connect(socketPath);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.resume();
    socket.write('\0'.repeat(70_000));
    await closed;
    assert.deepEqual(await adminCall(socketPath, 'say/again', 1), { body: 1 });
  });

  it('takes the place of a socket that a crash left, and of no other', async () => {
    const left = createServer();
    await new Promise<void>((resolve) => left.listen(join(folder, 'other'), resolve));
    await assert.rejects(
      AdminServer.open({ socketPath: join(folder, 'other'), commands: echo, env }),
      code('SEGY_E_IO'),
    );
    await new Promise((resolve) => left.close(resolve));

    spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(socketPath)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    assert.equal(existsSync(socketPath), true);
    await serve(echo);
    assert.deepEqual(await adminCall(socketPath, 'say/again', 1), { body: 1 });

    const file = join(folder, 'file');
    writeFileSync(file, 'keep me');
    await assert.rejects(
      AdminServer.open({ socketPath: file, commands: echo, env }),
      code('SEGY_E_IO'),
    );
    assert.equal(existsSync(file), true);
  });

  it('is not made where others could put another in its place', async () => {
    const open = join(folder, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    await assert.rejects(
      AdminServer.open({ socketPath: join(open, 's'), commands: echo, env }),
      code('SEGY_E_IO'),
    );
    const long = join(folder, 'x'.repeat(120));
    await assert.rejects(
      AdminServer.open({ socketPath: long, commands: echo, env }),
      /longer than the 107 octets/,
    );
  });

  it('is told nothing when others than its owner can open it, or it is a link', async () => {
    await serve(echo);
    const link = join(folder, 'link');
    symlinkSync(socketPath, link);
    await assert.rejects(adminCall(link, 'say/again', 1), code('SEGY_E_IO'));
    chmodSync(socketPath, 0o666);
    await assert.rejects(adminCall(socketPath, 'say/again', 1), code('SEGY_E_IO'));
  });

  function status(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string,
  ): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath, method, path, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }
});
