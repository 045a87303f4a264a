/**
 * Entry point of a media worker thread. Nothing else runs on its event loop.
 */
import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock, systemRandom, systemTimers } from '../base/environment.js';
import { beat } from '../base/loop-lag.js';
import { putThisThreadAt } from './priority.js';
import type { ControlMessage, WorkerConfig, WorkerMessage } from './protocol.js';
import { MediaWorkerHost } from './worker-host.js';

const port = parentPort;
if (port) {
  // An SRTP packet that does not authenticate is an exception in node:crypto: make it a cheap one.
  Error.stackTraceLimit = 0;
  const post = (message: WorkerMessage): void => port.postMessage(message);
  const environment = {
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    monotonic: () => performance.now(),
  };
  const config = workerData as WorkerConfig;
  const prioritised = putThisThreadAt(config.nice);
  beat(config.lag);
  const host = new MediaWorkerHost(config, environment, post);
  port.on('message', (message: ControlMessage) => void host.handle(message));
  post({ type: 'ready', prioritised });
}
