/**
 * Stands in for the crypto worker in pool tests. `encapsulate` answers with the identity at once,
 * `decapsulate` after 40 ms, `extractRsk` ends the thread, `prepare` answers, `validateRsk` fails.
 */
import { parentPort } from 'node:worker_threads';
import type { WorkerAnswer, WorkerJob } from '../../src/crypto/worker-protocol.js';

function answer(reply: WorkerAnswer): void {
  parentPort?.postMessage(reply);
}

parentPort?.on('message', ({ id, request }: WorkerJob) => {
  switch (request.op) {
    case 'encapsulate':
      answer({ id, ok: true, result: request.id });
      return;
    case 'decapsulate':
      setTimeout(() => answer({ id, ok: true, result: request.id }), 40);
      return;
    case 'extractRsk':
      process.exit(3);
      return;
    case 'validateRsk':
      answer({ id, ok: false, code: 'SEGY_E_ARGUMENT', message: 'scripted' });
      return;
    case 'prepare':
      answer({ id, ok: true, result: undefined });
  }
});
