/** `segy kms trust`: certificates of partner domains, trusted by fingerprint and by hand. */
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { SegyError } from '../base/errors.js';
import {
  fingerprintMatches,
  fingerprintOf,
  readKmsDocument,
  readSignedKmsDocument,
} from '../kms/index.js';
import type { KmsCertificate, TrustEntry } from '../kms/index.js';
import { addVerifyingOptions, trustedKeysOf } from './exchange-keys.js';
import type { VerifyingOptions } from './exchange-keys.js';
import { printable, summaryLines, summaryOf } from './kms-text.js';
import type { CertificateSummary } from './kms-text.js';
import { print } from './output.js';
import { addStateOptions, withState } from './state.js';
import type { State, StateOptions } from './state.js';

const MAX_DOCUMENT_OCTETS = 4 * 1024 * 1024;

interface Output extends StateOptions {
  readonly json: boolean;
}

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
  await withState(options, async (state, { clock }) => {
    const added: CertificateSummary[] = [];
    const skipped: string[] = [];
    const ownKmsUri = state.domain?.certificate.kmsUri;
    const say = (line: string): void => {
      if (!options.json) console.log(line);
    };
    for (const certificate of certificates) {
      const isOnly = certificates.length === 1;
      if (isOnly) state.trust.check(certificate, ownKmsUri);
      const summary = summaryOf(certificate, clock.now());
      say(summaryLines(summary).join('\n'));
      // A partner's cache holds our own certificate too, and those of domains that are not its own.
      const isOurs = !isOnly && certificate.kmsUri === ownKmsUri;
      const fingerprint = isOurs ? null : await comparedFingerprint(certificate, options, isOnly);
      if (fingerprint === null) {
        skipped.push(certificate.kmsUri);
        say(isOurs ? 'our own: left out\n' : 'no fingerprint for it: left out\n');
      } else {
        await addOne(state, certificate, fingerprint, options);
        added.push(summary);
        say(`trusted for partner ${options.partner}\n`);
      }
    }
    if (added.length === 0) {
      throw new SegyError('SEGY_E_KMS_FINGERPRINT', 'no certificate of the file was compared');
    }
    if (options.json) print(true, { ok: true, partner: options.partner, added, skipped }, () => []);
  });
}

async function addOne(
  state: State,
  certificate: KmsCertificate,
  fingerprint: string,
  options: AddOptions,
): Promise<void> {
  const isHeld = state.trust.find(certificate.kmsUri) !== undefined;
  await state.trust.add(certificate, {
    partner: options.partner,
    fingerprint,
    replace: options.replace,
    ...(state.domain && { ownKmsUri: state.domain.certificate.kmsUri }),
  });
  await state.audit.record({
    action: isHeld ? 'trust-replaced' : 'trust-added',
    kmsUri: certificate.kmsUri,
    partner: options.partner,
    fingerprint: fingerprintOf(certificate).hex,
  });
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
  await withState(options, ({ trust }, { clock }) => {
    const entries = trust.list().map((entry) => describe(entry, clock.now()));
    print(options.json, { ok: true, entries, refused: trust.refused }, () => [
      ...entries.map(
        (entry) =>
          `${printable(entry.kmsUri)}  partner ${entry.partner}  ${entry.state}  to ${entry.validTo ?? 'no end'}  ${entry.fingerprint.hex.slice(0, 16)}`,
      ),
      ...trust.refused.map((kmsUri) => `${printable(kmsUri)}  DAMAGED in the store: not used`),
      ...(entries.length + trust.refused.length === 0 ? ['no partner certificate is trusted'] : []),
    ]);
    return Promise.resolve();
  });
}

async function show(kmsUri: string, options: Output): Promise<void> {
  await withState(options, ({ trust }, { clock }) => {
    const entry = trust.find(kmsUri);
    if (entry === undefined) {
      throw new SegyError('SEGY_E_NOT_FOUND', `no certificate is held for ${printable(kmsUri)}`);
    }
    const described = describe(entry, clock.now());
    print(options.json, { ok: true, ...described }, () => [
      ...summaryLines(described),
      `partner       ${described.partner}`,
      `added         ${described.addedAt}`,
      `state         ${described.state}`,
    ]);
    return Promise.resolve();
  });
}

async function change(kmsUri: string, options: Output, verb: 'revoke' | 'remove'): Promise<void> {
  await withState(options, async ({ trust, audit }) => {
    const partner = trust.find(kmsUri)?.partner;
    await (verb === 'revoke' ? trust.revoke(kmsUri) : trust.remove(kmsUri));
    const action = verb === 'revoke' ? 'trust-revoked' : 'trust-removed';
    await audit.record({ action, kmsUri, ...(partner !== undefined && { partner }) });
    print(options.json, { ok: true, kmsUri }, () => [`${printable(kmsUri)}: ${verb}d`]);
  });
}

function describe(entry: TrustEntry, now: number) {
  return {
    ...summaryOf(entry.certificate, now),
    partner: entry.partner,
    addedAt: entry.addedAt.toISOString(),
    state: stateOf(entry, now),
    next: entry.next === undefined ? null : summaryOf(entry.next, now),
  };
}

function stateOf(entry: TrustEntry, now: number): string {
  const { validFrom, validTo } = entry.certificate;
  if (entry.revokedAt !== undefined) return `revoked ${entry.revokedAt.toISOString()}`;
  if (validTo !== undefined && now > validTo.getTime()) return 'expired';
  if (validFrom !== undefined && now < validFrom.getTime()) return 'not yet valid';
  return 'in use';
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
