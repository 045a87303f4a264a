import assert from 'node:assert/strict';
import { fromHex, utf8 } from '../../src/base/bytes.js';
import { silentLog } from '../../src/base/environment.js';
import { fingerprintOf, TrustStore } from '../../src/kms/index.js';
import type { KmsCertificate } from '../../src/kms/index.js';
import { MemoryBackend, openStore } from '../../src/store/index.js';
import { storeOptions } from '../store/support.js';
import { makeDomain, NOW, partnerCertificate } from './support.js';

const DAY = 86_400_000;

async function trustStore() {
  const clock = { time: NOW, now: () => clock.time };
  const backend = new MemoryBackend();
  const records = (await openStore(storeOptions(backend))).space('trust');
  const open = () => TrustStore.open(records, { clock, log: silentLog });
  return { clock, backend, records, open, trust: await open() };
}

/** The form of a point and no point of P-256. */
const OFF_CURVE = fromHex(`04${'00'.repeat(63)}01`);

describe('trust store', () => {
  const certificate = partnerCertificate();
  const fingerprint = fingerprintOf(certificate);

  it('finds a certificate by its KMS URI with the partner it was bound to, also after a restart', async () => {
    const { trust, open } = await trustStore();
    await trust.add(certificate, { partner: 'mc-a', fingerprint: fingerprint.words });
    for (const store of [trust, await open()]) {
      const entry = store.find('kms.mc-a.example');
      assert.deepEqual([entry?.partner, entry?.certificate], ['mc-a', certificate]);
      assert.equal(store.find('KMS.mc-a.example'), undefined);
    }
  });

  it('refuses a certificate with another fingerprint than the one given', async () => {
    const { trust } = await trustStore();
    await assert.rejects(trust.add(certificate, { partner: 'mc-a', fingerprint: '0'.repeat(64) }), {
      code: 'SEGY_E_KMS_FINGERPRINT',
    });
    assert.equal(trust.find(certificate.kmsUri), undefined);
  });

  const smallSubgroup = Uint8Array.of(4, ...new Uint8Array(256));
  const refused: Record<string, Partial<KmsCertificate>> = {
    revoked: { revoked: true },
    expired: { validTo: new Date(NOW - 1) },
    'with a KPAK off the curve': { pubAuthKey: OFF_CURVE },
    'with a Z of order two, (0, 0)': { pubEncKey: smallSubgroup },
    'with a Z off the curve': {
      pubEncKey: Uint8Array.from(certificate.pubEncKey, (o, i) => (i === 200 ? o ^ 1 : o)),
    },
    'that makes us its migration domain': { role: 'Migration' },
    'that names our own KMS URI': { kmsUri: 'kms.segy.example' },
  };
  for (const [what, change] of Object.entries(refused)) {
    it(`refuses a certificate ${what}`, async () => {
      const { trust } = await trustStore();
      await assert.rejects(
        trust.add({ ...certificate, ...change }, { partner: 'a', ownKmsUri: 'kms.segy.example' }),
        { code: 'SEGY_E_KMS_DOCUMENT' },
      );
    });
  }

  it('keeps nothing that could not be announced, and announces nothing that is refused', async () => {
    const { trust, open } = await trustStore();
    const failing = { partner: 'mc-a', announce: () => Promise.reject(new Error('disk full')) };
    await assert.rejects(trust.add(certificate, failing), /disk full/);
    assert.deepEqual([trust.list(), (await open()).list()], [[], []]);
    let announced = 0;
    const announce = () => Promise.resolve(void (announced += 1));
    await assert.rejects(trust.add({ ...certificate, revoked: true }, { partner: 'a', announce }));
    assert.equal(announced, 0);
    await trust.add(certificate, { partner: 'mc-a', announce });
    assert.equal(announced, 1);
  });

  it('takes the same certificate again without a change', async () => {
    const { trust, clock } = await trustStore();
    const first = await trust.add(certificate, { partner: 'mc-a' });
    clock.time += 1000;
    assert.deepEqual(await trust.add(certificate, { partner: 'mc-a' }), first);
  });

  describe('for a KMS URI that is known', () => {
    const other = makeDomain({ kmsUri: 'kms.mc-a.example' }).certificate;

    it('refuses a different certificate, and another partner, unless told to replace', async () => {
      const { trust } = await trustStore();
      await trust.add(certificate, { partner: 'mc-a' });
      const exists = { code: 'SEGY_E_KMS_EXISTS' };
      await assert.rejects(trust.add(other, { partner: 'mc-a' }), exists);
      await assert.rejects(trust.add(certificate, { partner: 'mc-b' }), exists);
      assert.deepEqual(trust.find('kms.mc-a.example')?.certificate, certificate);
      await trust.add(other, { partner: 'mc-a', replace: true });
      assert.deepEqual(trust.find('kms.mc-a.example')?.certificate, other);
    });

    it('goes on using the present certificate until its replacement becomes valid', async () => {
      const { trust, clock, open } = await trustStore();
      await trust.add({ ...certificate, validTo: new Date(NOW + 3 * DAY) }, { partner: 'mc-a' });
      const next = {
        ...other,
        validFrom: new Date(NOW + 2 * DAY),
        validTo: new Date(NOW + 9 * DAY),
      };
      await trust.add(next, { partner: 'mc-a', replace: true });
      for (const store of [trust, await open()]) {
        clock.time = NOW;
        assert.deepEqual(
          store.find('kms.mc-a.example')?.certificate.pubAuthKey,
          certificate.pubAuthKey,
        );
        assert.deepEqual(store.find('kms.mc-a.example')?.next, next);
        clock.time = NOW + 2 * DAY;
        assert.deepEqual(store.find('kms.mc-a.example')?.certificate, next);
        assert.equal(store.find('kms.mc-a.example')?.next, undefined);
      }
    });
  });

  it('gives out a revoked certificate as revoked, for good, until it is replaced', async () => {
    const { trust, open } = await trustStore();
    await trust.add(certificate, { partner: 'mc-a' });
    await trust.revoke('kms.mc-a.example');
    const again = await open();
    assert.equal(again.find('kms.mc-a.example')?.certificate.revoked, true);
    await assert.rejects(again.add(certificate, { partner: 'mc-a' }), {
      code: 'SEGY_E_KMS_EXISTS',
    });
    await again.add(certificate, { partner: 'mc-a', replace: true });
    assert.equal(again.find('kms.mc-a.example')?.certificate.revoked, false);
  });

  it('forgets a removed certificate, and says so of one that it never had', async () => {
    const { trust, open } = await trustStore();
    await trust.add(certificate, { partner: 'mc-a' });
    await trust.remove('kms.mc-a.example');
    assert.equal((await open()).find('kms.mc-a.example'), undefined);
    await assert.rejects(trust.remove('kms.mc-a.example'), { code: 'SEGY_E_NOT_FOUND' });
    await assert.rejects(trust.revoke('kms.mc-a.example'), { code: 'SEGY_E_NOT_FOUND' });
  });

  it('names a damaged entry, serves the others, and does not let the damaged one be taken silently', async () => {
    const { trust, backend, records, open } = await trustStore();
    await trust.add(certificate, { partner: 'mc-a' });
    await trust.add({ ...certificate, kmsUri: 'kms.mc-b.example' }, { partner: 'mc-b' });
    await records.put('kms.mc-c.example', utf8('{"partner":"mc-c"}'));
    const name = 'r/trust/kms.mc-a.example';
    await backend.write([{ name, value: (await backend.get(name))!.subarray(0, -1) }]);
    const again = await open();
    assert.deepEqual([...again.refused].sort(), ['kms.mc-a.example', 'kms.mc-c.example']);
    assert.deepEqual(
      again.list().map((entry) => entry.partner),
      ['mc-b'],
    );
    await assert.rejects(again.add(certificate, { partner: 'mc-a' }), {
      code: 'SEGY_E_KMS_EXISTS',
    });
  });
});
