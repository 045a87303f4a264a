import assert from 'node:assert/strict';
import { createResponse, type SipProtocol, type SipTarget } from '../../src/sip/index.js';
import { needsIpv6 } from '../support/ipv6.js';
import {
  Endpoints,
  errorOf,
  finalOf,
  makeAck,
  makeRequest,
  nextRequest,
} from './support/endpoints.js';

const OPEN = new Endpoints();

async function pair(protocol: SipProtocol, address: string) {
  const client = OPEN.make({ name: 'client' });
  const server = OPEN.make({ name: 'server' });
  await client.listen({ protocol, address, port: 0 });
  const { port } = await server.listen({ protocol, address, port: 0 });
  const target: SipTarget = { protocol, address, port };
  return { client, server, target };
}

describe('sip/endpoint on real sockets', () => {
  afterEach(async () => {
    await OPEN.closeAll();
    assert.deepEqual(OPEN.problems.splice(0), []);
  });

  for (const protocol of ['udp', 'tcp'] as const) {
    for (const address of ['127.0.0.1', '::1']) {
      it(`an OPTIONS is answered over ${protocol} ${address}`, async function () {
        if (address === '::1') needsIpv6(this);
        const { client, server, target } = await pair(protocol, address);
        server.onRequest = (tx) => tx.respond(createResponse(tx.request, 200));
        const response = await finalOf(client.request(makeRequest('OPTIONS'), target));
        assert.equal(response.status, 200);
        assert.match(response.headers.get('To') ?? '', /;tag=[0-9a-f]{16}$/);
      });

      it(`an INVITE rings, is answered and acknowledged over ${protocol} ${address}`, async function () {
        if (address === '::1') needsIpv6(this);
        const { client, server, target } = await pair(protocol, address);
        const acked = new Promise<string>((resolve) => {
          server.onAck = (ack) => resolve(ack.headers.get('Call-ID') ?? '');
        });
        server.onRequest = (tx) => {
          tx.respond(createResponse(tx.request, 180));
          tx.respond(createResponse(tx.request, 200));
        };
        const seen: number[] = [];
        const invite = client.request(makeRequest('INVITE'), target);
        invite.onProvisional = (response) => seen.push(response.status);
        const response = await finalOf(invite);
        client.sendAck(makeAck(invite.request, response), target);
        assert.equal(await acked, invite.request.headers.get('Call-ID'));
        assert.deepEqual([...seen, response.status], [180, 200]);
      });
    }

    it(`an INVITE is cancelled over ${protocol}, its Reason told`, async () => {
      const { client, server, target } = await pair(protocol, '127.0.0.1');
      server.onRequest = (tx) => {
        tx.onCancel = (cancel) => {
          assert.equal(cancel.headers.get('Reason'), 'SIP;cause=200');
          tx.respond(createResponse(tx.request, 487));
        };
        tx.respond(createResponse(tx.request, 180));
      };
      const invite = client.request(makeRequest('INVITE'), target);
      invite.cancel('SIP;cause=200');
      assert.equal((await finalOf(invite)).status, 487);
    });
  }

  it('a request shows where it came from', async () => {
    const { client, server, target } = await pair('tcp', '127.0.0.1');
    client.request(makeRequest('OPTIONS'), target);
    const { source, request } = await nextRequest(server);
    assert.equal(source.protocol, 'tcp');
    assert.equal(source.address, '127.0.0.1');
    assert.equal(source.localPort, target.port);
    assert.ok(source.connectionId);
    assert.equal(request.headers.get('Max-Forwards'), '70');
  });

  it('a large request for a UDP target goes over TCP', async () => {
    const { client, server, target } = await pair('udp', '127.0.0.1');
    await server.listen({ protocol: 'tcp', address: '127.0.0.1', port: target.port });
    client.request(makeRequest('OPTIONS', { 'X-Long': 'x'.repeat(2000) }), target);
    const { source, request } = await nextRequest(server);
    assert.equal(source.protocol, 'tcp');
    assert.match(request.headers.get('Via') ?? '', /^SIP\/2\.0\/TCP /);
  });

  it('a large request goes over UDP where TCP is refused, or not allowed', async () => {
    const { client, server, target } = await pair('udp', '127.0.0.1');
    server.onRequest = (tx) => {
      assert.equal(tx.source.protocol, 'udp');
      tx.respond(createResponse(tx.request, 200));
    };
    const long = { 'X-Long': 'x'.repeat(2000) };
    assert.equal((await finalOf(client.request(makeRequest('OPTIONS', long), target))).status, 200);
    const strict = { ...target, largeOverTcp: false };
    assert.equal((await finalOf(client.request(makeRequest('OPTIONS', long), strict))).status, 200);
  });

  it('a refused connection is an error, and so is a protocol without a socket', async () => {
    const { client, server, target } = await pair('tcp', '127.0.0.1');
    await server.close();
    const error = await errorOf(client.request(makeRequest('OPTIONS'), target));
    assert.equal((error as { code?: string }).code, 'SEGY_E_SIP_TRANSPORT');
    assert.throws(() => client.request(makeRequest('OPTIONS'), { ...target, protocol: 'udp' }), {
      code: 'SEGY_E_SIP_TRANSPORT',
    });
  });

  it('one connection carries many requests, and is opened again when it went away', async () => {
    const { client, server, target } = await pair('tcp', '127.0.0.1');
    server.onRequest = (tx) => tx.respond(createResponse(tx.request, 200));
    await finalOf(client.request(makeRequest('OPTIONS'), target));
    await finalOf(client.request(makeRequest('OPTIONS'), target));
    assert.equal(client.stats().connections, 1);
    await server.close();
    while (client.stats().connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const again = OPEN.make();
    again.onRequest = (tx) => tx.respond(createResponse(tx.request, 202));
    await again.listen({ protocol: 'tcp', address: '127.0.0.1', port: target.port });
    assert.equal((await finalOf(client.request(makeRequest('OPTIONS'), target))).status, 202);
  });

  it('a source that is not admitted is never parsed nor answered', async () => {
    const { client, server, target } = await pair('udp', '127.0.0.1');
    const sizes: number[] = [];
    const asked = new Promise<void>((resolve) => {
      server.onAdmission = (_source, octets) => {
        sizes.push(octets);
        resolve();
        return false;
      };
    });
    server.onRequest = () => assert.fail('a request came through');
    client.request(makeRequest('OPTIONS'), target);
    await asked;
    assert.ok((sizes[0] ?? 0) > 100);
  });
});
