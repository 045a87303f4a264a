import assert from 'node:assert/strict';
import type { ClientCertificate, HttpRoute } from '../../src/https/index.js';
import { httpsFetch } from '../../src/https/index.js';
import { TestAuthority } from '../sip/support/certificates.js';
import { Certificates, openListener } from './support.js';
import { utf8 } from '../../src/base/bytes.js';

describe('the facts about a client certificate', () => {
  /** What a handler is told of a certificate with these alternative names. */
  async function factsOf(names: string): Promise<ClientCertificate | null> {
    const certificates = new Certificates();
    const authority = new TestAuthority();
    let facts: ClientCertificate | null = null;
    const route: HttpRoute = {
      name: 'facts',
      maxBodyOctets: 0,
      matches: () => true,
      handle: ({ certificate }) => {
        facts = certificate;
        return Promise.resolve({ status: 204 });
      },
    };
    const listener = await openListener(certificates, [route], {
      tls: { ca: utf8(authority.cert) },
    });
    try {
      const made = authority.issue('gms', names);
      const own = { cert: utf8(made.cert), key: utf8(made.key) };
      await httpsFetch(
        { url: `https://localhost:${listener.port}/`, method: 'GET' },
        { ca: certificates.ca, ...own },
        { timeoutMs: 5000, maxOctets: 100 },
      );
      return facts;
    } finally {
      await listener.close();
      authority.remove();
      certificates.remove();
    }
  }

  it('are its names, its subject as RFC 4514 writes it, and when it is good', async () => {
    const facts = await factsOf('DNS:GMS.mc-a.example,URI:urn:mc-a:gms,IP:127.0.0.1');
    assert.equal(facts?.authorized, true);
    assert.deepEqual(facts.dnsNames, ['gms.mc-a.example']);
    assert.deepEqual(facts.uris, ['urn:mc-a:gms']);
    assert.equal(facts.subject, 'CN=gms');
    assert.ok(facts.notBefore <= Date.now() && Date.now() < facts.notAfter);
    assert.equal(facts.sha256.length, 64);
    assert.ok(facts.der.length > 100);
  });

  it('are no names that stand within another', async () => {
    const inside = '@names\n[names]\nURI.1=urn:a, DNS:gms.mc-a.example, URI:urn:mc-a:gms';
    const facts = await factsOf(inside);
    assert.deepEqual([facts?.dnsNames, facts?.uris], [[], []]);
  });
});
