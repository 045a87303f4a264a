import assert from 'node:assert/strict';
import { writeKmsCertificate, writeKmsKeySets } from '../../src/kms/index.js';
import type { KmsCertificate, KmsKeySet } from '../../src/kms/index.js';
import { runSegy } from '../support/cli.js';
import { KmsFiles } from '../support/kms-files.js';
import {
  domainA,
  domainX,
  makeMessage,
  MALLORY,
  PERIOD,
  RADIO,
  T,
} from '../support/mikey-scene.js';

/** The point as it was with its last octet changed, so that it lies off its curve. */
function offCurve(point: Uint8Array): Uint8Array {
  const wrong = point.slice();
  wrong[wrong.length - 1] = (wrong[wrong.length - 1] ?? 0) ^ 1;
  return wrong;
}

describe('segy mikey open, given hostile files', () => {
  const files = new KmsFiles();
  let message = '';
  let own: KmsKeySet;
  let other: KmsKeySet;
  before(async () => {
    const made = await makeMessage();
    message = typeof made === 'string' ? made : Buffer.from(made).toString('base64');
    own = await domainX.keySet(RADIO, PERIOD);
    other = await domainX.keySet(MALLORY, PERIOD);
  });
  after(() => files.remove());

  function codeFor(
    set: Partial<KmsKeySet>,
    a: Partial<KmsCertificate> = {},
    x: Partial<KmsCertificate> = {},
  ): string {
    const certificates = [
      files.write('a.xml', writeKmsCertificate({ ...domainA.certificate, ...a })),
      files.write('x.xml', writeKmsCertificate({ ...domainX.certificate, ...x })),
    ];
    const keySet = files.write('set.xml', writeKmsKeySets([{ ...own, ...set }]));
    const args = ['mikey', 'open', '--kms-cert', ...certificates, '--key-set', keySet, '--at', T];
    const { status, stdout } = runSegy([...args, '--json'], message);
    const answer = JSON.parse(stdout) as { ok: boolean; code?: string };
    assert.equal(status, answer.ok ? 0 : 1);
    assert.doesNotMatch(stdout, /"key"/);
    return answer.code ?? 'opened';
  }

  it('the files as they are open the message', () => {
    assert.equal(codeFor({}), 'opened');
  });

  it('a key set with the RSK of another user', () => {
    assert.equal(codeFor({ rsk: other.rsk }), 'SEGY_E_MIKEY_SAKKE');
  });

  it('a key set with an RSK off the curve', () => {
    assert.equal(codeFor({ rsk: offCurve(own.rsk) }), 'SEGY_E_KMS_DOCUMENT');
  });

  it('a key set of one user under the UID of another', () => {
    assert.equal(codeFor({ userId: other.userId, rsk: other.rsk }), 'SEGY_E_MIKEY_SAKKE');
  });

  it('a KMS certificate whose Z or KPAK is off its curve', () => {
    const { pubAuthKey } = domainA.certificate;
    const { pubEncKey } = domainX.certificate;
    assert.equal(codeFor({}, { pubAuthKey: offCurve(pubAuthKey) }), 'SEGY_E_KMS_DOCUMENT');
    assert.equal(codeFor({}, {}, { pubEncKey: offCurve(pubEncKey) }), 'SEGY_E_KMS_DOCUMENT');
  });

  it('a KMS certificate whose Z is the point of order two', () => {
    const z = new Uint8Array(257);
    z[0] = 4;
    assert.equal(codeFor({}, {}, { pubEncKey: z }), 'SEGY_E_KMS_DOCUMENT');
  });
});
