import assert from 'node:assert/strict';
import { prepareKeys, receiverTables } from '../../src/cli/prepare-keys.js';
import { Credentials } from '../../src/clients/index.js';
import type { KmsKeySet } from '../../src/kms/index.js';
import { NOW, partnerCertificate } from '../kms/support.js';

const DAY_MS = 86_400_000;
const OWN = partnerCertificate({ kmsUri: 'kms.segy.example', domains: ['radio.example'] });
const USERS = Array.from({ length: 40 }, (_, n) => `sip:r${n}@radio.example`);

/** Key sets whose octets name them: no key is needed to see which tables are made. */
function keySet(userUri: string, keyPeriodNo: bigint): KmsKeySet {
  const rsk = new TextEncoder().encode(`${userUri} ${keyPeriodNo}`);
  const empty = new Uint8Array();
  const { kmsUri } = OWN;
  return {
    ...{ kmsUri, userUri, userId: empty, keyPeriodNo, revoked: false },
    ...{ rsk, ssk: empty, pvt: empty },
  };
}

function rig() {
  const tables: string[] = [];
  const credentials = new Credentials(
    { certificate: OWN, issue: (user, period) => Promise.resolve(keySet(user, period)) },
    { now: () => NOW },
  );
  const slow = {
    prepare: ({ rsk }: { rsk?: Uint8Array }) => {
      if (rsk !== undefined) tables.push(new TextDecoder().decode(rsk).split(' ', 1)[0] ?? '');
      return Promise.resolve();
    },
  };
  const prepare = (nextAt: number, kept = 16) =>
    prepareKeys({
      ...{ slow, credentials, users: USERS, own: OWN, trusted: [], tables: kept },
      ...{ now: NOW, nextAt },
    });
  return { tables, credentials, prepare };
}

describe('receiver tables', () => {
  it('share the memory of the configuration among the workers', () => {
    assert.equal(receiverTables({ cryptoWorkers: 1, cryptoTableMegabytes: 256 }), 640);
    assert.equal(receiverTables({ cryptoWorkers: 4, cryptoTableMegabytes: 256 }), 160);
    assert.equal(receiverTables({ cryptoWorkers: 64, cryptoTableMegabytes: 2 }), 4);
  });

  it('are made for no more users than are kept', async () => {
    const { tables, prepare } = rig();
    assert.equal(await prepare(NOW + 1), 14);
    assert.equal(tables.length, 14);
  });

  it('are two a user where the next key period is near', async () => {
    const { tables, prepare } = rig();
    assert.equal(await prepare(NOW + 60 * DAY_MS), 7);
    assert.equal(tables.length, 14);
  });

  it('are made for every user where there is room', async () => {
    const { tables, prepare } = rig();
    assert.equal(await prepare(NOW + 1, 100), USERS.length);
    assert.deepEqual(tables, USERS);
  });

  it('are made for those first who were used last', async () => {
    const { tables, credentials, prepare } = rig();
    await credentials.around(USERS[30]!, NOW);
    await credentials.at(USERS[35]!, NOW);
    await prepare(NOW + 1);
    assert.deepEqual(tables.slice(0, 3), [USERS[35], USERS[30], USERS[0]]);
  });
});
