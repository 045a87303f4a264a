import assert from 'node:assert/strict';
import { floorSchema } from '../../src/config/floor-schema.js';
import { parseConfig } from '../../src/config/index.js';

const SPK = {
  id: '30010203',
  keyFile: '/etc/segy/spk',
  rand: '00'.repeat(16),
  validFrom: '2026-01-01T00:00:00Z',
  validTo: '2027-01-01T00:00:00Z',
};
const refused = (floor: unknown): string[] =>
  (floorSchema.safeParse(floor).error?.issues ?? []).map(({ path }) => path.join('.'));

function config(partner: object, inner: object = {}): string {
  return JSON.stringify({
    pbx: {
      type: 'asterisk',
      ari: { url: 'http://127.0.0.1:8088', username: 'segy', passwordFile: '/etc/segy/ari' },
    },
    inner,
    outer: {
      mediaAddress: '192.0.2.10',
      listeners: [{ transport: 'udp', address: '192.0.2.10', port: 5060 }],
    },
    partners: [
      {
        name: 'mc-a',
        domains: ['mc-a.example'],
        kmsUris: ['kms.mc-a.example'],
        sip: {
          requestUri: 'sip:mcptt@mc-a.example',
          addresses: [{ host: '198.51.100.7', transport: 'udp' }],
        },
        ...partner,
      },
    ],
  });
}

/** What is wrong with the configuration; empty when nothing is. */
function fault(partner: object, inner: object = {}): string {
  try {
    parseConfig(config(partner, inner), 'test');
    return '';
  } catch (error) {
    return String(error);
  }
}

describe('config/floor', () => {
  it('hears the radio’s speech and holds half a second of it back unless told otherwise', () => {
    const { keying, holdBackMs, protection, offer } = floorSchema.parse({});
    assert.equal(keying.source, 'level');
    assert.deepEqual([keying.on, keying.off], ['*', '#']);
    assert.equal(holdBackMs, 500);
    assert.equal(protection, 'spk');
    assert.equal(offer, true);
  });

  it('refuses digits that are none, a source that is none, and a CSK with the tag of an SPK', () => {
    assert.deepEqual(refused({ keying: { on: 'x' } }), ['keying.on']);
    assert.deepEqual(refused({ keying: { source: 'guess' } }), ['keying.source']);
    assert.deepEqual(refused({ keying: { on: '12', off: '1' } }), ['keying.off']);
    assert.deepEqual(refused({ keying: { on: '5', off: '5' } }), []);
    assert.deepEqual(refused({ csks: [SPK] }), ['csks.0.id']);
    assert.deepEqual(refused({ priorities: { normal: 0 } }), ['priorities.normal']);
  });

  it('wants the key that it is to be protected with', () => {
    assert.match(fault({ floor: {} }), /protection\.spks names none/);
    assert.match(fault({ floor: { protection: 'csk' } }), /none is named/);
    assert.equal(fault({ floor: {}, protection: { spks: [SPK] } }), '');
  });

  it('is clear only where calls may be clear', () => {
    assert.match(fault({ floor: { protection: 'none' } }), /allow-clear/);
    const media = { policy: 'allow-clear' };
    assert.equal(fault({ floor: { protection: 'none' }, media }), '');
  });

  it('is forwarded clear on this host alone, unless the operator insists', () => {
    const partner = (address: string) => ({
      floor: { forwardTo: { address, port: 9000 } },
      protection: { spks: [SPK] },
    });
    assert.equal(fault(partner('127.0.0.9')), '');
    assert.match(fault(partner('192.0.2.9')), /leave the host/);
    assert.equal(fault(partner('192.0.2.9'), { allowNonLoopback: true }), '');
  });
});
