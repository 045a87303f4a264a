import assert from 'node:assert/strict';
import type { ListenOptions } from '../../../src/sip/index.js';
import { Endpoints, makeRequest, nextRequest } from '../support/endpoints.js';

const OPEN = new Endpoints();

describe('sip/transport: listening', () => {
  afterEach(() => OPEN.closeAll());

  for (const protocol of ['udp', 'tcp'] as const) {
    it(`a ${protocol} port in use is refused`, async () => {
      const endpoint = OPEN.make();
      const { port } = await endpoint.listen({ protocol, address: '127.0.0.1', port: 0 });
      await assert.rejects(endpoint.listen({ protocol, address: '127.0.0.1', port }), {
        code: 'SEGY_E_IO',
      });
    });
  }

  const bad: Record<string, ListenOptions> = {
    'a host name': { protocol: 'udp', address: 'localhost', port: 0 },
    'a wildcard without advertised host': { protocol: 'udp', address: '0.0.0.0', port: 0 },
    'an IPv6 wildcard without advertised host': { protocol: 'tcp', address: '::', port: 0 },
    'TLS without certificate': { protocol: 'tls', address: '127.0.0.1', port: 0 },
    'TCP with certificate': {
      protocol: 'tcp',
      address: '127.0.0.1',
      port: 0,
      tls: { cert: '', key: '' },
    },
  };
  for (const [name, options] of Object.entries(bad)) {
    it(`${name} is refused`, async () => {
      await assert.rejects(OPEN.make().listen(options), { code: 'SEGY_E_ARGUMENT' });
    });
  }

  for (const protocol of ['udp', 'tcp'] as const) {
    it(`over ${protocol} what comes tells its listener, and a target may name the one to leave by`, async () => {
      const gateway = OPEN.make();
      const peer = OPEN.make();
      const at = await peer.listen({ protocol, address: '127.0.0.1', port: 0 });
      const ports: Record<string, number> = {};
      for (const [name, address] of [
        ['east', '127.0.0.4'],
        ['west', '127.0.0.5'],
      ] as const) {
        ({ port: ports[name] = 0 } = await gateway.listen({ name, protocol, address, port: 0 }));
      }
      for (const [name, address] of [
        ['west', '127.0.0.5'],
        ['east', '127.0.0.4'],
      ] as const) {
        const target = { protocol, address: '127.0.0.1', port: at.port };
        gateway.request(makeRequest('OPTIONS'), { ...target, via: [name] });
        assert.equal((await nextRequest(peer)).source.address, address);
        peer.request(makeRequest('OPTIONS'), { protocol, address, port: ports[name] ?? 0 });
        assert.equal((await nextRequest(gateway)).source.listener, name);
      }
      const nowhere = { protocol, address: '127.0.0.1', port: at.port, via: ['north'] };
      assert.throws(() => gateway.request(makeRequest('OPTIONS'), nowhere), {
        code: 'SEGY_E_SIP_TRANSPORT',
      });
    });
  }

  it('Via carries the advertised host', async () => {
    const client = OPEN.make();
    const server = OPEN.make();
    const advertised = { host: 'gw.example', port: 5099 };
    await client.listen({ protocol: 'udp', address: '0.0.0.0', port: 0, advertised });
    const { port } = await server.listen({ protocol: 'udp', address: '127.0.0.1', port: 0 });
    client.request(makeRequest('OPTIONS'), { protocol: 'udp', address: '127.0.0.1', port });
    const { request } = await nextRequest(server);
    assert.match(
      request.headers.get('Via') ?? '',
      /^SIP\/2\.0\/UDP gw\.example:5099;branch=z9hG4bK/,
    );
  });

  it('ACK and CANCEL are no requests of their own', async () => {
    const client = OPEN.make();
    await client.listen({ protocol: 'udp', address: '127.0.0.1', port: 0 });
    for (const method of ['ACK', 'CANCEL']) {
      const target = { protocol: 'udp', address: '127.0.0.1', port: 9 } as const;
      assert.throws(() => client.request(makeRequest(method), target), { code: 'SEGY_E_ARGUMENT' });
    }
  });
});
