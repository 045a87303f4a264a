/**
 * What one client that asks the IdM for 10,000 tokens a minute does to the set-up of calls, in a running
 * gateway with a real Asterisk: with the listener's own limits, and with limits so wide that every
 * request is answered with a token. Quiet and flooded calls take turns in blocks.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { JWT_BEARER } from '../test/idm/idm-rig.js';
import { callRadio } from '../test/support/call-pair.js';
import { IdmSide } from '../test/support/idm-side.js';
import { Scene } from '../test/support/scene.js';
import { sleep } from '../test/support/waiting.js';
import type { IdmLoadOrder, IdmLoadResult } from './idm-load.js';

const PER_MINUTE = 10_000;
const BLOCKS = 4;
const CALLS = 12;
const WIDE = { requestsPerSecond: 1000, burst: 1000 };
const LOAD = fileURLToPath(new URL('idm-load.js', import.meta.url));

const at = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? NaN;

async function flood(side: IdmSide): Promise<() => Promise<IdmLoadResult>> {
  const forms = [];
  for (let n = 0; n < 500; n += 1) {
    const assertion = await side.securityToken();
    const form = { grant_type: JWT_BEARER, client_id: 'client-a', assertion };
    forms.push(new URLSearchParams(form).toString());
  }
  const child = fork(LOAD);
  const { caFile } = side.certificates;
  const { certFile, keyFile } = side.client;
  const url = `${side.origin}/idm/token`;
  child.send({
    ...{ url, caFile, certFile, keyFile, forms },
    perMinute: PER_MINUTE,
  } satisfies IdmLoadOrder);
  return async () => {
    child.send('end');
    const [result] = (await once(child, 'message')) as [IdmLoadResult];
    return result;
  };
}

async function calls(scene: Scene): Promise<number[]> {
  const times = [];
  for (let n = 0; n < CALLS; n += 1) {
    const begun = performance.now();
    const { mc } = await callRadio(scene);
    times.push(performance.now() - begun);
    mc.bye();
    await mc.ended;
    await sleep(30);
  }
  return times;
}

async function compare(name: string, rate: object, clientRate: object): Promise<void> {
  const side = await IdmSide.make();
  const scene = await Scene.start(side.sceneOptions(rate, clientRate));
  const [quiet, flooded]: [number[], number[]] = [[], []];
  const statuses: Record<string, number> = {};
  try {
    await calls(scene);
    for (let block = 0; block < BLOCKS; block += 1) {
      quiet.push(...(await calls(scene)));
      const end = await flood(side);
      await sleep(500);
      flooded.push(...(await calls(scene)));
      const result = await end();
      for (const [status, count] of Object.entries(result.statuses)) {
        statuses[status] = (statuses[status] ?? 0) + count;
      }
    }
  } finally {
    await scene.stop();
    side.remove();
  }
  const row = (what: string, values: readonly number[]): void =>
    console.log(
      `  ${what.padEnd(10)} median ${at(values, 0.5).toFixed(1)} ms   90 % ${at(values, 0.9).toFixed(1)} ms`,
    );
  console.log(`\n${name}: ${JSON.stringify(statuses)} answers by status`);
  row('quiet', quiet);
  row('flooded', flooded);
}

console.log(`\nSet-up of private calls beside ${PER_MINUTE} token requests a minute of one client`);
await compare('limits as they are by default', {}, {});
await compare('every request answered', WIDE, WIDE);
process.exit();
