/** SIPp as another domain's IS proxy: a scenario made of recorded octets, and what it was answered. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SipBody } from '../../src/sim/index.js';
import type { Peer } from './pcap.js';

/** Seconds until a scenario that hangs is ended. */
const LIMIT_S = 120;
/** Final responses that a scenario goes on after. */
const REFUSALS = [400, 403, 404, 408, 480, 481, 486, 488, 500, 503];
/** Requests of one scenario: SIPp reads scenarios of 64 KiB at most. */
const AT_ONCE = 15;

/** One request of no dialog; its name holds no space. */
export interface SippRequest {
  readonly name: string;
  readonly method: 'INVITE' | 'MESSAGE';
  readonly uri: string;
  readonly body: SipBody;
}

export interface SippAnswer {
  readonly status: number;
  /** Warning without its agent; empty without one */
  readonly warning: string;
}

export interface SippPlan {
  readonly folder: string;
  /** the prefix of its files */
  readonly name: string;
  readonly from: Peer;
  readonly to: Peer;
}

/** Sends the requests one after the other, ends what was accepted, and gives the final responses. */
export async function sendWithSipp(
  plan: SippPlan,
  requests: readonly SippRequest[],
): Promise<ReadonlyMap<string, SippAnswer>> {
  const answers = new Map<string, SippAnswer>();
  for (let first = 0; first < requests.length; first += AT_ONCE) {
    const name = `${plan.name}-${first}`;
    const some = requests.slice(first, first + AT_ONCE);
    for (const [key, answer] of await runScenario({ ...plan, name }, some)) {
      answers.set(key, answer);
    }
  }
  return answers;
}

async function runScenario(
  plan: SippPlan,
  requests: readonly SippRequest[],
): Promise<ReadonlyMap<string, SippAnswer>> {
  const at = (suffix: string): string => join(plan.folder, `${plan.name}${suffix}`);
  const blocks = requests.map((request, index) => {
    const file = at(`-${index}.body`);
    const { type, bytes } = request.body;
    const head = `Content-Type: ${type}\r\nContent-Length: ${bytes.length}\r\n\r\n`;
    writeFileSync(file, Buffer.concat([Buffer.from(head), bytes]));
    return block(request, index, file);
  });
  writeFileSync(
    at('.xml'),
    `<?xml version="1.0" encoding="us-ascii"?>\n<scenario name="${plan.name}">\n${blocks.join('')}</scenario>\n`,
  );
  await runSipp([
    `${plan.to.address}:${plan.to.port}`,
    ...['-sf', at('.xml'), '-i', plan.from.address, '-p', String(plan.from.port), '-m', '1'],
    ...['-trace_logs', '-log_file', at('.log'), '-trace_err', '-error_file', at('.err')],
  ]);
  const answers = new Map<string, SippAnswer>();
  for (const line of readFileSync(at('.log'), 'utf8').split('\n')) {
    const [, name, status, warning = ''] = /^(\S+) (\d{3}) ?(?: *399 \S+ (.*))?$/.exec(line) ?? [];
    if (name !== undefined) answers.set(name, { status: Number(status), warning });
  }
  return answers;
}

function block({ name, method, uri }: SippRequest, index: number, file: string): string {
  const message = (kind: string, branch: string, to: string, rest: string): string =>
    `<send${kind === 'ACK' ? '' : ' retrans="500"'}>\n<![CDATA[\n` +
    `${kind} ${uri} SIP/2.0\n` +
    `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK[pid]-${index}${branch}\n` +
    `From: <sip:controlling@[local_ip]>;tag=[pid]-${index}\n` +
    `To: ${to}\nCall-ID: c${index}///[call_id]\n` +
    `CSeq: ${kind === 'BYE' ? 2 : 1} ${kind}\n` +
    `Contact: <sip:controlling@[local_ip]:[local_port]>\n` +
    `Max-Forwards: 70\n${rest}\n]]>\n</send>\n`;
  const answer = (status: number, attributes: string): string =>
    `<recv response="${status}"${attributes}>\n<action>\n` +
    `<ereg regexp=".*" search_in="hdr" header="Warning:" assign_to="w"/>\n` +
    `<log message="${name} ${status} [$w]"/>\n</action>\n</recv>\n`;
  const empty = 'Content-Length: 0\n';
  const request = `P-Asserted-Identity: <sip:controlling@[local_ip]>\n[file name=${file}]`;
  const refusals = REFUSALS.map((status) =>
    answer(status, ` optional="true" next="refused${index}"`),
  ).join('');
  const accepted =
    method === 'MESSAGE'
      ? ''
      : message('ACK', 'a', '[last_To]', empty) +
        message('BYE', 'b', '[last_To]', empty) +
        `<recv response="200" next="end${index}"/>\n`;
  return (
    message(method, '', `<${uri}>`, request) +
    [100, 180, 183].map((status) => `<recv response="${status}" optional="true"/>\n`).join('') +
    refusals +
    answer(200, method === 'MESSAGE' ? ` next="end${index}"` : '') +
    accepted.replaceAll('[last_To]', '<' + uri + '>[peer_tag_param]') +
    `<label id="refused${index}"/>\n` +
    (method === 'MESSAGE' ? '' : message('ACK', '', `<${uri}>[peer_tag_param]`, empty)) +
    `<label id="end${index}"/>\n`
  );
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

/**
 * SIPp as a called partner over TCP: takes one INVITE, answers it with `body`, and waits for its ACK
 * and BYE. Resolves when all of that came. @throws Error with what SIPp printed, where it did not
 */
export async function answerWithSipp(
  { folder, name, from }: Omit<SippPlan, 'to'>,
  { type, bytes }: SipBody,
  expected: readonly { readonly text: string; readonly isThere: boolean }[],
): Promise<void> {
  const at = (suffix: string): string => join(folder, `${name}${suffix}`);
  const head = `Content-Type: ${type}\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  writeFileSync(at('.body'), Buffer.concat([Buffer.from(head), bytes]));
  const reply = (status: string, rest: string): string =>
    `<send>\n<![CDATA[\nSIP/2.0 ${status}\n[last_Via:]\n[last_From:]\n` +
    '[last_To:];tag=[pid]\n[last_Call-ID:]\n[last_CSeq:]\n' +
    `Contact: <sip:partner@[local_ip]:[local_port];transport=tcp>\n${rest}\n]]>\n</send>\n`;
  const checks = expected.map(({ text, isThere }, index) => {
    const check = isThere ? 'check_it="true"' : 'check_it_inverse="true"';
    return `<ereg regexp="${text}" search_in="msg" ${check} assign_to="c${index}"/>\n`;
  });
  const used = expected.map((_, index) => `c${index}`).join();
  writeFileSync(
    at('.xml'),
    `<?xml version="1.0" encoding="us-ascii"?>\n<scenario name="${name}">\n` +
      `<recv request="INVITE">\n<action>\n${checks.join('')}</action>\n</recv>\n` +
      `<Reference variables="${used}"/>\n` +
      reply('200 OK', `[file name=${at('.body')}]`) +
      '<recv request="ACK"/>\n<recv request="BYE"/>\n' +
      reply('200 OK', 'Content-Length: 0\n').replace(';tag=[pid]', '') +
      '</scenario>\n',
  );
  await runSipp([
    ...['-sf', at('.xml'), '-i', from.address, '-p', String(from.port), '-m', '1', '-t', 't1'],
    ...['-trace_err', '-error_file', at('.err')],
  ]);
}
