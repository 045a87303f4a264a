import assert from 'node:assert/strict';
import { parseConfig } from '../../../src/config/index.js';
import { createDns } from '../../../src/cli/host-names.js';
import { drawOrder, locateSipServers } from '../../../src/edge/partners/sip-servers.js';
import { systemRandom } from '../../../src/base/environment.js';
import { a, aaaa, DnsServer, naptr, srv } from '../../support/dns-server.js';

const DOMAIN = 'mc-a.example';

describe('edge/sip-servers: RFC 3263 clause 4, asked of a DNS server', () => {
  let server: DnsServer;
  const dns = (listener = '192.0.2.99') => {
    const config = {
      pbx: {
        type: 'asterisk',
        ari: { url: 'http://127.0.0.1:8088', username: 'x', passwordFile: '/x' },
      },
      outer: {
        listeners: [{ transport: 'tcp', address: listener, port: 5061 }],
        mediaAddress: '127.0.0.1',
      },
      dns: { servers: [server.address], timeoutMs: 300 },
    };
    return createDns(parseConfig(JSON.stringify(config), 'test'));
  };
  const locate = async (...transports: ('udp' | 'tcp' | 'tls')[]) =>
    (await locateSipServers(DOMAIN, transports, dns())).map(
      ({ transport, host, port, priority, addresses }) =>
        `${priority} ${transport} ${host}:${port} ${addresses.join()}`,
    );

  beforeEach(async () => {
    server = await DnsServer.open();
  });
  afterEach(() => server.close());

  it('NAPTR says which transports, SRV which servers, A and AAAA where they are', async () => {
    server.records = [
      naptr(DOMAIN, 'SIP+D2T', '_sip._tcp.mc-a.example', 10, 20),
      naptr(DOMAIN, 'SIPS+D2T', '_sips._tcp.other.example', 10, 10),
      srv('_sips._tcp.other.example', 'one.mc-a.example', 5071, 2),
      srv('_sips._tcp.other.example', 'two.mc-a.example', 5072, 1),
      srv('_sip._tcp.mc-a.example', 'one.mc-a.example', 5060),
      a('one.mc-a.example', '192.0.2.1'),
      a('two.mc-a.example', '192.0.2.2'),
      aaaa('two.mc-a.example', '2001:db8::2'),
    ];
    assert.deepEqual(await locate('tls', 'tcp'), [
      '0 tls two.mc-a.example:5072 192.0.2.2,2001:db8::2',
      '1 tls one.mc-a.example:5071 192.0.2.1',
      '2 tcp one.mc-a.example:5060 192.0.2.1',
    ]);
  });

  it('a transport that is not configured is never used, whatever DNS prefers', async () => {
    server.records = [
      naptr(DOMAIN, 'SIP+D2U', '_sip._udp.mc-a.example', 1, 1),
      naptr(DOMAIN, 'SIPS+D2T', '_sips._tcp.mc-a.example', 2, 1),
      srv('_sip._udp.mc-a.example', 'one.mc-a.example', 5060),
      srv('_sips._tcp.mc-a.example', 'one.mc-a.example', 5061),
      a('one.mc-a.example', '192.0.2.1'),
    ];
    assert.deepEqual(await locate('tls'), ['0 tls one.mc-a.example:5061 192.0.2.1']);
  });

  it('without NAPTR the SRV records of each transport are asked for in their order', async () => {
    server.records = [
      srv('_sips._tcp.mc-a.example', 'one.mc-a.example', 5061),
      srv('_sip._udp.mc-a.example', 'one.mc-a.example', 5060),
      a('one.mc-a.example', '192.0.2.1'),
    ];
    assert.deepEqual(await locate('udp', 'tls'), [
      '0 udp one.mc-a.example:5060 192.0.2.1',
      '1 tls one.mc-a.example:5061 192.0.2.1',
    ]);
  });

  it('without SRV the domain itself is the server, at the port of the transport', async () => {
    server.records = [a(DOMAIN, '192.0.2.7')];
    assert.deepEqual(await locate('tls'), ['0 tls mc-a.example:5061 192.0.2.7']);
    assert.deepEqual(await locate('tcp'), ['0 tcp mc-a.example:5060 192.0.2.7']);
  });

  it('a target of "." is a service that is not offered', async () => {
    server.records = [
      srv('_sips._tcp.mc-a.example', '.', 5061),
      srv('_sip._tcp.mc-a.example', 'one.mc-a.example', 5060),
      a('one.mc-a.example', '192.0.2.1'),
    ];
    assert.deepEqual(await locate('tls', 'tcp'), ['0 tcp one.mc-a.example:5060 192.0.2.1']);
  });

  it('a server without an address does not keep the others from being used', async () => {
    server.records = [
      srv('_sips._tcp.mc-a.example', 'gone.mc-a.example', 5061, 1),
      srv('_sips._tcp.mc-a.example', 'one.mc-a.example', 5061, 2),
      a('one.mc-a.example', '192.0.2.1'),
    ];
    assert.deepEqual(await locate('tls'), ['1 tls one.mc-a.example:5061 192.0.2.1']);
  });

  it('an answer never names this host, a group of hosts or nobody, unless the gateway is on loopback', async () => {
    const names: Record<string, string> = {
      ...{ 'v4.example': '127.0.0.1', 'zero.example': '0.0.0.0', 'many.example': '224.0.0.9' },
      ...{ 'all.example': '255.255.255.255' },
    };
    const six = { 'v6.example': '::1', 'none.example': '::', 'group.example': 'ff02::1' };
    server.records = [
      ...Object.entries(names).map(([name, address]) => a(name, address)),
      ...Object.entries(six).map(([name, address]) => aaaa(name, address)),
      a('good.example', '192.0.2.1'),
      a('good.example', '127.0.0.9'),
    ];
    for (const name of [...Object.keys(names), ...Object.keys(six)]) {
      await assert.rejects(dns().addresses(name), /no address that a partner can have/, name);
    }
    assert.deepEqual(await dns().addresses('good.example'), ['192.0.2.1']);
    assert.deepEqual(await dns('127.0.1.1').addresses('v4.example'), ['127.0.0.1']);
  });

  it('no answer and no record both reject, so that what was known stays', async () => {
    await assert.rejects(locate('tls'));
    server.answers = false;
    await assert.rejects(locate('tls'));
  });

  it('servers of one priority are drawn by their weight, and every one is tried (RFC 2782)', () => {
    const server = (host: string, priority: number, weight: number) => ({
      ...{ transport: 'tls' as const, port: 5061, addresses: [] },
      ...{ host, priority, weight },
    });
    const servers = [server('last', 1, 9), server('big', 0, 59), server('small', 0, 0)];
    let small = 0;
    for (let i = 0; i < 2000; i++) {
      const order = drawOrder(servers, systemRandom).map(({ host }) => host);
      assert.equal(order.length, 3);
      assert.equal(order[2], 'last');
      if (order[0] === 'small') small += 1;
    }
    assert.ok(small > 0 && small < 200, `${small} of 2000 for a weight of 0 beside 59`);
  });
});
