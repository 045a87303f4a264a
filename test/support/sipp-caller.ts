/** SIPp as another domain's IS proxy: scenarios made of recorded octets, and what they were answered. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SipBody } from '../../src/sim/index.js';
import type { Peer } from './pcap.js';
import { bodyFile, runScenario, type SippPlan } from './sipp.js';

/** Final responses that a scenario goes on after. */
const REFUSALS = [400, 403, 404, 405, 408, 415, 480, 481, 486, 488, 500, 503, 603];
/** Requests of one scenario: SIPp reads scenarios of 64 KiB at most. */
const AT_ONCE = 12;

/** One request; its name holds no space. */
export interface SippRequest {
  readonly name: string;
  readonly method: 'INVITE' | 'MESSAGE' | 'REFER';
  readonly uri: string;
  readonly body: SipBody;
  /** further header lines */
  readonly headers?: readonly string[];
}

export interface SippAnswer {
  readonly status: number;
  /** Warning without its agent; empty without one */
  readonly warning: string;
}

export type SippAnswers = ReadonlyMap<string, SippAnswer>;

export interface SippCallPlan extends SippPlan {
  readonly to: Peer;
}

/** Sends requests of no dialog one after the other, ends what was accepted, and gives the final responses. */
export async function sendWithSipp(
  plan: SippCallPlan,
  requests: readonly SippRequest[],
): Promise<SippAnswers> {
  const answers = new Map<string, SippAnswer>();
  for (const [name, some] of groupsOf(plan.name, requests)) {
    const at = { ...plan, name };
    const steps = some.map((request, index) => outside({ at, request, index, cseq: 1 }));
    for (const [key, answer] of await run(at, steps.join(''))) answers.set(key, answer);
  }
  return answers;
}

/**
 * Sends requests within calls, some in each, one after the other; each call is to come up, and is ended.
 * @param invite what opens the next call
 */
export async function sendInCallsWithSipp(
  plan: SippCallPlan,
  invite: () => Promise<SippRequest>,
  requests: readonly SippRequest[],
): Promise<SippAnswers> {
  const answers = new Map<string, SippAnswer>();
  for (const [name, some] of groupsOf(plan.name, requests)) {
    const at = { ...plan, name };
    const opening = { at, request: await invite(), index: 0, cseq: 1 };
    const steps = some.map((request, index) => within(opening, request, index + 2));
    const end = some.length + 2;
    const all = opened(opening) + steps.join('') + bye(opening, end);
    for (const [key, answer] of await run(at, all)) answers.set(key, answer);
  }
  return answers;
}

function* groupsOf(
  name: string,
  requests: readonly SippRequest[],
): Generator<[string, readonly SippRequest[]]> {
  for (let first = 0; first < requests.length; first += AT_ONCE) {
    yield [`${name}-${first}`, requests.slice(first, first + AT_ONCE)];
  }
}

async function run(plan: SippCallPlan, steps: string): Promise<SippAnswers> {
  const log = join(plan.folder, `${plan.name}.log`);
  const to = `${plan.to.address}:${plan.to.port}`;
  await runScenario(plan, steps, [to, '-m', '1', '-trace_logs', '-log_file', log]);
  const answers = new Map<string, SippAnswer>();
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [, name, status, warning = ''] = /^(\S+) (\d{3}) ?(?: *399 \S+ (.*))?$/.exec(line) ?? [];
    if (name !== undefined) answers.set(name, { status: Number(status), warning });
  }
  return answers;
}

interface Sending {
  readonly at: Pick<SippPlan, 'folder' | 'name'>;
  readonly request: SippRequest;
  /** of its dialog in the scenario */
  readonly index: number;
  readonly cseq: number;
}

const EMPTY = 'Content-Length: 0\n';

function message(
  { request: { uri }, index, cseq }: Sending,
  o: { method: string; branch: string; toTag?: string; rest?: string },
): string {
  const retransmits = o.method === 'ACK' ? '' : ' retrans="500"';
  return (
    `<send${retransmits}>\n<![CDATA[\n${o.method} ${uri} SIP/2.0\n` +
    `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK[pid]-${index}${o.branch}\n` +
    `From: <sip:controlling@[local_ip]>;tag=[pid]-${index}\n` +
    `To: <${uri}>${o.toTag ?? ''}\nCall-ID: c${index}///[call_id]\n` +
    `CSeq: ${cseq} ${o.method}\n` +
    `Contact: <sip:controlling@[local_ip]:[local_port]>\n` +
    `Max-Forwards: 70\n${o.rest ?? EMPTY}\n]]>\n</send>\n`
  );
}

/** What of a request stands behind its dialog headers, with its body. */
function restOf({ at, request: { body, headers = [] } }: Sending, number: number): string {
  const file = bodyFile({ folder: at.folder, name: `${at.name}-${number}` }, body);
  const lines = [...headers, 'P-Asserted-Identity: <sip:controlling@[local_ip]>', file];
  return lines.join('\n');
}

function recv(name: string, status: number, attributes: string): string {
  return (
    `<recv response="${status}"${attributes}>\n<action>\n` +
    `<ereg regexp=".*" search_in="hdr" header="Warning:" assign_to="w"/>\n` +
    `<log message="${name} ${status} [$w]"/>\n</action>\n</recv>\n`
  );
}

const provisional = [100, 180, 183]
  .map((status) => `<recv response="${status}" optional="true"/>\n`)
  .join('');

const refusals = (name: string, label: string): string =>
  REFUSALS.map((status) => recv(name, status, ` optional="true" next="${label}"`)).join('');

const bye = (sending: Sending, cseq: number): string =>
  message({ ...sending, cseq }, { method: 'BYE', branch: 'b', toTag: '[peer_tag_param]' }) +
  '<recv response="200"/>\n';

function outside(sending: Sending): string {
  const { request, index } = sending;
  const { name, method } = request;
  const isCall = method === 'INVITE';
  const ack = (branch: string): string =>
    message(sending, { method: 'ACK', branch, toTag: '[peer_tag_param]' });
  return (
    message(sending, { method, branch: '', rest: restOf(sending, index) }) +
    provisional +
    refusals(name, `refused${index}`) +
    recv(name, 200, isCall ? '' : ` next="end${index}"`) +
    (isCall ? ack('a') + bye(sending, 2).replace('"200"/>', `"200" next="end${index}"/>`) : '') +
    `<label id="refused${index}"/>\n` +
    (isCall ? ack('') : '') +
    `<label id="end${index}"/>\n`
  );
}

function opened(sending: Sending): string {
  const { name } = sending.request;
  return (
    message(sending, { method: 'INVITE', branch: '', rest: restOf(sending, 0) }) +
    provisional +
    recv(name, 200, '') +
    message(sending, { method: 'ACK', branch: 'a', toTag: '[peer_tag_param]' })
  );
}

/** A request in the call of `opening`; who refuses it is told by its Warning. */
function within(opening: Sending, request: SippRequest, cseq: number): string {
  const { name, method } = request;
  const { uri } = opening.request;
  const sending = { ...opening, request: { ...request, uri }, cseq };
  const rest = restOf(sending, cseq);
  return (
    message(sending, { method, branch: `r${cseq}`, toTag: '[peer_tag_param]', rest }) +
    '<recv response="100" optional="true"/>\n' +
    refusals(name, `end${cseq}`) +
    recv(name, 202, '') +
    `<label id="end${cseq}"/>\n`
  );
}
