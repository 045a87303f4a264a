/** Who gets into the console, and what tries to. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { until, within } from '../support/waiting.js';
import { ConsoleKit, FILE_TOKEN } from './kit.js';
import type { Answer } from './kit.js';

function assertGuarded({ headers }: Pick<Answer, 'headers'>): void {
  const policy = String(headers['content-security-policy']);
  assert.match(policy, /^default-src 'none'; /);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*|data:|http/);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['referrer-policy'], 'same-origin');
  assert.equal(headers['access-control-allow-origin'], undefined);
}

describe('the console', function () {
  this.timeout(20_000);
  let kit: ConsoleKit;

  beforeEach(async () => {
    kit = await ConsoleKit.open();
  });
  afterEach(() => kit.server.close());

  describe('to somebody without a session', () => {
    it('shows the log-in form and nothing else', async () => {
      const first = await kit.ask('/');
      assert.deepEqual([first.status, first.headers.location], [303, '/login']);
      assert.match((await kit.ask('/login')).text, /<form method="post" action="\/login">/);
      for (const path of ['/events', '/alive', '/browser/main.js']) {
        assert.equal((await kit.ask(path)).status, 401, path);
      }
    });

    it('refuses a wrong token, and says so to the security log', async () => {
      const answer = await kit.logIn('x'.repeat(43));
      assert.equal(answer.status, 401);
      assert.equal(answer.headers['set-cookie'], undefined);
      assert.match(answer.text, /role="alert"/);
      assert.deepEqual(
        kit.refusals.map(({ kind }) => kind),
        ['token-failed'],
      );
    });

    it('refuses an empty token and one that is too short, although it is a beginning of a good one', async () => {
      assert.equal((await kit.logIn('')).status, 401);
      assert.equal((await kit.logIn(FILE_TOKEN.slice(0, -1))).status, 401);
    });

    it('refuses guesses after a few, also the right one, until time has passed', async () => {
      const statuses: number[] = [];
      for (let guess = 0; guess < 20; guess++) {
        statuses.push((await kit.logIn(`${guess}`.padStart(43, 'x'))).status);
      }
      assert.deepEqual(statuses, [...Array<number>(8).fill(401), ...Array<number>(12).fill(429)]);
      assert.equal((await kit.logIn(FILE_TOKEN)).status, 429);
      kit.skew += 6000;
      assert.equal((await kit.logIn(FILE_TOKEN)).status, 303);
    });

    it('refuses a cookie that it never gave', async () => {
      const name = (await kit.session()).split('=')[0] ?? '';
      for (const value of ['', 'A'.repeat(43), `${'A'.repeat(42)}!`, 'A'.repeat(4000)]) {
        const answer = await kit.ask('/events', { headers: { Cookie: `${name}=${value}` } });
        assert.equal(answer.status, 401);
      }
    });
  });

  describe('to somebody with a token', () => {
    it('gives a session in a cookie that no script and no other site gets', async () => {
      const answer = await kit.logIn(FILE_TOKEN);
      assert.deepEqual([answer.status, answer.headers.location], [303, '/']);
      const [cookie = ''] = answer.headers['set-cookie'] ?? [];
      assert.match(
        cookie,
        /^segy_console_\d+=[A-Za-z0-9_-]{43}; HttpOnly; SameSite=Strict; Path=\/$/,
      );
      const page = await kit.ask('/', { headers: { Cookie: cookie.split(';')[0] ?? '' } });
      assert.equal(page.status, 200);
    });

    it('takes a one-time token once, and not after five minutes', async () => {
      const first = kit.tokens.issue().token;
      assert.equal((await kit.logIn(first)).status, 303);
      assert.equal((await kit.logIn(first)).status, 401);
      const late = kit.tokens.issue().token;
      kit.skew += 300_000;
      assert.equal((await kit.logIn(late)).status, 401);
    });

    it('ends a session by log-out, and its stream with it', async () => {
      const Cookie = await kit.session();
      const stream = kit.follow(Cookie);
      await until('the first event comes', () => stream.events.length > 0);
      const headers = { Cookie, Origin: `http://${kit.host}` };
      const answer = await kit.ask('/logout', { method: 'POST', headers });
      assert.equal(answer.status, 303);
      assert.match(String(answer.headers['set-cookie']), /Max-Age=0/);
      await within('the stream ends', stream.ended);
      assert.equal(stream.events.at(-1), 'event: ended\ndata:');
      assert.equal((await kit.ask('/alive', { headers: { Cookie } })).status, 401);
    });

    it('ends a session that nobody touched, although its stream is open', async () => {
      const Cookie = await kit.session();
      const stream = kit.follow(Cookie);
      await until('the first event comes', () => stream.events.length > 0);
      kit.skew += 50_000;
      assert.equal((await kit.ask('/alive', { headers: { Cookie } })).status, 204);
      kit.skew += 50_000;
      assert.equal((await kit.ask('/browser/dom.js', { headers: { Cookie } })).status, 200);
      kit.skew += 60_000;
      await within('the stream ends', stream.ended);
      assert.equal((await kit.ask('/', { headers: { Cookie } })).status, 303);
    });

    it('ends a session that is too old, however busy', async () => {
      const Cookie = await kit.session();
      for (let minutes = 0; minutes < 10; minutes++) {
        assert.equal((await kit.ask('/alive', { headers: { Cookie } })).status, 204);
        kit.skew += 59_000;
      }
      kit.skew += 10_000;
      assert.equal((await kit.ask('/alive', { headers: { Cookie } })).status, 401);
    });

    it('opens so many streams of one session and no more', async () => {
      const cookie = await kit.session();
      const streams = [1, 2, 3, 4].map(() => kit.follow(cookie));
      await until('all are open', () => streams.every(({ events }) => events.length > 0));
      assert.equal((await kit.ask('/events', { headers: { Cookie: cookie } })).status, 429);
      for (const each of streams) each.stop();
    });
  });

  describe('to another page in the browser', () => {
    const foreign = [
      'attacker.example',
      'attacker.example:9465',
      'localhost.attacker.example',
      '127.0.0.1.attacker.example',
    ];
    for (const host of foreign) {
      it(`says nothing when the Host is "${host}"`, async () => {
        const Cookie = await kit.session();
        for (const path of ['/', '/login', '/console.css', '/events']) {
          assert.equal((await kit.ask(path, { headers: { Host: host, Cookie } })).status, 403);
        }
      });
    }

    it('answers to every name of loopback, also through a tunnel of another port', async () => {
      for (const Host of ['localhost', 'localhost:9999', '127.0.0.1:1', '[::1]:9465']) {
        assert.equal((await kit.ask('/login', { headers: { Host } })).status, 200, Host);
      }
    });

    it('takes no log-in and no log-out of a foreign or an unknown Origin', async () => {
      const Cookie = await kit.session();
      for (const Origin of [
        'http://attacker.example',
        'null',
        'https://127.0.0.1',
        `http://localhost:${kit.server.port}`,
      ]) {
        assert.equal((await kit.logIn(FILE_TOKEN, { Origin })).status, 403, Origin);
        const headers = { Origin, Cookie };
        assert.equal((await kit.ask('/logout', { method: 'POST', headers })).status, 403, Origin);
      }
      const headers = { Cookie };
      assert.equal((await kit.ask('/logout', { method: 'POST', headers })).status, 403);
      assert.equal((await kit.ask('/alive', { headers })).status, 204);
    });

    it('tells no data to a page of the same host at another port', async () => {
      const headers = {
        Cookie: await kit.session(),
        'Sec-Fetch-Site': 'same-site',
        'Sec-Fetch-Mode': 'no-cors',
      };
      assert.equal((await kit.ask('/events', { headers })).status, 403);
    });
  });

  describe('to hostile octets', () => {
    it('has no file beside its own list', async () => {
      const Cookie = await kit.session();
      const paths = [
        '/../../../etc/passwd',
        '/browser/../server.js',
        '/browser/%2e%2e/server.js',
        '/browser/..%2fserver.js',
        '/browser/main.js/../../server.js',
        '/browser/main.js%00',
        '/browser/main.js.map',
        '//etc/passwd',
        '/constructor',
        '/__proto__',
        '/login?token=x',
      ];
      for (const path of paths) {
        const answer = await kit.ask(path, { headers: { Cookie } });
        assert.equal(answer.status, 404, path);
        assertGuarded(answer);
      }
    });

    it('only reads: every other method is refused', async () => {
      const headers = { Cookie: await kit.session(), Origin: `http://${kit.host}` };
      for (const method of ['HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
        const answer = await kit.ask('/events', { method, headers });
        assert.equal(answer.status, 405, method);
        assertGuarded(answer);
      }
    });

    it('refuses a body that is too large, without reading it, and one that is no form', async () => {
      const type = { 'Content-Type': 'application/json' };
      assert.equal((await kit.logIn('x'.repeat(1100))).status, 400);
      assert.equal((await kit.logIn(FILE_TOKEN, type)).status, 400);
      const Origin = `http://${kit.host}`;
      const headers = { ...type, Origin, 'Content-Type': 'application/x-www-form-urlencoded' };
      const body = `token=${FILE_TOKEN}&token=${FILE_TOKEN}`;
      assert.equal((await kit.ask('/login', { method: 'POST', headers, body })).status, 400);
    });

    it('refuses headers that are too large, broken HTTP, two Hosts and an expectation, each with its policy', async () => {
      const host = `Host: ${kit.host}\r\n`;
      const requests: [string, RegExp][] = [
        [`GET /login HTTP/1.1\r\n${host}X: ${'x'.repeat(9000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
        ['nonsense\r\n\r\n', /^HTTP\/1\.1 400 /],
        [`GET /login HTTP/1.1\r\n${host}Host: attacker.example\r\n\r\n`, /^HTTP\/1\.1 403 /],
        ['GET /login HTTP/1.0\r\n\r\n', /^HTTP\/1\.1 403 /],
        [`GET /login HTTP/1.1\r\n${host}Expect: bread\r\n\r\n`, /^HTTP\/1\.1 417 /],
        [
          `GET http://attacker.example/ HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
          /^HTTP\/1\.1 404 /,
        ],
      ];
      for (const [text, expected] of requests) {
        const answer = await within(text.slice(0, 40), kit.raw(text));
        assert.match(answer, expected);
        assert.match(answer, /Content-Security-Policy: default-src 'none'; /);
      }
    });

    it('sends its policy with every answer', async () => {
      const Cookie = await kit.session();
      const closed = ['/', '/alive', '/browser/main.js'];
      for (const path of [...closed, '/login', '/console.css', '/icon.svg', '/nowhere']) {
        assertGuarded(await kit.ask(path));
        assertGuarded(await kit.ask(path, { headers: { Cookie } }));
      }
      assertGuarded(await kit.logIn('x'));
      assertGuarded(await kit.logIn(FILE_TOKEN));
      assertGuarded(await kit.ask('/login', { headers: { Host: 'attacker.example' } }));
    });
  });
});

describe('a console that is kept busy', function () {
  this.timeout(20_000);

  it('cuts off requests that come drop by drop, and serves others meanwhile', async () => {
    const kit = await ConsoleKit.open({}, { receiveMs: 400 });
    try {
      const slow = Array.from({ length: 20 }, () => kit.raw('GET / HTTP/1.1\r\nHost: loc'));
      assert.equal((await kit.ask('/login')).status, 200);
      const answers = await within('all are cut off', Promise.all(slow));
      assert.ok(answers.every((answer) => answer.startsWith('HTTP/1.1 408 ')));
    } finally {
      await kit.server.close();
    }
  });

  it('takes so many connections and no more', async () => {
    const kit = await ConsoleKit.open({}, { connections: 4, receiveMs: 3000 });
    try {
      const held = Array.from({ length: 4 }, () => kit.raw('GET / HTTP/1.1\r\n'));
      await assert.rejects(kit.ask('/login'));
      await within('they are cut off', Promise.all(held));
      assert.equal((await kit.ask('/login')).status, 200);
    } finally {
      await kit.server.close();
    }
  });

  it('cuts off a page that reads nothing, so that it holds no room', async () => {
    const limits = { streamsOfSession: 1, tickMs: 10, backlogOctets: 10_000, stalledMs: 300 };
    const version = (): string => String(Math.random()).repeat(100_000);
    const kit = await ConsoleKit.open({ gateway: { state: version } }, limits);
    try {
      const Cookie = await kit.session();
      const deaf = connect(kit.server.port, '127.0.0.1');
      deaf.on('error', () => undefined);
      deaf.write(`GET /events HTTP/1.1\r\nHost: ${kit.host}\r\nCookie: ${Cookie}\r\n\r\n`);
      await once(deaf, 'data');
      deaf.pause();
      const second = async (): Promise<number> => {
        const stream = kit.follow(Cookie);
        const status = await stream.status;
        stream.stop();
        return status;
      };
      assert.equal(await second(), 429);
      await until('it has it no more', async () => (await second()) === 200);
      deaf.destroy();
    } finally {
      await kit.server.close();
    }
  });
});
