/** SAKKE and ECCSI: what a call costs, and what is paid once. */
import { createInlineCrypto } from '../src/crypto/index.js';
import {
  EccsiVerifier,
  eccsiExtract,
  eccsiPublicKey,
  eccsiSign,
  isSakkePoint,
  sakkeMasterPublic,
} from '../src/crypto/index.js';
import { systemRandom as random } from '../src/base/environment.js';
import { uintToBytes } from '../src/base/bytes.js';
import { Bench } from './harness.js';

const bench = new Bench('crypto');
const crypto = createInlineCrypto();

const master = random(100);
const z = sakkeMasterPublic(master);
const id = random(32);
const ssv = random(16);
const rsk = await crypto.extractRsk({ master, id });
await crypto.prepare({ z, id, rsk });
const sed = await crypto.encapsulate({ ssv, id, z });

const ksak = uintToBytes(0x12345n, 32);
const kpak = eccsiPublicKey(ksak);
const signer = eccsiExtract({ ksak, id, random });
const message = random(600);
const signature = eccsiSign({ kpak, id, ...signer, message, random });
const verifier = new EccsiVerifier();

await bench.measure(
  'decapsulate, receiver prepared',
  () => crypto.decapsulate({ sed, id, z, rsk }),
  {
    notes: 'bound 8500 mulmods',
  },
);
await bench.measure('encapsulate, any identity of a prepared domain', () =>
  crypto.encapsulate({ ssv, id: random(32), z }),
);
await bench.measure(
  'encapsulate and sign (a whole GMK message)',
  async () => {
    await crypto.encapsulate({ ssv, id: random(32), z });
    eccsiSign({ kpak, id, ...signer, message, random });
  },
  { notes: 'bound 6000 mulmods' },
);
await bench.measure('extract an RSK', () => crypto.extractRsk({ master, id: random(32) }));
const strangers = Array.from({ length: 30 }, () => sakkeMasterPublic(random(100)));
const stranger = (): Uint8Array => strangers.pop() ?? z;
await bench.measure(
  'encapsulate, first contact with a domain not prepared',
  () => crypto.encapsulate({ ssv, id, z: stranger() }),
  { rounds: 5 },
);
await bench.measure(
  'prepare a domain (once a KMS certificate)',
  () => crypto.prepare({ z: stranger() }),
  { rounds: 5 },
);
await bench.measure(
  'prepare a receiver (once a key period)',
  async () => {
    const fresh = createInlineCrypto();
    await fresh.prepare({ z, rsk });
  },
  { rounds: 5, notes: 'with its domain' },
);
await bench.measure('check a point of the subgroup', () => isSakkePoint(z), { rounds: 5 });
await bench.measure('ECCSI sign', () => eccsiSign({ kpak, id, ...signer, message, random }), {
  batch: 20,
});
await bench.measure(
  'ECCSI verify, known signer',
  () => verifier.verify({ kpak, id, message, signature }),
  { batch: 20, notes: 'bound 2 P-256 verifications' },
);
await bench.measure('ECCSI verify, new signer', () =>
  new EccsiVerifier().verify({ kpak, id, message, signature }),
);
bench.print();
