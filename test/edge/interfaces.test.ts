import assert from 'node:assert/strict';
import { interfaceFor, type OuterInterface } from '../../src/edge/interfaces.js';
import { bodyText, Harness, sdp } from './support/harness.js';

const at = (
  name: string,
  protocol: OuterInterface['protocol'],
  address: string,
  media: OuterInterface['media'],
): OuterInterface => ({
  name,
  protocol,
  address,
  media,
  contact: { host: `${name}.gw.example`, port: 5061 },
});

describe('edge: several outer interfaces', () => {
  const all = [
    at('east', 'tls', '192.0.2.1', { address: '192.0.2.1' }),
    at('six', 'tls', '2001:db8::1', { address: '2001:db8::1' }),
    at('west', 'tls', '198.51.100.1', { address: '198.51.100.2', advertised: '203.0.113.9' }),
    at('old', 'udp', '192.0.2.1', { address: '192.0.2.1' }),
  ];
  const nameFor = (...[way]: [Parameters<typeof interfaceFor>[1]]) => interfaceFor(all, way)?.name;

  it('are chosen by the IP version and transport of the peer, and by what its profile names', () => {
    assert.equal(nameFor({ protocol: 'tls', address: '203.0.113.1' }), 'east');
    assert.equal(nameFor({ protocol: 'tls', address: '2001:db8::7' }), 'six');
    assert.equal(nameFor({ protocol: 'udp', address: '203.0.113.1' }), 'old');
    assert.equal(nameFor({ protocol: 'tls', address: '203.0.113.1', via: ['west'] }), 'west');
    assert.equal(nameFor({ protocol: 'tls', address: '2001:db8::7', via: ['west', 'six'] }), 'six');
    assert.equal(nameFor({ protocol: 'tcp', address: '203.0.113.1' }), 'east');
  });

  it('give a call their Contact, and their media address or what a NAT makes of it', async () => {
    const h = await Harness.start({
      partner: (p) => ({ ...p, sip: { ...p.sip, listeners: ['west'] } }),
      interfaces: [
        at('east', 'udp', '127.0.1.1', { address: '127.0.1.1' }),
        at('west', 'udp', '127.0.1.5', { address: '127.0.1.5', advertised: '203.0.113.9' }),
      ],
    });
    try {
      await h.deps.outer.listen({ name: 'west', protocol: 'udp', address: '127.0.1.5', port: 0 });
      const { offered } = await h.establishOut();
      assert.match(offered.headers.get('Contact') ?? '', /@west\.gw\.example:5061/);
      assert.match(offered.headers.get('Via') ?? '', /127\.0\.1\.5/);
      assert.match(bodyText(offered), /c=IN IP4 203\.0\.113\.9/);
      assert.equal(h.media.sessions[0]!.outer.address, '127.0.1.5');
    } finally {
      await h.stop();
    }
  });

  it('a call that comes in lives on the interface by which it came', async () => {
    const h = await Harness.start({
      interfaces: [
        at('east', 'udp', '127.0.1.9', { address: '127.0.1.9' }),
        at('west', 'udp', '127.0.1.5', { address: '127.0.1.5' }),
      ],
    });
    try {
      const listener = { name: 'west', protocol: 'udp', address: '127.0.1.5', port: 0 } as const;
      const { port } = await h.deps.outer.listen(listener);
      const sent = h.mc.send(h.mcInvite(), { protocol: 'udp', address: '127.0.1.5', port });
      h.pbx.answer(await h.pbx.expect('INVITE'), 200, { sdp: sdp('127.0.0.1', 12000) });
      const response = await sent.expect(200);
      assert.match(response.headers.get('Contact') ?? '', /@west\.gw\.example/);
      assert.match(bodyText(response), /c=IN IP4 127\.0\.1\.5/);
    } finally {
      await h.stop();
    }
  });
});
