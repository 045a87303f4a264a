import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createResponse, parseSip, type SipTarget } from '../../src/sip/index.js';
import { Endpoints, errorOf, finalOf, makeRequest, nextRequest } from './support/endpoints.js';
import { inviteOctets } from './support/messages.js';

const OPEN = new Endpoints();
const servers: Server[] = [];

/** A bare TCP server; `serve` sees each connection with its number, from 1 on. */
async function bareServer(serve: (socket: Socket, number: number) => void): Promise<number> {
  let number = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    number += 1;
    serve(socket, number);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function caller() {
  const client = OPEN.make();
  await client.listen({ protocol: 'tcp', address: '127.0.0.1', port: 0 });
  return client;
}

function answer(octets: Buffer, status: number): Buffer {
  const request = parseSip(octets);
  assert.ok(request.kind === 'request');
  const { headers } = createResponse(request, status);
  const fields = headers.entries().map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`SIP/2.0 ${status} X\r\n${fields.join('')}Content-Length: 0\r\n\r\n`);
}

describe('sip/endpoint: connections that end', () => {
  afterEach(async () => {
    await OPEN.closeAll();
    for (const server of servers.splice(0)) server.close();
    assert.deepEqual(OPEN.problems.splice(0), []);
  });

  it('a request fails at once when its new connection ends without an answer', async () => {
    const port = await bareServer((socket) => socket.once('data', () => socket.destroy()));
    const client = await caller();
    const target: SipTarget = { protocol: 'tcp', address: '127.0.0.1', port };
    const error = await errorOf(client.request(makeRequest('OPTIONS'), target));
    assert.equal((error as { code?: string }).code, 'SEGY_E_SIP_TRANSPORT');
  });

  it('a request that met a closing connection is sent again over a new one', async () => {
    const port = await bareServer((socket, number) => {
      let requests = 0;
      socket.on('data', (octets: Buffer) => {
        requests += 1;
        if (number === 1 && requests === 2) socket.destroy();
        else socket.write(answer(octets, 200 + number));
      });
    });
    const client = await caller();
    const target: SipTarget = { protocol: 'tcp', address: '127.0.0.1', port };
    const first = await finalOf(client.request(makeRequest('OPTIONS'), target));
    const second = await finalOf(client.request(makeRequest('OPTIONS'), target));
    assert.deepEqual([first.status, second.status], [201, 202]);
  });

  it('a response whose connection is gone goes to the source address and the port of Via', async () => {
    const server = OPEN.make();
    const { port } = await server.listen({ protocol: 'tcp', address: '127.0.0.1', port: 0 });
    const got = new Promise<Buffer>((resolve) => {
      void bareServer((socket) => socket.once('data', resolve)).then((back) => {
        const socket = connect(port, '127.0.0.1');
        const via = `SIP/2.0/TCP elsewhere.example:${back};branch=z9hG4bKx`;
        socket.write(inviteOctets({ Via: via }), () => socket.end());
      });
    });
    const tx = await nextRequest(server);
    while (server.stats().connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    tx.respond(createResponse(tx.request, 486));
    assert.match((await got).toString(), /^SIP\/2\.0 486 /);
  });

  it('a server transaction ends when its response can go nowhere', async () => {
    const server = OPEN.make();
    const { port } = await server.listen({ protocol: 'tcp', address: '127.0.0.1', port: 0 });
    const socket = connect(port, '127.0.0.1');
    const via = 'SIP/2.0/TCP elsewhere.example:1;branch=z9hG4bKx';
    socket.write(inviteOctets({ Via: via }), () => socket.end());
    const tx = await nextRequest(server);
    await once(socket, 'close');
    const why = new Promise((resolve) => {
      tx.onEnd = resolve;
    });
    tx.respond(createResponse(tx.request, 486));
    assert.equal(await why, 'transport');
  });

  it('requests go from the address that listens', async () => {
    const from = new Promise<string | undefined>((resolve) => {
      void bareServer((socket) => resolve(socket.remoteAddress)).then(async (port) => {
        const client = OPEN.make();
        await client.listen({ protocol: 'udp', address: '127.0.0.2', port: 0 });
        client.request(makeRequest('OPTIONS'), { protocol: 'tcp', address: '127.0.0.1', port });
      });
    });
    assert.equal(await from, '127.0.0.2');
  });

  it('a request may go over the connection its peer opened', async () => {
    const server = OPEN.make();
    const { port } = await server.listen({ protocol: 'tcp', address: '127.0.0.1', port: 0 });
    const socket = connect(port, '127.0.0.1');
    socket.write(inviteOctets());
    const { connectionId = '' } = (await nextRequest(server)).source;
    const got = once(socket, 'data') as Promise<[Buffer]>;
    server.request(makeRequest('OPTIONS'), {
      protocol: 'tcp',
      address: '127.0.0.1',
      port: 1,
      connectionId,
    });
    assert.match((await got)[0].toString(), /^OPTIONS /);
    socket.destroy();
  });

  it('closing an endpoint ends its transactions', async () => {
    const port = await bareServer(() => undefined);
    const client = await caller();
    const target: SipTarget = { protocol: 'tcp', address: '127.0.0.1', port };
    const failed = errorOf(client.request(makeRequest('INVITE'), target));
    await client.close();
    assert.match((await failed).message, /closed/);
    assert.deepEqual(client.stats(), {
      clientTransactions: 0,
      serverTransactions: 0,
      connections: 0,
    });
    assert.throws(() => client.request(makeRequest('OPTIONS'), target), {
      code: 'SEGY_E_SIP_TRANSPORT',
    });
  });
});
