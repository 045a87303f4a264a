import assert from 'node:assert/strict';
import { concatBytes, toHex, utf8 } from '../../src/base/bytes.js';
import { eccsiSign, eccsiValidate, EccsiVerifier } from '../../src/crypto/index.js';
import {
  certificateFault,
  loadDomain,
  periodAt,
  periodBounds,
  readKmsDocument,
  saveDomain,
  SecurityDomain,
  uidOf,
  writeKmsCertificate,
  writeKmsKeySets,
} from '../../src/kms/index.js';
import { MemoryBackend, openStore } from '../../src/store/index.js';
import { storeOptions } from '../store/support.js';
import { makeDomain, NOW, PARAMETERS, TOOLS } from './support.js';
import { systemRandom } from '../../src/base/environment.js';

describe('security domain', () => {
  const domain = makeDomain();

  it('shows itself as an External KMS that is a security gateway', () => {
    const { role, isSecurityGateway, revoked, domains } = domain.certificate;
    assert.deepEqual([role, isSecurityGateway, revoked], ['External', true, false]);
    assert.deepEqual(domains, ['radio.example']);
    const [read] = readKmsDocument(utf8(writeKmsCertificate(domain.certificate))).certificates;
    assert.deepEqual(read, domain.certificate);
  });

  it('makes other secrets each time', () => {
    const other = makeDomain().certificate;
    assert.notDeepEqual(other.pubEncKey, domain.certificate.pubEncKey);
    assert.notDeepEqual(other.pubAuthKey, domain.certificate.pubAuthKey);
  });

  it('mints key sets whose RSK opens what was encapsulated under its certificate', async () => {
    const { certificate } = domain;
    const keySet = await domain.issue('sip:radio-1@radio.example', periodAt(certificate, NOW));
    const { pubEncKey: z } = certificate;
    assert.deepEqual(
      keySet.userId,
      uidOf(certificate, 'sip:radio-1@radio.example', keySet.keyPeriodNo),
    );
    assert.equal(await TOOLS.slow.validateRsk({ z, id: keySet.userId, rsk: keySet.rsk }), true);
    const ssv = systemRandom(16);
    const sed = await TOOLS.slow.encapsulate({ ssv, id: keySet.userId, z });
    const opened = await TOOLS.slow.decapsulate({ sed, id: keySet.userId, z, rsk: keySet.rsk });
    assert.deepEqual(opened, ssv);
  });

  it('mints key sets whose SSK signs for the identity and for no other', async () => {
    const { certificate } = domain;
    const { userId: id, ssk, pvt } = await domain.issue('sip:radio-1@radio.example', 1n);
    const kpak = certificate.pubAuthKey;
    assert.equal(eccsiValidate({ kpak, id, ssk, pvt }), true);
    const message = utf8('message');
    const signature = eccsiSign({ kpak, id, ssk, pvt, message, random: systemRandom });
    const verifier = new EccsiVerifier({ cacheSize: 4 });
    assert.equal(verifier.verify({ kpak, id, message, signature }), true);
    const other = uidOf(certificate, 'sip:radio-2@radio.example', 1n);
    assert.equal(verifier.verify({ kpak, id: other, message, signature }), false);
  });

  it('mints another key set for another period of the same user', async () => {
    const [one, two] = [
      await domain.issue('sip:radio-1@radio.example', 1n),
      await domain.issue('sip:radio-1@radio.example', 2n),
    ];
    assert.notDeepEqual(one.userId, two.userId);
    assert.notDeepEqual(one.rsk, two.rsk);
  });

  it('states the span of the key period in the key set, and survives being written', async () => {
    const keySet = await domain.issue('sip:radio-1@radio.example', 1544n);
    assert.equal(keySet.validFrom?.toISOString(), '2026-10-27T00:00:00.000Z');
    assert.equal(keySet.validTo?.toISOString(), '2026-11-26T00:00:00.000Z');
    assert.deepEqual(readKmsDocument(writeKmsKeySets([keySet])).keySets, [keySet]);
  });

  it('leaves the span out where no dateTime can hold it', () => {
    const period = { userKeyPeriod: 0x496cebb800n, userKeyOffset: 0n };
    assert.deepEqual(periodBounds(period, 0n).to, undefined);
  });

  it('refuses parameters that no certificate can have', () => {
    const bad = [
      { kmsUri: '' },
      { kmsUri: 'kms example' },
      { domains: [] },
      { domains: ['a b'] },
      { userKeyPeriod: 0n },
      { userKeyOffset: 2_592_000n },
      { userKeyOffset: -1n },
      { validTo: new Date(NOW - 2000) },
      { validTo: new Date(Number.NaN) },
    ];
    for (const more of bad) assert.throws(() => makeDomain(more), { code: 'SEGY_E_ARGUMENT' });
  });

  it('cannot mint once it is wiped', async () => {
    const short = makeDomain();
    short.wipe();
    await assert.rejects(short.issue('sip:radio-1@radio.example', 1n));
  });

  describe('renewal', () => {
    const later = {
      validFrom: new Date(NOW),
      validTo: new Date(NOW + 10 * 86_400_000),
    };

    it('keeps the keys, so that both certificates serve in the overlap', () => {
      const renewed = domain.renew(later).certificate;
      assert.deepEqual(renewed.pubEncKey, domain.certificate.pubEncKey);
      assert.deepEqual(renewed.pubAuthKey, domain.certificate.pubAuthKey);
      assert.deepEqual(renewed.validTo, later.validTo);
    });

    it('lets the gateway go by the keys from the first certificate on, whenever the published one begins', () => {
      const soon = { ...later, validFrom: new Date(NOW + 3600_000) };
      const renewed = domain.renew(soon);
      const again = domain.renew(soon).renew({ ...soon, validTo: new Date(NOW + 20 * 86_400_000) });
      for (const each of [renewed, again]) {
        const kept = SecurityDomain.fromSecret(each.toSecret(), TOOLS);
        for (const { published, certificate } of [each, kept]) {
          assert.deepEqual(published.validFrom, soon.validFrom);
          assert.equal(certificateFault(published, NOW), 'not yet valid');
          assert.equal(certificateFault(certificate, NOW), null);
          assert.deepEqual(certificate.validTo, published.validTo);
        }
      }
      const running = SecurityDomain.fromSecret(domain.toSecret(), TOOLS);
      running.adopt(renewed);
      assert.equal(certificateFault(running.certificate, NOW), null);
      assert.deepEqual(running.published, renewed.published);
    });

    it('refuses a gap between the two, and an end that is not later', () => {
      const gap = { ...later, validFrom: new Date(NOW + 2 * 86_400_000) };
      assert.throws(() => domain.renew(gap), { code: 'SEGY_E_ARGUMENT' });
      const { validTo } = PARAMETERS;
      assert.throws(() => domain.renew({ ...later, validTo }), { code: 'SEGY_E_ARGUMENT' });
    });
  });

  describe('in the sealed store', () => {
    async function domainSpace() {
      const backend = new MemoryBackend();
      return { backend, space: (await openStore(storeOptions(backend))).space('domain') };
    }

    it('is the same after it was read back', async () => {
      const { space } = await domainSpace();
      await saveDomain(space, domain, 'create', TOOLS);
      const back = await loadDomain(space, TOOLS);
      assert.deepEqual(back?.certificate, domain.certificate);
      const { ssk, pvt, userId: id } = await back.issue('sip:a@radio.example', 1n);
      const kpak = domain.certificate.pubAuthKey;
      assert.equal(eccsiValidate({ kpak, id, ssk, pvt }), true);
    });

    it('leaves neither master secret in the back end', async () => {
      const { backend, space } = await domainSpace();
      await saveDomain(space, domain, 'create', TOOLS);
      const secret = domain.toSecret();
      const secrets = [toHex(secret.subarray(8, 136)), toHex(secret.subarray(136, 168))];
      for await (const { value } of backend.entries('')) {
        for (const hex of secrets) assert.equal(toHex(value).includes(hex), false);
      }
    });

    it('is never overwritten by another domain', async () => {
      const { space } = await domainSpace();
      await saveDomain(space, domain, 'create', TOOLS);
      const exists = { code: 'SEGY_E_KMS_EXISTS' };
      await assert.rejects(saveDomain(space, makeDomain(), 'create', TOOLS), exists);
      const other = makeDomain({ kmsUri: 'kms.other.example' });
      await assert.rejects(saveDomain(space, other, 'renew', TOOLS), exists);
    });

    it('is refused when its octets are not those of a domain', () => {
      const secret = domain.toSecret();
      const bad = [new Uint8Array(), secret.subarray(1), secret.subarray(0, 100)];
      bad.push(secret.subarray(0, 168), concatBytes(secret.subarray(0, 200)));
      for (const octets of bad) {
        assert.throws(() => SecurityDomain.fromSecret(octets, TOOLS), { code: 'SEGY_E_STORE' });
      }
    });
  });
});
