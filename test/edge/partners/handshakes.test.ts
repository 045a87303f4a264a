import assert from 'node:assert/strict';
import { connect } from 'node:tls';
import { Harness } from '../support/harness.js';
import { until } from '../support/peer.js';
import { TestAuthority, type MadeCertificate } from '../../sip/support/certificates.js';

describe('edge: TLS handshakes from outside that fail', () => {
  const authority = new TestAuthority();
  const stranger = new TestAuthority();
  let h: Harness;
  let port: number;
  before(async () => {
    h = await Harness.start();
    const tls = { ...authority.issue('gw', 'IP:127.0.1.1'), ca: authority.cert, requestCert: true };
    const listener = { protocol: 'tls', address: '127.0.1.1', port: 0, tls } as const;
    ({ port } = await h.deps.outer.listen(listener));
  });
  after(async () => {
    await h.stop();
    authority.remove();
    stranger.remove();
  });

  const knock = (from: string, client: Partial<MadeCertificate>) =>
    new Promise<void>((resolve) => {
      const socket = connect({
        ...{ host: '127.0.1.1', port, localAddress: from, rejectUnauthorized: false },
        ...client,
      });
      socket.on('error', () => undefined);
      socket.once('close', () => resolve());
    });
  const told = (source: string) =>
    h.logged.filter(
      ({ event, fields }) => event === 'security.refused' && fields.source === source,
    );

  for (const [name, from, wanted, client] of [
    ['no certificate', '127.0.3.1', /gave no certificate/, () => ({})],
    [
      'another CA',
      '127.0.3.2',
      /not signed by a trusted/,
      () => stranger.issue('x', 'DNS:x.example'),
    ],
    ['an expired one', '127.0.3.3', /has expired/, () => authority.issue('x', 'DNS:x.example', -1)],
  ] as const) {
    it(`${name}: logged once with the fault, however often it comes, and counted each time`, async () => {
      const counted = () =>
        h.counted.filter(({ labels }) => labels.code === 'SEGY_E_SIP_TRANSPORT');
      const before = counted().length;
      const made = client();
      for (let i = 0; i < 5; i++) await knock(from, made);
      await until(() => counted().length === before + 5);
      assert.equal(told(from).length, 1);
      assert.equal(told(from)[0]!.fields.code, 'SEGY_E_SIP_TRANSPORT');
      assert.match(String(told(from)[0]!.fields.message), wanted);
    });
  }
});
