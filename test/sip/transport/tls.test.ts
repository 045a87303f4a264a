import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { connect as connectTls, type PeerCertificate } from 'node:tls';
import {
  checkTlsIdentity,
  createResponse,
  type ProtocolError,
  type SipSource,
  type SipTarget,
  type TlsListenOptions,
} from '../../../src/sip/index.js';
import { checkServerName } from '../../../src/sip/transport/tls.js';
import { TestAuthority, type MadeCertificate } from '../support/certificates.js';
import { Endpoints, errorOf, finalOf, makeRequest } from '../support/endpoints.js';
import { until } from '../../support/waiting.js';

const OPEN = new Endpoints();

describe('sip/transport: TLS', () => {
  let authority: TestAuthority;
  let stranger: TestAuthority;
  let gateway: MadeCertificate;
  let partner: MadeCertificate;
  let impostor: MadeCertificate;

  before(() => {
    authority = new TestAuthority();
    stranger = new TestAuthority();
    gateway = authority.issue('gateway', 'DNS:gw.example,IP:127.0.0.1');
    partner = authority.issue('partner', 'DNS:other.example,URI:sip:mc-a.example');
    impostor = stranger.issue('partner', 'DNS:gw.example,URI:sip:mc-a.example,IP:127.0.0.1');
  });
  after(() => {
    authority.remove();
    stranger.remove();
  });
  afterEach(async () => {
    await OPEN.closeAll();
    assert.deepEqual(OPEN.problems.splice(0), []);
  });

  async function setUp(serverTls: Partial<TlsListenOptions>, client?: MadeCertificate) {
    const server = OPEN.make({ name: 'server' });
    const sources: SipSource[] = [];
    const errors: ProtocolError[] = [];
    server.onProtocolError = (error) => errors.push(error);
    server.onRequest = (tx) => {
      sources.push(tx.source);
      tx.respond(createResponse(tx.request, 200));
    };
    const tls = { ...gateway, ca: authority.cert, ...serverTls };
    const { port } = await server.listen({ protocol: 'tls', address: '127.0.0.1', port: 0, tls });
    const caller = OPEN.make({ tls: { ca: authority.cert, ...client } });
    await caller.listen({ protocol: 'udp', address: '127.0.0.1', port: 0 });
    const target: SipTarget = {
      protocol: 'tls',
      address: '127.0.0.1',
      port,
      serverName: 'gw.example',
    };
    const send = (change: Partial<SipTarget> = {}) =>
      caller.request(makeRequest('OPTIONS'), { ...target, ...change });
    return { server, sources, errors, caller, target, send, port };
  }

  it('a request is answered, and a client without certificate has no names', async () => {
    const { send, sources } = await setUp({});
    assert.equal((await finalOf(send())).status, 200);
    assert.equal(sources[0]?.protocol, 'tls');
    assert.equal(sources[0].tls, undefined);
  });

  it('a client certificate gives its names, and that it verified', async () => {
    const { send, sources } = await setUp({ requestCert: true }, partner);
    assert.equal((await finalOf(send())).status, 200);
    assert.deepEqual(sources[0]?.tls, {
      authorized: true,
      subjectAltNames: ['DNS:other.example', 'URI:sip:mc-a.example'],
      subject: 'partner',
    });
  });

  it('a client certificate of a stranger ends the handshake, reported once', async () => {
    const { send, errors, sources } = await setUp({ requestCert: true }, impostor);
    const error = await errorOf(send());
    assert.equal((error as { code?: string }).code, 'SEGY_E_SIP_TRANSPORT');
    assert.equal(sources.length, 0);
    assert.ok(errors.every(({ code }) => code === 'SEGY_E_SIP_TRANSPORT') && errors.length > 0);
  });

  it('where strangers may come in, their certificate is not authorized', async () => {
    const { send, sources } = await setUp(
      { requestCert: true, rejectUnauthorized: false },
      impostor,
    );
    assert.equal((await finalOf(send())).status, 200);
    assert.equal(sources[0]?.tls?.authorized, false);
  });

  it('a missing client certificate ends the handshake where one is demanded', async () => {
    const { send, sources } = await setUp({ requestCert: true });
    await errorOf(send());
    assert.equal(sources.length, 0);
  });

  it('a handshake that fails is told with what was wrong with the certificate', async () => {
    const expired = authority.issue('partner', 'URI:sip:mc-a.example', -1);
    const cases: [MadeCertificate | undefined, RegExp][] = [
      [undefined, /gave no certificate/],
      [impostor, /not signed by a trusted authority/],
      [expired, /has expired/],
    ];
    for (const [client, wanted] of cases) {
      const { send, errors } = await setUp({ requestCert: true }, client);
      await errorOf(send());
      const told = errors.map(({ message }) => message);
      assert.equal(told.length, 1, told.join());
      assert.match(told[0]!, wanted);
      assert.equal(errors[0]!.handshake, true);
    }
  });

  it('TLS 1.2 is refused where 1.3 is the least, and 1.1 always', async () => {
    const modern = await setUp({ minVersion: 'TLSv1.3' });
    assert.equal((await finalOf(modern.send())).status, 200);
    for (const [minVersion, maxVersion] of [
      ['TLSv1.3', 'TLSv1.2'],
      ['TLSv1.2', 'TLSv1.1'],
    ] as const) {
      const { port, errors } = await setUp({ minVersion });
      const socket = connectTls({
        ...{ host: '127.0.0.1', port, maxVersion, minVersion: 'TLSv1.1' },
        ...{ rejectUnauthorized: false, ciphers: 'DEFAULT@SECLEVEL=0' },
      });
      await new Promise((resolve) => socket.once('error', resolve));
      await until('the error is told', () => errors.length > 0);
      assert.match(errors[0]?.message ?? '', /no TLS version that is allowed/);
    }
  });

  it('other certificates count for the next connection, and those that stand stay', async () => {
    const { server, send, sources } = await setUp({});
    assert.equal((await finalOf(send())).status, 200);
    const other = { ...authority.issue('gateway', 'DNS:new.example'), ca: authority.cert };
    server.setTls(other, () => other);
    assert.equal((await finalOf(send())).status, 200, 'over the connection that stands');
    assert.equal((await finalOf(send({ serverName: 'new.example' }))).status, 200);
    assert.equal(new Set(sources.map(({ connectionId }) => connectionId)).size, 2);
    assert.throws(() => checkTlsIdentity({ ...gateway, key: partner.key }), /cannot be used/);
  });

  it('a server that does not carry the wanted name gets no request', async () => {
    const { send, sources } = await setUp({});
    for (const serverName of ['mc-b.example', '127.0.0.2']) {
      const error = await errorOf(send({ serverName }));
      assert.match(error.message, /does not name/);
    }
    assert.equal(sources.length, 0);
  });

  it('without a wanted name the address must be in the certificate', async () => {
    const { caller, target } = await setUp({});
    const { protocol, address, port } = target;
    const response = await finalOf(
      caller.request(makeRequest('OPTIONS'), { protocol, address, port }),
    );
    assert.equal(response.status, 200);
  });

  it('a server of another authority gets no request', async () => {
    const { send, sources } = await setUp(impostor);
    await errorOf(send());
    assert.equal(sources.length, 0);
  });

  it('a peer that speaks no TLS is dropped and reported', async () => {
    const { port, errors } = await setUp({});
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('OPTIONS sip:b SIP/2.0\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    assert.equal(errors.length, 1);
  });

  it('a certificate that is none is refused when listening', async () => {
    await assert.rejects(setUp({ cert: 'nonsense' }), { code: 'SEGY_E_IO' });
  });
});

describe('sip/transport: the name in a server certificate', () => {
  const names = (subjectaltname: string): PeerCertificate =>
    ({ subjectaltname }) as PeerCertificate;

  const good: [string, string][] = [
    ['a.example', 'DNS:b.example, DNS:A.example'],
    ['a.example', 'DNS:b.example, URI:sip:a.example'],
    ['2001:db8::1', 'IP Address:2001:DB8:0:0:0:0:0:1'],
  ];
  for (const [wanted, text] of good) {
    it(`${wanted} is in ${text}`, () =>
      assert.equal(checkServerName(wanted, names(text)), undefined));
  }
  const bad: [string, string][] = [
    ['a.example', 'DNS:*.example'],
    ['a.example', 'DNS:a.example, URI:sip:b.example'],
    ['a.example', 'URI:sip:user@a.example'],
    ['a.example', 'URI:sips:a.example'],
    ['a.example', 'DNS:"b.example, DNS:a.example"'],
    ['a.example', ''],
    ['192.0.2.1', 'DNS:192.0.2.1'],
  ];
  for (const [wanted, text] of bad) {
    it(`${wanted} is not in ${text}`, () => assert.ok(checkServerName(wanted, names(text))));
  }
});
