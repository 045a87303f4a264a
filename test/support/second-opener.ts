/** I_MESSAGEs opened by an implementation that shares nothing with ours: mikey-opener/ beside this. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toHex } from '../../src/base/bytes.js';
import type { KmsCertificate } from '../../src/kms/index.js';

const SCRIPT = fileURLToPath(
  new URL('../../../test/support/mikey-opener/open.py', import.meta.url),
);

const PYTHON = '/usr/bin/python3';
/** With numbers of Python's own it takes so many times as long. */
const SLOWER = 10;

export interface SecondOpening {
  readonly message: Uint8Array;
  /** URI of the member */
  readonly member: string;
  /** the member's RSK, 257 octets */
  readonly rsk: Uint8Array;
  /** the KMS of the member */
  readonly theirs: KmsCertificate;
  readonly initiator: string;
  /** the KMS of the initiator */
  readonly ours: KmsCertificate;
}

/** In hexadecimal; the identifiers as the member has them. */
export interface SecondOpened {
  readonly member: string;
  readonly csbId: string;
  readonly keyId: string;
  readonly key: string;
  readonly rand: string;
  /** times in seconds since 1970 */
  readonly parameters: {
    readonly keyType: number;
    readonly status: number;
    readonly activation: number;
    readonly expiry: number;
    readonly text: string;
    readonly groups: readonly string[];
  };
}

export const hasSecondOpener = (): boolean => existsSync(PYTHON);

/** All that there is time to open: every one with gmpy2, one in ten without, which is said then. */
export function openable<T>(all: readonly T[]): T[] {
  if (spawnSync(PYTHON, ['-c', 'import gmpy2']).status === 0) return [...all];
  const some = all.filter((_, at) => at % SLOWER === 0);
  process.stdout.write(
    `    ${some.length} of ${all.length} messages are opened: python3-gmpy2 is not installed\n`,
  );
  return some;
}

/** Opens them, in the same order. @throws Error with the reason of the first that does not open */
export async function openElsewhere(asked: readonly SecondOpening[]): Promise<SecondOpened[]> {
  const lines = asked.map(({ message, member, rsk, theirs, initiator, ours }) =>
    JSON.stringify({
      message: Buffer.from(message).toString('base64'),
      member,
      rsk: toHex(rsk),
      initiator,
      theirs: kms(theirs, theirs.pubEncKey),
      ours: kms(ours, ours.pubAuthKey),
    }),
  );
  const output = await new Promise<string>((resolve, reject) => {
    const child = spawn(PYTHON, ['-B', SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('error', reject);
    child.on('close', () => resolve(text));
    child.stdin.end(`${lines.join('\n')}\n`);
  });
  const answers = output.trim().split('\n');
  if (answers.length !== asked.length) throw new Error(`${answers.length} of ${asked.length} came`);
  return answers.map((line, at) => {
    const answer = JSON.parse(line) as SecondOpened | { readonly error: string };
    if ('error' in answer) throw new Error(`${asked[at]?.member ?? ''}: ${answer.error}`);
    return answer;
  });
}

function kms({ kmsUri, userKeyPeriod, userKeyOffset }: KmsCertificate, key: Uint8Array): object {
  return {
    uri: kmsUri,
    period: Number(userKeyPeriod),
    offset: Number(userKeyOffset),
    key: toHex(key),
  };
}
