import assert from 'node:assert/strict';
import { SegyError } from '../../src/base/errors.js';
import { redirectBodies } from '../../src/cli/redirect-body.js';
import { parseConfig } from '../../src/config/index.js';
import { readRedirect } from '../../src/kms/index.js';

const NAMES = {
  purpose: 'Purpose',
  refusedKmsUri: 'Refused',
  kmsUri: 'Use',
  'purpose.responder-kms-wrong': 'a',
  'purpose.responder-kms-not-allowed': 'b',
  'purpose.initiator-kms-not-allowed': 'c',
};
const OWN = 'kms.segy.example';

function partnerWith(redirectResponse: object) {
  const config = {
    pbx: {
      type: 'asterisk',
      ari: { url: 'http://127.0.0.1:8088', username: 'a', passwordFile: '/x' },
      sip: {},
    },
    outer: {
      listeners: [{ transport: 'udp', address: '127.0.1.1', port: 5060 }],
      mediaAddress: '127.0.1.1',
    },
    partners: [
      {
        name: 'mc-a',
        domains: ['mc-a.example'],
        kmsUris: ['kms.mc-a.example'],
        sip: { addresses: [{ host: '127.0.2.1' }], requestUri: 'sip:mcptt@mc-a.example' },
        redirectResponse,
      },
    ],
  };
  return parseConfig(JSON.stringify(config), 'test').partners[0]!;
}

describe('KMS Redirect Response of a refusal', () => {
  const make = redirectBodies(OWN, { now: () => 0 });
  const refusal = (role: string, kmsUri: string): SegyError =>
    new SegyError('SEGY_E_MIKEY_KMS_NOT_ALLOWED', 'x', { details: { role, kmsUri } });

  it('says which KMS was refused, and for a wrong addressee KMS which one to use', () => {
    const partner = partnerWith({ enabled: true, elements: NAMES });
    const said = (role: string, kmsUri: string) => {
      const {
        purpose,
        refusedKmsUri,
        kmsUri: use,
      } = readRedirect(make(refusal(role, kmsUri), partner)!.body, NAMES);
      return [purpose, refusedKmsUri, use];
    };
    assert.deepEqual(said('IDRkmsr', 'kms.old'), ['responder-kms-wrong', 'kms.old', OWN]);
    assert.deepEqual(said('IDRkmsr', OWN), ['responder-kms-not-allowed', OWN, OWN]);
    assert.deepEqual(said('IDRkmsi', 'kms.c'), ['initiator-kms-not-allowed', 'kms.c', null]);
  });

  it('is not made where the profile has it off or names no elements, or the refusal is about no KMS', () => {
    const off = partnerWith({ enabled: false, elements: NAMES });
    assert.equal(make(refusal('IDRkmsi', 'kms.c'), off), null);
    const bare = partnerWith({ enabled: true, elements: {} });
    assert.equal(make(refusal('IDRkmsi', 'kms.c'), bare), null);
    const on = partnerWith({ enabled: true, elements: NAMES });
    assert.equal(make(new SegyError('SEGY_E_MIKEY_SIGNATURE', 'x'), on), null);
  });
});
