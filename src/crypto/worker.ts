/** Thread of the crypto pool: runs one operation at a time and keeps the tables it made. */
import { parentPort, workerData } from 'node:worker_threads';
import { SegyError, toSegyError } from '../base/errors.js';
import { beat } from '../base/loop-lag.js';
import { SakkeEngine } from './sakke.js';
import { wipeRequest } from './slow-crypto.js';
import type { WorkerAnswer, WorkerJob, WorkerSettings } from './worker-protocol.js';

const port = parentPort;
if (port === null) throw new SegyError('SEGY_E_INTERNAL', 'this file runs as a worker thread only');

const { tables, lag } = workerData as WorkerSettings;
const engine = new SakkeEngine(tables);
beat(lag);

function answer({ id, request }: WorkerJob): WorkerAnswer {
  try {
    return { id, ok: true, result: engine.run(request) };
  } catch (error) {
    const { code, message } = toSegyError(error);
    return { id, ok: false, code, message };
  } finally {
    wipeRequest(request);
  }
}

port.on('message', (job: WorkerJob) => {
  const reply = answer(job);
  port.postMessage(reply);
  if (reply.ok && reply.result instanceof Uint8Array) reply.result.fill(0);
});
