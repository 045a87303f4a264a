/** Mistakes that operators make in a configuration: each is named with its line and what to do about it. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkOffline, requireRunnable } from '../../src/cli/check-offline.js';
import { SegyError } from '../../src/base/errors.js';
import { TestAuthority } from '../sip/support/certificates.js';
import { runSegy } from '../support/cli.js';

/** A right configuration; DIR is the folder of its files. */
const RIGHT = `stateDir: DIR/state
masterKeyFile: DIR/master.key
pbx:
  type: asterisk
  ari: { url: 'http://127.0.0.1:8088', username: segy, passwordFile: DIR/ari.secret }
  sip: { address: 127.0.0.1, port: 5070, transport: udp }
inner:
  address: 127.0.0.2
  sipPort: 5062
  mediaPorts: [30000, 33999]
outer:
  mediaAddress: 192.0.2.10
  mediaPorts: [40000, 43999]
  listeners:
    - transport: tls
      address: 192.0.2.10
      port: 5061
      tls:
        certFile: DIR/tls.crt
        keyFile: DIR/tls.key
        caFile: DIR/partners.pem
users:
  - { uri: 'sip:radio1@lmr.example', pbx: '1001' }
  - { uri: 'sip:radio2@lmr.example', pbx: '1002' }
partners:
  - name: mc-a
    domains: [mc-a.example]
    kmsUris: [kms.mc-a.example]
    sip:
      requestUri: sip:mcptt-private@mc-a.example
      addresses:
        - { host: 198.51.100.7, port: 5061, transport: tls }
      tlsNames: [is-proxy.mc-a.example]
    protection:
      spks:
        - id: '30000001'
          keyFile: DIR/spk.key
          rand: '000102030405060708090a0b0c0d0e0f'
          validFrom: '2020-01-01T00:00:00Z'
          validTo: '2099-01-01T00:00:00Z'
`;

const OTHER_PARTNER = `  - name: mc-b
    domains: [mc-b.example]
    kmsUris: [kms.mc-b.example]
    sip:
      requestUri: sip:x@mc-b.example
      addresses: [{ host: 198.51.100.9, port: 5061, transport: tls }]
`;

interface Mistake {
  readonly what: string;
  /** pieces of the right text and what stands there instead */
  readonly text?: readonly (readonly [string, string])[];
  /** what is done to the files */
  readonly files?: (folder: string) => void;
  /** a piece of the line that is named */
  readonly line: string;
  readonly path: string;
  readonly message: RegExp;
  readonly cure: RegExp;
}

let authority: TestAuthority;
const writeIn = (name: string, text: () => string) => (folder: string) =>
  writeFileSync(join(folder, name), text(), { mode: 0o600 });

/** The IdM with one client of the partner; its key sets are the test's to spoil. */
const WITH_IDM: readonly (readonly [string, string])[] = [
  [
    'users:',
    `https: { address: 192.0.2.10, tls: { certFile: DIR/tls.crt, keyFile: DIR/tls.key } }
idm: { issuer: 'https://192.0.2.10:8443/idm' }
users:`,
  ],
  [
    '    protection:',
    `    securityTokens:
      issuer: https://idm.mc-a.example
      keysFile: DIR/a.jwks
      clients: [{ id: a, keysFile: DIR/a.jwks }]
    protection:`,
  ],
];

const MISTAKES: readonly Mistake[] = [
  {
    what: 'a private key among those of a partner’s IdM',
    text: WITH_IDM,
    files: writeIn('a.jwks', () => '{"keys":[{"kty":"EC","crv":"P-256","x":"A","y":"A","d":"A"}]}'),
    ...{ line: 'securityTokens', path: 'partners[0].securityTokens' },
    ...{ message: /a\.jwks: .*private or secret key/, cure: /JSON Web Key Set of public keys/ },
  },
  {
    what: 'no key set of a partner’s IdM where one is named',
    text: WITH_IDM,
    ...{ line: '      keysFile: DIR/a', path: 'partners[0].securityTokens.keysFile' },
    ...{ message: /a\.jwks cannot be read/, cure: /make it/ },
  },
  {
    what: 'a tab in the indentation',
    text: [['  sipPort: 5062', '\tsipPort: 5062']],
    ...{ line: '\tsipPort', path: '', message: /tab/i, cure: /blanks/ },
  },
  {
    what: 'a misspelt setting at the top',
    text: [['stateDir:', 'stateDri:']],
    ...{
      line: 'stateDri',
      path: 'stateDri',
      message: /no setting stateDri/,
      cure: /mean stateDir\?/,
    },
  },
  {
    what: 'a misspelt setting deep inside',
    text: [['      requestUri: sip:m', '      requestUrl: sip:m']],
    ...{ line: 'requestUrl', path: 'partners[0].sip.requestUrl' },
    ...{ message: /no setting requestUrl/, cure: /mean requestUri\?/ },
  },
  {
    what: 'a setting in the wrong section',
    text: [['  sipPort: 5062', '  sipPort: 5062\n  mediaAdvertised: 203.0.113.1']],
    ...{ line: 'mediaAdvertised', path: 'inner.mediaAdvertised' },
    ...{ message: /no setting mediaAdvertised/, cure: /outer\.mediaAdvertised is a setting/ },
  },
  {
    what: 'a password in the file itself',
    text: [['passwordFile: DIR/ari.secret', 'passwordFile: DIR/ari.secret, password: hunter2']],
    ...{ line: 'hunter2', path: 'pbx.ari.password' },
    ...{ message: /no setting password here/, cure: /passwordFile|remove it/ },
  },
  {
    what: 'no PBX',
    text: [[RIGHT.slice(RIGHT.indexOf('pbx:'), RIGHT.indexOf('inner:')), '']],
    ...{ line: 'stateDir', path: 'pbx', message: /pbx|Invalid/, cure: /./ },
  },
  {
    what: 'a PBX that is none',
    text: [['type: asterisk', 'type: kamailio']],
    ...{
      line: 'type: kamailio',
      path: 'pbx.type',
      message: /./,
      cure: /asterisk or type: freeswitch/,
    },
  },
  {
    what: 'an ARI address without a scheme',
    text: [["'http://127.0.0.1:8088'", "'127.0.0.1:8088'"]],
    ...{ line: 'ari:', path: 'pbx.ari.url', message: /URL/, cure: /./ },
  },
  {
    what: 'a port above 65535',
    text: [['sipPort: 5062', 'sipPort: 506200']],
    ...{ line: 'sipPort', path: 'inner.sipPort', message: /65535/, cure: /at most 65535/ },
  },
  {
    what: 'a port in quotes',
    text: [['sipPort: 5062', "sipPort: '5062'"]],
    ...{ line: 'sipPort', path: 'inner.sipPort', message: /number/, cure: /without quotes|number/ },
  },
  {
    what: 'a media range that is turned around',
    text: [['[40000, 43999]', '[43999, 40000]']],
    ...{
      line: '[43999',
      path: 'outer.mediaPorts',
      message: /two RTP\/RTCP pairs/,
      cure: /first, last/,
    },
  },
  {
    what: 'a name in the place of the media address',
    text: [['mediaAddress: 192.0.2.10', 'mediaAddress: gw.example']],
    ...{
      line: 'gw.example',
      path: 'outer.mediaAddress',
      message: /not an IP address/,
      cure: /no name/,
    },
  },
  {
    what: 'clear media off the host',
    text: [['  address: 127.0.0.2', '  address: 192.0.2.11']],
    ...{
      line: '192.0.2.11',
      path: 'inner.address',
      message: /leave the host/,
      cure: /allowNonLoopback/,
    },
  },
  {
    what: 'a TLS listener without a certificate',
    text: [[RIGHT.slice(RIGHT.indexOf('      tls:'), RIGHT.indexOf('users:')), '']],
    ...{ line: 'transport: tls', path: 'outer.listeners[0].tls' },
    ...{ message: /has a tls section/, cure: /certFile/ },
  },
  {
    what: 'a radio user twice',
    text: [["radio2@lmr.example', pbx: '1002'", "radio1@lmr.example', pbx: '1002'"]],
    ...{
      line: "'1002'",
      path: 'users[1].uri',
      message: /already named by users\[0\]/,
      cure: /once/,
    },
  },
  {
    what: 'a PBX user for two radio users',
    text: [["pbx: '1002'", "pbx: '1001'"]],
    ...{ line: 'radio2', path: 'users[1].pbx', message: /already named/, cure: /once/ },
  },
  {
    what: 'a PBX user that Dial() would split',
    text: [["pbx: '1002'", "pbx: '1002&1003'"]],
    ...{ line: '1002&', path: 'users[1].pbx', message: /letters, digits/, cure: /characters/ },
  },
  {
    what: 'a partner domain twice',
    ...{ line: 'mc-b.example, mc-a', path: 'partners[1].domains' },
    ...{ message: /mc-a\.example is already named/, cure: /once/ },
  },
  {
    what: 'a partner without any address',
    text: [[RIGHT.slice(RIGHT.indexOf('      addresses:'), RIGHT.indexOf('      tlsNames')), '']],
    ...{ line: '    sip:', path: 'partners[0].sip.addresses' },
    ...{ message: /needs addresses/, cure: /discover/ },
  },
  {
    what: 'a request URI without a scheme',
    text: [['requestUri: sip:mcptt', 'requestUri: mcptt']],
    ...{
      line: 'requestUri',
      path: 'partners[0].sip.requestUri',
      message: /SIP URI/,
      cure: /sip:user/,
    },
  },
  {
    what: 'a host with a scheme',
    text: [['host: 198.51.100.7', "host: 'sip:198.51.100.7/x'"]],
    ...{ line: 'sip:198', path: 'partners[0].sip.addresses[0].host' },
    ...{ message: /host name or address/, cure: /without scheme/ },
  },
  {
    what: 'a transport that there is not',
    text: [['port: 5061, transport: tls }', 'port: 5061, transport: sctp }']],
    ...{ line: 'sctp', path: 'partners[0].sip.addresses[0].transport' },
    ...{ message: /./, cure: /udp, tcp, tls/ },
  },
  {
    what: 'a UDP partner and no UDP listener',
    text: [
      ['port: 5061, transport: tls }', 'port: 5060, transport: udp }'],
      ['      tlsNames: [is-proxy.mc-a.example]\n', ''],
    ],
    ...{ line: '5060, transport: udp }', path: 'partners[0].sip.addresses[0].transport' },
    ...{ message: /no outer listener is for udp/, cure: /add a listener/ },
  },
  {
    what: 'an IPv6 partner and no IPv6 listener',
    text: [['host: 198.51.100.7', "host: '2001:db8::7'"]],
    ...{
      line: '2001',
      path: 'partners[0].sip.addresses[0].host',
      message: /IPv6/,
      cure: /add one/,
    },
  },
  {
    what: 'a partner that is the gateway itself',
    text: [['host: 198.51.100.7', 'host: 192.0.2.10']],
    ...{ line: 'host: 192', path: 'partners[0].sip.addresses[0].host' },
    ...{ message: /is this gateway/, cure: /own address/ },
  },
  {
    what: 'names of certificates and no TLS',
    text: [['port: 5061, transport: tls }', 'port: 5060, transport: tcp }']],
    ...{
      line: 'tlsNames',
      path: 'partners[0].sip.tlsNames',
      message: /no address over tls/,
      cure: /tls/,
    },
  },
  {
    what: 'two listeners at one port',
    text: [['users:\n', '    - { transport: tcp, address: 192.0.2.10, port: 5061 }\nusers:\n']],
    ...{ line: 'transport: tcp, address', path: 'outer.listeners[1].port' },
    ...{ message: /bound twice/, cure: /another port/ },
  },
  {
    what: 'the SIP port of the PBX for our own',
    text: [['sip: { address: 127.0.0.1, port: 5070', 'sip: { address: 127.0.0.2, port: 5062']],
    ...{
      line: 'port: 5062, t',
      path: 'pbx.sip.port',
      message: /share 127\.0\.0\.2/,
      cure: /endpoint/,
    },
  },
  {
    what: 'media ports of both sides that overlap at one address',
    text: [
      ['  mediaAddress: 192.0.2.10', '  mediaAddress: 127.0.0.2'],
      ['[30000, 33999]', '[39000, 42999]'],
    ],
    ...{ line: '[39000', path: 'inner.mediaPorts', message: /overlap/, cure: /ports of its own/ },
  },
  {
    what: 'a SIP port within the media ports',
    text: [['sipPort: 5062', 'sipPort: 30010']],
    ...{
      line: 'sipPort',
      path: 'inner.sipPort',
      message: /within inner\.mediaPorts/,
      cure: /move/,
    },
  },
  {
    what: 'a wildcard listener that no peer could be told',
    text: [['      address: 192.0.2.10', '      address: 0.0.0.0']],
    ...{ line: '0.0.0.0', path: 'outer.listeners[0].address' },
    ...{ message: /none that a peer could be told/, cure: /outer\.advertised/ },
  },
  {
    what: 'a wildcard for media',
    text: [['mediaAddress: 192.0.2.10', 'mediaAddress: 0.0.0.0']],
    ...{
      line: '0.0.0.0',
      path: 'outer.mediaAddress',
      message: /one address/,
      cure: /towards the partners/,
    },
  },
  {
    what: 'inner media allowed to a public address',
    text: [['  sipPort: 5062', '  sipPort: 5062\n  allowedMediaAddresses: [203.0.113.5]']],
    ...{ line: '203.0.113.5', path: 'inner.allowedMediaAddresses[0]' },
    ...{ message: /clear media would go/, cure: /loopback/ },
  },
  {
    what: 'a PBX on another host',
    text: [['sip: { address: 127.0.0.1', 'sip: { address: 192.0.2.20']],
    ...{ line: '192.0.2.20', path: 'pbx.sip.address', message: /leave the host/, cure: /loopback/ },
  },
  {
    what: 'an inner transport that is switched off',
    text: [['  sipPort: 5062', '  sipPort: 5062\n  transports: [tcp]']],
    ...{
      line: '  sip: {',
      path: 'pbx.sip.transport',
      message: /does not have udp/,
      cure: /add it/,
    },
  },
  {
    what: 'a secret that others can read',
    files: (folder) => chmodSync(join(folder, 'ari.secret'), 0o644),
    ...{
      line: 'ari.secret',
      path: 'pbx.ari.passwordFile',
      message: /open to others/,
      cure: /chmod 600/,
    },
  },
  {
    what: 'an empty secret',
    files: writeIn('ari.secret', () => ''),
    ...{
      line: 'ari.secret',
      path: 'pbx.ari.passwordFile',
      message: /is empty/,
      cure: /write the secret/,
    },
  },
  {
    what: 'a master key that is not there',
    files: (folder) => rmSync(join(folder, 'master.key')),
    ...{ line: 'master.key', path: 'masterKeyFile', message: /cannot be read/, cure: /make it/ },
  },
  {
    what: 'a certificate with the key of another',
    files: writeIn('tls.key', () => authority.issue('other', 'DNS:x.example').key),
    ...{ line: 'keyFile: DIR/tls.key', path: 'outer.listeners[0].tls.keyFile' },
    ...{ message: /is not the key of/, cure: /belongs/ },
  },
  {
    what: 'a certificate that has ended',
    files: (folder) => {
      const { cert, key } = authority.issue('gw', 'IP:192.0.2.10', -1);
      writeIn('tls.crt', () => cert)(folder);
      writeIn('tls.key', () => key)(folder);
    },
    ...{
      line: 'certFile',
      path: 'outer.listeners[0].tls.certFile',
      message: /ended/,
      cure: /renewed/,
    },
  },
  {
    what: 'a certificate file that holds a key',
    files: (folder) => writeIn('tls.crt', () => authority.issue('gw', 'IP:192.0.2.10').key)(folder),
    ...{ line: 'certFile', path: 'outer.listeners[0].tls.certFile' },
    ...{ message: /holds no certificate/, cure: /PEM/ },
  },
  {
    what: 'a chain in the wrong order',
    files: (folder) => {
      const { cert, key } = authority.issue('gw', 'IP:192.0.2.10');
      const stranger = authority.issue('stranger', 'DNS:x.example').cert;
      writeIn('tls.crt', () => cert + stranger)(folder);
      writeIn('tls.key', () => key)(folder);
    },
    ...{
      line: 'certFile',
      path: 'outer.listeners[0].tls.certFile',
      message: /chain/,
      cure: /own certificate first/,
    },
  },
  {
    what: 'a list of authorities without one',
    files: writeIn('partners.pem', () => 'none\n'),
    ...{
      line: 'caFile',
      path: 'outer.listeners[0].tls.caFile',
      message: /no certificate/,
      cure: /PEM/,
    },
  },
  {
    what: 'an SPK that is no key',
    files: writeIn('spk.key', () => 'secret\n'),
    ...{ line: 'spks:', path: 'partners[0].protection.spks', message: /./, cure: /hexadecimal/ },
  },
  {
    what: 'no SPK that is valid now',
    text: [["validTo: '2099", "validTo: '2021"]],
    ...{ line: 'spks:', path: 'partners[0].protection.spks', message: /SPK/, cure: /valid now/ },
  },
  {
    what: 'a state folder that is not there',
    files: (folder) => rmSync(join(folder, 'state'), { recursive: true }),
    ...{ line: 'stateDir', path: 'stateDir', message: /is not there/, cure: /segy kms init/ },
  },
  {
    what: 'a state folder that others can write',
    files: (folder) => chmodSync(join(folder, 'state'), 0o777),
    ...{ line: 'stateDir', path: 'stateDir', message: /written by others/, cure: /chmod 700/ },
  },
];

describe('configuration mistakes', () => {
  let folder: string;
  let now: number;
  before(() => (authority = new TestAuthority()));
  after(() => authority.remove());

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'segy-mistake-'));
    mkdirSync(join(folder, 'state'), { mode: 0o700 });
    const own = authority.issue('gw', 'IP:192.0.2.10', 90);
    const files: Record<string, string> = {
      'master.key': 'ab'.repeat(32),
      'ari.secret': 'secret\n',
      'spk.key': '0f'.repeat(16),
      'tls.crt': own.cert,
      'tls.key': own.key,
      'partners.pem': authority.cert,
    };
    for (const [name, text] of Object.entries(files)) writeIn(name, () => text)(folder);
    // certificates made within the test begin within it
    now = Date.now() + 60_000;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const written = (text: string): { file: string; text: string } => {
    const file = join(folder, 'segy.yaml');
    const full = text.replaceAll('DIR', folder);
    writeFileSync(file, full);
    return { file, text: full };
  };

  it('are none in a right file', () => {
    const { text, file } = written(RIGHT);
    assert.deepEqual(checkOffline(text, now).findings, []);
    assert.equal(requireRunnable(file, now).partners.length, 1);
  });

  it(`are more than 40`, () => assert.ok(MISTAKES.length >= 40, String(MISTAKES.length)));

  for (const mistake of MISTAKES) {
    it(`${mistake.what}: line, message and cure, and nothing runs on it`, () => {
      let text = RIGHT;
      for (const [from, to] of mistake.text ?? []) {
        assert.ok(text.includes(from), from);
        text = text.replace(from, () => to);
      }
      if (mistake.what.startsWith('a partner domain')) {
        text += OTHER_PARTNER.replace('[mc-b.example]', '[mc-b.example, mc-a.example]');
      }
      mistake.files?.(folder);
      const lines = text.split('\n');
      const line = lines.findIndex((each) => each.includes(mistake.line)) + 1;
      assert.ok(line > 0, `no line has ${mistake.line}`);
      const { text: full, file } = written(text);
      const { findings } = checkOffline(full, now);
      const found = findings.filter(({ path }) => path === mistake.path);
      const all = JSON.stringify(findings, null, 1);
      assert.ok(found.length > 0, all);
      assert.ok(
        found.some((finding) => finding.line === line),
        `line ${line}: ${all}`,
      );
      assert.ok(
        found.some(({ message }) => mistake.message.test(message)),
        all,
      );
      assert.ok(
        found.some(({ cure }) => mistake.cure.test(cure)),
        all,
      );
      for (const { cure } of findings) assert.notEqual(cure, '');
      assert.equal(JSON.stringify(findings).includes('hunter2'), false, 'no value is told');
      const refused = (): unknown => requireRunnable(file, now);
      assert.throws(refused, (error: unknown) => {
        assert.ok(error instanceof SegyError && error.code === 'SEGY_E_CONFIG');
        return error.message.includes(`${file}:${line}: `);
      });
    });
  }

  it('are what segy run ends with, as segy config check names them', () => {
    const { file } = written(RIGHT.replace('sipPort: 5062', 'sipPrt: 5062'));
    const run = runSegy(['run', '--config', file]);
    assert.equal(run.status, 1);
    assert.match(
      run.stderr,
      /SEGY_E_CONFIG: .*segy\.yaml:9: inner\.sipPrt: .*did you mean sipPort\?/,
    );
    const check = runSegy(['config', 'check', '--offline', '--json', '--config', file]);
    assert.equal(check.status, 1);
    const { findings } = JSON.parse(check.stdout) as { findings: { cure: string }[] };
    assert.deepEqual(findings, [
      {
        path: 'inner.sipPrt',
        line: 9,
        message: 'there is no setting sipPrt here',
        cure: 'did you mean sipPort?',
      },
    ]);
  });
});
