/** I_MESSAGEs opened by an implementation that shares nothing with ours: mikey_opener.py beside this. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toHex } from '../../src/base/bytes.js';
import type { KmsCertificate } from '../../src/kms/index.js';

const SCRIPT = fileURLToPath(new URL('../../../test/support/mikey_opener.py', import.meta.url));

const PYTHON = '/usr/bin/python3';

export interface SecondOpening {
  readonly message: Uint8Array;
  /** URI of the member */
  readonly member: string;
  /** the member's RSK, 257 octets, to open it with; or the SSV whose SED it has to have */
  readonly by: { readonly rsk: Uint8Array } | { readonly ssv: Uint8Array };
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
}

export const hasSecondOpener = (): boolean => existsSync(PYTHON);

/** Opens them one after the other. @throws Error with the reason of the first that does not open */
export async function openElsewhere(asked: readonly SecondOpening[]): Promise<SecondOpened[]> {
  const lines = asked.map(({ message, member, by, theirs, initiator, ours }) =>
    JSON.stringify({
      message: Buffer.from(message).toString('base64'),
      member,
      ...('rsk' in by ? { rsk: toHex(by.rsk) } : { ssv: toHex(by.ssv) }),
      initiator,
      theirs: kms(theirs, theirs.pubEncKey),
      ours: kms(ours, ours.pubAuthKey),
    }),
  );
  const output = await new Promise<string>((resolve, reject) => {
    const child = spawn(PYTHON, [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('error', reject);
    child.on('close', () => resolve(text));
    child.stdin.end(`${lines.join('\n')}\n`);
  });
  const answers = output.trim().split('\n');
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
