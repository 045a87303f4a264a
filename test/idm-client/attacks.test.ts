/** Answers of a hostile or broken IdM: none becomes a token, each is over within the time of the profile. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { utf8 } from '../../src/base/bytes.js';
import type { PartnerConfig } from '../../src/config/index.js';
import type { Behaviour } from '../support/partner-idm.js';
import { ClientScene, RADIO, sha256Of } from './support.js';

const GOOD = { access_token: 'good', token_type: 'Bearer', expires_in: 600 };

describe('an answer of a hostile IdM', function () {
  this.timeout(30_000);
  let scene: ClientScene;
  before(async () => {
    scene = await ClientScene.start();
  });
  after(() => scene.stop());
  beforeEach(() => {
    scene.server.behaviour = undefined;
    scene.server.metadata = {};
    scene.events.length = 0;
  });

  /** Code and message of the failure; the token must be none. */
  async function failure(partner: PartnerConfig = scene.partner()): Promise<string> {
    const tokens = scene.tokens(partner);
    assert.equal(await tokens.tokenFor(partner, RADIO), null);
    tokens.stop();
    const { fields } = scene.events.find(({ event }) => event === 'token.failed')!;
    return `${String(fields.code)} ${String(fields.message)}`;
  }
  const atToken =
    (answer: (response: ServerResponse) => void): Behaviour =>
    ({ url, headers }, response) => {
      if (url !== '/token') return false;
      assert.equal(headers['accept-encoding'], undefined);
      answer(response);
      return true;
    };
  const json = (value: unknown, status = 200): Behaviour =>
    atToken((response) =>
      response
        .writeHead(status, { 'Content-Type': 'application/json' })
        .end(typeof value === 'string' ? value : JSON.stringify(value)),
    );

  it('of a gigabyte is left after 64 KiB', async () => {
    let sent = 0;
    scene.server.behaviour = atToken((response) => {
      response.writeHead(200, {
        'Content-Type': 'application/json',
        'Content-Length': String(2 ** 30),
      });
      const chunk = Buffer.alloc(65_536, ' ');
      const more = (): void => {
        while (!response.destroyed && sent < 2 ** 30) {
          sent += chunk.length;
          if (!response.write(chunk)) {
            response.once('drain', more);
            return;
          }
        }
      };
      more();
    });
    assert.match(await failure(), /^SEGY_E_PARTNER_IDM .*too large/);
    assert.ok(sent < 2 ** 25, `${sent} octets were sent`);
  });

  it('of a gigabyte that claims to be gzip is not expanded', async () => {
    scene.server.behaviour = atToken((response) =>
      response
        .writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' })
        .end(Buffer.from('1f8b0800', 'hex')),
    );
    assert.match(await failure(), /^SEGY_E_PARTNER_IDM .*malformed JSON/);
  });

  it('that drips is left when the time of the profile is over', async () => {
    scene.server.behaviour = atToken((response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 100);
      response.once('close', () => clearInterval(drip));
    });
    assert.match(await failure(), /^SEGY_E_TIMEOUT /);
  });

  it('that never comes is left when the time of the profile is over', async () => {
    scene.server.behaviour = atToken(() => undefined);
    assert.match(await failure(), /^SEGY_E_TIMEOUT /);
  });

  it('that breaks off in the middle is none', async () => {
    scene.server.behaviour = atToken((response) => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' });
      response.write(JSON.stringify(GOOD));
      setTimeout(() => response.destroy(), 50);
    });
    assert.match(await failure(), /^SEGY_E_PARTNER_IDM /);
  });

  it('that redirects is not followed', async () => {
    let followed = false;
    scene.server.behaviour = ({ url }, response) => {
      if (url === '/elsewhere') followed = true;
      if (url !== '/token') return false;
      response.writeHead(307, { Location: `${scene.server.issuer}/elsewhere` }).end();
      return true;
    };
    assert.match(await failure(), /^SEGY_E_PARTNER_IDM .*status 307/);
    assert.equal(followed, false);
  });

  it('that is HTML is none, even where it holds a token', async () => {
    scene.server.behaviour = atToken((response) =>
      response.writeHead(200, { 'Content-Type': 'text/html' }).end(JSON.stringify(GOOD)),
    );
    assert.match(await failure(), /^SEGY_E_PARTNER_IDM .*not JSON/);
  });

  const unusable: readonly [string, unknown][] = [
    ['without a type', { ...GOOD, token_type: undefined }],
    ['of the type N_A', { ...GOOD, token_type: 'N_A' }],
    ['of the type mac', { ...GOOD, token_type: 'mac' }],
    ['with a list of types', { ...GOOD, token_type: ['Bearer'] }],
    ['without a token', { ...GOOD, access_token: undefined }],
    ['with an empty token', { ...GOOD, access_token: '' }],
    ['with a token that is an object', { ...GOOD, access_token: { toString: 'x' } }],
    ['with a token that would end a header', { ...GOOD, access_token: 'a\r\nVia: x' }],
    ['with a token of two words', { ...GOOD, access_token: 'two words' }],
    ['with a token that is markup', { ...GOOD, access_token: '</mcpttString>' }],
    ['with a token beyond ASCII', { ...GOOD, access_token: 'tök' }],
    ['with a NUL in the token', { ...GOOD, access_token: 'a\u0000b' }],
    ['with a token of 8193 octets', { ...GOOD, access_token: 'x'.repeat(8193) }],
    ['with a life of zero', { ...GOOD, expires_in: 0 }],
    ['with a life in the past', { ...GOOD, expires_in: -1 }],
    ['with a life that is no number', { ...GOOD, expires_in: 'soon' }],
    ['with a life of null', { ...GOOD, expires_in: null }],
    ['with less than the scope that was asked for', { ...GOOD, scope: 'openid' }],
    ['with a scope that is an object', { ...GOOD, scope: {} }],
    ['that is an array', [GOOD]],
    ['that is a string', '"good"'],
    ['that is null', 'null'],
    ['that is no JSON', '{"access_token":"good",'],
    ['that is nested without end', '['.repeat(60_000)],
  ];
  for (const [what, answer] of unusable) {
    it(`${what} is none`, async () => {
      scene.server.behaviour = json(answer);
      assert.match(await failure(), /^SEGY_E_PARTNER_IDM /);
    });
  }

  it('in a token exchange that issued something else is none', async () => {
    const exchange = scene.partner({ codePoints: { grant: 'token-exchange' } });
    const type = 'urn:ietf:params:oauth:token-type:refresh_token';
    scene.server.behaviour = json({ ...GOOD, issued_token_type: type });
    assert.match(await failure(exchange), /no access token$/);
    scene.events.length = 0;
    scene.server.behaviour = json(GOOD);
    assert.match(await failure(exchange), /no access token$/);
  });

  it('with an error is told by its OAuth name, and nothing else of it is', async () => {
    scene.server.behaviour = json(
      { error: 'invalid_scope', error_description: 'SECRET\u001b[31m' },
      400,
    );
    const text = await failure();
    assert.match(text, /^SEGY_E_ACCESS_TOKEN .*invalid_scope$/);
    assert.doesNotMatch(JSON.stringify(scene.events), /SECRET/);
    scene.events.length = 0;
    scene.server.behaviour = json({ error: 'x\r\ny' }, 400);
    assert.match(await failure(), /^SEGY_E_PARTNER_IDM .*status 400$/);
  });

  it('with a life beyond all measure is kept for a day', async () => {
    scene.server.behaviour = json({ ...GOOD, expires_in: 1e308 });
    const partner = scene.partner();
    assert.equal(await scene.tokens(partner).tokenFor(partner, RADIO), 'good');
  });

  describe('about itself', () => {
    const metadata = (more: Record<string, unknown>): Promise<string> => {
      scene.server.metadata = more;
      return failure();
    };

    it('of another issuer is not believed', async () => {
      assert.match(await metadata({ issuer: 'https://idm.mc-b.example' }), /another issuer$/);
      scene.events.length = 0;
      assert.match(await metadata({ issuer: `${scene.server.issuer}/` }), /another issuer$/);
    });

    for (const url of [
      'https://evil.example/token',
      'http://localhost/token',
      'https://user@localhost/token',
      'file:///etc/passwd',
      'not a URL',
      `https://localhost.evil.example/token`,
    ]) {
      it(`does not send requests to ${url}`, async () => {
        assert.match(await metadata({ token_endpoint: url }), /another host/);
      });
    }

    it('without a token endpoint is of no use', async () => {
      assert.match(await metadata({ token_endpoint: undefined }), /token_endpoint is missing/);
    });

    it('that is an HTML page is of no use', async () => {
      scene.server.behaviour = ({ url }, response) => {
        if (url === '/token') return false;
        response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>');
        return true;
      };
      assert.match(await failure(), /the metadata is not JSON/);
    });
  });

  describe('over TLS', () => {
    let requests: number;
    beforeEach(() => {
      requests = 0;
    });
    const counting: Behaviour = () => {
      requests += 1;
      return false;
    };

    for (const [what, names, days] of [
      ['under another name', 'DNS:idm.mc-b.example', 2],
      ['whose certificate has expired', 'DNS:localhost', -1],
    ] as const) {
      it(`${what} gets no request`, async () => {
        const certificate = scene.authority.issue('other', names, days);
        const other = await scene.beside(certificate);
        other.behaviour = counting;
        const partner = scene.partner({ issuer: other.issuer });
        assert.match(await failure(partner), /^SEGY_E_TLS_PEER /);
        assert.equal(requests, 0);
        await other.stop();
      });
    }

    it('whose pinned certificate has expired gets no request', async () => {
      const certificate = scene.authority.issue('localhost', 'DNS:localhost', -1);
      const other = await scene.beside(certificate);
      other.behaviour = counting;
      const partner = scene.partner({
        issuer: other.issuer,
        tls: { certificateSha256: sha256Of(certificate), certFile: 'c', keyFile: 'k' },
      });
      assert.match(await failure(partner), /outside its validity/);
      assert.equal(requests, 0);
      await other.stop();
    });

    it('of another certificate than the pinned one gets no request', async () => {
      scene.server.behaviour = counting;
      const partner = scene.partner({
        tls: { certificateSha256: '00'.repeat(32), certFile: 'c', keyFile: 'k' },
      });
      assert.match(await failure(partner), /^SEGY_E_TLS_PEER .*not the pinned one/);
      assert.equal(requests, 0);
    });

    it('of an unknown authority gets no request', async () => {
      const partner = scene.partner();
      const { cert, key } = scene.certificate;
      scene.pins = () => ({ cert: utf8(cert), key: utf8(key) });
      assert.match(await failure(partner), /^SEGY_E_TLS_PEER /);
    });
  });
});
