/** SAKKE through worker threads: what a caller waits, and what the signalling thread is kept from. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemRandom as random } from '../src/base/environment.js';
import { createCryptoPool, createInlineCrypto, sakkeMasterPublic } from '../src/crypto/index.js';
import { Bench } from './harness.js';

const WORKERS = 2;
const BURST = 20;

const master = random(100);
const z = sakkeMasterPublic(master);
const id = random(32);
const rsk = await createInlineCrypto().extractRsk({ master, id });
const sed = await createInlineCrypto().encapsulate({ ssv: random(16), id, z });
const pool = createCryptoPool({ workers: WORKERS, queueLimit: 1000 });
await pool.prepare({ z, rsk });

const bench = new Bench(`crypto pool, ${WORKERS} workers`);
await bench.measure('decapsulate, alone', () => pool.decapsulate({ sed, id, z, rsk }));
await bench.measure(
  `${BURST} decapsulations at once`,
  () => Promise.all(Array.from({ length: BURST }, () => pool.decapsulate({ sed, id, z, rsk }))),
  { rounds: 5 },
);
bench.print();

let worst = 0;
const state = { working: true };
const burst = Promise.all(
  Array.from({ length: 5 * BURST }, () => pool.decapsulate({ sed, id, z, rsk })),
).finally(() => (state.working = false));
while (state.working) {
  const start = performance.now();
  await sleep(1);
  worst = Math.max(worst, performance.now() - start - 1);
}
await burst;
console.log(
  `\nlongest delay of a 1 ms timer on the calling thread meanwhile: ${worst.toFixed(1)} ms`,
);
await pool.close();
