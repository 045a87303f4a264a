/** SIPp as a partner that is called, or gets messages: it checks what comes, and answers from files. */
import type { SipBody } from '../../src/sim/index.js';
import { bodyFile, runScenario, type SippPlan } from './sipp.js';

/** What a request is to hold, or not; SIPp reads as far as the first octet of zero. */
export interface Expected {
  readonly text: string;
  readonly isThere: boolean;
}

function checksOf(expected: readonly Expected[]): string {
  const checks = expected.map(({ text, isThere }, index) => {
    const check = isThere ? 'check_it="true"' : 'check_it_inverse="true"';
    return `<ereg regexp="${text}" search_in="msg" ${check} assign_to="c${index}"/>\n`;
  });
  return checks.join('');
}

const variablesOf = (expected: readonly Expected[]): string =>
  `<Reference variables="${expected.map((_, index) => `c${index}`).join()}"/>\n`;

const reply = (status: string, rest: string, tag = ';tag=[pid]'): string =>
  `<send>\n<![CDATA[\nSIP/2.0 ${status}\n[last_Via:]\n[last_From:]\n` +
  `[last_To:]${tag}\n[last_Call-ID:]\n[last_CSeq:]\n` +
  `Contact: <sip:partner@[local_ip]:[local_port];transport=tcp>\n${rest}\n]]>\n</send>\n`;

const EMPTY = 'Content-Length: 0\n';

/**
 * Takes one INVITE, answers it with `body`, and waits for its ACK and BYE. Resolves when all
 * of that came. @throws Error with what SIPp printed, where it did not
 */
export async function answerWithSipp(
  plan: SippPlan,
  body: SipBody,
  expected: readonly Expected[],
): Promise<void> {
  const steps =
    `<recv request="INVITE">\n<action>\n${checksOf(expected)}</action>\n</recv>\n` +
    variablesOf(expected) +
    reply('200 OK', bodyFile(plan, body)) +
    '<recv request="ACK"/>\n<recv request="BYE"/>\n' +
    reply('200 OK', EMPTY, '');
  await runScenario(plan, steps, ['-m', '1']);
}

/**
 * Takes a MESSAGE for each of `bodies`, and answers the first with the first of them. Resolves
 * when all came. @throws Error where one holds what it should not, or lacks something
 */
export async function answerMessagesWithSipp(
  plan: SippPlan,
  bodies: readonly SipBody[],
  expected: readonly Expected[],
): Promise<void> {
  const choices = bodies.map(
    (_, index) =>
      `<test assign_to="m${index}" variable="n" compare="equal" value="${index + 1}"/>\n`,
  );
  const branches = bodies.map((_, index) => `<nop next="l${index}" test="m${index}"/>\n`);
  const replies = bodies.map((body, index) => {
    const file = bodyFile({ folder: plan.folder, name: `${plan.name}-${index}` }, body);
    return `<label id="l${index}"/>\n${reply('200 OK', file).replace('<send>', '<send next="end">')}`;
  });
  const steps =
    '<recv request="MESSAGE">\n<action>\n' +
    checksOf(expected) +
    '<assignstr assign_to="text" value="[call_number]"/>\n' +
    '<todouble assign_to="n" variable="text"/>\n' +
    choices.join('') +
    '</action>\n</recv>\n' +
    variablesOf(expected) +
    branches.join('') +
    reply('500 Nothing to answer', EMPTY) +
    '<nop next="end"/>\n' +
    replies.join('') +
    '<label id="end"/>\n';
  await runScenario(plan, steps, ['-m', String(bodies.length)]);
}
