/** SIPp: runs scenarios, and writes what all of them are made of. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SipBody } from '../../src/sim/index.js';
import type { Peer } from './pcap.js';

/** Seconds until a scenario that hangs is ended. */
const LIMIT_S = 120;

export interface SippPlan {
  readonly folder: string;
  /** the prefix of its files */
  readonly name: string;
  /** where SIPp sends from, and is reached */
  readonly from: Peer;
  /** default: UDP */
  readonly protocol?: 'udp' | 'tcp';
}

/** Writes a scenario and runs it to its end. @throws Error with what it printed, where a step failed */
export async function runScenario(
  { folder, name, from, protocol }: SippPlan,
  steps: string,
  more: readonly string[],
): Promise<void> {
  const at = (suffix: string): string => join(folder, `${name}${suffix}`);
  writeFileSync(
    at('.xml'),
    `<?xml version="1.0" encoding="us-ascii"?>\n<scenario name="${name}">\n${steps}</scenario>\n`,
  );
  await runSipp([
    ...['-sf', at('.xml'), '-i', from.address, '-p', String(from.port)],
    ...['-t', protocol === 'tcp' ? 't1' : 'u1'],
    ...['-trace_err', '-error_file', at('.err'), ...more],
  ]);
}

/** Puts a body and its headers into a file; what inserts them as the end of a message. */
export function bodyFile(
  { folder, name }: Pick<SippPlan, 'folder' | 'name'>,
  body: SipBody,
): string {
  const file = join(folder, `${name}.body`);
  const { type, bytes } = body;
  const head = `Content-Type: ${type}\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  writeFileSync(file, Buffer.concat([Buffer.from(head), bytes]));
  return `[file name=${file}]`;
}

/** Runs SIPp to its end. @throws Error with what it printed, where a step failed */
export async function runSipp(args: readonly string[]): Promise<void> {
  const all = [...args, '-nostdin', '-max_socket', '1000', '-timeout', `${LIMIT_S}s`];
  const { code, output } = await new Promise<{ code: number | null; output: string }>(
    (resolve, reject) => {
      const child = spawn('sipp', all, { stdio: ['ignore', 'pipe', 'pipe'] });
      const limit = setTimeout(() => child.kill('SIGKILL'), (LIMIT_S + 10) * 1000);
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
      child.on('error', reject);
      child.on('close', (status) => {
        clearTimeout(limit);
        resolve({ code: status, output: text });
      });
    },
  );
  if (code === 0) return;
  const file = args[args.indexOf('-error_file') + 1] ?? '';
  const errors = existsSync(file) ? readFileSync(file, 'utf8') : output;
  throw new Error(`sipp ended with ${code}:\n${errors.slice(-1500)}`);
}
