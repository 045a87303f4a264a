/**
 * One client that asks without end, in a process of its own so that its TLS costs the test nothing:
 * `node https-flood.js URL CA-FILE LOCAL-ADDRESS REQUESTS-A-SECOND TOKEN`. Begins when it is started, ends on
 * SIGTERM, and prints how often it got which status as JSON.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(import.meta.url);
const TICK_MS = 20;

/** Answers by status; `none` where the connection was refused or broke. */
export type FloodCounts = Readonly<Record<string, number>>;

/** Starts the flood. @returns ends it and tells what became of it */
export function startFlood(options: {
  readonly url: string;
  readonly caFile: string;
  readonly from: string;
  readonly perSecond: number;
  /** default: one that is none */
  readonly token?: string;
}): () => Promise<FloodCounts> {
  const { url, caFile, from, perSecond, token = `${'a'.repeat(400)}.b.c` } = options;
  const child = spawn(process.execPath, [FILE, url, caFile, from, String(perSecond), token], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const ended = new Promise<FloodCounts>((resolve) =>
    child.once('close', () => resolve(JSON.parse(printed) as FloodCounts)),
  );
  return () => {
    child.kill('SIGTERM');
    return ended;
  };
}

function flood(
  url: string,
  caFile: string,
  localAddress: string,
  perSecond: number,
  token: string,
): void {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 8,
    ca: readFileSync(caFile),
    localAddress,
  });
  const counts: Record<string, number> = {};
  const count = (what: string): void => void (counts[what] = (counts[what] ?? 0) + 1);
  const from = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - from) / 1000) * perSecond;
    for (; sent < due; sent += 1) {
      const asked = request(url, {
        agent,
        headers: { Authorization: `Bearer ${token}` },
      });
      asked.once('response', (response) => {
        count(String(response.statusCode));
        response.resume();
      });
      asked.once('error', () => count('none'));
      asked.end();
    }
  }, TICK_MS);
  process.once('SIGTERM', () => {
    clearInterval(timer);
    process.stdout.write(JSON.stringify(counts), () => process.exit(0));
  });
}

const [, script, url, caFile, from, perSecond, token = ''] = process.argv;
if (script === FILE && url !== undefined && caFile !== undefined && from !== undefined) {
  flood(url, caFile, from, Number(perSecond), token);
}
