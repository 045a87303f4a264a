import assert from 'node:assert/strict';
import { checkConfigText, MAX_CONFIG_OCTETS, parseConfig } from '../../src/config/index.js';

const GOOD = `stateDir: /tmp/state
pbx:
  type: asterisk
  ari: { url: 'http://127.0.0.1:8088', username: segy, passwordFile: /etc/segy/ari.secret }
  sip: { port: 5060 }
outer:
  mediaAddress: 192.0.2.1
  listeners:
    - { transport: tcp, address: 192.0.2.1, port: 5060 }
users:
  - { uri: 'sip:radio1@lmr.example', pbx: '1001' }
partners:
  - name: mc-a
    domains: [MC-A.example]
    kmsUris: [kms.mc-a.example]
    sip:
      requestUri: sip:mcptt-private@mc-a.example
      addresses: [{ host: 198.51.100.7, transport: tcp }]
`;

function findingsOf(text: string): string[] {
  const result = checkConfigText(text);
  assert.ok(!result.ok, 'the configuration should be refused');
  return result.findings.map((finding) => `${finding.line} ${finding.path}: ${finding.message}`);
}

describe('config/load', () => {
  it('reads a short file and fills in the documented defaults', () => {
    const config = parseConfig(GOOD, 'segy.yaml');
    assert.equal(config.inner.address, '127.0.0.2');
    assert.equal(config.partners[0]?.media.policy, 'protected');
    assert.deepEqual(config.partners[0].domains, ['mc-a.example']);
    assert.equal(config.partners[0].windows.pckSeconds, 300);
    assert.equal(config.limits.outboundChannelMs, 500);
  });

  it('takes a FreeSWITCH in place of an Asterisk', () => {
    const text = GOOD.replace('type: asterisk', 'type: freeswitch').replace(
      /  ari: .*/,
      '  esl: { passwordFile: /etc/segy/esl.secret }',
    );
    const { pbx } = parseConfig(text, 'segy.yaml');
    assert.ok(pbx.type === 'freeswitch');
    assert.deepEqual([pbx.esl.host, pbx.esl.port], ['127.0.0.1', 8021]);
  });

  it('reads the same settings as JSON', () => {
    const config = parseConfig(GOOD, 'a');
    assert.deepEqual(parseConfig(JSON.stringify(config), 'b'), config);
  });

  const mistakes: readonly [string, string, RegExp][] = [
    [
      'an access token that would travel clear',
      `${GOOD}    affiliation: { mode: publish, accessToken: true }\n`,
      /partners\[0\]\.affiliation\.accessToken: an access token would travel clear/,
    ],
    ['a misspelt setting', GOOD.replace('mediaAddress', 'mediaAdress'), /^7 outer\.mediaAdress: /m],
    [
      'a user part that Dial() would split',
      GOOD.replace("'1001'", "'1&2'"),
      /^11 users\[0\]\.pbx: letters/,
    ],
    [
      'clear media off the host',
      `${GOOD}inner: { address: 10.0.0.1 }\n`,
      /^19 inner\.address: clear media would leave/,
    ],
    [
      'a TLS listener without a certificate',
      GOOD.replace('transport: tcp, address', 'transport: tls, address'),
      /^9 outer\.listeners\[0\].*tls section/,
    ],
    [
      'a port that is none',
      GOOD.replace('port: 5060 }\nouter', 'port: 99999 }\nouter'),
      /^5 pbx\.sip\.port/,
    ],
    [
      'the same user twice',
      GOOD.replace('partners:', "  - { uri: 'sip:radio1@lmr.example', pbx: '1002' }\npartners:"),
      /^12 users\[1\]\.uri: sip:radio1@lmr.example is already named by users\[0\]/,
    ],
    ['broken YAML', `${GOOD}  }`, /^19 : /],
  ];
  for (const [name, text, expected] of mistakes) {
    it(`names ${name} with its line`, () => {
      assert.match(findingsOf(text).join('\n'), expected);
    });
  }

  it('refuses a file of aliases that would grow without end', () => {
    assert.match(
      findingsOf(`a: &a [x, x]\nb: [*a, *a]\n${GOOD}`).join(),
      /aliases are not allowed/,
    );
  });

  it('refuses a file over the size limit before parsing it', () => {
    assert.match(findingsOf(`#${'x'.repeat(MAX_CONFIG_OCTETS)}`).join(), /too large/);
  });

  it('reports every finding in one SegyError', () => {
    const text = GOOD.replace("'1001'", "'1&2'").replace('kms.mc-a.example', '');
    assert.throws(
      () => parseConfig(text, 'segy.yaml'),
      (error: unknown) => {
        assert.ok(error instanceof Error && 'code' in error && error.code === 'SEGY_E_CONFIG');
        assert.match(error.message, /segy\.yaml:11: users\[0\]\.pbx/);
        assert.match(error.message, /partners\[0\]\.kmsUris/);
        return true;
      },
    );
  });
});
