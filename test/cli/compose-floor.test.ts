import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../src/base/bytes.js';
import { makeFloorKeys, needsSignals } from '../../src/cli/compose-floor.js';
import type { PartnerConfig } from '../../src/config/index.js';
import { floorSchema } from '../../src/config/floor-schema.js';
import { protectionSchema } from '../../src/config/protection-schema.js';
import { srtpKeys } from '../../src/mikey/index.js';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const KEY = '00112233445566778899aabbccddeeff';
const RAND = '0f'.repeat(16);
const entry = (id: string, more: object = {}) => ({
  id,
  keyFile: `/etc/segy/${id}`,
  rand: RAND,
  validFrom: '2026-01-01T00:00:00Z',
  validTo: '2027-01-01T00:00:00Z',
  ...more,
});
const partner = (floor: object, spks: object[] = [entry('30000001')]) =>
  ({
    name: 'mc-a',
    floor: floorSchema.parse(floor),
    protection: protectionSchema.parse({ spks }),
  }) as unknown as PartnerConfig;
const keysOf = (config: PartnerConfig, read = () => `${KEY}\n`) =>
  makeFloorKeys([config], read, { now: () => NOW });

describe('cli/compose-floor: keys of floor control', () => {
  it('come from the SPK with its identifier as CSB ID and MKI, and its CS ID', () => {
    const config = partner({});
    const { send, receive } = keysOf(config).keys(config)!;
    const expected = srtpKeys({
      key: fromHex(KEY),
      csbId: fromHex('30000001'),
      rand: fromHex(RAND),
      csId: 6,
    });
    assert.deepEqual(
      [send.masterKey, send.masterSalt, send.mki].map(toHex),
      [expected.masterKey, expected.masterSalt, fromHex('30000001')].map(toHex),
    );
    assert.equal(send.rocRate, 0);
    assert.equal(receive.length, 1);
  });

  it('come from the CSK where the profile says so', () => {
    const config = partner({ protection: 'csk', csks: [entry('20000009')] });
    assert.equal(toHex(keysOf(config).keys(config)!.send.mki), '20000009');
  });

  it('are heard under every SPK that is valid, and sent under the one that began last', () => {
    const config = partner({}, [
      entry('30000001'),
      entry('30000002', { sendFrom: '2026-05-01T00:00:00Z' }),
      entry('30000003', { validTo: '2026-02-01T00:00:00Z' }),
      entry('30000004', { sendFrom: '2026-09-01T00:00:00Z' }),
    ]);
    const { send, receive } = keysOf(config).keys(config)!;
    assert.equal(toHex(send.mki), '30000002');
    assert.deepEqual(
      receive.map(({ mki }) => toHex(mki)),
      ['30000001', '30000002', '30000004'],
    );
  });

  it('are refused when none is valid, and are none where policy has floor control clear', () => {
    const config = partner({}, [entry('30000003', { validTo: '2026-02-01T00:00:00Z' })]);
    assert.throws(() => keysOf(config).keys(config), { code: 'SEGY_E_SPK_NONE' });
    const clear = partner({ protection: 'none' });
    assert.equal(keysOf(clear).keys(clear), null);
  });

  it('stay as they are when a reload names a file without a key', () => {
    const config = partner({});
    let text = KEY;
    const floor = keysOf(config, () => text);
    text = 'no key';
    assert.throws(() => floor.prepare([config]), { code: 'SEGY_E_CONFIG' });
    assert.ok(floor.keys(config));
    text = KEY.replace('00', 'ff');
    const before = toHex(floor.keys(config)!.send.masterKey);
    floor.prepare([config])();
    assert.notEqual(toHex(floor.keys(config)!.send.masterKey), before);
  });

  it('make the PBX report signals only where a partner has floor control', () => {
    assert.equal(needsSignals({ partners: [partner({})] }), true);
    assert.equal(needsSignals({ partners: [{ name: 'x' } as unknown as PartnerConfig] }), false);
  });
});
