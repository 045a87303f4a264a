import assert from 'node:assert/strict';
import { protectionSchema } from '../../src/config/protection-schema.js';

const SPK = {
  id: '30010203',
  keyFile: '/etc/segy/spk-mc-a',
  rand: '00'.repeat(16),
  validFrom: '2026-01-01T00:00:00Z',
  validTo: '2027-01-01T00:00:00Z',
};
const CODE_POINTS = {
  messageType: 0x91,
  requestIei: 1,
  requestIdIei: 2,
  requestExpiryIei: 3,
  roles: { user: 1 },
  signature: 'appended',
};
const EAR = {
  receive: 'explicit',
  send: true,
  codePoints: CODE_POINTS,
  sourceRole: 'user',
  targetRole: 'user',
  acceptRoles: ['user'],
};

/** The settings that are refused, by their path. */
function refused(protection: unknown): string[] {
  const { error } = protectionSchema.safeParse(protection);
  return (error?.issues ?? []).map(({ path }) => path.join('.'));
}

describe('config/protection', () => {
  it('demands and makes encryption and signatures unless told otherwise', () => {
    const { receive, send, ear, p0 } = protectionSchema.parse({ spks: [SPK] });
    assert.deepEqual(receive, { confidentiality: 'required', integrity: 'required' });
    assert.deepEqual(send, { confidentiality: true, integrity: true });
    assert.equal(ear.receive, 'none');
    assert.equal(ear.send, false);
    assert.deepEqual(p0, { rule: 'user' });
  });

  it('refuses to demand protection without an SPK', () => {
    assert.deepEqual(refused({}), ['spks']);
  });

  it('refuses an SPK-ID without purpose tag 3, a short RAND and a validity that ends first', () => {
    assert.deepEqual(refused({ spks: [{ ...SPK, id: '20010203' }] }), ['spks.0.id']);
    assert.deepEqual(refused({ spks: [{ ...SPK, rand: '00' }] }), ['spks.0.rand']);
    const over = { ...SPK, validTo: '2025-01-01T00:00:00Z' };
    assert.deepEqual(refused({ spks: [over] }), ['spks.0.validTo']);
    assert.deepEqual(refused({ spks: [SPK, { ...SPK, id: '30010203' }] }), ['spks']);
  });

  it('takes EARs whose code points are all agreed on', () => {
    assert.deepEqual(refused({ spks: [SPK], ear: EAR }), []);
  });

  for (const name of [
    'messageType',
    'requestIei',
    'requestIdIei',
    'requestExpiryIei',
    'signature',
  ] as const) {
    it(`refuses EARs without the code point ${name}, which has no default`, () => {
      const codePoints = { ...CODE_POINTS, [name]: undefined };
      const ear = { ...EAR, codePoints };
      assert.deepEqual(refused({ spks: [SPK], ear }), [`ear.codePoints.${name}`]);
      const implicit = { ...ear, receive: 'implicit', send: false };
      assert.deepEqual(refused({ spks: [SPK], ear: implicit }), []);
    });
  }

  it('refuses roles that no octet is agreed on for', () => {
    const ear = { ...EAR, acceptRoles: ['gms'] };
    assert.deepEqual(refused({ spks: [SPK], ear }), ['ear.acceptRoles']);
    assert.deepEqual(refused({ spks: [SPK], ear: { ...EAR, acceptRoles: [] } }), [
      'ear.acceptRoles',
    ]);
    const unnamed = { ...EAR, sourceRole: undefined };
    assert.deepEqual(refused({ spks: [SPK], ear: unnamed }), ['ear.sourceRole']);
  });
});
