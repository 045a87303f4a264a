/**
 * `segy mikey open | make | inspect`: I_MESSAGEs by hand, for operators and for tests against other
 * products. Exit status 0 done, 1 refused, 2 wrong usage. Key octets are printed only with --reveal.
 */
import type { Command } from 'commander';
import { fromHex, toHex, wipe } from '../base/bytes.js';
import { type Clock, systemClock, systemRandom } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import { createInlineCrypto, EccsiVerifier } from '../crypto/index.js';
import type { KmsCertificate, KmsKeySet } from '../kms/index.js';
import { periodAt } from '../kms/index.js';
import {
  ALL_TOLERANCES,
  decodeMikeyInput,
  encodeMikeyText,
  type KeyType,
  MAX_MESSAGE,
  makeIMessage,
  newKeyId,
  openIMessage,
  walkIMessage,
} from '../mikey/index.js';
import { parseTime } from './arguments.js';
import { readCertificates, readKeySets } from './kms-files.js';
import { describeOpened, viewOpened } from './mikey-view.js';
import { print } from './output.js';

/** Base64 with line breaks of the longest message. */
const MAX_INPUT = 2 * MAX_MESSAGE;
const MAKE_TYPES: readonly KeyType[] = ['GMK', 'PCK', 'CSK'];

function usage(what: string): never {
  throw new SegyError('SEGY_E_USAGE', what);
}

function clockAt(time: Date | undefined): Clock {
  return time === undefined ? systemClock : { now: () => time.getTime() };
}

function hexOption(
  name: string,
  text: string | undefined,
  lengths: readonly number[],
): Uint8Array | undefined {
  if (text === undefined) return undefined;
  if (!/^(?:[0-9a-fA-F]{2})+$/.test(text) || !lengths.includes(text.length / 2)) {
    usage(`${name} is not hexadecimal of ${lengths.join(' or ')} octets`);
  }
  return fromHex(text);
}

async function readInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_INPUT) {
      throw new SegyError('SEGY_E_MIKEY_SYNTAX', 'the input is longer than a message');
    }
    chunks.push(chunk);
  }
  return decodeMikeyInput(new Uint8Array(Buffer.concat(chunks)));
}

interface OpenOptions {
  readonly kmsCert: string[];
  readonly keySet: string[];
  readonly from?: string;
  readonly at?: Date;
  readonly window: boolean;
  readonly reveal: boolean;
  readonly json: boolean;
}

async function open(options: OpenOptions): Promise<void> {
  const clock = clockAt(options.at);
  const certificates = readCertificates(options.kmsCert);
  const keySets = readKeySets(options.keySet);
  const slow = createInlineCrypto();
  try {
    const opened = await openIMessage(await readInput(), {
      clock,
      slow,
      verifier: new EccsiVerifier({ cacheSize: 4 }),
      tolerances: ALL_TOLERANCES,
      findCertificate: (kmsUri) => certificates.get(kmsUri),
      findKeySets: () => keySets,
      ...(options.from === undefined ? {} : { from: options.from }),
      ...(options.window ? {} : { window: 'none' as const }),
    });
    const view = viewOpened(opened, options.reveal);
    opened.wipe();
    print(options.json, view, () => describeOpened(view));
  } finally {
    await slow.close();
    for (const keySet of keySets) wipe(keySet.rsk, keySet.ssk);
  }
}

interface MakeOptions {
  readonly type: string;
  readonly kmsCert: string[];
  readonly keySet: string[];
  readonly from?: string;
  readonly to: string;
  readonly toKmsCert: string;
  readonly key?: string;
  readonly keyId?: string;
  readonly rand?: string;
  readonly hideIdentities: boolean;
  readonly at?: Date;
  readonly reveal: boolean;
  readonly json: boolean;
}

/** The initiator's certificate and its key set for the time, from files that may hold more. */
function chooseInitiator(
  options: MakeOptions,
  nowMs: number,
): { certificate: KmsCertificate; keySet: KmsKeySet } {
  const certificates = readCertificates(options.kmsCert);
  const all = readKeySets(options.keySet);
  const mine = all.filter((set) => options.from === undefined || set.userUri === options.from);
  const [first] = mine;
  if (first === undefined) return usage(`no key set of ${options.from ?? ''}`);
  if (mine.some((set) => set.userUri !== first.userUri || set.kmsUri !== first.kmsUri)) {
    usage('the key sets are of several users; --from names one');
  }
  const certificate = certificates.get(first.kmsUri);
  if (certificate === undefined) {
    throw new SegyError(
      'SEGY_E_MIKEY_KMS_UNKNOWN',
      `no certificate of ${first.kmsUri}, the KMS of the key set`,
    );
  }
  const period = periodAt(certificate, nowMs);
  return { certificate, keySet: mine.find((set) => set.keyPeriodNo === period) ?? first };
}

async function make(options: MakeOptions): Promise<void> {
  const keyType =
    MAKE_TYPES.find((type) => type === options.type) ?? usage('--type is not GMK, PCK or CSK');
  const clock = clockAt(options.at);
  const key = hexOption('--key', options.key, [16, 32]) ?? systemRandom(16);
  const keyId = hexOption('--key-id', options.keyId, [4]) ?? newKeyId(keyType, systemRandom);
  const rand = hexOption('--rand', options.rand, [16, 24, 32, 64]) ?? systemRandom(16);
  const { certificate, keySet } = chooseInitiator(options, clock.now());
  const [responderCertificate, ...others] = readCertificates([options.toKmsCert]).values();
  if (responderCertificate === undefined || others.length > 0) {
    usage('--to-kms-cert does not hold one certificate');
  }
  const slow = createInlineCrypto();
  try {
    const message = await makeIMessage(
      {
        keyType,
        key,
        keyId,
        rand,
        initiatorUri: keySet.userUri,
        initiatorCertificate: certificate,
        initiatorKeySet: keySet,
        responderUri: options.to,
        responderCertificate,
        hideIdentities: options.hideIdentities,
      },
      { clock, slow, random: systemRandom },
    );
    const text = encodeMikeyText(message);
    const view = {
      ok: true,
      keyType,
      keyId: toHex(keyId),
      rand: toHex(rand),
      ...(options.reveal ? { key: toHex(key) } : {}),
      mikey: text,
    };
    print(options.json, view, () => [text]);
  } finally {
    await slow.close();
    wipe(key);
  }
}

async function inspect(options: { readonly json: boolean }): Promise<void> {
  const payloads = walkIMessage(await readInput());
  print(options.json, { ok: true, payloads }, () =>
    payloads.map(({ name, offset, length, fields }) => {
      const text = Object.entries(fields).map(([field, value]) => `${field}=${value}`);
      return `${String(offset).padStart(5)} ${String(length).padStart(5)}  ${name.padEnd(14)} ${text.join('  ')}`;
    }),
  );
}

export function registerMikeyCommands(program: Command): void {
  const mikey = program.command('mikey').description('MIKEY-SAKKE I_MESSAGEs');
  mikey
    .command('open')
    .description('open one I_MESSAGE from standard input (base64 or raw octets)')
    .requiredOption('--kms-cert <file...>', 'certificates of the KMSs, Annex D XML')
    .requiredOption('--key-set <file...>', 'key sets of the receivers, Annex D XML')
    .option('--from <uri>', 'refuse an initiator other than this user')
    .option('--at <time>', 'RFC 3339 time to take for now', parseTime('--at'))
    .option('--no-window', 'do not compare the time of the message with the clock')
    .option('--reveal', 'print key octets', false)
    .option('--json', 'print one JSON object', false)
    .action(open);
  mikey
    .command('make')
    .description('make one I_MESSAGE and print it as `mikey <base64>`')
    .requiredOption('--type <type>', 'GMK, PCK or CSK')
    .requiredOption('--kms-cert <file...>', "certificate of the initiator's KMS, Annex D XML")
    .requiredOption('--key-set <file...>', "the initiator's key sets, Annex D XML")
    .requiredOption('--to <uri>', 'the receiving user')
    .requiredOption('--to-kms-cert <file>', "certificate of the receiver's KMS, Annex D XML")
    .option('--from <uri>', 'the initiator, where the key sets are of several users')
    .option('--key <hex>', 'the key, 16 octets; default a new one')
    .option('--key-id <hex>', 'its identifier, 4 octets; default a new one')
    .option('--rand <hex>', 'RAND; default 16 new octets')
    .option('--hide-identities', 'send UIDs in place of the identities', false)
    .option('--at <time>', 'RFC 3339 time to take for now', parseTime('--at'))
    .option('--reveal', 'with --json: print the key too', false)
    .option('--json', 'print one JSON object', false)
    .action(make);
  mikey
    .command('inspect')
    .description('print the payloads of one I_MESSAGE from standard input; needs no key')
    .option('--json', 'print one JSON object', false)
    .action(inspect);
}
