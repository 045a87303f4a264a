import assert from 'node:assert/strict';
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { exportJWK } from 'jose';
import type { Alarms } from '../../src/base/alarms.js';
import { utf8 } from '../../src/base/bytes.js';
import { silentLog, silentMetrics } from '../../src/base/environment.js';
import { SegyError } from '../../src/base/errors.js';
import { idmPartners } from '../../src/cli/idm-partners.js';
import { DEFAULT_CODE_POINTS } from '../../src/config/index.js';
import { securityTokensSchema } from '../../src/config/idm-schema.js';

const SUBJECT = { alg: 'ES256', kid: 'k1' };

describe('the keys of a partner’s IdM that cannot be fetched', () => {
  it('raise an alarm until they can, under the name of the partner', async () => {
    const { publicKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
    const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1' }] });
    const securityTokens = securityTokensSchema.parse({
      issuer: 'https://idm.mc-a.example',
      keysUrl: 'https://idm.mc-a.example/jwks',
      clients: [{ id: 'gms-a', certificate: { sha256: 'ab'.repeat(32) } }],
    });
    const told: string[] = [];
    const alarms: Alarms = {
      raise: (name, subject, text) => void told.push(`raise ${name} ${subject} ${text}`),
      clear: (name, subject) => void told.push(`clear ${name} ${subject}`),
    };
    const clock = { at: 0, now: () => clock.at };
    let isUp = false;
    const [partner] = idmPartners(
      [
        {
          name: 'mc-a',
          domains: ['mc-a.example'],
          codePoints: DEFAULT_CODE_POINTS,
          securityTokens,
        },
      ],
      { clock, log: silentLog, metrics: silentMetrics },
      alarms,
      () =>
        isUp
          ? Promise.resolve(utf8(jwks))
          : Promise.reject(new SegyError('SEGY_E_TIMEOUT', 'idm.mc-a.example: no answer')),
    );
    const find = async (): Promise<unknown> =>
      partner?.tokenKeys(SUBJECT, { payload: '', signature: '' });
    await assert.rejects(find(), { code: 'SEGY_E_PARTNER_IDM' });
    assert.deepEqual(told, [
      'raise partner-idm-keys mc-a SEGY_E_TIMEOUT idm.mc-a.example: no answer',
    ]);
    isUp = true;
    clock.at += 60_000;
    await find();
    assert.equal(told.at(-1), 'clear partner-idm-keys mc-a');
  });
});
