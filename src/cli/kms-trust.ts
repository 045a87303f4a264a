/** `segy kms trust`: certificates of partner domains, trusted by fingerprint and by hand. */
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { systemClock } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import {
  fingerprintMatches,
  fingerprintOf,
  readKmsDocument,
  readSignedKmsDocument,
  writeKmsCertificate,
} from '../kms/index.js';
import type { KmsCertificate } from '../kms/index.js';
import type { BodyOf } from './actions/index.js';
import { addVerifyingOptions, trustedKeysOf } from './exchange-keys.js';
import type { VerifyingOptions } from './exchange-keys.js';
import { summaryLines, summaryOf } from './kms-text.js';
import type { CertificateSummary } from './kms-text.js';
import { print } from './output.js';
import { perform } from './perform.js';
import { addStateOptions } from './state-options.js';
import type { TargetOptions } from './state-options.js';
import { printable } from './printable.js';

const MAX_DOCUMENT_OCTETS = 4 * 1024 * 1024;

interface Output extends TargetOptions {
  readonly json: boolean;
}

type TrustBody = BodyOf<'kms/trust/add'>;

interface AddOptions extends Output, VerifyingOptions {
  readonly partner: string;
  readonly fingerprint?: readonly string[];
  readonly replace: boolean;
}

export function registerTrustCommands(kms: Command): void {
  const trust = kms.command('trust').description('certificates of partner domains');
  addVerifyingOptions(addStateOptions(trust.command('add')))
    .description('trust the certificates in a file, each by its fingerprint')
    .argument('<file>', 'KmsCertificate, SignedKmsCertificate or KmsResponse')
    .requiredOption('--partner <name>', 'the partner whose users this KMS keys')
    .option(
      '--fingerprint <text>',
      'fingerprint from the partner, hex or words in quotes; repeat it for several certificates',
      (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
    )
    .option('--replace', 'let it take the place of a different certificate or partner', false)
    .action(add);
  addStateOptions(trust.command('list')).description('what is trusted').action(list);
  addStateOptions(trust.command('show'))
    .description('one certificate in full')
    .argument('<kms-uri>')
    .action(show);
  addStateOptions(trust.command('revoke'))
    .description('trust a certificate no more, and remember that')
    .argument('<kms-uri>')
    .action((kmsUri: string, options: Output) => change(kmsUri, options, 'revoke'));
  addStateOptions(trust.command('remove'))
    .description('forget a certificate')
    .argument('<kms-uri>')
    .action((kmsUri: string, options: Output) => change(kmsUri, options, 'remove'));
}

async function add(file: string, options: AddOptions): Promise<void> {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(options.partner)) {
    throw new SegyError('SEGY_E_USAGE', 'a partner name has letters, digits and . _ - only');
  }
  const trusted = await trustedKeysOf(options);
  const xml = await readDocument(file);
  const { certificates } = trusted ? readSignedKmsDocument(xml, trusted) : readKmsDocument(xml);
  if (certificates.length === 0) {
    throw new SegyError('SEGY_E_KMS_DOCUMENT', `${file} holds no certificate`);
  }
  const compared: { readonly summary: CertificateSummary; readonly body: TrustBody }[] = [];
  const skipped: string[] = [];
  const { ownKmsUri } = await perform('kms/trust/list', {}, options);
  const say = (line: string): void => {
    if (!options.json) console.log(line);
  };
  for (const certificate of certificates) {
    const isOnly = certificates.length === 1;
    const written = writeKmsCertificate(certificate);
    if (isOnly) await perform('kms/trust/check', { xml: written }, options);
    const summary = summaryOf(certificate, systemClock.now());
    say(summaryLines(summary).join('\n'));
    // A partner's cache holds our own certificate too, and those of domains that are not its own.
    const isOurs = !isOnly && certificate.kmsUri === ownKmsUri;
    const fingerprint = isOurs ? null : await comparedFingerprint(certificate, options, isOnly);
    if (fingerprint === null) {
      skipped.push(certificate.kmsUri);
      say(isOurs ? 'our own: left out\n' : 'no fingerprint for it: left out\n');
    } else {
      if (!isOnly) await perform('kms/trust/check', { xml: written }, options);
      const { partner, replace } = options;
      compared.push({ summary, body: { xml: written, partner, fingerprint, replace } });
    }
  }
  refuseStrayFingerprints(certificates, options.fingerprint ?? []);
  if (compared.length === 0) {
    throw new SegyError('SEGY_E_KMS_FINGERPRINT', 'no certificate of the file was compared');
  }
  // All of them are fit and compared before the first is trusted.
  for (const { summary, body } of compared) {
    await perform('kms/trust/add', body, options);
    say(`${printable(summary.kmsUri)} trusted for partner ${options.partner}`);
  }
  const added = compared.map(({ summary }) => summary);
  if (options.json) print(true, { ok: true, partner: options.partner, added, skipped }, () => []);
}

/** A fingerprint that fits nothing is a slip of the hand, or a certificate that is not what it should be. */
function refuseStrayFingerprints(
  certificates: readonly KmsCertificate[],
  given: readonly string[],
): void {
  const actual = certificates.map(fingerprintOf);
  const stray = given.findIndex(
    (text) => !actual.some((fingerprint) => fingerprintMatches(fingerprint, text)),
  );
  if (stray < 0) return;
  throw new SegyError(
    'SEGY_E_KMS_FINGERPRINT',
    `no certificate of the file has the fingerprint given as number ${stray + 1}; none was taken`,
  );
}

/**
 * The fingerprint that the operator gave or typed for this certificate, compared already; null where
 * it is one of several and the operator gave none for it.
 */
async function comparedFingerprint(
  certificate: KmsCertificate,
  options: AddOptions,
  isOnly: boolean,
): Promise<string | null> {
  const actual = fingerprintOf(certificate);
  const refuse = (why: string): never => {
    throw new SegyError('SEGY_E_KMS_FINGERPRINT', `${why} for ${printable(certificate.kmsUri)}`);
  };
  if (options.fingerprint !== undefined) {
    const given = options.fingerprint.find((text) => fingerprintMatches(actual, text));
    return given ?? (isOnly ? refuse('none of the fingerprints given is right') : null);
  }
  if (!process.stdin.isTTY) refuse('no --fingerprint given');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const typed = await terminal.question(
      'Ask the partner over another channel, and type the fingerprint they read out: ',
    );
    if (!isOnly && typed.trim() === '') return null;
    return fingerprintMatches(actual, typed) ? typed : refuse('the fingerprint typed is not right');
  } finally {
    terminal.close();
  }
}

async function list(options: Output): Promise<void> {
  const { entries, refused } = await perform('kms/trust/list', {}, options);
  print(options.json, { ok: true, entries, refused }, () => [
    ...entries.map(
      (entry) =>
        `${printable(entry.kmsUri)}  partner ${entry.partner}  ${entry.state}  to ${entry.validTo ?? 'no end'}  ${entry.fingerprint.hex.slice(0, 16)}`,
    ),
    ...refused.map((kmsUri) => `${printable(kmsUri)}  DAMAGED in the store: not used`),
    ...(entries.length + refused.length === 0 ? ['no partner certificate is trusted'] : []),
  ]);
}

async function show(kmsUri: string, options: Output): Promise<void> {
  const { entries } = await perform('kms/trust/list', {}, options);
  const entry = entries.find((each) => each.kmsUri === kmsUri);
  if (entry === undefined) {
    throw new SegyError('SEGY_E_NOT_FOUND', `no certificate is held for ${printable(kmsUri)}`);
  }
  print(options.json, { ok: true, ...entry }, () => [
    ...summaryLines(entry),
    `partner       ${entry.partner}`,
    `added         ${entry.addedAt}`,
    `state         ${entry.state}`,
  ]);
}

async function change(kmsUri: string, options: Output, verb: 'revoke' | 'remove'): Promise<void> {
  await perform(`kms/trust/${verb}`, { kmsUri }, options);
  print(options.json, { ok: true, kmsUri }, () => [`${printable(kmsUri)}: ${verb}d`]);
}

async function readDocument(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      if ((await file.stat()).size > MAX_DOCUMENT_OCTETS) {
        throw new SegyError('SEGY_E_KMS_DOCUMENT', `${path} is too large`);
      }
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof SegyError) throw cause;
    throw new SegyError('SEGY_E_IO', `cannot read ${path}`, { cause });
  }
}
