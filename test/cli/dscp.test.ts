import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dscpRules } from '../../src/cli/dscp.js';
import { checkConfigText, parseConfig } from '../../src/config/index.js';
import { skipBecause } from '../support/skip.js';

const config = (outer: object) => ({
  pbx: {
    type: 'asterisk',
    ari: { url: 'http://127.0.0.1:8088', username: 'segy', passwordFile: '/x' },
  },
  outer: {
    mediaAddress: '127.0.0.1',
    mediaPorts: [40000, 40010],
    listeners: [
      { transport: 'udp', address: '127.0.0.1', port: 45060 },
      { transport: 'tcp', address: '::1', port: 45061 },
    ],
    dscp: { sip: 'cs3', rtp: 'ef' },
    ...outer,
  },
  partners: [
    {
      ...{ name: 'a', domains: ['a.example'], kmsUris: ['kms.a.example'] },
      sip: {
        requestUri: 'sip:x@a.example',
        addresses: [{ host: '127.0.0.1', port: 46061, transport: 'tcp' }],
      },
    },
  ],
});
const rulesOf = (outer: object = {}): string | null =>
  dscpRules(parseConfig(JSON.stringify(config(outer)), 'test'));

describe('cli/dscp', () => {
  it('marks RTP by its ports, SIP by those of listeners and partners, nothing inside', () => {
    const rules = (rulesOf() ?? '').split('\n').filter((line) => line.includes('dscp set'));
    assert.deepEqual(
      rules.map((line) => line.trim()),
      [
        'ip saddr 127.0.0.1 udp sport 40000-40010 ip dscp set ef',
        'ip saddr 127.0.0.1 udp sport 45060 ip dscp set cs3',
        'ip6 saddr ::1 tcp sport 45061 ip6 dscp set cs3',
        'ip6 saddr ::1 tcp dport { 46061 } ip6 dscp set cs3',
      ],
    );
  });

  it('makes none where none is asked for, and refuses what is no DSCP', () => {
    assert.equal(rulesOf({ dscp: undefined }), null);
    const wrong = checkConfigText(JSON.stringify(config({ dscp: { rtp: 'fast' } })));
    assert.ok(!wrong.ok);
    assert.match(wrong.findings[0]!.message, /not a DSCP/);
  });

  describe('in a network namespace of its own', () => {
    let folder: string | undefined;
    before(function () {
      const can = spawnSync('unshare', ['--net', 'nft', 'list', 'ruleset']);
      if (can.status !== 0) {
        skipBecause(this, 'marked packets are tested: nft or a network namespace is not to be had');
      }
      folder = mkdtempSync(join(tmpdir(), 'segy-dscp-'));
    });
    after(() => {
      if (folder !== undefined) rmSync(folder, { recursive: true });
    });

    /** Loads the rules and runs `script` with node, in a namespace where only loopback is. */
    const within = (script: string): { status: number | null; stdout: string; stderr: string } => {
      const rules = join(folder ?? '', 'rules.nft');
      writeFileSync(rules, rulesOf() ?? '');
      const shell = `ip link set lo up && nft -c -f ${rules} && nft -f ${rules} && nft -f ${rules} && exec "$0" -e "$1"`;
      return spawnSync('unshare', ['--net', 'sh', '-c', shell, process.execPath, script], {
        encoding: 'utf8',
        timeout: 90_000,
      });
    };

    it('nft takes the rules, twice as well, and packets carry the marks', () => {
      // the kernel counts what it marked in a table behind ours
      const script = `
        const { execFileSync } = require('node:child_process');
        const dgram = require('node:dgram');
        execFileSync('nft', ['-f', '-'], { input: 'table inet seen { chain out { type filter hook postrouting priority 0; policy accept; ip dscp ef counter comment "ef"; ip dscp cs3 counter comment "cs3"; ip dscp cs0 udp dport 9 counter comment "none"; }; }' });
        let open = 3;
        for (const port of [40002, 45060, 30000]) {
          const socket = dgram.createSocket('udp4');
          socket.bind(port, '127.0.0.1', () => socket.send('x', 9, '127.0.0.1', () => {
            socket.close();
            if (--open === 0) process.stdout.write(execFileSync('nft', ['list', 'table', 'inet', 'seen']));
          }));
        }`;
      const { stdout, stderr, status } = within(script);
      assert.equal(status, 0, stderr);
      for (const mark of ['ef', 'cs3', 'none']) {
        assert.match(stdout, new RegExp(`counter packets 1 bytes \\d+ comment "${mark}"`), stdout);
      }
    });
  });
});
