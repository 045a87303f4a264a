import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import {
  createResponse,
  parseSip,
  type ProtocolError,
  type ServerTransaction,
  type SipEndpoint,
  type SipMessage,
} from '../../src/sip/index.js';
import { Endpoints, makeRequest } from './support/endpoints.js';
import { inviteOctets } from './support/messages.js';

const OPEN = new Endpoints();

/** A UDP peer that is no endpoint: raw octets in and out. */
async function rawPeer(server: SipEndpoint, address = '127.0.0.1') {
  const { port } = await server.listen({ protocol: 'udp', address: '127.0.0.1', port: 0 });
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, address, resolve));
  const waiting: ((octets: Buffer) => void)[] = [];
  const arrived: Buffer[] = [];
  socket.on('message', (octets) => {
    const next = waiting.shift();
    if (next === undefined) arrived.push(octets);
    else next(octets);
  });
  const send = (octets: Uint8Array): void => socket.send(octets, port, '127.0.0.1');
  const receive = async (): Promise<SipMessage & { status?: number }> => {
    const octets =
      arrived.shift() ?? (await new Promise<Buffer>((resolve) => waiting.push(resolve)));
    return parseSip(octets);
  };
  const close = (): Promise<void> => new Promise((resolve) => socket.close(() => resolve()));
  return { send, receive, close, port: socket.address().port, serverPort: port, arrived };
}

/** `once` would reject on the reset that often comes before. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

function via(port: number, more = ''): string {
  return `SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKabc${more}`;
}

describe('sip/endpoint: what goes over the wire', () => {
  let server: SipEndpoint;
  let errors: ProtocolError[];
  let peer: Awaited<ReturnType<typeof rawPeer>>;
  let requests: ServerTransaction[];

  beforeEach(async () => {
    errors = [];
    requests = [];
    server = OPEN.make({ timing: { trying: 5 }, userAgent: 'Gate' });
    server.onProtocolError = (error) => errors.push(error);
    server.onRequest = (tx) => requests.push(tx);
    peer = await rawPeer(server);
  });
  afterEach(async () => {
    await peer.close();
    await OPEN.closeAll();
    assert.deepEqual(OPEN.problems.splice(0), []);
  });

  it('a response goes to the port of Via without rport, to the source port with it', async () => {
    const elsewhere = createSocket('udp4');
    await new Promise<void>((resolve) => elsewhere.bind(0, '127.0.0.1', resolve));
    const got = once(elsewhere, 'message') as Promise<[Buffer]>;
    peer.send(inviteOctets({ Via: via(elsewhere.address().port) }));
    const [octets] = await got;
    assert.ok(!parseSip(octets).headers.get('Via')?.includes('received'));
    peer.send(inviteOctets({ Via: via(elsewhere.address().port, '2;rport'), 'Call-ID': 'two' }));
    const answer = await peer.receive();
    assert.match(
      answer.headers.get('Via') ?? '',
      new RegExp(`;rport=${peer.port};received=127\\.0\\.0\\.1$`),
    );
    elsewhere.close();
  });

  it('received tells the true source, whatever the sender claims', async () => {
    peer.send(
      inviteOctets({
        Via: `SIP/2.0/UDP host.example:${peer.port};branch=z9hG4bKq;received=192.0.2.9`,
      }),
    );
    const answer = await peer.receive();
    assert.match(answer.headers.get('Via') ?? '', /;received=127\.0\.0\.1$/);
  });

  it('maddr in Via does not move the response', async () => {
    peer.send(inviteOctets({ Via: via(peer.port, ';maddr=192.0.2.200') }));
    assert.equal((await peer.receive()).status, 100);
  });

  it('a repeated INVITE makes one transaction and is answered by it', async () => {
    peer.send(inviteOctets({ Via: via(peer.port) }));
    assert.equal((await peer.receive()).status, 100);
    peer.send(inviteOctets({ Via: via(peer.port) }));
    assert.equal((await peer.receive()).status, 100);
    assert.equal(requests.length, 1);
  });

  it('a request that comes a second time over another path is answered 482', async () => {
    peer.send(inviteOctets({ Via: via(peer.port) }));
    await peer.receive();
    peer.send(inviteOctets({ Via: via(peer.port, 'other') }));
    assert.equal((await peer.receive()).status, 482);
    assert.equal(requests.length, 1);
  });

  it('a re-INVITE in a dialog is no merged request', async () => {
    const to = '<sip:bob@b.example>;tag=dialog';
    peer.send(inviteOctets({ Via: via(peer.port), To: to }));
    await peer.receive();
    peer.send(inviteOctets({ Via: via(peer.port, 'other'), To: to }));
    assert.equal((await peer.receive()).status, 100);
    assert.equal(requests.length, 2);
  });

  it('a CANCEL without INVITE is answered 481', async () => {
    const cancel = Buffer.from(inviteOctets({ Via: via(peer.port) }))
      .toString()
      .replaceAll('INVITE', 'CANCEL');
    peer.send(Buffer.from(cancel));
    assert.equal((await peer.receive()).status, 481);
    assert.equal(requests.length, 0);
  });

  it('a CANCEL from another sent-by does not end the INVITE', async () => {
    peer.send(inviteOctets({ Via: via(peer.port, ';rport') }));
    await peer.receive();
    const forged = inviteOctets({ Via: 'SIP/2.0/UDP evil.example;branch=z9hG4bKabc;rport' });
    peer.send(Buffer.from(Buffer.from(forged).toString().replaceAll('INVITE', 'CANCEL')));
    assert.equal((await peer.receive()).status, 481);
    assert.ok(requests[0]?.respond(createResponse(requests[0].request, 486)));
  });

  it('an ACK for nothing is dropped without answer', async () => {
    server.onAck = () => assert.fail('an ACK came through');
    const ack = Buffer.from(inviteOctets({ Via: via(peer.port) }))
      .toString()
      .replaceAll('INVITE', 'ACK');
    peer.send(Buffer.from(ack));
    peer.send(inviteOctets({ Via: via(peer.port) }));
    assert.equal((await peer.receive()).status, 100);
    assert.equal(peer.arrived.length, 0);
  });

  it('a malformed request is answered 400 and reported once', async () => {
    peer.send(inviteOctets({ Via: via(peer.port), 'Max-Forwards': 'many' }));
    const answer = await peer.receive();
    assert.equal(answer.status, 400);
    assert.match(answer.headers.get('To') ?? '', /;tag=/);
    assert.deepEqual(
      errors.map(({ code, answered }) => [code, answered]),
      [['SEGY_E_SIP_SYNTAX', 400]],
    );
    assert.equal(requests.length, 0);
  });

  it('an oversize request is answered 413', async () => {
    peer.send(inviteOctets({ Via: via(peer.port), 'X-Long': 'x'.repeat(9_000) }));
    assert.equal((await peer.receive()).status, 413);
    assert.equal(errors[0]?.code, 'SEGY_E_SIP_TOO_LARGE');
  });

  it('a request whose To cannot be read gets its own To back', async () => {
    peer.send(inviteOctets({ Via: via(peer.port), To: '<sip:bob' }));
    const answer = await peer.receive();
    assert.equal(answer.status, 400);
    assert.equal(answer.headers.get('To'), '<sip:bob');
  });

  it('octets that are no SIP are reported and not answered', async () => {
    peer.send(Buffer.from('\0\x01garbage'));
    peer.send(Buffer.from('SIP/2.0 2000 Odd\r\n\r\n'));
    peer.send(inviteOctets({ Via: via(peer.port) }));
    assert.equal((await peer.receive()).status, 100);
    assert.deepEqual(
      errors.map(({ answered }) => answered),
      [undefined, undefined],
    );
  });

  it('keep-alive datagrams are neither answered nor reported', async () => {
    peer.send(Buffer.from('\r\n\r\n'));
    peer.send(Buffer.alloc(0));
    peer.send(inviteOctets({ Via: via(peer.port) }));
    assert.equal((await peer.receive()).status, 100);
    assert.equal(errors.length, 0);
  });

  it('a handler that throws makes a 500, and the endpoint lives', async () => {
    server.onRequest = () => {
      throw new Error('the user failed');
    };
    peer.send(inviteOctets({ Via: via(peer.port) }));
    const answer = await peer.receive();
    assert.equal(answer.status, 500);
    assert.equal(answer.headers.get('Server'), 'Gate');
    assert.equal(OPEN.problems.splice(0).length, 1);
  });

  it('an endpoint without handler answers 503', async () => {
    server.onRequest = undefined;
    peer.send(inviteOctets({ Via: via(peer.port) }));
    assert.equal((await peer.receive()).status, 503);
  });

  it('more transactions than the limit are answered 503 with Retry-After', async () => {
    const small = OPEN.make({ limits: { serverTransactions: 1 } });
    small.onRequest = () => undefined;
    const other = await rawPeer(small);
    other.send(inviteOctets({ Via: via(other.port) }));
    other.send(inviteOctets({ Via: via(other.port, '2'), 'Call-ID': 'another' }));
    const answer = await other.receive();
    assert.equal(answer.status, 503);
    assert.ok(answer.headers.get('Retry-After'));
    await other.close();
  });

  it('a request that carries a Via of ours is a loop', async () => {
    peer.send(inviteOctets({ Via: `${via(peer.port)}, ${via(peer.serverPort, 'ours')}` }));
    await peer.receive();
    assert.ok(server.isLoop(requests[0]!.request));
    peer.send(inviteOctets({ Via: via(peer.port, '3'), 'Call-ID': 'straight' }));
    await peer.receive();
    assert.ok(!server.isLoop(requests[1]!.request));
  });

  it('more client transactions than the limit are refused', async () => {
    const small = OPEN.make({ limits: { clientTransactions: 1 } });
    await small.listen({ protocol: 'udp', address: '127.0.0.1', port: 0 });
    const target = { protocol: 'udp', address: '127.0.0.1', port: peer.port } as const;
    small.request(makeRequest('OPTIONS'), target);
    assert.throws(() => small.request(makeRequest('OPTIONS'), target), { code: 'SEGY_E_BUSY' });
  });

  it('a response that nobody waits for is dropped', async () => {
    const response = createResponse(parseSip(inviteOctets()) as never, 200);
    peer.send(
      Buffer.from(
        `SIP/2.0 200 OK\r\n${response.headers
          .entries()
          .map(([n, v]) => `${n}: ${v}\r\n`)
          .join('')}\r\n`,
      ),
    );
    peer.send(inviteOctets({ Via: via(peer.port) }));
    assert.equal((await peer.receive()).status, 100);
  });
});

describe('sip/endpoint: streams', () => {
  afterEach(async () => {
    await OPEN.closeAll();
    assert.deepEqual(OPEN.problems.splice(0), []);
  });

  async function stream(limits: Record<string, number> = {}) {
    const server = OPEN.make({ limits });
    const errors: ProtocolError[] = [];
    server.onProtocolError = (error) => errors.push(error);
    server.onRequest = (tx) => tx.respond(createResponse(tx.request, 200));
    const { port } = await server.listen({ protocol: 'tcp', address: '127.0.0.1', port: 0 });
    const open = () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      return socket;
    };
    return { server, errors, open };
  }

  it('a ping is answered by a pong', async () => {
    const { open } = await stream();
    const socket = open();
    socket.write('\r\n\r\n');
    const [octets] = (await once(socket, 'data')) as [Buffer];
    assert.equal(octets.toString(), '\r\n');
    socket.destroy();
  });

  it('a stream that cannot be cut is answered 400, reported once, and closed', async () => {
    const { open, errors } = await stream();
    const socket = open();
    socket.write(
      Buffer.from(Buffer.from(inviteOctets()).toString().replace('Content-Length', 'X')),
    );
    const [octets] = (await once(socket, 'data')) as [Buffer];
    assert.match(octets.toString(), /^SIP\/2\.0 400 /);
    await closed(socket);
    assert.equal(errors.length, 1);
  });

  it('a slow sender is cut off, however steadily it sends (slow-loris)', async () => {
    const { open } = await stream({ messageMs: 60 });
    const socket = open();
    const timer = setInterval(() => socket.write('a'), 10);
    await closed(socket);
    clearInterval(timer);
  });

  it('a peer that never says anything is cut off', async () => {
    const { open } = await stream({ firstMessageMs: 30 });
    await closed(open());
  });

  it('an idle connection is closed', async () => {
    const { open } = await stream({ idleMs: 40 });
    const socket = open();
    socket.resume();
    socket.write(inviteOctets());
    await closed(socket);
  });

  it('more connections from one address than the limit are cut off', async () => {
    const { open } = await stream({ connectionsPerAddress: 1 });
    const first = open();
    await once(first, 'connect');
    await closed(open());
    first.write(inviteOctets());
    await once(first, 'data');
    first.destroy();
  });

  it('a peer that does not read is cut off', async () => {
    const { server, open } = await stream({ sendQueueOctets: 200_000 });
    server.onRequest = (tx) => {
      const response = createResponse(tx.request, 200);
      response.headers.add('Content-Type', 'text/plain');
      tx.respond({ ...response, body: Buffer.alloc(100_000, 'x') });
    };
    const socket = open();
    socket.pause();
    const ended = closed(socket);
    let call = 0;
    const timer = setInterval(() => {
      for (let count = 0; count < 20; count += 1) {
        call += 1;
        const id = `c${call}`;
        socket.write(inviteOctets({ 'Call-ID': id, Via: `SIP/2.0/TCP h;branch=z9hG4bK${call}` }));
      }
    }, 1);
    await ended;
    clearInterval(timer);
  });

  it('a connection that is not admitted is ended before it says anything', async () => {
    const { server, open } = await stream();
    server.onAdmission = (_source, octets) => octets > 0;
    await closed(open());
  });

  it('our own connections ping', async () => {
    const { server } = await stream();
    const peer = OPEN.make();
    const { port } = await peer.listen({ protocol: 'tcp', address: '127.0.0.1', port: 0 });
    await server.close();
    const client = OPEN.make({ limits: { pingMs: 100, idleMs: 1000 } });
    await client.listen({ protocol: 'tcp', address: '127.0.0.1', port: 0 });
    client.request(makeRequest('OPTIONS'), { protocol: 'tcp', address: '127.0.0.1', port });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.equal(client.stats().connections, 1);
  });
});
