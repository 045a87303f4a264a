/** The security log of a running gateway, read by fail2ban's own tool with the filter that is shipped. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSegyBeside } from '../support/cli.js';
import { FakePbx } from '../support/fake-pbx.js';
import { freePort } from '../support/ports.js';
import { ALICE, BOB, RADIO_1, Scene } from '../support/scene.js';
import { skipBecause } from '../support/skip.js';
import { until, within } from '../support/waiting.js';

const FILTER = 'asterisk-conf/fail2ban/filter.d/segy.conf';
const LINE =
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z segy-security: event=[a-z-]+ code=SEGY_E_[A-Z0-9_]+ side=(outer|inner|console) source=[0-9a-f.:]+ partner=[\w.:-]+ session=[\w.:-]+ repeated=\d+$/;
/** not in any partner's sources */
const STRANGER = '127.0.9.9';

describe('the security log', function () {
  this.timeout(60_000);
  let pbx: FakePbx;
  let scene: Scene;
  let file: string;
  let consolePort: number;
  const lines = (): string[] =>
    existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  before(async () => {
    pbx = await FakePbx.start();
    file = join(tmpdir(), `segy-security-${process.pid}.log`);
    consolePort = await freePort();
    const config = {
      securityLog: { file },
      console: { listen: { port: consolePort } },
    };
    scene = await Scene.start({ pbx, protocol: 'udp', config });
  });
  after(async () => {
    await scene.stop();
    rmSync(file, { force: true });
  });

  async function refusedCall(misbehave: Record<string, unknown>): Promise<string> {
    const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri, misbehave });
    return (await within('the call is refused', mc.ended)).warning ?? '';
  }

  it('has a line of each attempt of somebody who is no partner, twenty a minute at most', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, STRANGER, resolve));
    const message = 'OPTIONS sip:x SIP/2.0\r\nVia: a" event=forged\r\n\r\n';
    for (let i = 0; i < 200; i += 1) {
      await new Promise((resolve) =>
        socket.send(message, scene.outer.port, scene.outer.address, resolve),
      );
    }
    const of = (): string[] =>
      lines().filter((line) => line.includes(`event=unknown-source code=SEGY_E_UNKNOWN_SOURCE `));
    await until('they are written', () => of().length > 5);
    socket.close();
    assert.ok(of().length <= 20, `${of().length} lines`);
    assert.ok(of().every((line) => line.includes(`source=${STRANGER} `)));
  });

  it('has a line of a bad signature, of another signer than caller, and of what cannot be read', async () => {
    const spoil = (made: Uint8Array): Uint8Array => {
      const out = made.slice();
      out[out.length - 1] = (out.at(-1) ?? 0) ^ 1;
      return out;
    };
    assert.match(await refusedCall({ message: spoil }), /SEGY_E_MIKEY_SIGNATURE/);
    assert.match(await refusedCall({ callingUserId: BOB }), /SEGY_E_\w+/);
    assert.match(await refusedCall({ message: () => new Uint8Array(3) }), /SEGY_E_MIKEY/);
    const source = '127.0.2.1';
    await until('they are written', () => {
      const events = lines().filter((line) => line.includes(`source=${source} `));
      return ['bad-signature', 'auth-failed', 'malformed'].every((event) =>
        events.some((line) => line.includes(`event=${event} `)),
      );
    });
  });

  it('has a line of a log-in at the console with a wrong token', async () => {
    const at = `http://127.0.0.1:${consolePort}`;
    const answer = await fetch(`${at}/login`, {
      method: 'POST',
      headers: { Origin: at, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: `token=${'x'.repeat(40)}`,
    });
    assert.equal(answer.status, 401);
    await until('it is written', () =>
      lines().some((line) => / event=token-failed .* side=console source=127\.0\.0\.1 /.test(line)),
    );
  });

  it('is in its grammar line by line, and readable by its owner', () => {
    for (const line of lines()) assert.match(line, LINE);
    assert.equal(statSync(file).mode & 0o007, 0);
  });

  it('is matched line by line by the filter that is shipped, with the address to ban', function () {
    // Who fails at the console is on the host itself: nobody to ban.
    matchAll(
      this,
      file,
      lines().filter((line) => !/event=(refused|rate-exceeded) | side=console /.test(line)),
    );
  });

  it('names the call: every line of the log about it has its session and both Call-IDs', async () => {
    await refusedCall({ callingUserId: BOB });
    const about = (): string[] => {
      const log = scene.gateway.log();
      const session = /call\.opened session=([0-9a-f]{32})/.exec(log)?.[1] ?? 'none';
      return log.split('\n').filter((line) => line.includes(session));
    };
    await until('three lines are about it', () => about().length >= 3);
    for (const line of about().filter((each) => !each.includes('segy-security:'))) {
      assert.match(line, /outerCallId=\S+ innerCallId=[0-9a-f]{32}/);
    }
  });

  it('and the rest that is known of that call come in one file, without addresses when told', async () => {
    const session = /call\.opened session=([0-9a-f]{32})/.exec(scene.gateway.log())?.[1] ?? '';
    const out = join(scene.folder, 'trace.json');
    const run = await runSegyBeside([
      ...['trace', session.slice(0, 32), '--out', out, '--state', join(scene.folder, 'state')],
      ...['--redact-identities', '--log', scene.gateway.logFile, '--json'],
    ]);
    assert.equal(run.status, 0, run.stdout);
    assert.equal(statSync(out).mode & 0o777, 0o600);
    const text = readFileSync(out, 'utf8');
    const told = JSON.parse(text) as {
      lines: { event: string }[];
      fileLines: string[];
      audit: unknown[];
      versions: Record<string, string>;
      config: { partners: unknown[] };
    };
    assert.ok(told.lines.some(({ event }) => event === 'call.opened'));
    assert.ok(told.fileLines.length >= 2);
    assert.equal(told.config.partners.length, 1);
    assert.equal(told.versions.node, process.version);
    assert.doesNotMatch(text, /alice|127\.0\.9\.9|radio1@/);
    const missing = await runSegyBeside([
      ...['trace', 'nothing', '--state', join(scene.folder, 'state'), '--json'],
    ]);
    assert.match(missing.stdout, /SEGY_E_NOT_FOUND/);
  });
});

describe('the security log on a TLS listener', function () {
  this.timeout(60_000);
  let scene: Scene;
  let file: string;

  before(async () => {
    file = join(tmpdir(), `segy-security-tls-${process.pid}.log`);
    scene = await Scene.start({
      pbx: await FakePbx.start(),
      protocol: 'tls',
      config: { securityLog: { file } },
    });
  });
  after(async () => {
    await scene.stop();
    rmSync(file, { force: true });
  });

  it('has a line of a handshake that fails, which the filter matches', async function () {
    const socket = connect({ ...scene.outer, host: scene.outer.address, localAddress: STRANGER });
    socket.on('error', () => undefined);
    socket.resume();
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await until(
      'it is written',
      () => existsSync(file) && readFileSync(file, 'utf8').includes(STRANGER),
    );
    socket.destroy();
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    assert.match(lines[0] ?? '', /event=tls-failed .* source=127\.0\.9\.9 /);
    matchAll(this, file, lines);
  });
});

/** Lets fail2ban-regex read the file; every one of `expected`, and no other line, has to match. */
function matchAll(test: Mocha.Context, file: string, expected: readonly string[]): void {
  const run = spawnSync('fail2ban-regex', ['--print-all-matched', '--no-check-all', file, FILTER], {
    encoding: 'utf8',
  });
  if (run.error !== undefined) {
    skipBecause(
      test,
      'the filter is read by fail2ban-regex: it is not installed (package fail2ban)',
    );
  }
  const [, matched] = /Lines: \d+ lines, \d+ ignored, (\d+) matched/.exec(run.stdout) ?? [];
  assert.ok(expected.length > 0);
  assert.equal(Number(matched), expected.length, run.stdout.slice(0, 4000));
  for (const line of expected) assert.ok(run.stdout.includes(line), line);
}
