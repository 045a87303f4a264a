import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { HttpsListener, httpsFetch } from '../../src/https/index.js';
import type { HttpRequest, HttpRoute } from '../../src/https/index.js';
import { needTool } from '../xmldsig/support.js';
import { Certificates, curl, generousClients, LIMITS } from './support.js';
import { loggingEnvironment, openListener, run } from './support.js';

const bounds = { timeoutMs: 5000, maxOctets: 10_000 };

function echo(): HttpRoute & { readonly seen: HttpRequest[] } {
  const seen: HttpRequest[] = [];
  return {
    name: 'echo',
    seen,
    matches: (path) => path.startsWith('/echo'),
    maxBodyOctets: 1000,
    handle: (request) => {
      seen.push(request);
      if (request.path === '/echo/fails') return Promise.reject(new Error('a secret cause'));
      return Promise.resolve({ status: 200, body: request.body });
    },
  };
}

describe('the HTTPS listener', () => {
  let certificates: Certificates;
  let listener: HttpsListener;
  let route: ReturnType<typeof echo>;
  const env = loggingEnvironment();
  const url = (path: string): string => `https://localhost:${listener.port}${path}`;
  const get = (path: string) =>
    httpsFetch({ url: url(path), method: 'GET' }, { ca: certificates.ca }, bounds);

  before(async () => {
    certificates = new Certificates();
    route = echo();
    listener = await openListener(certificates, [route], {
      env,
      limits: { headerMs: 500, requestMs: 800, handshakeMs: 500 },
    });
  });

  after(async () => {
    await listener.close();
    certificates.remove();
  });

  const handshakes: readonly [string, readonly string[], RegExp][] = [
    ['TLS 1.3', ['-tls1_3'], /New, TLSv1\.3, Cipher is TLS_/],
    ['TLS 1.2 with an ECDHE and AEAD suite', ['-tls1_2'], /TLSv1\.2, Cipher is ECDHE-ECDSA-/],
    ['no TLS 1.1', ['-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0'], /Cipher is \(NONE\)/],
    ['no suite without forward secrecy', ['-tls1_2', '-cipher', 'AES256-GCM-SHA384'], /\(NONE\)/],
    ['no CBC suite', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES256-SHA384'], /\(NONE\)/],
    ['no SHA-1 signature', ['-tls1_2', '-sigalgs', 'ECDSA+SHA1'], /\(NONE\)/],
    ['no weak group', ['-tls1_3', '-groups', 'ffdhe2048'], /\(NONE\)/],
  ];
  for (const [what, options, expected] of handshakes) {
    it(`speaks ${what}, by openssl s_client`, async function () {
      needTool(this, 'openssl');
      const peer = ['s_client', '-connect', `127.0.0.1:${listener.port}`, ...options];
      assert.match(await run('openssl', peer), expected);
    });
  }

  it('does not renegotiate, by openssl s_client', async function () {
    needTool(this, 'openssl');
    const peer = ['s_client', '-connect', `127.0.0.1:${listener.port}`, '-tls1_2'];
    const text = await run('openssl', peer, 'R\n');
    assert.match(text, /RENEGOTIATING/);
    assert.match(text, /no renegotiation|error|alert|closed/i);
  });

  it('gives a handler the request whole, and its answer to curl', async function () {
    needTool(this, 'curl');
    const answer = await curl(certificates, url('/echo/a%2Fb?c=d'), '-d', 'body');
    assert.deepEqual([answer.status, answer.body], [200, 'body']);
    const request = route.seen.at(-1);
    assert.deepEqual(
      [request?.method, request?.path, request?.query],
      ['POST', '/echo/a%2Fb', 'c=d'],
    );
    assert.doesNotMatch(answer.headers, /^(server|x-powered-by):/im);
  });

  it('tells nothing of why it failed', async () => {
    const { status, body } = await get('/echo/fails');
    assert.deepEqual([status, body.length], [500, 0]);
  });

  it('knows no other path', async () => {
    assert.equal((await get('/')).status, 404);
  });

  it('refuses a body over the limit of its route, whether it says its length or not', async function () {
    needTool(this, 'curl');
    const seen = route.seen.length;
    const body = ['-d', 'x'.repeat(1001), '-H', 'Expect:'];
    assert.equal((await curl(certificates, url('/echo'), ...body)).status, 413);
    const chunked = [...body, '-H', 'Transfer-Encoding: chunked'];
    assert.equal((await curl(certificates, url('/echo'), ...chunked)).status, 413);
    assert.equal(route.seen.length, seen);
  });

  it('refuses header fields over the limit', async function () {
    needTool(this, 'curl');
    const { status } = await curl(certificates, url('/echo'), '-H', `X: ${'x'.repeat(20_000)}`);
    assert.equal(status, 400);
  });

  it('refuses a second Authorization field', async function () {
    needTool(this, 'curl');
    const twice = ['-H', 'Authorization: Bearer a', '-H', 'authorization: Bearer b'];
    assert.equal((await curl(certificates, url('/echo'), ...twice)).status, 400);
  });

  it('refuses a request with both a length and a transfer coding', async () => {
    const text = await rawRequest(
      'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    assert.match(text, /^HTTP\/1\.1 400/);
  });

  it('ends a connection that begins no handshake', async () => {
    await ended(connect(listener.port, '127.0.0.1'));
  });

  it('ends a connection whose header fields never end', async () => {
    const socket = tlsConnect({
      port: listener.port,
      ca: Buffer.from(certificates.ca),
      host: 'localhost',
    });
    socket.once('secureConnect', () => socket.write('GET /echo HTTP/1.1\r\nHost: a\r\n'));
    await ended(socket);
  });

  it('logs what it refuses as a security event, without what came over the wire', () => {
    const refused = env.events.filter(({ event }) => event === 'security.refused');
    assert.ok(refused.length > 0);
    assert.ok(
      refused.every(({ fields }) => fields.side === 'https' && fields.source === '127.0.0.1'),
    );
    assert.doesNotMatch(JSON.stringify(refused), /xxxx/);
  });

  async function rawRequest(text: string): Promise<string> {
    const socket = tlsConnect({
      port: listener.port,
      ca: Buffer.from(certificates.ca),
      host: 'localhost',
    });
    let got = '';
    socket.on('data', (chunk: Buffer) => (got += chunk.toString()));
    socket.once('secureConnect', () => socket.write(text));
    await ended(socket);
    return got;
  }
});

describe('the HTTPS listener towards one busy client', () => {
  let certificates: Certificates;
  before(() => (certificates = new Certificates()));
  after(() => certificates.remove());

  it('answers 429 beyond the rate, and the handler never sees those requests', async () => {
    const route = echo();
    const rate = { requestsPerSecond: 1, burst: 5 };
    const listener = await openListener(certificates, [route], { rate });
    try {
      const url = `https://localhost:${listener.port}/echo`;
      const statuses: number[] = [];
      for (let i = 0; i < 8; i++) {
        const fetched = await httpsFetch({ url, method: 'GET' }, { ca: certificates.ca }, bounds);
        statuses.push(fetched.status);
      }
      assert.deepEqual([statuses.slice(0, 5), statuses.at(-1)], [[200, 200, 200, 200, 200], 429]);
      assert.ok(route.seen.length < 8);
    } finally {
      await listener.close();
    }
  });

  it('closes connections beyond the rate before their handshake, so that they cost no signature', async () => {
    const rate = { handshakesPerSecond: 1 };
    const listener = await openListener(certificates, [echo()], { rate });
    try {
      const admitted = [1, 2, 3, 4].map(() => connect(listener.port, '127.0.0.1'));
      await Promise.all(
        admitted.map((socket) => new Promise((resolve) => socket.once('connect', resolve))),
      );
      const before = process.cpuUsage();
      for (let i = 0; i < 200; i++) await ended(connect(listener.port, '127.0.0.1'));
      const { user, system } = process.cpuUsage(before);
      const each = (user + system) / 200_000;
      assert.ok(each < 10, `${each} ms of processor time a connection`);
      for (const socket of admitted) socket.destroy();
    } finally {
      await listener.close();
    }
  });

  it('answers 503 beyond the requests at a time, and counts none whose body is on its way', async () => {
    const release: (() => void)[] = [];
    const route: HttpRoute = {
      ...{ name: 'slow', maxBodyOctets: 1000 },
      matches: () => true,
      handle: ({ path }) =>
        path === '/fast'
          ? Promise.resolve({ status: 200 })
          : new Promise((resolve) => release.push(() => resolve({ status: 200 }))),
    };
    const listener = await openListener(certificates, [route], { limits: { parallel: 1 } });
    const { ca } = certificates;
    const ask = async (path: string): Promise<number> => {
      const url = `https://localhost:${listener.port}${path}`;
      return (await httpsFetch({ url, method: 'GET' }, { ca }, bounds)).status;
    };
    const begun = tlsConnect({ port: listener.port, host: 'localhost', ca: Buffer.from(ca) });
    try {
      const head = 'POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n';
      begun.once('secureConnect', () => begun.write(`${head}ab`));
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(await ask('/fast'), 200);
      const answered = new Promise<string>((resolve) =>
        begun.once('data', (data: Buffer) => resolve(data.toString())),
      );
      begun.write('cd');
      while (release.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.equal(await ask('/fast'), 503);
      release[0]?.();
      assert.match(await answered, /^HTTP\/1\.1 200/);
      assert.equal(await ask('/fast'), 200);
    } finally {
      begun.destroy();
      await listener.close();
    }
  });

  it('keeps the connections of one client below its limit', async () => {
    const listener = await openListener(certificates, [echo()], { rate: { connections: 2 } });
    try {
      const open = [1, 2].map(() => connect(listener.port, '127.0.0.1'));
      await Promise.all(
        open.map((socket) => new Promise((resolve) => socket.once('connect', resolve))),
      );
      await ended(connect(listener.port, '127.0.0.1'));
      for (const socket of open) socket.destroy();
    } finally {
      await listener.close();
    }
  });

  it('with client certificates required ends the handshake of a client without one', async () => {
    const listener = await openListener(certificates, [echo()], {
      tls: { clientCertificates: 'required' },
    });
    try {
      const url = `https://localhost:${listener.port}/echo`;
      const { ca } = certificates;
      await assert.rejects(httpsFetch({ url, method: 'GET' }, { ca }, bounds));
      const { cert, key } = certificates.client('mc-client.example');
      const own = { ca, cert: Buffer.from(cert), key: Buffer.from(key) };
      assert.equal((await httpsFetch({ url, method: 'GET' }, own, bounds)).status, 200);
    } finally {
      await listener.close();
    }
  });

  it('without authorities of clients takes any certificate, and calls none of them good', async () => {
    const route = echo();
    const none = { cert: certificates.tls().cert, key: certificates.tls().key };
    const listener = await HttpsListener.open({
      ...{ address: '127.0.0.1', port: 0, limits: LIMITS, routes: [route] },
      tls: { ...none, clientCertificates: 'optional', least: '1.2' },
      clients: generousClients(),
      env: loggingEnvironment(),
    });
    try {
      const url = `https://localhost:${listener.port}/echo`;
      const { cert, key } = certificates.client('mc-client.example');
      const own = { ca: certificates.ca, cert: Buffer.from(cert), key: Buffer.from(key) };
      assert.equal((await httpsFetch({ url, method: 'GET' }, own, bounds)).status, 200);
      assert.equal(route.seen[0]?.certificate?.authorized, false);
    } finally {
      await listener.close();
    }
  });

  it('shows another certificate after it was given one, to new connections', async () => {
    const listener = await openListener(certificates, [echo()]);
    try {
      const url = `https://localhost:${listener.port}/echo`;
      const { ca } = certificates;
      assert.equal((await httpsFetch({ url, method: 'GET' }, { ca }, bounds)).status, 200);
      const { cert, key } = certificates.client('elsewhere.example');
      listener.setTls(certificates.tls({ cert: Buffer.from(cert), key: Buffer.from(key) }));
      await assert.rejects(httpsFetch({ url, method: 'GET' }, { ca }, bounds), {
        code: 'SEGY_E_TLS_PEER',
      });
    } finally {
      await listener.close();
    }
  });

  it('of another kind of TLS than the operator wants speaks none', async function () {
    needTool(this, 'openssl');
    const listener = await openListener(certificates, [echo()], { tls: { least: '1.3' } });
    try {
      const peer = ['s_client', '-connect', `127.0.0.1:${listener.port}`, '-tls1_2'];
      assert.match(await run('openssl', peer), /\(NONE\)/);
    } finally {
      await listener.close();
    }
  });
});

describe('the HTTPS client', () => {
  let certificates: Certificates;
  let listener: HttpsListener;
  before(async () => {
    certificates = new Certificates();
    listener = await openListener(certificates, [echo()]);
  });
  after(async () => {
    await listener.close();
    certificates.remove();
  });
  const ask = (tls: Parameters<typeof httpsFetch>[1], body = ''): ReturnType<typeof httpsFetch> =>
    httpsFetch(
      { url: `https://localhost:${listener.port}/echo`, method: 'POST', body },
      tls,
      bounds,
    );

  it('trusts the configured authorities and no others', async () => {
    assert.equal((await ask({ ca: certificates.ca })).status, 200);
    await assert.rejects(ask({}), { code: 'SEGY_E_TLS_PEER' });
  });

  it('with a pinned certificate takes that one alone, before it sends anything', async () => {
    const wrong = '00'.repeat(32);
    await assert.rejects(ask({ certificateSha256: wrong }), { code: 'SEGY_E_TLS_PEER' });
  });

  it('gives up on an answer that is too large', async () => {
    const url = `https://localhost:${listener.port}/echo`;
    const small = { timeoutMs: 5000, maxOctets: 10 };
    await assert.rejects(
      httpsFetch({ url, method: 'POST', body: 'x'.repeat(11) }, { ca: certificates.ca }, small),
      { code: 'SEGY_E_PARTNER_IDM' },
    );
  });
});

function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.on('data', () => undefined);
    socket.once('close', () => resolve());
  });
}
